"""Who acts for some teams only touches the tickets of these, whichever way an act takes to a ticket."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from responder.domain.actions import ActionItem
from responder.domain.approval import Approval, ApprovalKind
from responder.store.database import Database
from responder.store.tables import tickets
from responder.store.transaction import Transaction
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


class Meanwhile:
    """A store in which somebody else gives the ticket to another team just before the first thing is written."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._is_done = False

    async def write(self, body: Callable[[Transaction], Any]) -> Any:
        if not self._is_done:
            self._is_done = True
            moved = update(tickets).where(tickets.c.id == 1).values(team="database")
            await self._database.write(lambda tx: tx.connection.execute(moved))
        return await self._database.write(body)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)


@pytest.mark.parametrize(
    ("path", "content"),
    [
        (f"{OURS}/runs", {"runbook": "restart-app", "target": "web-1"}),
        ("/tickets/1/runs", {"runbook": "restart-app", "target": "web-1"}),
        ("/api/v1/approvals/1/approve", {}),
        ("/api/v1/approvals/1/reject", {"reason": "no"}),
        (f"{OURS}/approve", {}),
        ("/approvals/1", {"answer": "yes"}),
        (f"{OURS}/acknowledge", {}),
        ("/api/v1/actions/1/done", {"result": "bought"}),
        (f"{OURS}/review", {"root_cause": "a full disk"}),
    ],
)
async def test_a_ticket_that_goes_to_another_team_meanwhile_is_not_touched_any_more(
    client: Client, world: World, path: str, content: dict[str, str]
) -> None:
    """The guard looks before the handler; what counts is the team in the transaction that writes."""
    now = world.clock.now()
    question = Approval(ticket_id=1, episode=1, runbook="close", target="", kind=ApprovalKind.GATE, question="May it?",
                        asked_at=now)  # fmt: skip
    promised = ActionItem(ticket_id=1, text="buy a disk", owner="lars", due_at=now + timedelta(days=9))
    await world.database.write(lambda tx: (tx.approvals.ask(question), tx.actions.add(promised)))
    mei = {**await cookie(world, "approver", "mei", teams=("ops",)), "Accept": "text/html"}
    before = len((await world.ticket(1))["events"])

    world.desk.store = Meanwhile(world.database)  # type: ignore[assignment]
    is_api = path.startswith("/api/")
    sent = {"json": content} if is_api else {"data": content}
    answer = await client.post(path, headers=mei, **sent)  # type: ignore[arg-type]

    assert (answer.status, WHY.replace("ines", "mei") in await answer.text()) == (403, True)
    assert (await world.read(lambda tx: tx.approvals.one(1))).is_waiting
    assert await world.read(lambda tx: tx.runs.of_ticket(1)) == []
    assert len((await world.ticket(1))["events"]) == before


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("", {"reporter": {"name": "Zoe", "contact": "zoe@example.com"}}),
        ("/progress", {"words": "soon"}),
        ("/question", {"words": "Which disk is it?"}),
        ("/answer", {"answer": "information", "text": "the second one"}),
        ("/told", {}),
    ],
)
async def test_nor_is_its_reporter_told_or_asked_anything_more(
    client: Client, world: World, path: str, content: dict[str, Any]
) -> None:
    zoe = {"reporter": {"name": "Zoe", "contact": "zoe@example.com"}}
    if path:
        await client.put(f"{OURS}/reporter", json=zoe, headers=await header(world, "act"))
    before = len((await world.ticket(1))["events"])
    mei = await cookie(world, "responder", "mei", teams=("ops",))

    world.desk.store = Meanwhile(world.database)  # type: ignore[assignment]
    answer = await client.request("POST" if path else "PUT", f"{OURS}/reporter{path}", json=content, headers=mei)

    assert (answer.status, (await answer.json())["detail"]) == (403, WHY.replace("ines", "mei"))
    assert len((await world.ticket(1))["events"]) == before
    assert (await world.read(lambda tx: tx.reporters.of_ticket(1)) is None) == (not path)


@pytest.mark.parametrize(("ticket", "team"), [(1, "ops"), (2, "database")])
async def test_the_page_of_a_question_offers_an_answer_for_tickets_of_own_teams_only(
    client: Client, world: World, ticket: int, team: str
) -> None:
    now = world.clock.now()
    question = Approval(
        ticket_id=ticket,
        episode=1,
        runbook="close",
        target="",
        kind=ApprovalKind.GATE,
        question="May it?",
        asked_at=now,
    )
    await world.database.write(lambda tx: tx.approvals.ask(question))
    mei = {**await cookie(world, "approver", "mei", teams=("ops",)), "Accept": "text/html"}

    shown = await (await client.get("/approvals/1", headers=mei)).text()
    assert ('action="/approvals/1"' in shown, WHY.replace("ines", "mei") in shown) == (ticket == 1, ticket == 2)
    assert (await (await client.get("/api/v1/approvals/1", headers=mei)).json())["team"] == team


async def test_what_is_refused_is_in_the_audit_log(client: Client, world: World, ines: dict[str, str]) -> None:
    await answered(client, f"{OURS}/merge", ines, into="2")
    log = await (await client.get("/api/v1/audit", headers=await header(world, "admin"))).json()
    first = log["entries"][0]
    assert (first["action"], first["outcome"], first["text"]) == ("POST /api/v1/tickets/{key}/merge", "refused", WHY)
