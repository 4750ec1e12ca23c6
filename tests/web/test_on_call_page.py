"""The page On call: what it shows, and what its forms change."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from responder.domain.duty_calendar import days, weeks
from responder.domain.rota import Shift
from responder.store.database import Database
from tests.web.conftest import GUARDED, Client, cookie, header
from tests.world import World

PEOPLE = """
people:
  - {name: mei, channels: [{name: pager, url: "json://127.0.0.1:9/mei"}]}
  - {name: lars, channels: [{name: pager, url: "json://127.0.0.1:9/lars"}]}
  - {name: otto, channels: [{name: pager, url: "json://127.0.0.1:9/otto"}]}
teams:
  - {name: ops, tiers: {1: {rota: first}, 2: [lars]}}
rotas:
  - name: first
    zone: Europe/Berlin
    layers:
      - {people: [mei], start: 2026-01-05, windows: [{days: mon-fri}]}
"""
NOW = datetime(2027, 1, 6, 12, 0, tzinfo=UTC)  # a Wednesday
HOSTILE = "<script>alert(1)</script>"
FORM = {
    "rota": "first",
    "person": "lars",
    "instead_of": "",
    "from": "2027-01-07T09:00",
    "until": "2027-01-07T17:00",
    "reason": "a dentist",
}


@pytest.fixture
def world(tmp_path: Path, database: Database) -> World:
    made = World(tmp_path, database, main=GUARDED, people=PEOPLE)
    made.clock.advance(NOW - made.clock.now())
    return made


async def shown(client: Client, headers: dict[str, str], query: str = "", *, status: int = 200) -> str:
    answer = await client.get(f"/on-call{query}", headers=headers)
    assert answer.status == status
    return await answer.text()


def plain(text: str) -> str:
    return " ".join(re.sub("<[^>]+>", " ", text).split()).replace(" :", ":")


def test_a_shift_over_midnight_is_cut_into_the_days_of_its_reader() -> None:
    zone = ZoneInfo("Asia/Shanghai")
    shift = Shift(
        start=datetime(2026, 3, 1, 12, tzinfo=UTC), until=datetime(2026, 3, 2, 12, tzinfo=UTC), people=("mei",)
    )
    found = days([shift], date(2026, 3, 1), 14, zone)
    pieces = [
        (day.date.day, one.start.hour, one.until.hour, one.begins, one.ends) for day in found for one in day.pieces
    ]
    assert pieces == [(1, 12, 16, True, False), (2, 16, 12, False, True)]
    assert [len(week) for week in weeks(found)] == [7, 7]


def test_a_day_on_which_the_clocks_change_has_23_hours() -> None:
    (day,) = days([], date(2026, 3, 29), 1, ZoneInfo("Europe/Berlin"))
    assert day.until - day.start == timedelta(hours=23)


async def test_who_is_on_call_now_and_until_when(client: Client, act: dict[str, str]) -> None:
    now = plain((await shown(client, act)).split('data-live="now-on-call"')[1].split("</section>")[0])
    assert "ops 1 mei" in now
    assert "ops 2 lars by name" in now


async def test_the_weekend_without_anybody_is_in_the_calendar_and_in_the_list_of_gaps(
    client: Client, act: dict[str, str]
) -> None:
    text = await shown(client, act)
    calendar = text.split('data-live="calendar"')[1].split("</section>")[0]
    assert calendar.count("data-rota") == 14
    assert calendar.count('class="piece gap"') == 6  # the zone is UTC: each begins on Friday at 23:00
    gaps = text.split('data-live="gaps"')[1].split("</section>")[0]
    assert "Nobody is on call in first: Fri 2027-01-08 23:00 – Sun 2027-01-10 23:00" in plain(gaps)
    assert "/on-call?rota=first&amp;from=2027-01-08T23:00&amp;until=2027-01-10T23:00#override" in gaps
    four = await shown(client, act, "?weeks=4")
    assert four.count("data-rota") == 28


async def test_an_override_is_previewed_and_changes_nothing_until_it_is_made(
    client: Client, world: World, act: dict[str, str]
) -> None:
    query = "?" + "&".join(f"{name}={text.replace(' ', '%20')}" for name, text in FORM.items())
    text = plain((await shown(client, act, query)).split('id="preview"')[1].split("</section>")[0])
    assert "lars is on call: Thu 2027-01-07 09:00 – Thu 2027-01-07 17:00" in text
    assert "mei is not on call any more: Thu 2027-01-07 09:00 – Thu 2027-01-07 17:00" in text
    assert await world.read(lambda tx: tx.overrides.since(world.clock.now())) == []
    answer = await client.post("/on-call/overrides", data=FORM, headers=act, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/on-call?done=override#overrides")
    (made,) = await world.read(lambda tx: tx.overrides.since(world.clock.now()))
    assert (made.person, made.start, made.reason) == ("lars", datetime(2027, 1, 7, 9, tzinfo=UTC), "a dentist")
    text = await shown(client, act, "?done=override")
    assert "It is made, and those concerned are told." in text
    assert "by act-token: a dentist" in plain(text)
    assert 'class="piece changed"' in text


async def test_times_are_of_the_readers_zone(client: Client, world: World) -> None:
    lin = await cookie(world, "responder", "lin", zone="Asia/Shanghai")
    await client.post("/on-call/overrides", data=FORM, headers=lin)
    (made,) = await world.read(lambda tx: tx.overrides.since(world.clock.now()))
    assert (made.start, made.actor) == (datetime(2027, 1, 7, 1, tzinfo=UTC), "lin")
    assert "Thu 2027-01-07 09:00" in await shown(client, lin)


@pytest.mark.parametrize(
    ("path", "form", "status", "why"),
    [
        ("overrides", {**FORM, "until": "2027-01-07T08:00"}, 409, "before it starts"),
        ("overrides", {**FORM, "person": "nobody"}, 409, "Nobody is called nobody"),
        ("overrides", {**FORM, "rota": "second"}, 422, "There is no rota second"),
        ("overrides", {**FORM, "until": "soon"}, 422, "“until”"),
        ("overrides", {**FORM, "reason": " "}, 422, "This has to be filled in."),
        ("swaps", {"rota": "first", "first": "mei", "second": "lars", "reason": HOSTILE}, 409, "lars is not on call"),
        ("absences", {"person": "mei", "reason": "x"}, 422, "This has to be filled in."),
        ("overrides/77/end", {"rota": "first"}, 404, "There is no override 77"),
    ],
)
async def test_what_cannot_be_meant_comes_back_with_what_was_typed(
    client: Client, world: World, act: dict[str, str], path: str, form: dict[str, str], status: int, why: str
) -> None:
    answer = await client.post(f"/on-call/{path}", data=form, headers=act)
    text = await answer.text()
    assert (answer.status, why in text, HOSTILE in text) == (status, True, False)
    assert await world.read(lambda tx: tx.overrides.since(world.clock.now())) == []
    if reason := form.get("reason", "").strip():
        assert f'value="{reason.replace("<", "&lt;").replace(">", "&gt;")}"' in text


async def test_an_override_and_an_absence_are_ended_beside_their_line(
    client: Client, world: World, act: dict[str, str]
) -> None:
    await client.post("/on-call/overrides", data=FORM, headers=act)
    away = {"person": "otto", "from": "2027-01-20T00:00", "until": "2027-01-21T00:00", "reason": HOSTILE}
    await client.post("/on-call/absences", data=away, headers=act)
    text = await shown(client, act)
    assert (HOSTILE in text, "&lt;script&gt;alert" in text) == (False, True)
    for number, rota in ((1, "first"), (2, "")):
        answer = await client.post(f"/on-call/overrides/{number}/end", data={"rota": rota}, headers=act)
        assert "It has ended" in await answer.text()
    assert "None holds or will hold." in await shown(client, act)


async def test_an_end_that_opens_a_gap_says_so(client: Client, world: World, act: dict[str, str]) -> None:
    weekend = {**FORM, "from": "2027-01-09T00:00", "until": "2027-01-09T12:00"}
    await client.post("/on-call/overrides", data=weekend, headers=act)
    answer = await client.post("/on-call/overrides/1/end", data={"rota": "first"}, headers=act)
    assert "It leaves times without anybody" in await answer.text()


async def test_who_may_only_read_sees_no_form_and_changes_nothing(client: Client, world: World) -> None:
    read = await header(world, "read")
    text = await shown(client, read)
    assert ("<form" in text.replace('<form method="dialog">', ""), "data-drag" in text) == (False, False)
    for path in ("overrides", "swaps", "absences", "overrides/1/end"):
        assert (await client.post(f"/on-call/{path}", data=FORM, headers=read)).status == 403


async def test_only_the_own_calendar_is_told(client: Client, world: World, act: dict[str, str]) -> None:
    mei = await shown(client, await cookie(world, "viewer", "mei"))
    assert mei.count("/calendars/") == 2
    for headers in (act, await cookie(world, "viewer", "lin")):
        assert "/calendars/" not in await shown(client, headers)


async def test_without_rotas_or_teams_the_page_says_what_to_write(
    client: Client, world: World, act: dict[str, str]
) -> None:
    world.desk.take_over(replace(world.desk.configuration, rotas={}, tiers={}))
    text = await shown(client, act)
    assert ("There is no rota yet." in text, "No team has anybody to call yet." in text) == (True, True)


@pytest.mark.parametrize(
    "query", ["?day=0001-01-01", "?day=x&weeks=9", "?day=9999-12-31", "?rota=second&person=x&until=y"]
)
async def test_an_address_that_says_nonsense_leads_to_the_page(client: Client, act: dict[str, str], query: str) -> None:
    answer = await client.get(f"/on-call{query}", headers=act)
    assert (answer.status in (200, 409, 422), 'class="calendar"' in await answer.text()) == (True, True)
