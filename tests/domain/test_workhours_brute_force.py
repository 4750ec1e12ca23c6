"""Calendars against a walker that looks at the clock on the wall minute by minute: all zones, 2023 to 2028.

More examples: `RESPONDER_EXAMPLES=20000 pytest tests/domain/test_workhours_brute_force.py`; then they are new ones on
every run.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import accumulate, pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from responder.domain.workhours import Calendar, Span, Stretch

EXAMPLES = os.environ.get("RESPONDER_EXAMPLES")
DAY, HOUR, MINUTE, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
FIRST, LAST = datetime(2023, 1, 1, tzinfo=UTC), datetime(2029, 1, 1, tzinfo=UTC)
ZONES = sorted(available_timezones())
Spans = tuple[tuple[int, int], ...]


# --- the walker -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A calendar in plain words: the minutes of Monday to Sunday, and days that differ, with a reason or none."""

    week: tuple[Spans, ...]
    special: Mapping[date, tuple[Spans, str]] = field(default_factory=dict)

    def calendar(self, zone: str) -> Calendar:
        return Calendar(
            name="walked",
            zone=ZoneInfo(zone),
            week=tuple(_spans(minutes) for minutes in self.week),
            days={day: _spans(minutes) for day, (minutes, _) in self.special.items()},
            reasons={day: reason for day, (_, reason) in self.special.items() if reason},
            version="walked",
        )

    def told(self, day: date) -> list[tuple[bool, str]]:
        """Of every minute of a day, whether it counts, and why."""
        usual = self.week[day.weekday()]
        minutes, reason = self.special.get(day, (usual, ""))
        no = "outside working hours" if minutes else reason or ("closed" if usual else "weekend")
        told = [(False, no)] * 1440
        for start, end in minutes:
            told[start:end] = [(True, reason or "working hours")] * (end - start)
        return told


def _spans(minutes: Spans) -> tuple[Span, ...]:
    return tuple(Span(start=start, end=end) for start, end in minutes)


class Walker:
    """What the clock on the wall shows at every step between two instants, and what that means."""

    def __init__(self, plan: Plan, zone: ZoneInfo, first: datetime, last: datetime, step: timedelta = MINUTE) -> None:
        self.first, self.last, self.step = first, last, step
        steps = range((last - first) // step)
        local = [(first + number * step).astimezone(zone) for number in steps]
        days = {day: plan.told(day) for day in {at.date() for at in local}}
        self.told = [days[at.date()][at.hour * 60 + at.minute] for at in local]
        self.wall = [at.replace(tzinfo=None) for at in local]

    def between(self, start: datetime, end: datetime) -> timedelta:
        return sum((until - at for at, until, told in self._steps(start, end) if told[0]), timedelta())

    def add(self, start: datetime, amount: timedelta) -> datetime | None:
        """None if it lies beyond what was walked."""
        if not amount:
            return start
        for at, until, told in self._steps(start, self.last):
            if told[0] and amount <= until - at:
                return at + amount
            amount -= until - at if told[0] else timedelta()
        return None

    def next_at(self, after: datetime, at: time) -> datetime | None:
        """None if it lies beyond the last day that was walked to its end."""
        # A repeated hour does not come before what was shown already.
        latest = list(accumulate(self.wall, max))
        worked = {wall.date() for wall, told in zip(self.wall, self.told, strict=True) if told[0]}
        for day in sorted(worked - {self.wall[0].date(), self.wall[-1].date()}):
            found = self.first + bisect_left(latest, datetime.combine(day, at)) * self.step
            if found > after:
                return found
        return None

    def stretches(self, start: datetime, end: datetime) -> list[Stretch]:
        found: list[Stretch] = []
        for at, until, (counts, why) in self._steps(start, end):
            begin = at
            if found and (found[-1].counts, found[-1].why) == (counts, why):
                begin = found.pop().start
            found.append(Stretch(start=begin, end=until, counts=counts, why=why))
        return found

    def _steps(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime, tuple[bool, str]]]:
        assert self.first <= start
        assert end <= self.last
        for number in range((start - self.first) // self.step, len(self.told)):
            at = self.first + number * self.step
            if max(at, start) >= end:
                return
            yield max(at, start), min(at + self.step, end), self.told[number]


def offset(zone: str, at: datetime) -> timedelta:
    return at.astimezone(ZoneInfo(zone)).utcoffset() or timedelta()


@cache
def changes(zone: str) -> tuple[datetime, ...]:
    """The first instants of other offsets from UTC, 2023 to 2028: looked for by days, hours and minutes."""
    found = [(FIRST, LAST)]
    for step in (DAY, HOUR, MINUTE):
        found = [piece for start, end in found for piece in _differing(zone, start, end, step)]
    return tuple(end for _, end in found)


def _differing(zone: str, start: datetime, end: datetime, step: timedelta) -> list[tuple[datetime, datetime]]:
    instants = [start + number * step for number in range((end - start) // step + 1)]
    offsets = [offset(zone, at) for at in instants]
    return [piece for piece, (one, other) in zip(pairwise(instants), pairwise(offsets), strict=True) if one != other]


@cache
def different_zones() -> Mapping[tuple[object, ...], str]:
    """One zone for all that have the same offsets at all times from 2023 to 2028."""
    return {_behaviour(zone): zone for zone in ZONES}


def _behaviour(zone: str) -> tuple[object, ...]:
    return tuple((at, offset(zone, at)) for at in (FIRST, *changes(zone)))


def agree(plan: Plan, zone: str, walker: Walker, moments: Sequence[datetime], amounts: Sequence[timedelta]) -> None:
    """The calendar says what the walker has seen."""
    calendar = plan.calendar(zone)
    for start in moments:
        for end in moments:
            if start <= end:
                assert calendar.between(start, end) == walker.between(start, end), (zone, start, end)
                assert list(calendar.stretches(start, end)) == walker.stretches(start, end), (zone, start, end)
        for amount in amounts:
            seen = walker.add(start, amount)
            assert seen is None or calendar.add(start, amount) == seen, (zone, start, amount)


def agree_on_next(plan: Plan, zone: str, walker: Walker, after: datetime, at: time) -> None:
    seen, said = walker.next_at(after, at), plan.calendar(zone).next_at(after, at)
    if seen is None:
        # The last local day was not walked to its end, and it begins at most two days before the end of the walk.
        assert said > walker.last - 2 * DAY, (zone, after, at, said)
    else:
        assert said == seen, (zone, after, at)


# --- all zones, all changes -----------------------------------------------------------------------------------

RAGGED = Plan(
    week=(
        ((0, 45), (90, 150), (165, 1440)),
        ((30, 61), (119, 181), (1395, 1440)),
        ((0, 1440),),
        ((540, 720), (780, 1080)),
        ((0, 15), (60, 120), (1410, 1425)),
        ((15, 105), (125, 165), (1380, 1440)),
        ((0, 30), (75, 150), (155, 240), (1400, 1440)),
    )
)
"""Hours that begin and end within the hours that are left out or repeated somewhere."""


def test_there_are_changes_of_every_kind_to_walk_over() -> None:
    assert len(ZONES) > 590
    sizes = {
        offset(zone, at) - offset(zone, at - SECOND) for zone in different_zones().values() for at in changes(zone)
    }
    assert {HOUR, -HOUR, HOUR / 2, -HOUR / 2, 2 * HOUR, -2 * HOUR} <= sizes


def test_the_calendar_agrees_with_the_walker_at_every_change_of_every_zone() -> None:
    for zone in different_zones().values():
        for at in changes(zone) or (datetime(2026, 6, 5, 12, tzinfo=UTC),):
            walker = Walker(RAGGED, ZoneInfo(zone), at - 4 * HOUR, at + 4 * HOUR)
            moments = [at - 4 * HOUR, at - 50 * MINUTE, at, at + 17 * MINUTE + 3 * SECOND, at + 4 * HOUR]
            agree(RAGGED, zone, walker, moments, [30 * MINUTE, 100 * MINUTE])


def test_the_next_time_of_day_is_the_walkers_at_every_change_of_every_zone() -> None:
    for zone in different_zones().values():
        for change in changes(zone)[-3:]:
            walker = Walker(RAGGED, ZoneInfo(zone), change - 3 * DAY, change + 3 * DAY, 15 * MINUTE)
            for after in (change - 30 * HOUR, change - HOUR, change - SECOND, change, change + 20 * MINUTE):
                for at in (time(0), time(0, 30), time(2), time(2, 15), time(23, 45)):
                    agree_on_next(RAGGED, zone, walker, after, at)


# --- any calendar, any zone -----------------------------------------------------------------------------------

MINUTES = st.one_of(st.integers(0, 1440), st.integers(0, 16).map(lambda number: number * 15), st.just(1440))


@st.composite
def spans(draw: st.DrawFn) -> Spans:
    cuts = sorted(draw(st.sets(MINUTES, max_size=6)))
    return tuple(zip(cuts[::2], cuts[1::2], strict=False))


@st.composite
def plans(draw: st.DrawFn, around: date) -> Plan:
    week = draw(st.tuples(*[spans()] * 7))
    assume(any(week))
    reasons = st.sampled_from(("", "holiday: Labour Day", "make-up working day: Labour Day", "closed: works outing"))
    special = draw(st.dictionaries(st.integers(-4, 4), st.tuples(st.one_of(st.just(()), spans()), reasons), max_size=5))
    return Plan(week=week, special={around + timedelta(days=shift): told for shift, told in special.items()})


@st.composite
def scenes(draw: st.DrawFn) -> tuple[Plan, str, datetime]:
    """A calendar and a zone, and an instant: often one at which the zone changes its offset."""
    zone = draw(st.sampled_from(ZONES))
    anywhere = st.integers(0, int((LAST - FIRST) / MINUTE)).map(lambda minutes: FIRST + minutes * MINUTE)
    at = draw(st.one_of(anywhere, st.sampled_from(changes(zone))) if changes(zone) else anywhere)
    return draw(plans(at.date())), zone, at


MOMENTS = st.integers(-16 * 3600, 16 * 3600).map(lambda seconds: timedelta(seconds=seconds))
AMOUNTS = st.one_of(
    st.integers(0, 48 * 60).map(lambda minutes: timedelta(minutes=minutes)),
    st.timedeltas(timedelta(), timedelta(hours=30)),
)
many = settings(max_examples=int(EXAMPLES or 150), derandomize=EXAMPLES is None, deadline=None)


@many
@given(scenes(), MOMENTS, MOMENTS, AMOUNTS, st.times().map(lambda at: at.replace(second=0, microsecond=0)))
def test_any_calendar_agrees_with_the_walker(
    scene: tuple[Plan, str, datetime], one: timedelta, other: timedelta, amount: timedelta, at: time
) -> None:
    plan, zone, around = scene
    walker = Walker(plan, ZoneInfo(zone), around - 65 * HOUR, around + 65 * HOUR)
    agree(plan, zone, walker, [around + one, around + other], [amount])
    if any(told[0] for told in walker.told):
        agree_on_next(plan, zone, walker, around + one, at)


@many
@given(scenes(), AMOUNTS, AMOUNTS, st.integers(0, 400))
def test_adding_and_measuring_are_each_others_reverse(
    scene: tuple[Plan, str, datetime], amount: timedelta, more: timedelta, factor: int
) -> None:
    plan, zone, start = scene
    calendar, far = plan.calendar(zone), amount + factor * MINUTE * 10
    assume(max(end - begin for minutes in plan.week for begin, end in [(0, 0), *minutes]) > 5)
    reached = calendar.add(start, far)
    assert calendar.between(start, reached) == far
    assert not far or calendar.between(start, reached - timedelta(microseconds=1)) < far
    assert calendar.add(reached, more) == calendar.add(start, far + more) or not more


@many
@given(scenes(), MOMENTS, MOMENTS, MOMENTS, st.integers(0, 60))
def test_pieces_of_time_add_up_and_stretches_are_the_whole_of_it(
    scene: tuple[Plan, str, datetime], one: timedelta, two: timedelta, three: timedelta, days: int
) -> None:
    plan, zone, around = scene
    calendar = plan.calendar(zone)
    start, middle, end = sorted([around + one, around + two, around + three + days * DAY])
    whole = calendar.between(start, end)
    assert whole == calendar.between(start, middle) + calendar.between(middle, end)
    pieces = calendar.stretches(start, end)
    assert sum((piece.end - piece.start for piece in pieces), timedelta()) == end - start
    assert sum((piece.end - piece.start for piece in pieces if piece.counts), timedelta()) == whole
    assert all(piece.start < piece.end for piece in pieces)
    for piece, following in pairwise(pieces):
        assert piece.end == following.start
        assert (piece.counts, piece.why) != (following.counts, following.why)


# --- what zones have done before ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "at", "step"),
    [
        ("Africa/Monrovia", datetime(1972, 1, 7, 0, 44, 30, tzinfo=UTC), 30),
        ("Europe/Amsterdam", datetime(1937, 6, 30, 22, 40, 28, tzinfo=UTC), 4),
        ("Europe/Dublin", datetime(1916, 5, 21, 2, 25, 21, tzinfo=UTC), 3),
        ("Asia/Kathmandu", datetime(1985, 12, 31, 18, 30, tzinfo=UTC), 60),
        ("Pacific/Apia", datetime(2011, 12, 30, 10, tzinfo=UTC), 60),
        ("Pacific/Kwajalein", datetime(1993, 8, 21, 12, tzinfo=UTC), 60),
        ("America/Toronto", datetime(1919, 3, 31, 4, 30, tzinfo=UTC), 60),
        ("America/St_Johns", datetime(2010, 11, 7, 2, 31, tzinfo=UTC), 60),
        ("America/St_Johns", datetime(1988, 4, 3, 3, 31, tzinfo=UTC), 60),
        ("Asia/Pyongyang", datetime(2018, 5, 4, 15, 0, tzinfo=UTC), 60),
        ("America/Juneau", datetime(1867, 10, 18, 15, 29, tzinfo=UTC), 1),
        ("Asia/Manila", datetime(1844, 12, 31, 15, 0, tzinfo=UTC), 1),
    ],
)
def test_odd_offsets_and_days_that_never_were(zone: str, at: datetime, step: int) -> None:
    """Seconds in offsets, a day left out, a day repeated, and clocks put back over midnight."""
    reach = 3 * DAY if step >= 30 else 4 * HOUR
    walker = Walker(RAGGED, ZoneInfo(zone), at - reach, at + reach, timedelta(seconds=step))
    moments = [at - reach / 3, at - 40 * MINUTE, at, at + 25 * MINUTE + SECOND, at + reach / 3]
    agree(RAGGED, zone, walker, moments, [MINUTE, 5 * HOUR])
    for after in moments if step >= 30 else ():
        for clock in (time(0), time(1, 30), time(23, 45)):
            agree_on_next(RAGGED, zone, walker, after, clock)
