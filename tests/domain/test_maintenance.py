"""Maintenance windows: when they are open, which alerts they expect, and that a doubt mutes nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from responder.domain.maintenance import LAST, MaintenanceWindow, Once, Recurring, expected, mutes_everything
from responder.domain.matching import parse_matcher
from tests.fakes import HOUR, MINUTE, NOW, SECOND

BERLIN = ZoneInfo("Europe/Berlin")
DB = {"alertname": "Down", "job": "db", "instance": "db-1:9100"}
WEB = {"alertname": "Down", "job": "web", "instance": "web-1:9100"}


def at(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def a_window(*when: str, until: timedelta = HOUR, name: str = "w", everything: bool = False) -> MaintenanceWindow:
    times = (Once(start=NOW, end=NOW + until),)
    return MaintenanceWindow(name=name, when=tuple(map(parse_matcher, when)), times=times, is_everything=everything)


def test_a_window_begins_with_its_first_instant_and_ends_before_its_last() -> None:
    once = Once(start=NOW, end=NOW + HOUR)
    assert once.end_at(NOW - SECOND) is None
    assert once.end_at(NOW) == NOW + HOUR
    assert once.end_at(NOW + HOUR - SECOND) == NOW + HOUR
    assert once.end_at(NOW + HOUR) is None


def test_a_weekly_window_goes_by_the_clock_on_the_wall_in_summer_and_in_winter() -> None:
    weekly = Recurring(days=("sun",), start=time(2), end=time(4), zone=BERLIN)
    for day in ("2026-07-05", "2026-12-06"):
        assert weekly.end_at(at(f"{day} 01:59")) is None
        assert weekly.end_at(at(f"{day} 02:00")) == at(f"{day} 04:00")
        assert weekly.end_at(at(f"{day} 04:00")) is None
    assert weekly.end_at(at("2026-12-07 03:00")) is None


def test_a_window_over_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    weekly = Recurring(days=("sat",), start=time(22), end=time(6), zone=BERLIN)
    assert weekly.end_at(at("2026-12-05 23:00")) == at("2026-12-06 06:00")
    assert weekly.end_at(at("2026-12-06 05:59")) == at("2026-12-06 06:00")
    assert weekly.end_at(at("2026-12-05 05:00")) is None
    assert weekly.end_at(at("2026-12-06 22:00")) is None


def test_a_window_in_the_hour_that_the_clocks_leave_out_never_opens() -> None:
    weekly = Recurring(days=("sun",), start=time(2), end=time(3), zone=BERLIN)
    night = datetime(2026, 3, 29, tzinfo=UTC)
    assert not any(weekly.end_at(night + MINUTE * minute) for minute in range(300))
    longer = Recurring(days=("sun",), start=time(2), end=time(4), zone=BERLIN)
    assert sum(bool(longer.end_at(night + MINUTE * minute)) for minute in range(300)) == 60


@pytest.mark.parametrize(
    ("weeks", "days"),
    [((1,), [1]), ((2,), [8]), ((5,), [29]), ((LAST,), [29]), ((4,), [22]), ((), [1, 8, 15, 22, 29])],
)
def test_a_monthly_window_counts_the_days_of_its_kind(weeks: tuple[int, ...], days: list[int]) -> None:
    monthly = Recurring(days=("sun",), weeks=weeks)
    november = [date(2026, 11, day) for day in range(1, 31)]
    assert [day.day for day in november if monthly.falls_on(day)] == days


def test_the_last_friday_of_a_short_month_is_its_fourth() -> None:
    monthly = Recurring(days=("fri",), weeks=(LAST,))
    assert [day for day in range(1, 29) if monthly.falls_on(date(2026, 2, day))] == [27]


def test_every_alert_of_a_ticket_must_be_expected_and_the_first_end_counts() -> None:
    windows = [a_window('job="db"', name="db"), a_window('job="web"', until=MINUTE, name="web")]
    assert expected(windows[:1], [DB, WEB], NOW) is None
    found = expected(windows, [DB, WEB], NOW)
    assert found is not None
    assert (found.names, found.until) == (("db", "web"), NOW + MINUTE)
    assert expected(windows, [DB, WEB], NOW + MINUTE) is None


def test_of_two_windows_the_one_that_lasts_longer_counts() -> None:
    windows = [a_window('job="db"', name="short", until=MINUTE), a_window('alertname="Down"', name="long")]
    found = expected(windows, [DB], NOW)
    assert found is not None
    assert (found.names, found.until) == (("long",), NOW + HOUR)


def test_a_ticket_without_any_alert_is_never_expected() -> None:
    assert expected([a_window(everything=True)], [], NOW) is None


def test_a_window_that_names_no_alerts_expects_none_unless_it_says_so() -> None:
    assert expected([a_window()], [DB], NOW) is None
    assert expected([a_window('job!="web"')], [DB], NOW) is None
    assert expected([a_window(everything=True)], [DB], NOW) is not None


@pytest.mark.parametrize(
    ("when", "mutes"),
    [
        ([], True),
        (['job=~".*"'], True),
        (['instance=~".+"'], True),
        (['alertname!=""'], True),
        (['job!="db"'], True),
        (['job!~"db.*"', 'instance=~".+"'], True),
        (['job="db"'], False),
        (['job=~"db|web"'], False),
        (['job=~"db.*"', 'team!="x"'], False),
        (['job=""'], False),
    ],
)
def test_what_does_not_say_which_alerts_are_meant_mutes_everything(when: list[str], mutes: bool) -> None:
    assert mutes_everything(map(parse_matcher, when)) is mutes
