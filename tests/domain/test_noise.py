"""Noise: which alerts nobody ever acted on, and what they cost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from responder.domain.noise import Heard, noise
from tests.fakes import HOUR, NOW, SECOND

DAY = timedelta(days=1)
SINCE = NOW - 30 * DAY


def heard(alert: str = "Disk", **changes: Any) -> Heard:
    plain: dict[str, Any] = {
        "number": "INC-1",
        "alert": alert,
        "rule": "all",
        "opened_at": NOW - 2 * DAY,
        "is_over": True,
        "was_touched": False,
        "disposition": "",
        "pages": 1,
    }
    return Heard(**{**plain, **changes})


def test_one_ticket_that_was_acted_on_takes_its_rule_out_of_the_noise() -> None:
    found = noise([heard(), heard(was_touched=True), heard("Ping", pages=3)], SINCE, NOW)
    assert [(rule.alert, rule.pages) for rule in found.rules] == [("Ping", 3)]
    assert (found.tickets, found.pages, found.wasted) == (3, 5, 3)


def test_the_same_alert_under_another_rule_is_judged_by_itself() -> None:
    found = noise([heard(was_touched=True), heard(rule="at night")], SINCE, NOW)
    assert [rule.rule for rule in found.rules] == ["at night"]


def test_the_most_pages_come_first_then_the_most_tickets() -> None:
    found = noise([heard("C"), heard("B", pages=0), heard("A", pages=0), heard("A", pages=0)], SINCE, NOW)
    assert [(rule.alert, rule.tickets) for rule in found.rules] == [("C", 1), ("A", 2), ("B", 1)]


@pytest.mark.parametrize("disposition", ["false_alarm", "pseudo_fault"])
def test_what_people_called_a_false_alarm_led_to_nothing(disposition: str) -> None:
    assert noise([heard(was_touched=True, disposition=disposition)], SINCE, NOW).rules
    assert not noise([heard(was_touched=True, disposition="maintenance")], SINCE, NOW).rules


@pytest.mark.parametrize(("age", "is_judged"), [(DAY - SECOND, False), (DAY, True)])
def test_a_young_ticket_that_is_open_is_not_judged_yet(age: timedelta, is_judged: bool) -> None:
    found = noise([heard(is_over=False, opened_at=NOW - age)], SINCE, NOW)
    assert bool(found.rules) is is_judged
    assert noise([heard(opened_at=NOW - HOUR)], SINCE, NOW).rules


def test_the_latest_ticket_is_named() -> None:
    (rule,) = noise([heard(number="INC-2"), heard(number="INC-1", opened_at=NOW - HOUR)], SINCE, NOW).rules
    assert (rule.last, rule.last_at) == ("INC-1", NOW - HOUR)
