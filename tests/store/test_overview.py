"""What the console shows of many tickets at once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from responder.flows.handle import do
from responder.store import overview
from responder.store.database import Database
from responder.store.overview import Overview
from tests.world import World, alert, resolved


@pytest.fixture
def world(tmp_path: Path, database: Database) -> World:
    return World(tmp_path, database)


async def urgent(world: World, limit: int = 10) -> list[str]:
    grades = tuple(world.desk.policy.grades)
    found = await world.read(lambda tx: Overview(tx.connection).most_urgent(grades, limit))
    return [ticket.title.partition(" on ")[0] for ticket in found]


async def test_the_gravest_comes_first_then_what_is_due_first_and_what_is_restored_last(world: World) -> None:
    await world.post(alert("Slight", severity="info"), alert("Early"), alert("ServiceDown"))
    await world.work()
    world.clock.advance(timedelta(minutes=3))
    await world.post(alert("Late"), alert("Middle", severity="warning"))
    # Its alert fires still.
    assert await urgent(world) == ["Early", "Late", "ServiceDown", "Middle", "Slight"]
    await world.post(resolved())
    assert await urgent(world) == ["Early", "Late", "Middle", "Slight", "ServiceDown"]
    assert await urgent(world, 2) == ["Early", "Late"]


async def test_what_somebody_has_taken_waits_behind_what_nobody_has(world: World) -> None:
    await world.post(alert("Taken"), alert("Free"))
    await world.work()
    await do(world.desk, "acknowledge", "1", actor="mei", content={})
    assert await urgent(world) == ["Free", "Taken"]


async def test_of_very_many_the_oldest_of_the_gravest_are_considered(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "CONSIDERED", 2)
    await world.post(alert("A"), alert("B"), alert("C"), alert("Slight", severity="info"))
    assert sorted(await urgent(world)) == ["A", "B"]


async def test_closed_tickets_are_in_no_count(world: World) -> None:
    await world.post(alert("A"), alert("B"))
    await world.work()
    await do(world.desk, "dismiss", "1", actor="mei", content={"as": "false_alarm", "reason": "a drill"})
    assert await world.read(lambda tx: Overview(tx.connection).open_count()) == 1
    assert await urgent(world) == ["B"]
