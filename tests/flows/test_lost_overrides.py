"""Overrides whose rota or people are gone from the files: nobody is called for them without a word."""

from __future__ import annotations

from pathlib import Path

import pytest

from responder.domain.rota import Override
from responder.flows.lost_overrides import lost_overrides
from responder.flows.overrides import add_override, end_override
from responder.flows.watch_rotas import watch_rotas
from responder.store.database import Database
from tests.flows.people import ALERTS_ONLY, HOUR
from tests.world import World, alert

PEOPLE = """
people:
  - {name: mei, channels: [{name: pager, url: "json://127.0.0.1:9/mei"}]}
  - {name: lars, channels: [{name: phone, url: "json://127.0.0.1:9/lars"}]}
  - {name: rosa, channels: [{name: phone, url: "json://127.0.0.1:9/rosa"}]}
teams:
  - {name: ops, tiers: {1: {rota: first}}}
rotas:
  - name: first
    layers:
      - {name: weekdays, people: [mei], start: 2026-01-05}
"""


@pytest.fixture
def world(tmp_path: Path, database: Database) -> World:
    return World(tmp_path, database, people=PEOPLE, policy=ALERTS_ONLY)


async def stands_in(world: World, person: str = "lars", *, after: int = 0) -> Override:
    start = world.clock.now() + after * HOUR
    wanted = Override(
        rota="first",
        person=person,
        instead_of="mei",
        start=start,
        until=start + 9 * HOUR,
        reason="ill",
        actor="mei",
        made_at=world.clock.now(),
    )
    await add_override(world.desk, wanted)
    made: list[Override] = await world.read(lambda tx: tx.overrides.since(world.clock.now()))
    return made[-1]


def rewrite(world: World, old: str, new: str) -> None:
    """Another people file, and a reload."""
    path = world.path.parent / "people.yml"
    path.write_text(path.read_text().replace(old, new))
    world.desk = world.another_desk()


async def watched(world: World) -> int:
    found = await watch_rotas(world.desk)
    await world.work()
    return found


async def titles(world: World) -> list[str]:
    found = await world.read(lambda tx: tx.tickets.listed())
    return sorted(f"{one.grade} {one.signal}: {one.title}" for one in found)


async def test_a_rota_that_is_renamed_says_which_overrides_it_loses(world: World) -> None:
    await stands_in(world)
    await stands_in(world, "rosa", after=20)
    assert await watched(world) == 0
    world.sender.sent.clear()
    rewrite(world, "first", "primary")
    assert [await watched(world), await watched(world)] == [1, 0]
    [title] = await titles(world)
    assert title.startswith("P3 firing: There is no rota first any more, so 2 overrides count no longer: ")
    assert "1 (lars instead of mei, by mei: ill), " in title
    assert world.sender.people() == ["mei"]


async def test_it_is_over_when_the_rota_is_back(world: World) -> None:
    await stands_in(world)
    rewrite(world, "first", "primary")
    await watched(world)
    rewrite(world, "primary", "first")
    assert [await watched(world), await watched(world)] == [1, 0]
    assert "cleared" in (await titles(world))[0]


async def test_it_is_over_when_the_override_is_ended_or_would_be_over(world: World) -> None:
    made = await stands_in(world)
    rewrite(world, "first", "primary")
    await watched(world)
    await end_override(world.desk, "first", made.id, "mei")
    assert await watched(world) == 1
    assert "cleared" in (await titles(world))[0]

    rewrite(world, "primary", "first")
    await stands_in(world)
    rewrite(world, "first", "second")
    assert await watched(world) == 1
    world.clock.advance(9 * HOUR)
    assert await watched(world) == 1


async def test_somebody_who_leaves_is_missed_and_whom_they_stood_for_is_called(world: World) -> None:
    await stands_in(world)
    rewrite(world, "name: lars", "name: ole")
    assert await watched(world) == 1
    [title] = await titles(world)
    assert "Nobody is called lars any more, so an override counts no longer: 1 (lars instead of mei" in title
    world.sender.sent.clear()
    await world.post(alert(severity="critical"))
    await world.work()
    assert world.sender.people() == ["mei"]


async def test_the_watch_calls_nobody_unreachable_whom_no_page_would_go_to(world: World) -> None:
    """It sees who is on call as the calls do: lars has left, so mei is."""
    await stands_in(world)
    rewrite(world, "name: lars", "name: ole")
    await watched(world)
    assert not any("has no channel" in title for title in await titles(world))


async def test_whoever_is_away_and_has_left_is_missed_by_nobody(world: World) -> None:
    now = world.clock.now()
    away = Override(
        rota="", person="", instead_of="rosa", start=now, until=now + HOUR, reason="away", actor="rosa", made_at=now
    )
    await world.database.write(lambda tx: tx.overrides.add(away))
    rewrite(world, "name: rosa", "name: ole")
    assert await watched(world) == 0
    assert await world.read(lambda tx: lost_overrides(world.desk, tx)) == []
