"""A move behind a gate: who wants it has done nothing wrong, for the attempt itself asks whoever may say yes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from responder.domain.ticket import Action
from responder.store.database import Database
from tests.flows.people import BOTH, TEAM
from tests.web.conftest import GUARDED, Client
from tests.world import World, alert, texts

DISMISSAL = replace(BOTH, move=Action.DISMISS)


@pytest.fixture
def world(tmp_path: Path, database: Database) -> World:
    made = World(tmp_path, database, main=GUARDED, people=TEAM)
    configuration = made.desk.configuration
    made.desk.take_over(replace(configuration, policy=replace(configuration.policy, gates=(DISMISSAL,))))
    return made


async def test_that_others_were_asked_is_news_and_no_error(client: Client, world: World, act: dict[str, str]) -> None:
    await world.post(alert())
    wish = {"as": "false_alarm", "reason": "a test"}
    first = await client.post("/tickets/1/dismiss", data=wish, headers=act)
    said = (await first.text()).split('role="alert"')[1].split("</div>")[0]
    assert first.status == 409
    assert "<strong>Asked</strong>: " in said
    assert "they have been asked." in said
    assert 'class="notice error"' not in await (await client.get("/tickets/1", headers=act)).text()
    again = await client.post("/tickets/1/dismiss", data=wish, headers=act)
    text = await again.text()
    assert (again.status, "<strong>Not done</strong>: " in text, "waits for consent" in text) == (409, True, True)


async def test_nobody_is_asked_about_what_is_not_possible_anyway(
    client: Client, world: World, act: dict[str, str]
) -> None:
    await world.post(alert())
    configuration = world.desk.configuration
    gate = replace(BOTH, move=Action.RESUME)
    world.desk.take_over(replace(configuration, policy=replace(configuration.policy, gates=(gate,))))
    refused = await client.post("/api/v1/tickets/1/resume", json={"reason": "x"}, headers=act)
    assert refused.status == 409
    assert "Asked" not in texts(await world.ticket())
