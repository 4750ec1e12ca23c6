"""Rotas over HTTP: what programs are told, and what they cannot do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from prometheus_client.parser import text_string_to_metric_families

from responder.domain.delivery import QuietHours
from responder.store.database import Database
from tests.web.conftest import GUARDED, Client, header
from tests.world import World

PEOPLE = """
people:
  - {name: mei, channels: [{name: pager, url: "json://127.0.0.1:9/mei"}]}
  - {name: lars, channels: [{name: pager, url: "json://127.0.0.1:9/lars"}]}
teams:
  - {name: ops, tiers: {1: {rota: first}, 2: [lars]}}
rotas:
  - name: first
    zone: Europe/Berlin
    layers:
      - {people: [mei], start: 2026-01-05, windows: [{days: mon-fri}]}
"""
OVERRIDES, SWAPS = "/api/v1/rotas/first/overrides", "/api/v1/rotas/first/swaps"


@pytest.fixture
def world(tmp_path: Path, database: Database) -> World:
    return World(tmp_path, database, main=GUARDED, people=PEOPLE)


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/api/v1/on-call", "read"),
        ("GET", "/api/v1/rotas", "read"),
        ("GET", "/api/v1/rotas/first", "read"),
        ("GET", OVERRIDES, "read"),
        ("GET", "/api/v1/lost-overrides", "read"),
        ("POST", OVERRIDES, "act"),
        ("DELETE", f"{OVERRIDES}/1", "act"),
        ("POST", SWAPS, "act"),
    ],
)
async def test_without_a_token_or_with_a_lesser_one_nothing_is_told_or_changed(
    client: Client, world: World, method: str, path: str, scope: str
) -> None:
    lesser = {"read": "ingest", "act": "read"}[scope]
    for headers in ({}, await header(world, lesser)):
        assert (await client.request(method, path, headers=headers)).status in (401, 403)


async def test_shifts_and_gaps_of_a_time_that_is_asked_for(client: Client, act: dict[str, str]) -> None:
    query = {"from": "2026-03-27", "until": "2026-03-31T00:00"}
    found = await (await client.get("/api/v1/rotas/first", params=query, headers=act)).json()
    assert [(one["start"], one["until"], one["people"]) for one in found["shifts"]] == [
        ("2026-03-26T23:00:00Z", "2026-03-27T23:00:00Z", ["mei"]),
        ("2026-03-27T23:00:00Z", "2026-03-29T22:00:00Z", []),
        ("2026-03-29T22:00:00Z", "2026-03-30T22:00:00Z", ["mei"]),
    ]
    assert found["gaps"] == [{"start": "2026-03-27T23:00:00Z", "until": "2026-03-29T22:00:00Z"}]
    assert (found["zone"], found["shifts"][1]["why"]) == ("Europe/Berlin", "no layer has anybody")


async def test_times_are_understood_as_they_are_said(client: Client, world: World, act: dict[str, str]) -> None:
    world.clock.advance(datetime(2027, 1, 4, 23, 30, tzinfo=UTC) - world.clock.now())  # half past midnight in Berlin
    body = {"person": "lars", "reason": "x", "actor": "mei", "from": "tomorrow 09:00", "until": "+8h"}
    (made,) = (await (await client.post(OVERRIDES, json=body, headers=act)).json())["overrides"]
    assert (made["start"], made["until"]) == ("2027-01-06T08:00:00Z", "2027-01-06T16:00:00Z")
    weekend = {**body, "from": "friday 18:00", "until": "monday 09:00"}
    (made,) = (await (await client.post(OVERRIDES, json=weekend, headers=act)).json())["overrides"]
    assert (made["start"], made["until"]) == ("2027-01-08T17:00:00Z", "2027-01-11T08:00:00Z")
    found = await (await client.get("/api/v1/on-call?at=tomorrow%2010:00", headers=act)).json()
    assert found["at"] == "2027-01-05T10:00:00Z"  # in the zone of the policy, which is UTC
    wrong = await client.post(OVERRIDES, json={**body, "until": "tomorrow 25:00"}, headers=act)
    assert (wrong.status, "tomorrow 09:00, monday 09:00, +8h" in await wrong.text()) == (422, True)


async def test_who_is_put_on_call_in_quiet_hours_is_named_with_what_is_held(
    client: Client, world: World, act: dict[str, str]
) -> None:
    always = QuietHours(start=time(22), end=time(7), zone=ZoneInfo("Europe/Berlin"))
    configuration = world.desk.configuration
    people = {**configuration.people, "lars": replace(configuration.people["lars"], quiet_hours=(always,))}
    world.desk.take_over(replace(configuration, people=people))
    body = {"person": "lars", "from": "2027-01-05T12:00", "until": "2027-01-08T12:00", "reason": "x", "actor": "mei"}
    world.clock.advance(datetime(2027, 1, 4, 12, tzinfo=UTC) - world.clock.now())
    made = await (await client.post(OVERRIDES, json=body, headers=act)).json()
    assert made["held"] == [
        "lars is in quiet hours in that time, first from Tue 2027-01-05 22:00 CET to Wed 2027-01-06 07:00 CET: "
        "pages of P2, P3, P4 are held until they end"
    ]
    ended = await client.delete(f"{OVERRIDES}/{made['overrides'][0]['id']}", json={"actor": "mei"}, headers=act)
    assert (await ended.json())["held"] == []

    short = {**body, "until": "2027-01-05T22:00"}
    assert (await (await client.post(OVERRIDES, json=short, headers=act)).json())["held"] == []


async def test_who_is_put_on_call_in_quiet_hours_that_hold_nothing_is_not_named(
    client: Client, world: World, act: dict[str, str]
) -> None:
    always = QuietHours(start=time(22), end=time(7), zone=ZoneInfo("Europe/Berlin"))
    configuration = world.desk.configuration
    people = {**configuration.people, "lars": replace(configuration.people["lars"], quiet_hours=(always,))}
    delivery = replace(configuration.policy.delivery, through_quiet_hours=tuple(configuration.policy.grades))
    policy = replace(configuration.policy, delivery=delivery)
    world.desk.take_over(replace(configuration, people=people, policy=policy))
    until = (world.clock.now() + timedelta(days=2)).isoformat()
    body = {"person": "lars", "until": until, "reason": "x", "actor": "mei"}
    assert (await (await client.post(OVERRIDES, json=body, headers=act)).json())["held"] == []


async def test_an_offset_in_a_query_is_understood_with_and_without_its_plus(
    client: Client, act: dict[str, str]
) -> None:
    for at in ("2026-03-27T01:00:00%2B01:00", "2026-03-27T01:00:00+01:00", "2026-03-27T00:00:00Z"):
        found = await (await client.get(f"/api/v1/on-call?at={at}", headers=act)).json()
        assert found["at"] == "2026-03-27T00:00:00Z"


async def test_an_override_is_made_listed_and_ended(client: Client, world: World, act: dict[str, str]) -> None:
    until = (world.clock.now() + timedelta(hours=2)).isoformat()
    wish = {"person": "lars", "until": until, "reason": "a dentist", "actor": "mei"}
    (made,) = (await (await client.post(OVERRIDES, json=wish, headers=act)).json())["overrides"]
    assert (made["person"], made["instead_of"], made["actor"]) == ("lars", "", "mei")
    assert [one["id"] for one in (await (await client.get(OVERRIDES, headers=act)).json())["overrides"]] == [made["id"]]
    world.clock.advance(timedelta(hours=1))
    assert (await client.delete(f"{OVERRIDES}/{made['id']}", headers=act)).status == 200
    assert (await client.delete(f"{OVERRIDES}/{made['id']}", headers=act)).status == 409
    assert (await (await client.get(OVERRIDES, headers=act)).json())["overrides"] == []
    (older,) = (await (await client.get(f"{OVERRIDES}?since=2026-01-01", headers=act)).json())["overrides"]
    assert (older["id"], older["ended_by"] != "") == (made["id"], True)


async def test_what_hangs_on_a_rota_that_is_gone_is_listed_and_can_be_ended(
    client: Client, world: World, act: dict[str, str]
) -> None:
    until = (world.clock.now() + timedelta(hours=2)).isoformat()
    await client.post(OVERRIDES, json={"person": "lars", "until": until, "reason": "x"}, headers=act)
    lost = "/api/v1/lost-overrides"
    assert (await (await client.get(lost, headers=act)).json())["overrides"] == []
    world.desk.take_over(replace(world.desk.configuration, rotas={}))
    (one,) = (await (await client.get(lost, headers=act)).json())["overrides"]
    assert (one["id"], one["person"], one["why"]) == (1, "lars", "there is no rota first")
    assert (await client.delete(f"/api/v1/rotas/second/overrides/{one['id']}", headers=act)).status == 404
    assert (await client.delete(f"{OVERRIDES}/{one['id']}", headers=act)).status == 200
    assert (await (await client.get(lost, headers=act)).json())["overrides"] == []


@pytest.mark.parametrize(
    ("path", "content", "status"),
    [
        (OVERRIDES, {"person": "lars", "reason": "x"}, 422),
        (OVERRIDES, {"person": "lars", "until": "2100-01-01"}, 422),
        (OVERRIDES, {"person": "lars", "until": "soon", "reason": "x"}, 422),
        (OVERRIDES, {"person": "lars", "until": 5, "reason": "x"}, 422),
        (OVERRIDES, {"person": "lars", "until": "9999-01-01", "reason": "x"}, 422),
        (OVERRIDES, {"person": "lars", "till": "2026-01-01", "reason": "x"}, 422),
        (OVERRIDES, {"person": "eve", "until": "2099-01-01", "reason": "x"}, 409),
        (OVERRIDES, {"person": "lars", "until": "2020-01-01", "reason": "x"}, 409),
        ("/api/v1/rotas/second/overrides", {"person": "lars", "until": "2099-01-01", "reason": "x"}, 404),
        (SWAPS, {"first": "mei", "reason": "x"}, 422),
        (SWAPS, {"first": "mei", "second": "lars", "reason": "x"}, 409),
    ],
)
async def test_what_cannot_be_meant_is_refused_in_a_sentence(
    client: Client, world: World, act: dict[str, str], path: str, content: dict[str, Any], status: int
) -> None:
    answer = await client.post(path, json=content, headers=act)
    assert (answer.status, bool((await answer.json())["detail"])) == (status, True)
    assert await world.read(lambda tx: tx.overrides.since(world.clock.now())) == []


@pytest.mark.parametrize(
    ("query", "status"),
    [("from=2026-02-01&until=2026-01-01", 409), ("until=2029-01-01", 409), ("from=x", 422), ("from=0001-01-01", 422)],
)
async def test_a_time_that_cannot_be_shown_is_refused(
    client: Client, act: dict[str, str], query: str, status: int
) -> None:
    assert (await client.get(f"/api/v1/rotas/first?{query}", headers=act)).status == status


async def test_the_time_without_anybody_is_a_metric(client: Client) -> None:
    text = await (await client.get("/metrics")).text()
    found = {
        sample.labels["rota"]: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "responder_rota_gap_seconds"
    }
    assert found["first"] in {4 * 86400.0, 4 * 86400.0 - 3600, 4 * 86400.0 + 3600}
