"""Rotas against a walker that looks at the clock on the wall minute by minute: all zones, all their changes.

More examples: `RESPONDER_EXAMPLES=5000 pytest tests/domain/test_rota_brute_force.py`.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import accumulate
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responder.domain.rota import Layer, Override, Rota, Shift, gaps, on_call, people_on_call, shifts
from responder.domain.rotation import Rotation, Unit
from responder.domain.wall import change_between, offset_at, shown
from responder.domain.windows import DAYS, Window

EXAMPLES = int(os.environ.get("RESPONDER_EXAMPLES", "40"))
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
STEPS = {Unit.HOURLY: HOUR, Unit.DAILY: DAY, Unit.WEEKLY: 7 * DAY}
ZONES = sorted(available_timezones())
YEARS = (datetime(2023, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))


# --- the walker -----------------------------------------------------------------------------------------------


class Walk:
    """What the clock on the wall shows in every minute from one instant to another."""

    def __init__(self, zone: ZoneInfo, start: datetime, end: datetime) -> None:
        self.minutes = [start + MINUTE * number for number in range((end - start) // MINUTE)]
        self.shows = [instant.astimezone(zone).replace(tzinfo=None) for instant in self.minutes]
        self._latest = list(accumulate(self.shows, max))

    def first(self, local: datetime) -> datetime:
        """The first minute at which the clock shows this, or something later."""
        return self.minutes[bisect_left(self._latest, local)]

    def between(self, opens: datetime, closes: datetime) -> Sequence[datetime]:
        return self.minutes[bisect_left(self.minutes, opens) : bisect_left(self.minutes, closes)]


@cache
def changes(zone: str, first: datetime = YEARS[0], last: datetime = YEARS[1]) -> tuple[datetime, ...]:
    """The hours in which a zone's clocks change between two instants."""
    here, found, at = ZoneInfo(zone), [], first
    while at < last:
        if at.astimezone(here).utcoffset() != (at + DAY).astimezone(here).utcoffset():
            hours = (at + HOUR * number for number in range(24))
            found += [
                one for one in hours if one.astimezone(here).utcoffset() != (one + HOUR).astimezone(here).utcoffset()
            ]
        at += DAY
    return tuple(found)


def beginnings(walk: Walk, rotation: Rotation) -> Iterator[tuple[int, datetime]]:
    """The turns whose beginning lies in the walk, found by counting from the rotation's start."""
    step = STEPS[rotation.unit] * rotation.length
    local, turn, earliest = rotation.start, 0, min(walk.shows)
    while local <= earliest:
        local, turn = local + step, turn + 1
    while local <= walk.shows[-1]:
        yield turn, walk.first(local)
        local, turn = local + step, turn + 1


def windows_of(walk: Walk, windows: Sequence[Window]) -> set[datetime]:
    """The minutes in which a window is open."""
    if not windows:
        return {*walk.minutes}
    found: set[datetime] = set()
    day, last = walk.shows[0].date() + DAY, walk.shows[-1].date() - 2 * DAY
    while day <= last:
        for window in windows:
            if DAYS[day.weekday()] in window.days:
                opens = walk.first(datetime.combine(day, window.start))
                closing = day if window.start < window.end else day + DAY
                closes = walk.first(datetime.combine(closing, window.end))
                found |= {*walk.between(opens, closes)}
        day += DAY
    return found


def _local(first: int, last: int) -> st.SearchStrategy[datetime]:
    """Times on the wall in these years."""
    return st.builds(datetime.combine, st.dates(date(first, 1, 1), date(last, 12, 31)), st.times())


# --- turns ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("minute", [0, 30])
def test_hourly_turns_begin_right_at_every_change_of_every_zone(minute: int) -> None:
    seen = set()
    for zone in ZONES:
        for change in changes(zone, datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)):
            here = ZoneInfo(zone)
            kind = (change, change.astimezone(here).utcoffset(), (change + HOUR).astimezone(here).utcoffset())
            if kind in seen:
                continue
            seen.add(kind)
            walk = Walk(here, change - 4 * HOUR, change + 4 * HOUR)
            rotation = Rotation(start=datetime.combine(date(2024, 1, 1), time(0, minute)), zone=here, unit=Unit.HOURLY)
            _agree(walk, rotation)
    assert len(seen) > 40


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Africa/Monrovia", datetime(1972, 1, 7, tzinfo=UTC)),
        ("Europe/Paris", datetime(1911, 3, 10, 12, tzinfo=UTC)),
        ("America/New_York", datetime(1883, 11, 18, tzinfo=UTC)),
        ("Asia/Kathmandu", datetime(1985, 12, 31, tzinfo=UTC)),
    ],
)
def test_a_change_at_an_odd_second_by_an_odd_number_of_seconds_is_met_to_the_second(zone: str, day: datetime) -> None:
    here, second = ZoneInfo(zone), timedelta(seconds=1)
    change = change_between(here, day, day + DAY)
    assert offset_at(here, change - second) != offset_at(here, change)
    instants = [change + number * second for number in range(-7200, 7201)]
    latest = list(accumulate((at.astimezone(here).replace(tzinfo=None) for at in instants), max))
    before = (change - second).astimezone(here).replace(tzinfo=None)
    for step in range(-3000, 3001, 7):
        local = before + step * second
        found = shown(here, local)
        assert found == instants[bisect_left(latest, local)], local
        rotation = Rotation(start=local - 30 * DAY, zone=here, unit=Unit.DAILY)
        assert (rotation.turn_at(found), rotation.turn_at(found - timedelta.resolution)) == (30, 29)


@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data())
def test_turns_of_any_length_begin_right_around_any_change_of_any_zone(data: st.DataObject) -> None:
    zone = data.draw(st.sampled_from([zone for zone in ZONES if changes(zone)]))
    around = data.draw(st.sampled_from(changes(zone)))
    unit = data.draw(st.sampled_from([Unit.HOURLY, Unit.DAILY, Unit.WEEKLY]))
    length = data.draw(st.integers(1, 30 if unit is Unit.HOURLY else 3))
    start = data.draw(_local(2021, 2021)).replace(second=0, microsecond=0)
    walk = Walk(ZoneInfo(zone), around - DAY, around + 2 * DAY)
    _agree(walk, Rotation(start=start, zone=ZoneInfo(zone), unit=unit, length=length))


def _agree(walk: Walk, rotation: Rotation) -> None:
    turns = list(beginnings(walk, rotation))
    for turn, begins in turns:
        assert rotation.begins(turn) == begins
    for minute in walk.minutes[::7]:
        begun = [turn for turn, begins in turns if begins <= minute]
        if begun:
            assert rotation.turn_at(minute) == begun[-1]


@given(start=_local(2020, 2024), months=st.integers(1, 14))
def test_monthly_turns_begin_on_the_same_day_or_on_the_last_one_of_a_short_month(start: datetime, months: int) -> None:
    rotation = Rotation(start=start, zone=ZoneInfo("UTC"), unit=Unit.MONTHLY, length=months)
    for turn in range(-20, 40):
        begins = rotation.begins(turn)
        assert (begins.year * 12 + begins.month) - (start.year * 12 + start.month) == turn * months
        assert begins.day == start.day or (begins + DAY).month != begins.month
        assert (rotation.turn_at(begins), rotation.turn_at(begins - timedelta.resolution)) == (turn, turn - 1)


# --- rotas ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Case:
    rota: Rota
    overrides: tuple[Override, ...]
    start: datetime

    @property
    def end(self) -> datetime:
        return self.start + 2 * DAY


TIMES = st.sampled_from([time(0, 0), time(1, 30), time(2, 0), time(2, 30), time(3, 0), time(9, 0), time(17, 0)])
PEOPLE = ("ann", "bob", "cem", "dai")


@st.composite
def cases(draw: st.DrawFn) -> Case:
    zone = ZoneInfo(draw(st.sampled_from([zone for zone in ZONES if changes(zone)])))
    start = draw(st.sampled_from(changes(zone.key))) - draw(st.integers(0, 47)) * HOUR
    layers = tuple(draw(_layer(zone, f"layer {number}")) for number in range(draw(st.integers(1, 3))))
    overrides = tuple(draw(_override(start, number)) for number in range(draw(st.integers(0, 5))))
    return Case(rota=Rota(name="ops", layers=layers, zone=zone), overrides=overrides, start=start)


@st.composite
def _layer(draw: st.DrawFn, zone: ZoneInfo, name: str) -> Layer:
    days = st.sets(st.sampled_from(DAYS), min_size=1).map(tuple)
    window = st.builds(Window, days=days, start=TIMES, end=TIMES, zone=st.just(zone))
    unit = draw(st.sampled_from([Unit.HOURLY, Unit.DAILY, Unit.WEEKLY]))
    length = draw(st.integers(5, 20) if unit is Unit.HOURLY else st.integers(1, 2))
    begins = datetime.combine(date(2022, 1, draw(st.integers(1, 28))), draw(TIMES))
    turn = st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=2, unique=True).map(tuple)
    return Layer(
        name=name,
        turns=tuple(draw(st.lists(turn, min_size=1, max_size=3))),
        rotation=Rotation(start=begins, zone=zone, unit=unit, length=length),
        windows=tuple(draw(st.lists(window, max_size=2))),
    )


@st.composite
def _override(draw: st.DrawFn, start: datetime, number: int) -> Override:
    begins = start + draw(st.integers(-300, 2800)) * MINUTE
    # Few names, so that those who stand for somebody are often away themselves.
    person, instead = draw(st.sampled_from(("", "ann", "bob"))), draw(st.sampled_from(("", "", "ann", "bob", "cem")))
    made = Override(
        id=number,
        rota=draw(st.sampled_from(["ops", "ops", "other", ""])),
        person=person,
        instead_of=instead if person else instead or "ann",
        start=begins,
        until=begins + draw(st.integers(1, 900)) * MINUTE,
        reason="a test",
        actor="mei",
        made_at=start,
        source=draw(st.sampled_from(["", "team.ics"])) if person and not instead else "",
    )
    return replace(made, ended_at=begins + 100 * MINUTE) if draw(st.booleans()) else made


def _walked(case: Case) -> list[tuple[str, ...]]:
    """Who is on call in every minute."""
    walk = Walk(case.rota.zone, case.start - 16 * DAY, case.end + 5 * DAY)
    known = [
        (layer, windows_of(walk, layer.windows), [(at, turn) for turn, at in beginnings(walk, layer.rotation)])
        for layer in case.rota.layers
    ]
    return [_people(case, minute, known) for minute in walk.between(case.start, case.end)]


def _people(
    case: Case, minute: datetime, known: list[tuple[Layer, set[datetime], list[tuple[datetime, int]]]]
) -> tuple[str, ...]:
    held = [one for one in case.overrides if one.rota in ("", "ops") and one.start <= minute < one.until]
    held = [one for one in held if one.ended_at is None or minute < one.ended_at]
    away = {one.instead_of for one in held if not one.person}
    for_all = [one for one in held if one.person and not one.instead_of and one.person not in away]
    by_hand = [one for one in for_all if not one.source][-1:]
    seats = by_hand or sorted(for_all, key=lambda one: (one.start, one.person))
    later = [one for one in held if not by_hand or one.id > by_hand[0].id]
    if people := _replaced(tuple(dict.fromkeys(one.person for one in seats)), later, away):
        return people
    for layer, is_open, begun in reversed(known):
        turn = [number for begins, number in begun if begins <= minute][-1]
        people = _replaced(layer.turns[turn % len(layer.turns)], held, away) if minute in is_open else ()
        if people:
            return people
    return ()


def _replaced(people: tuple[str, ...], held: list[Override], away: set[str]) -> tuple[str, ...]:
    found = list(people)
    for one in held:
        if one.person and one.instead_of in found:
            found[found.index(one.instead_of)] = one.person
            found = list(dict.fromkeys(found))
    return tuple(name for name in found if name not in away)


@settings(max_examples=EXAMPLES, deadline=None)
@given(case=cases())
def test_who_is_on_call_is_what_a_walk_through_every_minute_says(case: Case) -> None:
    walked = _walked(case)
    found = list(shifts(case.rota, case.overrides, case.start, case.end))
    assert [found[0].start, *(one.until for one in found)] == [*(one.start for one in found), case.end]
    told = [people for one in found for people in [one.people] * ((one.until - one.start) // MINUTE)]
    assert told == walked
    assert sum((one.until - one.start for one in gaps(case.rota, case.overrides, case.start, case.end)), 0 * DAY) == (
        MINUTE * walked.count(())
    )
    for number in range(0, len(walked), 97):
        at = case.start + number * MINUTE
        assert people_on_call(case.rota, case.overrides, at) == walked[number]
        _is_whole(case, on_call(case.rota, case.overrides, at), at)


def _is_whole(case: Case, shift: Shift, at: datetime) -> None:
    """The shift of an instant is the same whichever of its instants one asks for, and no part of a longer one."""
    assert shift.start <= at < shift.until
    for other in (shift.start, shift.until - timedelta.resolution):
        if abs(other - at) < 300 * DAY:
            assert on_call(case.rota, case.overrides, other).people == shift.people
    before = next(shifts(case.rota, case.overrides, shift.start - MINUTE, shift.until))
    assert before.start < shift.start
    assert before.until == shift.start or at - shift.start > 300 * DAY
