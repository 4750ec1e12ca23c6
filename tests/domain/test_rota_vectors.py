"""Turns, windows and people on call against tables of cases from the field, which lie beside the repository."""

from __future__ import annotations

import json
from datetime import datetime, time, timedelta
from functools import cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from responder.domain.duty_windows import openings
from responder.domain.rota import Layer, Rota, shifts
from responder.domain.rotation import Rotation, Unit
from responder.domain.wall import shown
from responder.domain.windows import Window
from tests.fakes import material_folder

FOLDER = material_folder() / "rota"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the tables of cases are not here")


@cache
def read(name: str) -> Any:
    return json.loads((FOLDER / name).read_text())


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def rotation_of(row: dict[str, Any]) -> Rotation:
    zone = ZoneInfo(row["timezone"])
    start = at(row["rotation_start"]).astimezone(zone).replace(tzinfo=None)
    return Rotation(start=start, zone=zone, unit=Unit(row["rotation_type"]), length=row["shift_length"])


def test_every_instant_lies_in_the_turn_that_the_table_says() -> None:
    asked = 0
    for row in read("rotation_cases.json")["rows"]:
        rotation = rotation_of(row)
        turn = rotation.turn_at(at(row["query"]))
        for wanted, found in (("expected_shift_start", turn), ("expected_shift_end", turn + 1)):
            if row[wanted] is not None:
                asked += 1
                assert rotation.begins(found) == at(row[wanted]), row
    assert asked > 236


def test_a_walk_meets_every_hand_over_of_the_table_and_no_other() -> None:
    for case in read("handover_walks.json")["cases"]:
        rotation, met = rotation_of(case), set()
        neighbours = set(pairwise(map(at, case["handovers"])))
        instant, step = at(case["walk_from"]), timedelta(seconds=case["walk_step_seconds"] * 10)
        while instant <= at(case["walk_to"]):
            turn = rotation.turn_at(instant)
            shift = (rotation.begins(turn), rotation.begins(turn + 1))
            assert shift in neighbours, (case["case"], instant)
            met |= {*shift}
            instant += step
        assert met == {*map(at, case["handovers"])}, case["case"]


def test_the_first_of_two_showings_and_the_end_of_a_gap_are_found() -> None:
    rows = [row for row in read("wall_clock.json")["time_of_day"] if row["occurrence"] == "first"]
    for row in rows:
        local = datetime.combine(at(row["date"]).date(), time.fromisoformat(row["wall_clock"]))
        assert shown(ZoneInfo(row["timezone"]), local) == at(row["expected"]), row
    assert rows


def test_windows_open_and_close_as_the_table_says() -> None:
    for row in read("duty_windows.json")["rows"]:
        days = tuple(day[:3].lower() for day in row["weekdays"])
        start, end = time.fromisoformat(row["from"]), time.fromisoformat(row["to"])
        window = Window(days=days, start=start, end=end, zone=ZoneInfo(row["timezone"]))
        query = at(row["query"])
        found = openings([window], query, query + timedelta(days=8))
        if "expected_active" in row:
            assert any(one.start <= query < one.until for one in found) is row["expected_active"], row
        elif len(days) == 7 and start == end:
            assert found == [(query, query + timedelta(days=8))]
        elif "expected_window_start" in row:
            assert found[0].start == at(row["expected_window_start"]), row
        else:
            assert found[0].until == at(row["expected_window_end"]), row


def test_two_rotations_that_share_the_day_take_turns_as_the_table_says() -> None:
    for case in read("participants.json")["cases"]:
        zone, now = ZoneInfo(case["timezone"]), at(case["now"])
        wanted = [one for one in case["expected"] if at(one["from"]) > now]
        rota = Rota(name="ops", zone=zone, layers=tuple(_layer(rule, zone, now) for rule in case["rules"]))
        found = list(shifts(rota, (), at(wanted[0]["from"]), at(wanted[-1]["to"])))
        told = [(one.people, one.start, one.until) for one in found]
        assert told == [((one["who"],), at(one["from"]), at(one["to"])) for one in wanted]


def _layer(rule: dict[str, Any], zone: ZoneInfo, now: datetime) -> Layer:
    """The layer whose turn at `now` is that of the one who is on duty then."""
    people, first = rule["participants"], rule["participants"].index(rule["on_duty_now"])
    start = datetime.combine(now.astimezone(zone).date(), time.fromisoformat(rule["handover"]))
    return Layer(
        name=rule["rotation"],
        turns=tuple((name,) for name in (*people[first:], *people[:first])),
        rotation=Rotation(start=start, zone=zone, unit=Unit(rule["rotation_type"]), length=rule["shift_length"]),
        windows=(
            Window(
                days=tuple(day[:3].lower() for day in rule["weekdays"]),
                start=time.fromisoformat(rule["from"]),
                end=time.fromisoformat(rule["to"]),
                zone=zone,
            ),
        ),
    )
