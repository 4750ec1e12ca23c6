"""Every list leads to its end page by page, whatever is added meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from responder.domain.actions import ActionItem
from responder.domain.approval import Approval, ApprovalKind
from responder.domain.article import Article
from responder.domain.drill import Drill
from responder.domain.health_check import CheckState, HealthCheck
from responder.domain.mail_record import MailRecord, Taken
from responder.domain.parts import Part, StockMove
from responder.domain.rota import Override
from responder.store.database import Database
from responder.store.library import LibraryStore
from responder.store.reports import Body
from responder.store.transaction import Transaction
from tests.web.conftest import GUARDED, Client
from tests.world import World, alert

PEOPLE = """
people:
  - {name: mei, channels: [{name: pager, url: "json://127.0.0.1:9/mei"}]}
  - {name: lars, channels: [{name: pager, url: "json://127.0.0.1:9/lars"}]}
teams: [{name: ops, tiers: {1: {rota: first}, 2: [lars]}}]
rotas: [{name: first, zone: Europe/Berlin, layers: [{people: [mei], start: 2026-01-05}]}]
"""
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
Make = Callable[[Transaction, int], object]


@pytest.fixture
def world(tmp_path: Path, database: Database) -> World:
    return World(tmp_path, database, main=GUARDED, people=PEOPLE)


def _approval(tx: Transaction, number: int) -> object:
    asked = {"runbook": "", "target": "", "kind": ApprovalKind.GATE, "question": f"{number}?", "asked_at": NOON}
    return tx.approvals.ask(Approval(ticket_id=1, episode=1, **asked))  # type: ignore[arg-type]


def _article(tx: Transaction, number: int) -> object:
    return LibraryStore(tx.connection).write(Article(title=f"{number}", created_at=NOON, changed_at=NOON))


def _drill(tx: Transaction, number: int) -> object:
    return tx.drills.add(Drill(due_at=NOON, until=NOON, started_at=NOON, ordered_by=f"{number}"))


def _check(tx: Transaction, number: int) -> object:
    # Two began at one time; and what is only planned is in no list.
    began = NOON + timedelta(hours=number // 2)
    planned = HealthCheck(
        name=f"later {number}", due_at=NOON, started_at=NOON + timedelta(days=9), state=CheckState.PLANNED
    )
    tx.health_checks.add(planned)
    return tx.health_checks.add(HealthCheck(name=f"{number}", due_at=NOON, started_at=began, state=CheckState.DONE))


def _mail(tx: Transaction, number: int) -> object:
    known = {"identity": f"{number}", "message_id": f"{number}", "way": "mail-api", "receipt": "", "sender": ""}
    return tx.mails.add(MailRecord(**known, taken=Taken.LEFT, why="", received_at=NOON))  # type: ignore[arg-type]


def _part(tx: Transaction, number: int) -> object:
    # Half of them are low: of 2 and 4 all that there are is reserved.
    part = f"D-{number}"
    tx.parts.add(Part(number=part, name="disk", minimum=1, changed_at=NOON))
    tx.parts.move(StockMove(part=part, count=1, reason="", actor="", at=NOON))
    tx.parts.reserve(1, {part: 1} if number % 2 == 0 else {}, "mei", NOON)
    return None


def _body(tx: Transaction, number: int) -> object:
    # Two came at one time; what was understood is in no list.
    at = NOON + timedelta(hours=number // 2)
    good = Body(id=f"good {number}", source="main", received_at=at, body=b"{}")
    tx.reports.keep([replace(good, id=f"{number}", quarantined_because="422: not JSON"), good])
    return None


def _reservation(tx: Transaction, number: int) -> object:
    if number == 1:
        tx.parts.add(Part(number="D4", name="disk", stock=9, changed_at=NOON))
    tx.parts.reserve(1, {"D4": number}, "mei", NOON)
    return None


def _action(tx: Transaction, number: int) -> object:
    # The second is due first, the third and fourth together; the first is done.
    due_at = NOON + timedelta(hours={1: 0, 2: 1}.get(number, 2))
    done = {"done_at": NOON} if number == 1 else {}
    return tx.actions.add(ActionItem(ticket_id=1, text=f"{number}", owner="mei", due_at=due_at, **done))  # type: ignore[arg-type]


def _move(tx: Transaction, number: int) -> object:
    if number == 1:
        tx.parts.add(Part(number="D4", name="disk", changed_at=NOON))
    tx.parts.move(StockMove(part="D4", count=number, reason="", actor="", at=NOON))
    return None


def _override(tx: Transaction, number: int) -> object:
    # The third is one of another rota, the second of all rotas.
    rota = {2: "", 3: "second"}.get(number, "first")
    person, instead_of = ("", "mei") if number == 2 else ("lars", "")
    times: Any = {"start": NOON, "until": NOON + timedelta(days=99), "made_at": NOON}
    return tx.overrides.add(
        Override(rota=rota, person=person, instead_of=instead_of, reason=f"{number}", actor="", **times)
    )


LISTS: list[tuple[str, str, str, Make, list[str]]] = [
    ("approvals", "approvals?all=1", "question", _approval, ["4?", "3?", "2?", "1?"]),
    ("articles", "knowledge?", "title", _article, ["4", "3", "2", "1"]),
    ("drills", "drills?", "ordered_by", _drill, ["4", "3", "2", "1"]),
    ("results", "health-checks?", "name", _check, ["4", "3", "2", "1"]),
    ("parts", "parts?", "number", _part, ["D-1", "D-2", "D-3", "D-4"]),
    ("parts", "parts?low=1", "number", _part, ["D-2", "D-4"]),
    ("quarantine", "quarantine?", "receipt", _body, ["4", "3", "2", "1"]),
    ("moves", "parts/D4?", "count", _move, [4, 3, 2, 1]),  # type: ignore[list-item]
    ("overrides", "rotas/first/overrides?since=2026-01-05T09:00", "reason", _override, ["1", "2", "4"]),
    ("mails", "mails?", "message_id", _mail, ["4", "3", "2", "1"]),
    ("reservations", "reservations?", "count", _reservation, [4, 3, 2, 1]),  # type: ignore[list-item]
    ("actions", "actions?all=yes", "text", _action, ["2", "3", "4", "1"]),
]


@pytest.mark.parametrize(("name", "path", "shown", "make", "order"), LISTS, ids=[one[1] for one in LISTS])
@pytest.mark.parametrize("limit", [1, 2, 3])
async def test_each_list_is_seen_once_from_begin_to_end(
    client: Client, world: World, act: dict[str, str], limit: int,
    name: str, path: str, shown: str, make: Make, order: list[str],
) -> None:  # fmt: skip
    await world.post(alert("DiskFull"))
    for number in (1, 2, 3, 4):
        await world.database.write(lambda tx, number=number: make(tx, number))  # type: ignore[misc]
    seen: list[Any] = []
    following = f"/api/v1/{path}&limit={limit}"
    while following:
        answer = await client.get(following, headers=act)
        page = await answer.json()
        assert (answer.status, len(page[name]) <= limit) == (200, True)
        seen += [one[shown] for one in page[name]]
        following = answer.headers.get("Link", "").partition(">")[0][1:]
        assert bool(following) == (page["next"] is not None)
    assert seen == order


@pytest.mark.parametrize("path", [one[1] for one in LISTS])
@pytest.mark.parametrize("cursor", ["x", "W10", "WzEsMiwzLDRd", "Wy05ZTk5XQ", "WzkyMjMzNzIwMzY4NTQ3NzU4MDhd"])
async def test_a_cursor_of_somewhere_else_is_refused(
    client: Client, act: dict[str, str], path: str, cursor: str
) -> None:
    answer = await client.get(f"/api/v1/{path}&cursor={cursor}", headers=act)
    assert (answer.status, (await answer.json())["errors"][0]["parameter"]) == (422, "cursor")


async def test_a_cursor_with_a_time_that_there_is_not_is_refused(client: Client, act: dict[str, str]) -> None:
    from responder.web.paging import cursor_of

    for path, place in (("health-checks", (2**62, 1)), ("actions", (0, -(2**62), 1))):
        answer = await client.get(f"/api/v1/{path}?cursor={cursor_of(*place)}", headers=act)
        assert answer.status == 422


async def test_the_history_of_a_ticket_is_read_to_its_end_and_followed_from_there(
    client: Client, world: World, act: dict[str, str]
) -> None:
    await world.post(alert("DiskFull"))
    for text in ("one", "two"):
        await client.post("/api/v1/tickets/1/note", json={"text": text}, headers=act)
    path, seen, pages = "/api/v1/tickets/1/events?limit=1", [], 0
    while path:
        answer = await client.get(path, headers=act)
        page = await answer.json()
        seen += [one["id"] for one in page["events"]]
        path, pages = answer.headers.get("Link", "").partition(">")[0][1:], pages + 1
    whole = await (await client.get("/api/v1/tickets/1/events", headers=act)).json()
    assert (seen, pages > 2, whole["next"]) == ([one["id"] for one in whole["events"]], True, None)
    await client.post("/api/v1/tickets/1/note", json={"text": "more"}, headers=act)
    later = await (await client.get(f"/api/v1/tickets/1/events?after={page['after']}", headers=act)).json()
    assert "more" in [one["text"] for one in later["events"]]
