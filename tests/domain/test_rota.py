"""Rotas by example: what a reader of docs/on-call.md would expect."""

from __future__ import annotations

import time as wall_time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from responder.domain.rota import (
    Layer,
    Override,
    Rota,
    is_endless,
    next_shift,
    on_call,
    people_on_call,
    shifts,
    why_nobody,
)
from responder.domain.rotation import Rotation, Unit
from responder.domain.windows import Window

BERLIN, SINGAPORE, UTC_ZONE = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Singapore"), ZoneInfo("UTC")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def layer(name: str, *turns: str, start: str = "2026-01-05T09:00", zone: ZoneInfo = UTC_ZONE, **more: object) -> Layer:
    rotation = Rotation(start=datetime.fromisoformat(start), zone=zone, unit=more.pop("unit", Unit.WEEKLY))  # type: ignore[arg-type]
    return Layer(name=name, turns=tuple(tuple(turn.split("+")) for turn in turns), rotation=rotation, **more)  # type: ignore[arg-type]


def override(
    number: int, person: str, instead_of: str = "", start: str = "2026-01-06T00:00", days: float = 1
) -> Override:
    begins = at(start)
    return Override(
        id=number,
        rota="ops",
        person=person,
        instead_of=instead_of,
        start=begins,
        until=begins + days * DAY,
        reason="x",
        actor="mei",
        made_at=begins,
    )


def rota(*layers: Layer) -> Rota:
    return Rota(name="ops", layers=layers, zone=UTC_ZONE)


WEEKLY = rota(layer("all", "ann", "bob", "cem+dai"))
NOON = at("2026-01-06T12:00")


def test_people_take_turns_and_a_turn_may_be_two_people() -> None:
    found = shifts(WEEKLY, (), at("2026-01-05T09:00"), at("2026-02-02T09:00"))
    assert [one.people for one in found] == [("ann",), ("bob",), ("cem", "dai"), ("ann",)]


def test_the_start_of_a_shift_belongs_to_it_and_its_end_does_not() -> None:
    border = at("2026-01-12T09:00")
    assert people_on_call(WEEKLY, (), border - timedelta.resolution) == ("ann",)
    assert people_on_call(WEEKLY, (), border) == ("bob",)
    assert on_call(WEEKLY, (), border).start == border


def test_before_its_start_and_after_its_end_a_layer_has_nobody() -> None:
    short = rota(layer("all", "ann", "bob", until=at("2026-01-20T00:00")))
    assert people_on_call(short, (), at("2026-01-05T08:59")) == ()
    assert (people_on_call(short, (), at("2026-01-19T23:59")), people_on_call(short, (), at("2026-01-20T00:00"))) == (
        ("ann",),
        (),
    )
    assert on_call(short, (), at("2026-01-19T12:00")).until == at("2026-01-20T00:00")


def test_a_later_layer_wins_where_it_has_somebody() -> None:
    days = Window(start=datetime(2026, 1, 1, 8).time(), end=datetime(2026, 1, 1, 16).time(), zone=SINGAPORE)  # noqa: DTZ001
    sun = rota(layer("night", "ann"), layer("singapore", "dai", zone=SINGAPORE, windows=(days,)))
    found = list(shifts(sun, (), at("2026-01-06T00:00"), at("2026-01-07T00:00")))
    assert [(one.people, one.start.hour, one.layer) for one in found] == [
        (("dai",), 0, "singapore"),
        (("ann",), 8, "night"),
    ]


def test_one_who_takes_turns_with_nobody_has_no_hand_over() -> None:
    alone = rota(layer("all", "ann"))
    found = on_call(alone, (), NOON + 400 * DAY)
    assert is_endless(found, NOON + 400 * DAY)
    assert len(list(shifts(alone, (), NOON, NOON + 300 * DAY))) == 1


def test_whoever_stands_for_one_of_two_leaves_the_other_one_there() -> None:
    second = at("2026-01-20T12:00")
    assert people_on_call(WEEKLY, [override(1, "eve", "dai", "2026-01-20T00:00")], second) == ("cem", "eve")
    assert people_on_call(WEEKLY, [override(1, "eve", "", "2026-01-20T00:00")], second) == ("eve",)
    assert people_on_call(WEEKLY, [override(1, "cem", "dai", "2026-01-20T00:00")], second) == ("cem",)


def test_one_who_stands_for_all_is_not_replaced_by_what_was_said_before() -> None:
    before, after = override(1, "fay", "eve"), override(3, "gil", "eve")
    assert people_on_call(WEEKLY, [before, override(2, "eve")], NOON) == ("eve",)
    assert people_on_call(WEEKLY, [before, override(2, "eve"), after], NOON) == ("gil",)


def test_while_somebody_is_away_the_layer_below_takes_over() -> None:
    two = rota(layer("reserve", "lars"), layer("first", "ann", "bob"))
    away = override(1, "", "ann")
    assert people_on_call(two, [away], NOON) == ("lars",)
    assert people_on_call(WEEKLY, [away], NOON) == ()
    assert people_on_call(WEEKLY, [away, override(2, "eve", "ann")], NOON) == ("eve",)
    assert people_on_call(WEEKLY, [away, override(2, "ann")], NOON) == ()


def test_while_the_one_who_stands_for_all_is_away_the_layers_take_over_and_no_longer() -> None:
    whole = override(1, "eve")
    away = replace(override(2, "", "eve", "2026-01-06T02:00"), until=at("2026-01-06T04:00"))
    for known in ([whole, away], [replace(away, id=0), whole]):
        found = shifts(WEEKLY, known, at("2026-01-06T00:00"), at("2026-01-06T06:00"))
        assert [(one.start.hour, one.people) for one in found] == [(0, ("eve",)), (2, ("ann",)), (4, ("eve",))]
    stands_in = override(3, "gil", "eve")
    gone = [whole, stands_in, override(4, "", "gil")]
    assert people_on_call(WEEKLY, gone, NOON) == ("ann",)


def test_why_names_the_layer_the_turn_and_whoever_changed_it() -> None:
    assert on_call(WEEKLY, (), NOON).why == "layer all, turn 1"
    changed = on_call(WEEKLY, [override(1, "eve", "ann")], NOON)
    assert changed.why == "layer all, turn 1; override: eve instead of ann, by mei: x"
    away = override(1, "", "ann")
    assert on_call(WEEKLY, [away], NOON).why == "no layer has anybody"
    assert why_nobody(WEEKLY, [away, override(2, "", "eve")], NOON) == "no layer has anybody; ann is away (x)"


def test_the_next_shift_of_somebody_is_whole() -> None:
    found = next_shift(WEEKLY, (), "bob", NOON)
    assert found is not None
    assert (found.start, found.until) == (at("2026-01-12T09:00"), at("2026-01-19T09:00"))
    assert next_shift(WEEKLY, (), "eve", NOON) is None


def test_a_night_in_which_the_clocks_jump_hands_over_when_they_have_jumped() -> None:
    nightly = rota(layer("all", "ann", "bob", start="2026-03-01T02:30", zone=BERLIN, unit=Unit.DAILY))
    spring = [one.start for one in shifts(nightly, (), at("2026-03-28T00:00"), at("2026-03-31T00:00"))][1:]
    assert spring == [at("2026-03-28T01:30"), at("2026-03-29T01:00"), at("2026-03-30T00:30")]
    autumn = [one.start for one in shifts(nightly, (), at("2026-10-24T02:00"), at("2026-10-27T00:00"))][1:]
    assert autumn == [at("2026-10-25T00:30"), at("2026-10-26T01:30")]


@pytest.mark.parametrize("unit", [Unit.HOURLY, Unit.DAILY, Unit.MONTHLY])
def test_to_know_who_is_on_call_costs_the_same_however_long_ago_the_rota_began(unit: Unit) -> None:
    def took(start: str) -> float:
        one = rota(layer("all", "ann", "bob", start=start, zone=BERLIN, unit=unit))
        begun = wall_time.perf_counter()
        for number in range(20):
            people_on_call(one, (), at("2026-01-06T12:00") + number * HOUR)
        return wall_time.perf_counter() - begun

    assert min(took("2000-01-01T00:00") for _ in range(5)) < 5 * min(took("2026-01-01T00:00") for _ in range(5)) + 0.01
