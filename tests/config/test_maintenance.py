"""Maintenance windows in policy.yml: what they become, and the place of every mistake."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from responder.domain.maintenance import LAST, MaintenanceWindow, Once, Recurring
from responder.domain.matching import parse_matcher
from tests.config.written import mistakes, policy_of

BARE = "name: own\ngrades: {P1: {targets: {respond: 5m}}}\ndefault_grade: P1\nzone: Europe/Berlin\nmaintenance:\n"
DB = (parse_matcher('job="db"'),)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("written", "times"),
    [
        (
            "weekly: {days: [sun, Monday], from: '02:00', to: '06:00'}",
            Recurring(days=("sun", "mon"), start=time(2), end=time(6), zone=BERLIN),
        ),
        (
            "weekly: {days: sat, from: '22:00', to: '24:00', zone: UTC}",
            Recurring(days=("sat",), start=time(22), end=time(), zone=ZoneInfo("UTC")),
        ),
        (
            "monthly: {on: first sunday, from: '02:00', to: '06:00'}",
            Recurring(days=("sun",), weeks=(1,), start=time(2), end=time(6), zone=BERLIN),
        ),
        (
            "monthly: {on: last fri, from: '02:00', to: '06:00'}",
            Recurring(days=("fri",), weeks=(LAST,), start=time(2), end=time(6), zone=BERLIN),
        ),
        (
            "from: 2026-12-01 22:00, until: 2026-12-02T04:00:00Z",
            Once(start=datetime(2026, 12, 1, 21, tzinfo=UTC), end=datetime(2026, 12, 2, 4, tzinfo=UTC)),
        ),
        (
            "from: 2026-07-01 22:00:00, until: 2026-07-02 04:00:00, zone: Asia/Shanghai",
            Once(start=datetime(2026, 7, 1, 14, tzinfo=UTC), end=datetime(2026, 7, 1, 20, tzinfo=UTC)),
        ),
    ],
)
def test_a_window_is_open_once_each_week_or_each_month(written: str, times: Once | Recurring) -> None:
    policy = policy_of(BARE + f"  - {{name: w, when: [job=db], reason: upgrade, {written}}}\n")
    assert policy.maintenance == (MaintenanceWindow(name="w", when=DB, times=(times,), reason="upgrade"),)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{name: w, from: 2026-12-01, until: 2026-12-02 04:00, when: [a=b]}", "is no instant"),
        ("{name: w, when: [a=b]}", "6:5: maintenance.0: say when it is: from and until, or weekly, or monthly"),
        ("{name: w, when: [a=b], until: 2026-12-02 04:00}", "a window has both from and until"),
        (
            "{name: w, when: [a=b], until: 2026-12-02 04:00, monthly: {on: first sun, from: '02:00', to: '03:00'}}",
            "say when it is",
        ),
        ("{name: w, when: [a=b], monthly: {on: sixth sun, from: '02:00', to: '03:00'}}", "is no day of a month"),
        ("{name: w, when: [a=b], monthly: {on: first day, from: '02:00', to: '03:00'}}", "is no day of a month"),
        ("{name: w, when: [a=b], weekly: {days: sun, from: '2', to: '03:00'}}", "is no time of day"),
        ("{name: w, when: [a=b], weekly: {days: [], from: '02:00', to: '03:00'}}", "weekly.days"),
        ("{name: w, weekly: {days: sun, from: '02:00', to: '03:00'}}", "6:5: it would mute every alert"),
        (
            "{name: w, when: ['a=~\".*\"'], weekly: {days: sun, from: '02:00', to: '03:00'}}",
            "6:15: it would mute every alert",
        ),
        ("{name: w, when: [a!=b], from: 2026-12-01 22:00, until: 2026-12-02 04:00}", "it would mute every alert"),
        (
            "{name: w, everything: true, weekly: {days: sun, from: '02:00', to: '03:00'}}",
            "6:15: a window for everything",
        ),
        (
            "{name: w, everything: true, when: [a=b], from: 2026-12-01 22:00, until: 2026-12-02 04:00}",
            "matchers have no say",
        ),
        ("{name: w, when: [a=b], from: 2026-12-03 22:00, until: 2026-12-02 04:00}", "6:52: it ends before it begins"),
    ],
)
def test_a_window_that_cannot_be_meant_is_named_at_its_place(written: str, said: str) -> None:
    (found,) = mistakes(BARE + f"  - {written}\n")
    assert said in found


def test_each_window_has_a_name_of_its_own() -> None:
    line = "  - {name: w, when: [a=b], weekly: {days: sun, from: '02:00', to: '03:00'}}\n"
    assert mistakes(BARE + line + line) == ["7:6: there is another window called w"]
