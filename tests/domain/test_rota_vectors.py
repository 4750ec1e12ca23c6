"""Turns, windows and people on call against tables of cases from the field, which lie beside the repository."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from functools import cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from responder.config.rotas import as_instant
from responder.domain.duty_windows import openings
from responder.domain.rota import Layer, Rota, shifts
from responder.domain.rotation import Rotation, Unit
from responder.domain.wall import is_repeated, shown
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
        for instant in _walk(case):
            turn = rotation.turn_at(instant)
            shift = (rotation.begins(turn), rotation.begins(turn + 1))
            assert shift in neighbours, (case["case"], instant)
            assert shift[0] <= instant < shift[1], (case["case"], instant)
            met |= {*shift}
        assert met == {*map(at, case["handovers"])}, case["case"]


def _walk(case: dict[str, Any]) -> Iterator[datetime]:
    """The table's steps near each hand-over, where they matter, and every one next to it; coarse ones in between."""
    first, last = at(case["walk_from"]), at(case["walk_to"])
    fine, coarse = timedelta(seconds=case["walk_step_seconds"]), timedelta(seconds=307)
    yield from (first + number * coarse for number in range((last - first) // coarse + 1))
    for handover in map(at, case["handovers"]):
        around = [handover + number * fine for number in range(-130, 131)]
        next_to = [handover + sign * gap for gap in (timedelta.resolution, timedelta(seconds=1)) for sign in (-1, 0, 1)]
        yield from (instant for instant in (*around, *next_to) if first <= instant <= last)


def _local(row: dict[str, Any]) -> tuple[ZoneInfo, datetime]:
    return ZoneInfo(row["timezone"]), datetime.combine(at(row["date"]).date(), time.fromisoformat(row["wall_clock"]))


def test_the_first_of_two_showings_and_the_end_of_a_gap_are_found() -> None:
    rows = [row for row in read("wall_clock.json")["time_of_day"] if row["occurrence"] == "first"]
    for row in rows:
        assert shown(*_local(row)) == at(row["expected"]), row
    assert rows


def test_the_last_of_two_showings_is_the_second_reading_that_people_are_offered() -> None:
    """Nothing of ours asks for the last one by itself: it is another one than the first only where the clocks show a
    time twice, and then whoever writes it is asked which one is meant."""
    rows = [row for row in read("wall_clock.json")["time_of_day"] if row["occurrence"] == "last"]
    repeated = [row for row in rows if is_repeated(*_local(row))]
    for row in rows:
        zone, local = _local(row)
        if row in repeated:
            assert shown(zone, local) < at(row["expected"]), row
            with pytest.raises(ValueError, match=f" or {re.escape(at(row['expected']).isoformat(timespec='minutes'))}"):
                as_instant(f"{local.isoformat()}", zone)
        else:
            assert shown(zone, local) == at(row["expected"]), row
    assert repeated


def test_time_is_added_on_the_wall_as_turns_do() -> None:
    for row in read("wall_clock.json")["add_wall_clock"]:
        zone, minutes = ZoneInfo(row["timezone"]), row["add_wall_clock_minutes"]
        start = at(row["from"]).astimezone(zone).replace(tzinfo=None)
        assert shown(zone, start + timedelta(minutes=minutes)) == at(row["expected"]), row
        # A turn has whole hours; half of one is asked of the clock alone.
        if minutes % 60 == 0:
            length, turn = abs(minutes) // 60, 1 if minutes > 0 else -1
            rotation = Rotation(start=start, zone=zone, unit=Unit.HOURLY, length=length)
            assert rotation.begins(turn) == at(row["expected"]), row


def test_hours_between_are_counted_on_the_wall_as_turns_are() -> None:
    for row in read("wall_clock.json")["wall_clock_hours_between"]:
        zone = ZoneInfo(row["timezone"])
        start = at(row["from"]).astimezone(zone).replace(tzinfo=None)
        hourly = Rotation(start=start, zone=zone, unit=Unit.HOURLY)
        assert hourly.turn_at(at(row["to"])) == row["expected_wall_clock_hours"], row
        assert hourly.begins(row["expected_wall_clock_hours"]) == at(row["to"]), row
        assert (at(row["to"]) - at(row["from"])).total_seconds() == row["elapsed_seconds"], row


def test_every_kind_of_row_of_the_clocks_has_a_test() -> None:
    """All kinds have a counterpart in our code: `last` in the answer to a time that is shown twice."""
    table = read("wall_clock.json")
    kinds = {name for name, rows in table.items() if isinstance(rows, list)}
    assert kinds == {"time_of_day", "add_wall_clock", "wall_clock_hours_between"}
    assert {row["occurrence"] for row in table["time_of_day"]} == {"first", "last"}


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
