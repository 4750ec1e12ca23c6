"""Clocks: start, stop, resume, due."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.domain.sla import Clock, is_breached, resumed, started, stopped
from tests.fakes import HOUR, MINUTE, NOW, SECOND

CLOCK = Clock(name="respond", started_at=NOW, due_at=NOW + HOUR)
MOMENTS = st.timedeltas(timedelta(), timedelta(days=30))


def test_each_target_starts_a_clock_that_is_due_after_it() -> None:
    clocks = started({"respond": MINUTE, "resolve": HOUR}, NOW)
    assert {name: (clock.name, clock.started_at, clock.due_at) for name, clock in clocks.items()} == {
        "respond": ("respond", NOW, NOW + MINUTE),
        "resolve": ("resolve", NOW, NOW + HOUR),
    }


def test_a_grade_without_targets_has_no_clocks() -> None:
    assert started({}, NOW) == {}


def test_a_clock_that_stands_is_not_stopped_a_second_time() -> None:
    once = stopped(CLOCK, NOW + MINUTE)
    assert stopped(once, NOW + 2 * HOUR) == once


def test_a_resumed_clock_runs_to_the_same_due_instant() -> None:
    again = resumed(stopped(CLOCK, NOW + MINUTE))
    assert again == CLOCK


@pytest.mark.parametrize(
    ("after", "breached"), [(timedelta(), False), (HOUR - SECOND, False), (HOUR, True), (2 * HOUR, True)]
)
def test_a_running_clock_is_breached_from_the_due_instant_on(after: timedelta, breached: bool) -> None:
    assert is_breached(CLOCK, NOW + after) is breached


@pytest.mark.parametrize(("after", "met"), [(MINUTE, True), (HOUR, True), (HOUR + SECOND, False)])
def test_a_stopped_clock_was_met_up_to_and_including_the_due_instant(after: timedelta, met: bool) -> None:
    clock = stopped(CLOCK, NOW + after)
    assert clock.was_met is met
    assert is_breached(clock, NOW + 99 * HOUR) is not met


def test_a_running_clock_was_not_met_yet() -> None:
    assert not CLOCK.was_met
    assert CLOCK.is_running


def test_what_remains_is_negative_when_it_is_late_and_stands_when_the_clock_does() -> None:
    assert CLOCK.remaining(NOW + MINUTE) == 59 * MINUTE
    assert CLOCK.remaining(NOW + 2 * HOUR) == -HOUR
    assert stopped(CLOCK, NOW + MINUTE).remaining(NOW + 2 * HOUR) == 59 * MINUTE


@given(MOMENTS, MOMENTS)
def test_a_stopped_clock_is_either_met_or_breached_whenever_one_asks(stop: timedelta, ask: timedelta) -> None:
    clock = stopped(CLOCK, NOW + stop)
    assert clock.was_met is not is_breached(clock, NOW + stop + ask)
