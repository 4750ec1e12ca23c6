"""What somebody who is signed in may do, from which page and in whose name, and what the audit log says of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from responder.flows.batcher import Batcher
from responder.store.database import Database
from responder.web.context import Context
from responder.web.server import build
from tests.web.conftest import GUARDED, Client, cookie, header
from tests.web.signing_in import PAGE, log, no_reload, ready
from tests.world import World, alert


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({}, "did not say"),
        ({"Origin": "https://evil.example"}, "another site"),
        ({"Origin": "null"}, "another site"),
        ({"Origin": "http://responder.test"}, "another site"),
        ({"Origin": "http://responder.test:443"}, "another site"),
        ({"Origin": "https://responder.test:8443"}, "another site"),
        ({"Origin": ""}, "did not say"),
        ({"Origin": "http://["}, "another site"),
        ({"Sec-Fetch-Site": "cross-site"}, "another site"),
        ({"Sec-Fetch-Site": "same-site", "Origin": "https://responder.test"}, "another site"),
    ],
)
async def test_a_cookie_alone_acts_only_from_our_own_pages(
    client: Client, world: World, headers: dict[str, str], why: str
) -> None:
    await world.post(alert())
    kept = {"Cookie": (await cookie(world, "admin"))["Cookie"], **headers}

    answer = await client.post("/api/v1/tickets/1/acknowledge", headers=kept)

    assert answer.status == 403
    assert why in (await answer.json())["detail"]
    assert not (await world.ticket())["acknowledged_by"]


@pytest.mark.parametrize("headers", [{"Origin": "https://responder.test"}, {"Sec-Fetch-Site": "same-origin"}])
async def test_our_own_pages_may_act_under_the_name_that_people_see(
    client: Client, world: World, headers: dict[str, str]
) -> None:
    await world.post(alert())
    await world.work()
    kept = {"Cookie": (await cookie(world, "responder", "mei"))["Cookie"], **headers}

    answer = await client.post("/api/v1/tickets/1/acknowledge", headers=kept)

    assert answer.status == 200, await answer.text()
    assert (await world.ticket())["acknowledged_by"] == "mei"


async def test_nobody_who_signed_in_acts_in_another_name(client: Client, world: World) -> None:
    await world.post(alert())
    await world.work()

    answer = await client.post(
        "/api/v1/tickets/1/acknowledge", json={"actor": "lars"}, headers=await cookie(world, "responder", "mei")
    )

    assert (answer.status, (await answer.json())["detail"]) == (403, "mei acts as mei; leave “actor” out.")
    assert not (await world.ticket())["acknowledged_by"]


async def test_a_lesser_role_is_told_which_one_it_takes(client: Client, world: World) -> None:
    await world.post(alert())

    answer = await client.post("/api/v1/tickets/1/acknowledge", headers=await cookie(world, "viewer", "lars"))

    assert answer.status == 403
    assert "needs the role responder; lars is viewer" in (await answer.json())["detail"]


async def test_who_may_act_does_not_thereby_answer_what_waits_for_consent(client: Client, world: World) -> None:
    for role, status in (("responder", 403), ("approver", 404), ("admin", 404)):
        answer = await client.post("/api/v1/approvals/7/approve", headers=await cookie(world, role))
        assert answer.status == status, role


async def test_a_gate_is_answered_by_who_may_approve_whatever_the_way(client: Client, world: World) -> None:
    await world.post(alert())
    for role, by_page, by_api in (("responder", (404, 405), 403), ("approver", (404, 405), 409)):
        mei = await cookie(world, role)
        for verb in ("approve", "reject"):
            page = await client.post(f"/tickets/1/{verb}", data={"reason": "x"}, headers=mei)
            assert page.status in by_page, (role, verb)
            answer = await client.post(f"/api/v1/tickets/1/{verb}", json={"reason": "x"}, headers=mei)
            assert answer.status == by_api, (role, verb)


async def test_who_may_only_report_is_led_to_the_form(tmp_path: Path, database: Database, aiohttp_client: Any) -> None:
    world = World(tmp_path, database, main=GUARDED + "feedback: {behind: token}\n")
    context = Context(desk=world.desk, batcher=Batcher(world.desk, 3), reload=no_reload, is_ready=ready)
    client: Client = await aiohttp_client(build(context))
    ines = await cookie(world, "reporter", "ines")

    first = await client.get("/", headers={**ines, **PAGE}, allow_redirects=False)
    assert (first.status, first.headers["Location"]) == (303, "/feedback")
    assert (await client.get("/feedback", headers=ines)).status == 200
    assert (await client.get("/tickets", headers=ines)).status == 403


async def test_people_of_a_team_touch_no_tickets_of_others_but_read_them(client: Client, world: World) -> None:
    await world.post(alert())
    await world.work()
    theirs = await cookie(world, "responder", "ines", teams=("network",))
    ours = await cookie(world, "responder", "mei", teams=("network", "ops"))

    assert (await client.get("/api/v1/tickets/1", headers=theirs)).status == 200
    refused = await client.post("/api/v1/tickets/1/acknowledge", headers=theirs)
    assert (refused.status, (await refused.json())["detail"]) == (
        403,
        "This belongs to the team ops; ines acts for network only.",
    )
    assert (await client.post("/api/v1/tickets/1/acknowledge", headers=ours)).status == 200


# --- the audit log -----------------------------------------------------------------------------------


async def test_acts_and_refusals_are_in_the_log_with_who_from_where_and_why(client: Client, world: World) -> None:
    await world.post(alert())
    await world.work()
    mei = await cookie(world, "responder", "mei")

    await client.post("/api/v1/tickets/1/acknowledge", headers=mei)
    await client.post("/api/v1/tickets/1/acknowledge", headers=mei)
    await client.post("/api/v1/tickets/1/acknowledge", headers=await header(world, "read"))
    await client.post("/api/v1/tickets/1/acknowledge")
    await client.get("/api/v1/tickets/1", headers=mei)

    stranger, lesser, again, done, _ = await log(world)
    assert [(one.actor, one.via, one.outcome, one.status) for one in (stranger, lesser, again, done)] == [
        ("", "", "refused", 401),
        ("read-token", "token", "refused", 403),
        ("mei", "session", "refused", 409),
        ("mei", "session", "done", 0),
    ]
    assert {one.action for one in (stranger, lesser, again, done)} == {"POST /api/v1/tickets/{key}/acknowledge"}
    assert {(one.object, one.address) for one in (stranger, lesser, again, done)} == {("1", "127.0.0.1")}
    assert "acknowledged" in again.text


async def test_a_link_of_a_message_acts_in_the_log_in_the_name_of_its_person(client: Client, world: World) -> None:
    await world.post(alert("DiskFull"))
    await world.work()
    link = next(word for _, _, text in world.sender.sent for word in text.split() if "/ack/" in word)

    await client.get(link.removeprefix("https://responder.test"))
    assert await log(world) == []
    await client.post(link.removeprefix("https://responder.test"))

    (entry,) = await log(world)
    number = (await world.ticket())["number"]
    assert (entry.actor, entry.via, entry.action, entry.object) == ("mei", "link", "POST /ack/{token}", number)
    assert link.rpartition("/")[2] not in repr(entry)


async def test_what_somebody_may_not_look_at_does_not_fill_the_log(client: Client, world: World) -> None:
    lars = await cookie(world, "reporter", "lars")
    for _ in range(30):
        assert (await client.get("/api/v1/tickets", headers=lars)).status == 403
    assert len(await log(world)) == 1 + 20


async def test_strangers_do_not_fill_the_log(client: Client, world: World) -> None:
    for _ in range(25):
        await client.post("/api/v1/tickets/1/acknowledge")

    assert len(await log(world)) == 20
