"""Explain over HTTP."""

from __future__ import annotations

import pytest

from tests.web.conftest import Client, header
from tests.world import World

ALERT = {"alertname": "ServiceDown", "severity": "critical", "instance": "web-1:9100"}


async def test_explain_needs_a_token_that_reads_and_opens_nothing(client: Client, world: World) -> None:
    for headers in ({}, await header(world, "ingest")):
        assert (await client.post("/api/v1/explain", json={"labels": ALERT}, headers=headers)).status in (401, 403)
    answer = await client.post("/api/v1/explain", json={"labels": ALERT}, headers=await header(world, "read"))
    found = await answer.json()
    assert (found["grade"], found["live"], found["held"], found["outcome"]) == ("P1", True, None, "opened")
    assert found["people"][0] == "mei by pager"
    assert await world.read(lambda tx: tx.tickets.all_ids()) == []


@pytest.mark.parametrize("wish", [{"labels": {"a": 1}}, {"labels": ALERT, "at": "soon"}, {"label": ALERT}])
async def test_what_is_not_understood_is_refused(client: Client, world: World, wish: dict[str, object]) -> None:
    answer = await client.post("/api/v1/explain", json=wish, headers=await header(world, "read"))
    assert answer.status == 422
