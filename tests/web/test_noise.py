"""The noise report over HTTP."""

from __future__ import annotations

from tests.web.conftest import Client, header
from tests.world import World, alert, resolved


async def test_the_report_needs_a_token_that_reads(client: Client, world: World) -> None:
    for headers in ({}, await header(world, "ingest")):
        assert (await client.get("/api/v1/noise", headers=headers)).status in (401, 403)


async def test_the_report_names_the_rules_the_pages_and_the_latest_ticket(client: Client, world: World) -> None:
    reader = await header(world, "read")
    await world.post(alert("Disk", severity="info"))
    await world.work()
    await world.post(resolved("Disk", severity="info"))
    await world.work()
    found = await (await client.get("/api/v1/noise?since=2h", headers=reader)).json()
    (rule,) = found["rules"]
    ticket = await world.ticket()
    assert (rule["alert"], rule["rule"], rule["tickets"], rule["pages"]) == ("Disk", ticket["grade_rule"], 1, 0)
    assert (rule["last"], rule["last_at"]) == (ticket["number"], ticket["opened_at"])
    assert (found["tickets"], found["pages"], found["wasted"]) == (1, 0, 0)


async def test_a_time_that_is_none_is_refused(client: Client, world: World) -> None:
    answer = await client.get("/api/v1/noise?since=soon", headers=await header(world, "read"))
    assert (answer.status, "“since”" in (await answer.json())["detail"]) == (422, True)
