"""Who acts for some teams only touches the tickets of these, whichever way an act takes to a ticket."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from responder.domain.actions import ActionItem
from responder.store.database import Database
from tests.web.conftest import GUARDED, Client, cookie, header
from tests.world import PEOPLE, World, alert

POLICY = """extends: p1-p4
moves: []
teams:
  - {when: ['alertname="DbDown"'], team: database}
"""
OURS, THEIRS, OURS_TOO = "/api/v1/tickets/1", "/api/v1/tickets/2", "/api/v1/tickets/3"
WHY = "This belongs to the team database; ines acts for ops only."


@pytest.fixture
async def world(tmp_path: Path, database: Database) -> World:
    people = PEOPLE + "  - {name: database, tiers: {1: [lars]}}\n"
    made = World(tmp_path, database, main=GUARDED, policy=POLICY, people=people)
    await made.post(alert("DiskFull"), alert("DbDown"), alert("DiskSlow"))
    return made


@pytest.fixture
async def ines(world: World) -> dict[str, str]:
    return await cookie(world, "responder", "ines", teams=("ops",))


async def answered(client: Client, path: str, headers: dict[str, str], **content: Any) -> tuple[int, str]:
    answer = await client.post(path, json=content, headers=headers)
    return answer.status, str((await answer.json()).get("detail", ""))


async def test_a_ticket_is_merged_among_those_of_own_teams_only(
    client: Client, world: World, ines: dict[str, str]
) -> None:
    assert await answered(client, f"{THEIRS}/merge", ines, into="1") == (403, WHY)
    assert await answered(client, f"{OURS}/merge", ines, into="2", reason="the same") == (403, WHY)
    assert (await world.ticket(1))["merged_into"] is None
    assert not any("merges" in one["text"] for one in (await world.ticket(2))["events"])

    assert (await answered(client, f"{OURS}/merge", ines, into="3"))[0] == 200


async def test_by_the_form_of_the_page_it_is_refused_with_the_same_sentence(
    client: Client, world: World, ines: dict[str, str]
) -> None:
    answer = await client.post("/tickets/1/merge", data={"into": "2"}, headers={**ines, "Accept": "text/html"})
    assert answer.status == 403
    assert WHY in await answer.text()
    assert (await world.ticket(1))["merged_into"] is None


async def test_a_ticket_of_another_team_is_not_split_off(
    client: Client, world: World, act: dict[str, str], ines: dict[str, str]
) -> None:
    assert (await answered(client, f"{THEIRS}/merge", act, into="1"))[0] == 200
    assert await answered(client, f"{OURS}/split", ines, off="2", reason="no") == (403, WHY)
    assert (await world.ticket(2))["merged_into"] == 1

    assert (await answered(client, f"{OURS_TOO}/merge", act, into="1"))[0] == 200
    assert (await answered(client, f"{OURS}/split", ines, off="3", reason="no"))[0] == 200


async def test_alerts_that_another_team_s_ticket_has_by_now_are_not_taken_from_it(
    client: Client, world: World, act: dict[str, str], ines: dict[str, str]
) -> None:
    assert (await answered(client, f"{OURS}/merge", act, into="3"))[0] == 200
    assert (await answered(client, f"{OURS_TOO}/merge", act, into="2"))[0] == 200
    assert await answered(client, f"{OURS_TOO}/split", ines, off="1", reason="no") == (403, WHY)
    assert len((await world.read(lambda tx: tx.tickets.one(2))).ticket.firing) == 3


async def test_what_a_review_promised_is_of_the_team_of_its_ticket(
    client: Client, world: World, ines: dict[str, str]
) -> None:
    due = world.clock.now() + timedelta(days=9)
    promised = [ActionItem(ticket_id=one, text="buy a disk", owner="lars", due_at=due) for one in (2, 1)]
    await world.database.write(lambda tx: [tx.actions.add(one) for one in promised])

    assert await answered(client, "/api/v1/actions/1/done", ines, result="never") == (403, WHY)
    moved = {"due": (due + timedelta(days=9)).isoformat(), "reason": "later"}
    assert await answered(client, "/api/v1/actions/1/move", ines, **moved) == (403, WHY)
    assert (await world.read(lambda tx: tx.actions.one(1))) == ActionItem(
        id=1, ticket_id=2, text="buy a disk", owner="lars", due_at=due
    )
    assert (await answered(client, "/api/v1/actions/2/done", ines, result="bought"))[0] == 200


async def test_an_article_is_drafted_from_a_ticket_of_the_own_teams(
    client: Client, world: World, ines: dict[str, str]
) -> None:
    assert await answered(client, "/api/v1/knowledge", ines, ticket="2") == (403, WHY)
    answer = await client.post("/knowledge", data={"ticket": "2"}, headers={**ines, "Accept": "text/html"})
    assert WHY in await answer.text()
    assert not any("drafted" in one["text"] for one in (await world.ticket(2))["events"])
    assert (await answered(client, "/api/v1/knowledge", ines, ticket="1"))[0] == 200


async def test_what_is_refused_is_in_the_audit_log(client: Client, world: World, ines: dict[str, str]) -> None:
    await answered(client, f"{OURS}/merge", ines, into="2")
    log = await (await client.get("/api/v1/audit", headers=await header(world, "admin"))).json()
    first = log["entries"][0]
    assert (first["action"], first["outcome"], first["text"]) == ("POST /api/v1/tickets/{key}/merge", "refused", WHY)
