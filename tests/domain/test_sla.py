"""Clocks: what starts, stops, pauses and repeats them, and when they are due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.domain.facts import Fact
from responder.domain.sla import Clock, ClockRule, Daily, Scene, Target, is_breached, reckoned, used
from responder.domain.ticking import breached, fed, opened, regraded, replanned, warned
from tests.fakes import HOUR, MINUTE, NOW, SECOND

RESPOND = ClockRule(
    name="respond", start=frozenset({Fact.OPENED}), stop=frozenset({Fact.ACKNOWLEDGED, Fact.RESTORED}), warn=()
)
RESOLVE = ClockRule(
    name="resolve",
    start=frozenset({Fact.OPENED}),
    stop=frozenset({Fact.RESOLVED}),
    pause=frozenset({"waiting"}),
)
UPDATE = ClockRule(
    name="update", start=frozenset({Fact.OPENED}), stop=frozenset({Fact.RESOLVED}), again=frozenset({Fact.UPDATED})
)
VERIFY = ClockRule(
    name="verify",
    start=frozenset({Fact.RESTORED}),
    stop=frozenset({Fact.VERIFIED}),
    void=frozenset({Fact.RELAPSED}),
)
TARGETS: Mapping[str, Target] = {"respond": HOUR, "resolve": 8 * HOUR, "update": 2 * HOUR, "verify": HOUR}
MOMENTS = st.timedeltas(timedelta(), timedelta(days=30))


def at(hours: float) -> datetime:
    return NOW + hours * HOUR


def scene(hours: float = 0, **changed: Any) -> Scene:
    return Scene(**{"at": at(hours), "grade": "P1", "targets": TARGETS, "status": "in_progress", **changed})


def begun(rule: ClockRule, **changed: Any) -> Clock:
    return opened([rule], scene(**changed))[rule.name]


def after(clock: Clock, rule: ClockRule, *facts: tuple[Fact, float], **changed: Any) -> Clock:
    """The clock after these facts, each so many hours after the start."""
    for fact, hours in facts:
        clock = fed({rule.name: clock}, [rule], fact, scene(hours, **changed))[rule.name]
    return clock


def waiting(clock: Clock, since: float, until: float, rule: ClockRule = RESOLVE) -> Clock:
    paused = after(clock, rule, (Fact.WAITING, since), status="waiting", waiting_for="vendor")
    return after(paused, rule, (Fact.RESUMED, until))


# --- starting and stopping -------------------------------------------------------------------------


def test_each_target_starts_a_clock_that_is_due_after_it() -> None:
    clocks = opened([RESPOND, RESOLVE, VERIFY], scene())
    assert {name: (clock.started_at, clock.due_at) for name, clock in clocks.items()} == {
        "respond": (NOW, at(1)),
        "resolve": (NOW, at(8)),
    }


def test_a_grade_without_a_target_has_no_clock() -> None:
    assert opened([RESPOND], scene(targets={})) == {}


def test_what_is_true_from_the_start_stops_the_clock_that_waits_for_it() -> None:
    rule = replace(RESPOND, stop=frozenset({Fact.REGISTERED}))
    assert opened([rule], scene(), (Fact.REGISTERED,))["respond"].stopped_at == NOW


def test_a_clock_that_stands_is_not_stopped_a_second_time() -> None:
    once = after(begun(RESPOND), RESPOND, (Fact.ACKNOWLEDGED, 0.5))
    assert after(once, RESPOND, (Fact.RESTORED, 2)) == once


def test_a_clock_that_starts_later_starts_with_its_own_fact() -> None:
    clock = fed({}, [VERIFY], Fact.RESTORED, scene(3))["verify"]
    assert (clock.started_at, clock.due_at) == (at(3), at(4))


def test_what_makes_a_clock_pointless_ends_it_uncounted_and_it_may_begin_anew() -> None:
    clock = fed({}, [VERIFY], Fact.RESTORED, scene(3))["verify"]
    void = after(clock, VERIFY, (Fact.RELAPSED, 3.5))
    assert void.is_void
    assert not void.was_met
    assert not is_breached(void, at(9))
    again = after(void, VERIFY, (Fact.RESTORED, 6))
    assert (again.is_running, again.due_at) == (True, at(7))


@pytest.mark.parametrize("end", [Fact.CLOSED, Fact.DISMISSED, Fact.MERGED])
def test_a_ticket_that_has_ended_has_no_running_clock(end: Fact) -> None:
    assert not after(begun(RESOLVE), RESOLVE, (end, 1)).is_running


# --- due, met, breached ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("late", "is_late"), [(timedelta(), False), (HOUR - SECOND, False), (HOUR, True), (2 * HOUR, True)]
)
def test_a_running_clock_is_breached_from_the_due_instant_on(late: timedelta, is_late: bool) -> None:
    assert is_breached(begun(RESPOND), NOW + late) is is_late


@pytest.mark.parametrize(("hours", "met"), [(0.1, True), (1, True), (1.01, False)])
def test_a_stopped_clock_was_met_up_to_and_including_the_due_instant(hours: float, met: bool) -> None:
    clock = after(begun(RESPOND), RESPOND, (Fact.ACKNOWLEDGED, hours))
    assert clock.was_met is met
    assert is_breached(clock, at(99)) is not met


def test_what_remains_is_negative_when_it_is_late_and_stands_when_the_clock_does() -> None:
    clock = begun(RESPOND)
    assert clock.remaining(NOW + MINUTE) == 59 * MINUTE
    assert clock.remaining(at(2)) == -HOUR
    assert after(clock, RESPOND, (Fact.ACKNOWLEDGED, 0.5)).remaining(at(2)) == HOUR / 2


@given(MOMENTS, MOMENTS)
def test_a_stopped_clock_is_either_met_or_breached_whenever_one_asks(stop: timedelta, ask: timedelta) -> None:
    clock = fed({"respond": begun(RESPOND)}, [RESPOND], Fact.ACKNOWLEDGED, replace(scene(), at=NOW + stop))["respond"]
    assert clock.was_met is not is_breached(clock, NOW + stop + ask)


def test_a_target_at_a_time_of_day_is_due_the_next_time_it_is_that_late() -> None:
    rule = replace(RESPOND, calendar=_daily_calendar())
    clock = begun(rule, targets={"respond": Daily(at=time(17))})
    assert clock.due_at == datetime.combine(NOW.date(), time(17), tzinfo=NOW.tzinfo)


# --- pauses ----------------------------------------------------------------------------------------


def test_a_pause_moves_the_due_instant_by_its_length() -> None:
    assert waiting(begun(RESOLVE), 2, 5).due_at == at(11)
    assert waiting(waiting(begun(RESOLVE), 2, 5), 6, 7).due_at == at(12)


def test_a_paused_clock_has_no_due_instant_and_is_never_late() -> None:
    paused = after(begun(RESOLVE), RESOLVE, (Fact.WAITING, 2), status="waiting")
    assert (paused.is_paused, paused.due_at, paused.next_at) == (True, None, None)
    assert not is_breached(paused, at(999))
    assert used(paused, RESOLVE, at(999)) == 2 * HOUR


def test_a_clock_that_pauses_only_for_the_vendor_runs_while_the_reporter_is_waited_for() -> None:
    rule = replace(RESOLVE, waits=frozenset({"vendor"}))
    running = after(begun(rule), rule, (Fact.WAITING, 2), status="waiting", waiting_for="reporter")
    assert not running.is_paused
    assert after(begun(rule), rule, (Fact.WAITING, 2), status="waiting", waiting_for="vendor").is_paused


def test_a_clock_that_stops_while_it_is_paused_counts_only_what_ran() -> None:
    paused = after(begun(RESOLVE), RESOLVE, (Fact.WAITING, 2), status="waiting")
    stopped = after(paused, RESOLVE, (Fact.RESOLVED, 100))
    assert stopped.was_met
    assert used(stopped, RESOLVE, at(200)) == 2 * HOUR


# --- relapse, reopening ----------------------------------------------------------------------------


def test_after_a_relapse_the_clock_goes_on_as_if_it_had_never_stopped() -> None:
    back = after(begun(RESPOND), RESPOND, (Fact.RESTORED, 0.2), (Fact.RELAPSED, 0.7))
    assert (back.is_running, back.due_at) == (True, at(1))
    assert used(back, RESPOND, at(0.9)) == 0.9 * HOUR


def test_a_policy_may_leave_out_the_time_in_which_all_seemed_well() -> None:
    rule = replace(RESPOND, relapse_counts=False)
    back = after(begun(rule), rule, (Fact.RESTORED, 0.2), (Fact.RELAPSED, 0.7))
    assert back.due_at == at(1.5)


def test_a_relapse_does_not_disprove_that_somebody_had_answered() -> None:
    clock = after(begun(RESPOND), RESPOND, (Fact.ACKNOWLEDGED, 0.2), (Fact.RELAPSED, 0.7))
    assert clock.stopped_at == at(0.2)


def test_reopening_starts_anew_and_keeps_what_was_before() -> None:
    first = after(begun(RESPOND), RESPOND, (Fact.ACKNOWLEDGED, 0.2))
    again = after(first, RESPOND, (Fact.REOPENED, 50))
    assert (again.started_at, again.due_at) == (at(50), at(51))
    assert again.marks[: len(first.marks)] == first.marks


# --- grades and rules that change ------------------------------------------------------------------


def test_a_higher_grade_counts_what_was_used_against_the_new_target() -> None:
    stricter = scene(3, grade="P0", targets={"resolve": 4 * HOUR})
    clock = regraded({"resolve": waiting(begun(RESOLVE), 1, 2)}, [RESOLVE], stricter)["resolve"]
    assert clock.due_at == at(5)
    assert [mark.target for mark in clock.marks if mark.target] == [8 * HOUR, 4 * HOUR]


def test_a_new_target_that_was_used_up_long_ago_is_late_since_then() -> None:
    clock = regraded({"resolve": begun(RESOLVE)}, [RESOLVE], scene(5, targets={"resolve": 2 * HOUR}))["resolve"]
    assert clock.due_at == at(2)


def test_a_clock_that_stands_keeps_the_grade_under_which_it_stopped() -> None:
    stopped = after(begun(RESPOND), RESPOND, (Fact.ACKNOWLEDGED, 0.5))
    assert regraded({"respond": stopped}, [RESPOND], scene(3, targets={}))["respond"] == stopped


def test_a_clock_that_a_new_grade_does_not_have_waits_without_a_due_instant() -> None:
    clock = regraded({"resolve": begun(RESOLVE)}, [RESOLVE], scene(3, targets={}))["resolve"]
    assert (clock.due_at, clock.is_running, is_breached(clock, at(999))) == (None, True, False)


def test_a_changed_rule_keeps_what_the_old_one_had_counted() -> None:
    old = waiting(begun(RESOLVE), 1, 3)
    clock = replanned(old, RESOLVE, RESOLVE, scene(5, targets={"resolve": 4 * HOUR}))
    assert used(clock, RESOLVE, at(5)) == 3 * HOUR
    assert clock.due_at == at(6)


def test_a_paused_clock_stays_paused_under_a_changed_rule() -> None:
    paused = after(begun(RESOLVE), RESOLVE, (Fact.WAITING, 2), status="waiting")
    clock = replanned(paused, RESOLVE, RESOLVE, scene(5, status="waiting"))
    assert clock.is_paused
    assert after(clock, RESOLVE, (Fact.RESUMED, 10)).due_at == at(16)


# --- repeating -------------------------------------------------------------------------------------


def test_a_repeating_clock_begins_its_next_round_when_it_is_done() -> None:
    clock = after(begun(UPDATE), UPDATE, (Fact.UPDATED, 1.5))
    assert (clock.is_running, clock.due_at) == (True, at(3.5))


def test_a_round_that_is_missed_is_followed_by_the_next_one() -> None:
    clock = breached(begun(UPDATE), UPDATE)
    assert (clock.due_at, clock.breached_at) == (at(4), None)
    assert after(clock, UPDATE, (Fact.UPDATED, 3)).due_at == at(5)


def test_a_repeating_clock_ends_with_its_stop() -> None:
    assert after(begun(UPDATE), UPDATE, (Fact.UPDATED, 1), (Fact.RESOLVED, 2)).stopped_at == at(2)


# --- warnings --------------------------------------------------------------------------------------


def test_warnings_come_before_the_breach_one_after_the_other() -> None:
    rule = replace(RESOLVE, warn=(50, 75))
    clock = begun(rule)
    assert clock.next_at == at(4)
    clock = warned(clock, rule, 50)
    assert clock.next_at == at(6)
    assert warned(clock, rule, 75).next_at == at(8)


def test_a_pause_moves_the_warning_too() -> None:
    rule = replace(RESOLVE, warn=(50,))
    assert waiting(begun(rule), 1, 3, rule).next_at == at(6)


def test_a_new_round_is_warned_of_anew() -> None:
    rule = replace(UPDATE, warn=(50,))
    clock = after(warned(begun(rule), rule, 50), rule, (Fact.UPDATED, 1.5))
    assert (clock.warned, clock.next_at) == (0, at(2.5))


# --- the marks are all there is --------------------------------------------------------------------

_FACTS = st.lists(st.tuples(st.sampled_from(list(Fact)), st.floats(0.01, 5)), max_size=12)


@given(_FACTS)
def test_everything_about_a_clock_follows_from_its_marks(happened: list[tuple[Fact, float]]) -> None:
    hours = 0.0
    clocks = opened([RESPOND, RESOLVE, UPDATE, VERIFY], scene())
    for fact, step in happened:
        hours += step
        status = "waiting" if fact is Fact.WAITING else "in_progress"
        clocks = fed(clocks, [RESPOND, RESOLVE, UPDATE, VERIFY], fact, scene(hours, status=status))
    for rule in (RESPOND, RESOLVE, UPDATE, VERIFY):
        clock = clocks.get(rule.name)
        if clock is not None:
            assert reckoned(replace(clock, due_at=None, next_at=None, stopped_at=None), rule) == clock


def _daily_calendar() -> Any:
    from responder.domain.workhours import ALWAYS

    return ALWAYS
