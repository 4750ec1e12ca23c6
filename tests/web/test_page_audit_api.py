"""The audit of pages over HTTP."""

from __future__ import annotations

from sqlalchemy import text

from responder.flows.audit_pages import EVERY, audit_pages
from tests.web.conftest import Client
from tests.world import World, alert


async def test_who_has_looked_at_a_difference_is_told_with_when(
    client: Client, world: World, act: dict[str, str]
) -> None:
    await world.post(alert("DiskFull"))
    await world.work()
    await world.database.write(lambda tx: tx.connection.execute(text("UPDATE messages SET id = id + 999")))
    world.clock.advance(EVERY)
    assert await audit_pages(world.desk)
    found, *_ = (await (await client.get("/api/v1/audit/pages", headers=act)).json())["differences"]
    body = {"key": found["key"], "reason": "a backup was restored"}
    told = await (await client.post("/api/v1/audit/pages/accept", json=body, headers=act)).json()
    at = world.clock.now().isoformat().replace("+00:00", "Z")
    assert found["accepted"] is None
    mark = next(one["accepted"] for one in told["differences"] if one["key"] == found["key"])
    assert mark == {"by": "act-token", "reason": "a backup was restored", "at": at}
