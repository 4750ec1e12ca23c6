"""Guards: who objects to a run, in which order, and in what words."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from responder.domain.guards import GUARDS, Situation, first_objection
from tests.fakes import HOUR, MINUTE, NOW, SECOND, a_runbook

BOOK = a_runbook(cooldown=15 * MINUTE, runs_per_hour=4)
CALM = Situation(runbook=BOOK, target="web-1")


def test_nobody_objects_when_all_is_calm() -> None:
    assert first_objection(CALM, NOW) is None


def test_the_kill_switch_stops_all_and_says_who_set_it() -> None:
    objection = first_objection(replace(CALM, kill_switch="maintenance until noon"), NOW)
    assert objection is not None
    assert objection.sentence == "The kill switch is on: maintenance until noon."
    assert objection.retry_after is None


def test_a_busy_target_is_the_only_objection_that_waiting_helps_against() -> None:
    objection = first_objection(replace(CALM, busy_with="restart for INC-1"), NOW)
    assert objection is not None
    assert objection.sentence == "restart for INC-1 is at work on web-1."
    assert objection.retry_after == 5 * SECOND


@pytest.mark.parametrize(
    ("ago", "objects"), [(timedelta(), True), (14 * MINUTE, True), (15 * MINUTE, False), (HOUR, False)]
)
def test_the_cooldown_counts_from_the_end_of_the_last_run(ago: timedelta, objects: bool) -> None:
    objection = first_objection(replace(CALM, last_ended_at=NOW - ago), NOW)
    assert (objection is not None) is objects


def test_the_cooldown_says_when_it_ran_and_how_long_it_still_lasts() -> None:
    objection = first_objection(replace(CALM, last_ended_at=NOW - 5 * MINUTE), NOW)
    assert objection is not None
    assert objection.sentence == "restart ran on web-1 at 09:55:00 UTC; its cooldown of 15m has 10m left."
    assert objection.retry_after is None


@pytest.mark.parametrize(("runs", "objects"), [(0, False), (3, False), (4, True), (5, True)])
def test_the_budget_per_hour_is_a_limit_and_not_one_more(runs: int, objects: bool) -> None:
    objection = first_objection(replace(CALM, runs_last_hour=runs), NOW)
    assert (objection is not None) is objects
    if objection:
        assert objection.sentence == f"restart has run {runs} times in the last hour; its limit is 4."


def test_guards_are_asked_in_their_order_and_the_lock_last() -> None:
    worst = replace(CALM, kill_switch="on", last_ended_at=NOW - MINUTE, runs_last_hour=9, busy_with="restart for INC-1")
    calmer = [
        worst,
        replace(worst, kill_switch=""),
        replace(worst, kill_switch="", last_ended_at=None),
        replace(worst, kill_switch="", last_ended_at=None, runs_last_hour=0),
    ]
    objections = [first_objection(situation, NOW) for situation in calmer]
    assert [one.guard for one in objections if one] == ["kill switch", "cooldown", "runs per hour", "lock"]


def test_every_guard_has_its_say() -> None:
    assert len(GUARDS) == 4
