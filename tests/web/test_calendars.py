"""Absences, imports and feeds over HTTP."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from yarl import URL

from tests.web.conftest import Client, account, header
from tests.web.test_rotas import world
from tests.world import World

__all__ = ["world"]
ABSENCES, SHIFTS, FEEDS = "/api/v1/absences", "/api/v1/rotas/first/calendar", "/api/v1/calendar-feeds"
EMPTY = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nEND:VCALENDAR\r\n"


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", ABSENCES, "read"),
        ("POST", ABSENCES, "act"),
        ("DELETE", f"{ABSENCES}/1", "act"),
        ("PUT", f"{ABSENCES}/mei", "act"),
        ("PUT", SHIFTS, "act"),
        ("GET", FEEDS, "act"),
    ],
)
async def test_without_a_token_or_with_a_lesser_one_nothing_is_told_or_changed(
    client: Client, world: World, method: str, path: str, scope: str
) -> None:
    lesser = {"read": "ingest", "act": "read"}[scope]
    for headers in ({}, await header(world, lesser)):
        assert (await client.request(method, path, headers=headers)).status in (401, 403)


async def test_somebody_is_away_and_back(client: Client, world: World, act: dict[str, str]) -> None:
    until = (world.clock.now() + timedelta(hours=2)).isoformat()
    wish = {"person": "mei", "until": until, "reason": "ill", "actor": "lars"}
    (made,) = (await (await client.post(ABSENCES, json=wish, headers=act)).json())["overrides"]
    assert (made["person"], made["instead_of"], made["rota"]) == ("", "mei", "")
    (listed,) = (await (await client.get(ABSENCES, headers=act)).json())["overrides"]
    assert listed["id"] == made["id"]
    assert (await client.delete(f"{ABSENCES}/{made['id']}", headers=act)).status == 200
    assert (await (await client.get(ABSENCES, headers=act)).json())["overrides"] == []
    assert (await client.delete(f"{ABSENCES}/99", headers=act)).status == 404


async def test_what_is_no_calendar_is_refused_and_an_empty_one_is_fine(client: Client, act: dict[str, str]) -> None:
    for path in (SHIFTS, f"{ABSENCES}/mei"):
        assert (await client.put(path, data=b"x", headers=act)).status == 409
        assert (await client.put(path, data=EMPTY, headers=act)).status == 200
        assert (await client.put(f"{path}?sauce=x", data=EMPTY, headers=act)).status == 422
    assert (await client.put(f"{ABSENCES}/eve", data=EMPTY, headers=act)).status == 404


async def test_a_feed_is_read_by_its_link_alone(client: Client, act: dict[str, str]) -> None:
    for query in ("rota=first", "person=mei"):
        told = await (await client.get(f"{FEEDS}?{query}", headers=act)).json()
        answer = await client.get(URL(told["url"]).path)
        assert (answer.status, answer.content_type) == (200, "text/calendar")
        assert b"SUMMARY:On call: " in await answer.read()
    for query, status in (("", 422), ("rota=first&person=mei", 422), ("rota=x", 404), ("person=x", 404)):
        assert (await client.get(f"{FEEDS}?{query}", headers=act)).status == status
    assert (await client.get("/calendars/WyJmaXJzdCIsIiJd.x.y.ics")).status == 409


async def test_the_calendar_of_somebody_who_has_left_is_read_no_more(
    client: Client, world: World, act: dict[str, str]
) -> None:
    path = URL((await (await client.get(f"{FEEDS}?person=mei", headers=act)).json())["url"]).path
    user = await account(world, "responder", "mei", disabled_at=world.clock.now())
    gone = await client.get(path)
    assert (gone.status, "The account of mei is disabled" in (await gone.json())["detail"]) == (404, True)
    await world.database.write(lambda tx: tx.accounts.change(replace(user, disabled_at=None)))
    assert (await client.get(path)).status == 200
