"""Periods of local days, and spreads."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from statistics import quantiles
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.domain.measures import count_clock
from responder.domain.observed import ClockEnd, Ended
from responder.domain.statistics import Attainment, RunCount, Step, Wish, in_order, spread
from responder.domain.ticket import Change
from tests.store.test_statistics import a_ticket

BERLIN = ZoneInfo("Europe/Berlin")
MINUTE = timedelta(minutes=1)


def a_wish(first: date, last: date, zone: ZoneInfo = BERLIN) -> Wish:
    return Wish(first=first, last=last, zone=zone)


def test_a_day_begins_and_ends_where_its_zone_says_also_when_the_clocks_change() -> None:
    spring = a_wish(date(2026, 3, 29), date(2026, 3, 29))
    assert (spring.start, spring.end - spring.start) == (datetime(2026, 3, 28, 23, tzinfo=UTC), timedelta(hours=23))
    autumn = a_wish(date(2026, 10, 25), date(2026, 10, 25))
    assert autumn.end - autumn.start == timedelta(hours=25)


def test_a_day_that_has_no_midnight_begins_at_its_first_instant() -> None:
    # In Cairo clocks went from 24:00 on 23 April 2026 to 01:00.
    cairo = a_wish(date(2026, 4, 24), date(2026, 4, 24), ZoneInfo("Africa/Cairo"))
    assert cairo.start.astimezone(cairo.zone).hour == 1
    assert cairo.end - cairo.start == timedelta(hours=23)


def test_a_period_is_cut_where_the_clocks_change() -> None:
    assert [piece.offset for piece in a_wish(date(2026, 6, 1), date(2026, 7, 1)).pieces] == [timedelta(hours=2)]
    year = a_wish(date(2026, 1, 1), date(2026, 12, 31)).pieces
    assert [piece.offset // timedelta(hours=1) for piece in year] == [1, 2, 1]
    assert year[0].until == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert year[-1].until == datetime(2026, 12, 31, 23, tzinfo=UTC)


def test_a_month_is_shown_by_days_and_what_is_longer_by_weeks_from_monday() -> None:
    month = a_wish(date(2026, 10, 1), date(2026, 10, 31))
    assert (month.step, len(month.columns), month.columns[0]) == (Step.DAY, 31, date(2026, 10, 1))
    longer = a_wish(date(2026, 10, 1), date(2026, 11, 1))
    assert longer.step is Step.WEEK
    assert longer.columns == (*(date(2026, 9, 28) + timedelta(weeks=number) for number in range(5)),)
    assert {start.weekday() for start in longer.columns} == {0}


@given(st.dates(date(1971, 1, 1), date(2100, 1, 1)), st.integers(0, 399), st.integers(0, 399))
def test_every_day_of_a_period_is_in_one_of_its_columns(first: date, days: int, which: int) -> None:
    wish = a_wish(first, first + timedelta(days=days))
    day = first + timedelta(days=which % (days + 1))
    number = (day - date(1970, 1, 1)).days
    assert wish.column(number if wish.step is Step.DAY else (number + 3) // 7) in wish.columns


def test_a_spread_by_hand() -> None:
    found = spread([minute * 60_000_000 for minute in (9, 1, 2, 3, 100, 5, 4, 8, 7, 6)])
    assert (found.count, found.total) == (10, 145 * MINUTE)
    assert (found.quarter, found.median, found.three_quarters, found.most) == (
        3 * MINUTE,
        5 * MINUTE,
        8 * MINUTE,
        9 * MINUTE,
    )
    assert found.mean == 14.5 * MINUTE


def test_the_spread_of_one_is_that_one() -> None:
    found = spread([7])
    assert {found.quarter, found.median, found.three_quarters, found.most} == {timedelta(microseconds=7)}


@given(st.lists(st.integers(0, 10**15), min_size=2, max_size=200))
def test_the_quantiles_are_durations_that_were_and_are_beside_those_of_others(values: list[int]) -> None:
    found, ordered = spread(values), sorted(values)
    for quantile, percent in ((found.quarter, 25), (found.median, 50), (found.three_quarters, 75), (found.most, 90)):
        micro = quantile // timedelta(microseconds=1)
        assert micro in ordered
        assert sum(one <= micro for one in ordered) * 100 >= percent * len(ordered)
        assert sum(one < micro for one in ordered) * 100 < percent * len(ordered)
    middle = quantiles(ordered, n=2, method="inclusive")[0]
    assert ordered[(len(ordered) - 1) // 2] <= middle + 1


def test_what_is_excluded_counts_in_no_share_and_nothing_has_none() -> None:
    assert Attainment(met=3, breached=1, excluded=9).share == 0.75
    assert Attainment(excluded=9).share is None
    assert Attainment(met=1) + Attainment(met=2, breached=3) == Attainment(met=3, breached=3)


def test_the_success_rate_is_of_those_that_were_judged() -> None:
    assert RunCount(proven=9, disproved=1, unknown=5, left_out=5).share == 0.9
    assert RunCount(unknown=3).share is None


@pytest.mark.parametrize(
    ("names", "ordered"), [([], []), (["P2", "x", "P1", "a"], ["P1", "P2", "a", "x"]), (["P2", "P2"], ["P2"])]
)
def test_known_names_stand_in_their_order_before_others(names: list[str], ordered: list[str]) -> None:
    assert in_order(names, ["P1", "P2", "P3"]) == ordered


def test_rounds_that_are_counted_at_once_are_observed_at_once() -> None:
    change = Change.of(a_ticket(1, datetime(2026, 1, 5, tzinfo=UTC)))
    count_clock(change, "sla_clocks_breached_total", "update", 3)
    count_clock(change, "sla_clock_warnings_total", "update")
    assert [one for _, one in change.observed] == [Ended(clock="update", end=ClockEnd.BREACHED, rounds=3)]
    assert sorted(change.sums.values()) == [1, 3]
