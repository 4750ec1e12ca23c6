"""Every list leads to its end page by page, whatever is added meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from responder.domain.actions import ActionItem
from responder.domain.approval import Approval, ApprovalKind
from responder.domain.article import Article
from responder.domain.drill import Drill
from responder.domain.health_check import CheckState, HealthCheck
from responder.domain.mail_record import MailRecord, Taken
from responder.domain.parts import Part
from responder.store.library import LibraryStore
from responder.store.transaction import Transaction
from tests.web.conftest import Client
from tests.world import World, alert

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
Make = Callable[[Transaction, int], object]


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


LISTS: list[tuple[str, str, str, Make, list[str]]] = [
    ("approvals", "approvals?all=1", "question", _approval, ["4?", "3?", "2?", "1?"]),
    ("articles", "knowledge?", "title", _article, ["4", "3", "2", "1"]),
    ("drills", "drills?", "ordered_by", _drill, ["4", "3", "2", "1"]),
    ("results", "health-checks?", "name", _check, ["4", "3", "2", "1"]),
    ("mails", "mails?", "message_id", _mail, ["4", "3", "2", "1"]),
    ("reservations", "reservations?", "count", _reservation, [4, 3, 2, 1]),  # type: ignore[list-item]
    ("actions", "actions?all=yes", "text", _action, ["2", "3", "4", "1"]),
]


@pytest.mark.parametrize(("name", "path", "shown", "make", "order"), LISTS, ids=[one[0] for one in LISTS])
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
