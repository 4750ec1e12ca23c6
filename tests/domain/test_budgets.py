"""Budgets: which targets are one set, what counts, and when one more is too many."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.domain.budgets import (
    Account,
    Budget,
    Left,
    Touch,
    accounts,
    left_in,
    objection,
    ordinal,
    spoken_left,
)
from responder.domain.target import Target
from tests.fakes import HOUR, MINUTE, NOW


def a_host(name: str, rack: str = "", *groups: str, **variables: str) -> Target:
    return Target(name=name, address=name, failure_domain=rack, groups=groups, variables=variables)


FLEET = (
    a_host("web-1", "r1", "web", row="a"),
    a_host("web-2", "r1", "web", row="b"),
    a_host("web-3", "r2", "web"),
    a_host("db-1", "r2", "db", row="a"),
    a_host("stray"),
)
RACK = Budget(name="one per rack", within=30 * MINUTE, most=1, per="failure_domain")


def touch(host: str, ago: timedelta = MINUTE, runbook: str = "restart") -> Touch:
    return Touch(host=host, runbook=runbook, at=NOW - ago)


def opened(budget: Budget, *touches: Touch, fleet: Sequence[Target] = FLEET) -> dict[str, Account]:
    return {account.scope: account for account in accounts([budget], fleet, lambda _: touches)}


def said(budget: Budget, hosts: Sequence[str], *touches: Touch, now: datetime = NOW) -> list[str]:
    sentences = (objection(account, hosts, now) for account in opened(budget, *touches).values())
    return [sentence for sentence in sentences if sentence]


# --- sets ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("budget", "sets"),
    [
        (RACK, {"r1": {"web-1", "web-2"}, "r2": {"web-3", "db-1"}}),
        (Budget(name="b", within=HOUR, most=1, of="web"), {"web": {"web-1", "web-2", "web-3"}}),
        (Budget(name="b", within=HOUR, most=1, per="variables.row"), {"a": {"web-1", "db-1"}, "b": {"web-2"}}),
        (
            Budget(name="b", within=HOUR, most=1, of="web", per="failure_domain"),
            {"web r1": {"web-1", "web-2"}, "web r2": {"web-3"}},
        ),
        (Budget(name="b", within=HOUR, most=1), {"all targets": {host.name for host in FLEET}}),
    ],
)
def test_a_budget_parts_the_inventory_into_its_sets(budget: Budget, sets: dict[str, set[str]]) -> None:
    assert {scope: set(account.members) for scope, account in opened(budget).items()} == sets


def test_each_budget_asks_for_what_was_touched_within_its_own_time() -> None:
    asked: list[timedelta] = []

    def touched(within: timedelta) -> list[Touch]:
        asked.append(within)
        return []

    list(accounts([RACK, Budget(name="b", within=HOUR, most=1)], FLEET, touched))
    assert asked == [30 * MINUTE, HOUR]


# --- counting --------------------------------------------------------------------------------------


def test_a_second_target_of_the_rack_is_too_many_and_the_sentence_says_who_was_first() -> None:
    assert said(RACK, ["web-2"], touch("web-1", 48 * MINUTE)) == [
        "one per rack: r1 has 1 of 1 (web-1 at 09:12 UTC); web-2 would be the 2nd."
    ]


def test_another_rack_has_a_budget_of_its_own() -> None:
    assert said(RACK, ["db-1"], touch("web-1")) == []


def test_a_target_counted_already_does_not_count_twice() -> None:
    assert said(RACK, ["web-1"], touch("web-1"), touch("web-1", 5 * MINUTE)) == []


def test_a_target_without_a_failure_domain_is_in_no_set() -> None:
    assert said(RACK, ["stray"], touch("web-1"), touch("stray")) == []


def test_each_host_of_a_run_counts_and_the_one_beyond_the_limit_is_named() -> None:
    assert said(RACK, ["web-1", "web-2", "web-3"]) == [
        "one per rack: r1 has 0 of 1; with web-1 web-2 would be the 2nd."
    ]


def test_a_budget_of_some_runbooks_counts_only_their_runs() -> None:
    own = Budget(name="own", within=HOUR, most=1, of="web", runbooks=("switch",))
    assert said(own, ["web-2"], touch("web-1", runbook="restart")) == []
    assert len(said(own, ["web-2"], touch("web-1", runbook="switch"))) == 1
    assert (own.holds("switch"), own.holds("restart"), RACK.holds("restart")) == (True, False, True)


def test_a_target_that_has_left_the_inventory_is_not_counted() -> None:
    assert said(RACK, ["web-2"], touch("gone")) == []


def test_a_lowered_limit_is_said_even_to_who_is_counted_already() -> None:
    assert said(RACK, ["web-1"], touch("web-1"), touch("web-2", 2 * MINUTE)) == [
        "one per rack: r1 has 2 of 1 (web-1 at 09:59 UTC, web-2 at 09:58 UTC), which is more than it may."
    ]


def test_the_day_is_named_when_it_is_another_one_and_a_long_list_is_cut() -> None:
    fleet = [a_host(f"n{number}", "", "n") for number in range(9)]
    budget = Budget(name="seven", within=24 * HOUR, most=7, of="n")
    touches = [touch(f"n{number}", 11 * HOUR) for number in range(7)]
    (account,) = opened(budget, *touches, fleet=fleet).values()
    sentence = objection(account, ["n8"], NOW)
    assert sentence.startswith("seven: n has 7 of 7 (n0 at 2026-11-19 23:00 UTC, n1 at ")
    assert sentence.endswith("and 2 more); n8 would be the 8th.")


# --- shares ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "percent", "limit"), [(10, 20, 2), (9, 20, 1), (4, 20, 0), (3, 33, 0), (3, 34, 1), (7, 100, 7)]
)
def test_a_share_is_rounded_down(size: int, percent: int, limit: int) -> None:
    assert Budget(name="b", within=HOUR, percent=percent).limit(size) == limit


def test_a_share_of_less_than_one_target_lets_nothing_act_and_says_so() -> None:
    fifth = Budget(name="a fifth of db", within=HOUR, percent=20, of="db")
    assert said(fifth, ["db-1"]) == ["a fifth of db: 20% of 1 in db is less than one target; db-1 would be one."]


def test_a_share_is_one_of_the_set_and_not_of_the_inventory() -> None:
    half = Budget(name="half", within=HOUR, percent=50, per="failure_domain")
    assert said(half, ["web-1"]) == []
    assert said(half, ["web-2"], touch("web-1")) == [
        "half: r1 has 1 of 1 (web-1 at 09:59 UTC); web-2 would be the 2nd."
    ]


# --- never one more --------------------------------------------------------------------------------

_HOSTS = [host.name for host in FLEET]


@given(
    most=st.integers(1, 4),
    runs=st.lists(st.lists(st.sampled_from(_HOSTS), min_size=1, max_size=3), max_size=12),
    per=st.sampled_from(["", "failure_domain", "variables.row"]),
)
def test_whoever_asks_first_no_set_ever_has_more_than_its_limit(most: int, runs: list[list[str]], per: str) -> None:
    budget = Budget(name="b", within=HOUR, most=most, per=per)
    touches: list[Touch] = []
    for hosts in runs:
        if not said(budget, hosts, *touches):
            touches += [touch(host) for host in hosts]
        for account in opened(budget, *touches).values():
            assert len(account.touched) <= most
            assert left_in(account).remaining == most - len(account.touched)


# --- words -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "word"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"), (22, "22nd")]
)
def test_ordinals(number: int, word: str) -> None:
    assert ordinal(number) == word


def test_what_is_left_is_told_in_one_sentence() -> None:
    assert spoken_left(
        [
            Left(name="runs per hour", scope="restart-app", used=1, limit=4),
            Left(name="one per rack", scope="r1", used=1, limit=1),
            Left(name="lowered", scope="db", used=3, limit=2),
        ]
    ) == ("Left in the budgets: restart-app 3 of 4 runs this hour; one per rack r1 0 of 1; lowered db 0 of 2.")
