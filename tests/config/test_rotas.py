"""Rotas in people.yml: what they mean, what is refused, and what the linter doubts."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from responder.config.rota_lint import about_rotas
from responder.domain.oncall import Tier
from responder.domain.rota import Layer
from responder.domain.rotation import Rotation, Unit
from responder.domain.windows import Window
from tests.config.test_configuration import Folder

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
ROTAS = """\
rotas:
  - name: ops-first
    zone: Europe/Berlin
    layers:
      - name: nights
        people: [ann, [bob, ann]]
        start: 2026-01-05 09:00
      - name: days
        people: [bob]
        rotation: daily
        length: 2
        start: 2026-01-05 08:00
        until: 2027-01-01 00:00
        zone: Asia/Shanghai
        windows:
          - {days: mon-fri, from: "08:00", to: "20:00"}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path)
    made.write("people.yml", (tmp_path / "people.yml").read_text().replace("1: [bob, ann]", "1: {rota: ops-first}"))
    made.write("people.yml", (tmp_path / "people.yml").read_text() + ROTAS)
    return made


def test_a_rota_has_layers_with_turns_and_windows_in_their_zones(folder: Folder) -> None:
    rota = folder.read().rotas["ops-first"]
    shanghai = ZoneInfo("Asia/Shanghai")
    assert rota.zone == BERLIN
    assert rota.layers == (
        Layer(
            name="nights",
            turns=(("ann",), ("bob", "ann")),
            rotation=Rotation(start=datetime.fromisoformat("2026-01-05T09:00"), zone=BERLIN),
        ),
        Layer(
            name="days",
            turns=(("bob",),),
            rotation=Rotation(
                start=datetime.fromisoformat("2026-01-05T08:00"), zone=shanghai, unit=Unit.DAILY, length=2
            ),
            until=datetime(2026, 12, 31, 16, tzinfo=UTC),
            windows=(
                Window(
                    days=("mon", "tue", "wed", "thu", "fri"),
                    start=datetime.fromisoformat("2026-01-05T08:00").time(),
                    end=datetime.fromisoformat("2026-01-05T20:00").time(),
                    zone=shanghai,
                ),
            ),
        ),
    )


def test_a_tier_may_be_whoever_is_on_call_in_a_rota(folder: Folder) -> None:
    assert folder.read().tiers["ops"] == (
        Tier(number=1, people=("ann", "bob"), rota="ops-first"),
        Tier(number=2, people=("ann",)),
    )


def test_a_person_has_a_zone(folder: Folder) -> None:
    folder.change("people.yml", "    language: zh\n", "    language: zh\n    zone: Asia/Shanghai\n")
    people = folder.read().people
    assert (people["ann"].zone, people["bob"].zone) == ("Asia/Shanghai", "UTC")


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("{rota: ops-first}", "{rota: ops}", "people.yml:14:7: team ops, tier 1: there is no rota ops"),
        ("{rota: ops-first}", "{rotas: [x]}", "14:7: teams.0.tiers.1: {'rotas': ['x']} is no tier; write a list"),
        ("[ann, [bob, ann]]", "[ann, [bob, eve]]", "23:23: rota ops-first, layer nights: nobody is called eve"),
        ("[ann, [bob, ann]]", "[ann, [bob, bob]]", "23:23: rota ops-first, layer nights: the same person is in"),
        ("[ann, [bob, ann]]", "[]", "people.yml:23:9: rotas.0.layers.0.people: expected"),
        ("[ann, [bob, ann]]", "[ann, []]", "people.yml:23:23: rotas.0.layers.0.people.1: expected"),
        ("name: days", "name: nights", "25:9: rota ops-first has two layers called nights"),
        ("until: 2027-", "until: 2025-", "30:9: rota ops-first, layer days: it ends before it begins"),
        ("start: 2026-01-05 09:00", "start: 2026-01-05T09:00+01:00", "names an offset; write it without one"),
        ("start: 2026-01-05 09:00", "start: monday", "24:9: rotas.0.layers.0.start: 'monday' is no date and time"),
        ("start: 2026-01-05 09:00", "start: 1926-01-05", "is not between the years 2000 and 2100"),
        ("Europe/Berlin\n    layers", "Europe/Bärlin\n    layers", "'Europe/Bärlin' is no time zone"),
        ("days: mon-fri", "days: mon-fry", "'fry' is no day"),
        ("rotation: daily", "rotation: yearly", "rotas.0.layers.1.rotation: expected 'hourly', 'daily', 'weekly' or"),
        ('to: "20:00"}', 'to: "20:00"}\n          - {days: [fri], from: "18:00"}', "overlap; write them as one"),
        ("rotas:\n", "rotas:\n  - {name: ops-first, layers: [{people: [ann], start: 2026-01-01}]}\n", "two rotas"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_rota_is_named_with_its_place(folder: Folder, old: str, new: str, complaint: str) -> None:
    folder.change("people.yml", old, new)
    assert any(complaint in mistake for mistake in folder.mistakes()), folder.mistakes()


def found(folder: Folder) -> list[tuple[str, str]]:
    return [(f"{one.problem.line}:{one.problem.column}", one.problem.text) for one in about_rotas(folder.read(), NOW)]


def test_a_rota_without_a_hole_is_not_doubted(folder: Folder) -> None:
    assert found(folder) == []


def test_a_gap_in_the_rota_is_named_at_check_time(folder: Folder) -> None:
    folder.change("people.yml", "people: [ann, [bob, ann]]", "people: [ann]\n        until: 2026-11-07 12:00")
    ((place, text),) = found(folder)
    assert place == "19:5"
    span = "from Sat 2026-11-07 12:00 CET to Mon 2026-11-09 01:00 CET"
    assert text.startswith(f"nobody is on call in rota ops-first {span}, and 35 more times in the next 56 days")
    folder.change("people.yml", "zone: Europe/Berlin\n", "zone: Europe/Berlin\n    may_be_empty: true\n")
    assert found(folder) == []


def test_a_hand_over_that_the_clocks_leave_out_or_show_twice_is_named(folder: Folder) -> None:
    folder.change("people.yml", "start: 2026-01-05 09:00", "start: 2026-01-04 02:30")
    assert found(folder) == [
        (
            "22:9",
            "rota ops-first, layer nights: the clocks leave out 02:30 on 2027-03-28: the hand-over is at 03:00 CEST, "
            "when they have jumped",
        ),
        (
            "22:9",
            "rota ops-first, layer nights: the clocks show 02:30 on 2027-10-31 twice: the hand-over is at the first "
            "one, 02:30 CEST",
        ),
    ]


def test_a_layer_that_a_later_one_always_covers_is_named(folder: Folder) -> None:
    folder.change("people.yml", '{days: mon-fri, from: "08:00", to: "20:00"}', "{days: mon-sun}")
    folder.change("people.yml", "        until: 2027-01-01 00:00\n", "")
    folder.change("people.yml", "start: 2026-01-05 08:00", "start: 2026-01-01")
    assert found(folder) == [
        (
            "22:9",
            "rota ops-first, layer nights: layer days always wins over it, so its people are called only while others "
            "are away",
        )
    ]
