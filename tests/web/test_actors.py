"""In whose name a token acts: nobody is called like the machine, which writes its own deeds under these names."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.conftest import Client, header
from tests.world import World, alert, texts

FORM = {"title": "No light", "channel": "phone", "reporter": {"name": "Zoe", "contact": "zoe@example.org"}}
WHY = "is what responder itself is called in histories; take another name."


@pytest.mark.parametrize("name", ["responder", "Mail", "policy", " reporter ", "machine", "\uff50roxy", "console"])
async def test_no_token_acts_in_the_name_of_the_machine(client: Client, world: World, name: str) -> None:
    await world.post(alert())
    act = await header(world, "act")
    before = len((await world.ticket())["events"])
    asked: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", "tickets/1/note", {"text": "It was me."}),
        ("PUT", "kill-switch", {"reason": "x"}),
        ("PUT", "tickets/1/reporter", {"reporter": {"name": "Zoe", "contact": "zoe@example.org"}}),
    ]
    for method, path, content in asked:
        answer = await client.request(method, f"/api/v1/{path}", json={**content, "actor": name}, headers=act)
        assert (answer.status, (await answer.json())["detail"]) == (422, f"{name.strip()!r} {WHY}"), path
    taken = await client.post("/api/v1/reports", json={**FORM, "taken_by": name}, headers=act)
    assert (taken.status, (await taken.json())["detail"]) == (422, f"{name.strip()!r} {WHY}")
    assert len((await world.ticket())["events"]) == before
    assert (await (await client.get("/api/v1/tickets", headers=act)).json())["tickets"][0]["id"] == 1


async def test_other_names_are_taken_as_they_are(client: Client, world: World) -> None:
    await world.post(alert())
    act = await header(world, "act")
    for name in ("mail-gateway", "Reporter Jones", "act-token"):
        content = {"text": "hello", "actor": name}
        assert (await client.post("/api/v1/tickets/1/note", json=content, headers=act)).status == 200
        assert name in {one["actor"] for one in (await world.ticket())["events"]}
    assert "hello" in texts(await world.ticket())
