"""What is typed on a ticket's page while others, and the machine, go on writing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from responder.flows.handle import do
from responder.store.database import Database
from tests.web.conftest import GUARDED, Client, cookie
from tests.world import World, alert, texts


@pytest.fixture
def world(tmp_path: Path, database: Database) -> World:
    return World(tmp_path, database, main=GUARDED)


def hidden(text: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', text)
    assert found
    return found.group(1)


async def test_a_note_stands_beside_whatever_was_written_since_its_page_was_made(client: Client, world: World) -> None:
    await world.post(alert("DiskFull"))
    await world.work()
    mei = await cookie(world, "responder", "mei")
    old = await (await client.get("/tickets/1", headers=mei)).text()
    await do(world.desk, "acknowledge", "1", actor="lars", content={})

    form = {"version": hidden(old, "version"), "seen": hidden(old, "seen"), "text": "the disk of the logs"}
    answer = await client.post("/tickets/1/note", data=form, headers=mei, allow_redirects=False)
    assert answer.status == 303
    assert "the disk of the logs" in texts(await world.ticket())


async def test_the_cursor_is_in_the_form_that_was_refused(client: Client, world: World) -> None:
    await world.post(alert("DiskFull"))
    await world.work()
    mei = {**await cookie(world, "responder", "mei"), "Accept": "text/html"}
    answer = await client.post("/tickets/1/note", data={"text": " "}, headers=mei)
    found = re.findall(r'<\w+ id="([^"]+)"[^>]* autofocus', await answer.text())
    assert (answer.status, found) == (422, ["f-note-text"])
