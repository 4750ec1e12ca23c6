"""Cron expressions: what they say, and their next time, against walking through every minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responder.domain.cron import Cron, next_after, parse_cron

MINUTE = timedelta(minutes=1)
BERLIN = ZoneInfo("Europe/Berlin")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def walked(cron: Cron, zone: ZoneInfo, at: datetime) -> datetime:
    """The next time by looking at the wall clock of every minute; right where no clock changes."""
    minute = at.replace(second=0, microsecond=0)
    while True:
        minute += MINUTE
        local = minute.astimezone(zone)
        if local.minute in cron.minutes and local.hour in cron.hours and cron.falls_on(local.date()):
            return minute


NUMBERS = {"minute": (0, 59), "hour": (0, 23), "day": (1, 28), "month": (1, 12), "weekday": (0, 7)}


@st.composite
def expressions(draw: st.DrawFn) -> str:
    def field(low: int, high: int) -> str:
        first = draw(st.integers(low, high))
        last = draw(st.integers(first, high))
        step = draw(st.integers(1, 9))
        kinds = ["*", f"*/{step}", f"{first}", f"{first}-{last}", f"{first}-{last}/{step}", f"{low},{last}"]
        return draw(st.sampled_from(kinds))

    months = draw(st.sampled_from(["*", "*", "*", "*/2", "feb"]))
    return " ".join([field(0, 59), field(0, 23), field(1, 28), months, field(0, 7)])


@settings(max_examples=150, deadline=None)
@given(expressions(), st.integers(0, 300 * 1440), st.sampled_from(["UTC", "Asia/Shanghai", "Asia/Kolkata"]))
def test_the_next_time_is_the_one_that_a_walk_through_the_minutes_finds(text: str, minutes: int, name: str) -> None:
    cron, zone = parse_cron(text), ZoneInfo(name)
    at = utc("2027-01-01T00:00:30") + minutes * MINUTE
    found = next_after(cron, zone, at)
    local = found.astimezone(zone)
    assert found > at
    assert (local.minute in cron.minutes, local.hour in cron.hours, cron.falls_on(local.date())) == (True, True, True)
    if found - at < timedelta(days=8):
        assert found == walked(cron, zone, at)
    else:
        assert walked_days(cron, zone, at, found) == []


def walked_days(cron: Cron, zone: ZoneInfo, at: datetime, until: datetime) -> list[str]:
    """Days strictly between on which it falls."""
    day, last = at.astimezone(zone).date() + timedelta(days=1), until.astimezone(zone).date()
    return [str(one) for n in range((last - day).days) if cron.falls_on(one := day + timedelta(days=n))]


@pytest.mark.parametrize(
    ("text", "at", "expected"),
    [
        # A fixed time in the gap of 2027-03-28 comes after it; in the repeated hour of 2027-10-31 only once.
        ("30 2 * * *", "2027-03-28T00:00", "2027-03-28T01:30"),
        ("30 2 * * *", "2027-03-28T01:30", "2027-03-29T00:30"),
        ("30 2 * * *", "2027-10-30T23:00", "2027-10-31T00:30"),
        ("30 2 * * *", "2027-10-31T00:30", "2027-11-01T01:30"),
        # What runs every hour runs in both.
        ("30 * * * *", "2027-10-31T00:30", "2027-10-31T01:30"),
        ("*/30 2 * * *", "2027-10-31T00:30", "2027-10-31T01:00"),
        ("0 4 29 2 *", "2027-01-01T00:00", "2028-02-29T03:00"),
        ("0 0 13 * fri", "2027-08-01T00:00", "2027-08-05T22:00"),
        ("0 0 * * 7", "2027-08-01T00:00", "2027-08-07T22:00"),
        ("@daily", "2027-08-01T00:00", "2027-08-01T22:00"),
    ],
)
def test_clock_changes_leap_days_and_names(text: str, at: str, expected: str) -> None:
    assert next_after(parse_cron(text), BERLIN, utc(at)) == utc(expected)


@pytest.mark.parametrize("zone", ["Africa/Cairo", "America/Santiago", "Asia/Beirut", "Pacific/Apia", "America/Havana"])
def test_every_day_has_its_midnight_even_where_the_clock_changes_then(zone: str) -> None:
    at, end, days = utc("2027-01-01T00:00"), utc("2028-01-01T00:00"), set()
    midnight = parse_cron("0 0 * * *")
    while (at := next_after(midnight, ZoneInfo(zone), at)) < end:
        assert at.astimezone(ZoneInfo(zone)).date() not in days
        days.add(at.astimezone(ZoneInfo(zone)).date())
    assert len(days) in (365, 366)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("* * * *", "five fields"),
        ("", "five fields"),
        ("60 * * * *", "between 0 and 59"),
        ("5-2 * * * *", "between 0 and 59"),
        ("*/0 * * * *", "no step"),
        ("x * * * *", "no number"),
        ("0 0 31 feb *", "never come"),
        ("0 0 * jan-foo *", "none of jan"),
        ("² * * * *", "no number"),
        ("0 0 0 * *", "between 1 and 31"),
        ("*-5 * * * *", "no number"),
        (", * * * *", "no number"),
    ],
)
def test_what_is_no_expression_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_cron(text)
