"""Merging a ticket whose alert fires: the other one is not over any more."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from responder.store.database import Database
from tests.flows.people import HOUR, Team
from tests.world import texts

QUIET = timedelta(minutes=10)


@pytest.fixture
async def world(tmp_path: Path, database: Database) -> Team:
    """The first ticket's alert has cleared, so that it is restored; the second one's fires."""
    team = Team(tmp_path, database)
    await team.fires()
    await team.do("acknowledge")
    await team.clears()
    await team.fires("warning", instance="web-2:9100")
    return team


async def merged(world: Team) -> tuple[str, str]:
    await world.do("merge", key="2", into="1")
    ticket = await world.ticket()
    return ticket["status"], ticket["signal"]


async def test_what_seemed_restored_is_not(world: Team) -> None:
    assert (await world.ticket())["status"] == "restored"
    assert await merged(world) == ("handed_over", "firing")
    assert "was merged into it, and still fires." in texts(await world.ticket())
    await world.advance(HOUR)
    assert (await world.ticket())["status"] == "handed_over"


async def test_what_was_resolved_is_reopened_and_people_are_told(world: Team) -> None:
    await world.advance(QUIET)
    assert (await world.ticket())["status"] == "resolved"
    world.sender.sent.clear()
    assert await merged(world) == ("handed_over", "firing")
    assert "mei" in world.sender.people()


async def test_what_has_cleared_itself_does_not_quieten_it(world: Team) -> None:
    await world.clears(severity="warning", instance="web-2:9100")
    assert (await merged(world))[0] == "restored"
