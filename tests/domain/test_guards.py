"""Guards: who objects to a run, in which order, and in what words."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from responder.domain.budgets import Account, Budget
from responder.domain.guards import GUARDS, Situation, first_objection, left
from responder.domain.storm import StormRule
from responder.domain.windows import Window
from tests.fakes import HOUR, MINUTE, NOW, SECOND, a_runbook

BOOK = a_runbook(cooldown=15 * MINUTE, runs_per_hour=4)
ONE_PER_RACK = Account(
    budget=Budget(name="one per rack", within=30 * MINUTE, most=1, per="failure_domain"),
    scope="r1",
    members=frozenset({"web-1", "web-2"}),
    touched={"web-2": NOW - MINUTE},
)
CALM = Situation(runbook=BOOK, target="web-1", hosts=("web-1",), storm=StormRule(tickets=25))


def test_nobody_objects_when_all_is_calm() -> None:
    assert first_objection(CALM, NOW) is None


def test_the_kill_switch_stops_all_and_says_who_set_it() -> None:
    objection = first_objection(replace(CALM, kill_switch="maintenance until noon"), NOW)
    assert objection is not None
    assert objection.sentence == "The kill switch is on: maintenance until noon."
    assert objection.retry_after is None


def test_a_busy_target_is_the_only_objection_that_waiting_helps_against() -> None:
    objection = first_objection(replace(CALM, busy_with="restart for INC-1 is at work on web-1"), NOW)
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


def test_a_runbook_that_may_run_once_has_run_once() -> None:
    objection = first_objection(replace(CALM, runbook=a_runbook(runs_per_hour=1), runs_last_hour=1), NOW)
    assert objection is not None
    assert objection.sentence == "restart has run once in the last hour; its limit is 1."


def test_a_host_in_maintenance_is_named_though_it_is_not_the_runs_own() -> None:
    both = replace(
        CALM, hosts=("web-1", "web-2"), maintenance={"web-2": "until 2026-11-20 12:00 UTC (mei: new kernel)"}
    )
    objection = first_objection(both, NOW)
    assert objection is not None
    assert objection.sentence == "web-2 is in maintenance until 2026-11-20 12:00 UTC (mei: new kernel)."
    assert objection.retry_after is None


def test_maintenance_of_a_host_that_the_run_does_not_touch_does_not_matter() -> None:
    assert first_objection(replace(CALM, maintenance={"web-2": "until tomorrow (mei: x)"}), NOW) is None


@pytest.mark.parametrize(("opened", "objects"), [(0, False), (24, False), (25, True), (63, True)])
def test_in_a_storm_automation_keeps_its_hands_off(opened: int, objects: bool) -> None:
    objection = first_objection(replace(CALM, tickets_opened=opened), NOW)
    assert (objection is not None) is objects
    if objection:
        assert objection.sentence == f"Storm: {opened} tickets in 5m; automation keeps its hands off."


def test_where_counting_ended_the_storm_says_or_more() -> None:
    assert StormRule(tickets=25).objection(1000) == (
        "Storm: 1000 tickets or more in 5m; automation keeps its hands off."
    )


def test_without_a_storm_rule_no_number_of_tickets_is_a_storm() -> None:
    assert first_objection(replace(CALM, storm=None, tickets_opened=9999), NOW) is None


def test_outside_of_its_hours_a_runbook_says_when_it_may_and_what_time_it_is_there() -> None:
    zone = ZoneInfo("Europe/Berlin")
    office = Window(days=("mon", "tue", "wed", "thu", "fri"), start=time(8), end=time(10), zone=zone)
    objection = first_objection(replace(CALM, runbook=replace(BOOK, hours=(office,))), NOW)
    assert objection is not None
    assert objection.sentence == ("restart may act only mon-fri 08:00-10:00 Europe/Berlin; there it is Fri 11:00 now.")
    assert first_objection(replace(CALM, runbook=replace(BOOK, hours=(office,))), NOW - 90 * MINUTE) is None


def test_a_spent_budget_objects_and_waiting_does_not_help() -> None:
    objection = first_objection(replace(CALM, accounts=(ONE_PER_RACK,)), NOW)
    assert objection is not None
    assert objection.sentence == "one per rack: r1 has 1 of 1 (web-2 at 09:59 UTC); web-1 would be the 2nd."
    assert objection.retry_after is None


def test_guards_are_asked_in_their_order_and_the_lock_last() -> None:
    night = Window(start=time(2), end=time(3))
    calmer = [
        replace(
            CALM,
            kill_switch="on",
            maintenance={"web-1": "until noon (mei: x)"},
            tickets_opened=25,
            runbook=replace(BOOK, hours=(night,)),
            last_ended_at=NOW - MINUTE,
            runs_last_hour=9,
            accounts=(ONE_PER_RACK,),
            busy_with="restart for INC-1 is at work on web-1",
        )
    ]
    changes: tuple[dict[str, Any], ...] = (
        {"kill_switch": ""},
        {"maintenance": {}},
        {"tickets_opened": 0},
        {"runbook": BOOK},
        {"last_ended_at": None},
        {"runs_last_hour": 0},
        {"accounts": ()},
    )
    for change in changes:
        calmer.append(replace(calmer[-1], **change))
    objections = [first_objection(situation, NOW) for situation in calmer]
    assert [one.guard for one in objections if one] == [
        "kill switch",
        "maintenance",
        "storm",
        "hours",
        "cooldown",
        "runs per hour",
        "budget",
        "lock",
    ]


def test_every_guard_has_its_say() -> None:
    assert len(GUARDS) == 8


def test_what_is_left_counts_the_run_that_starts() -> None:
    unused = replace(ONE_PER_RACK, touched={})
    shown = [(one.name, one.scope, one.used, one.limit) for one in left(replace(CALM, accounts=(unused,)))]
    assert shown == [("runs per hour", "restart", 1, 4), ("one per rack", "r1", 1, 1)]
