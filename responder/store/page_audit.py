"""What the audit of pages reads: a query of its own, straight over the tables, that no other store helps with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.engine import Connection, Row

from responder.clock import from_microseconds
from responder.domain.page_audit import Account, ChainRow, Sheet, Work
from responder.domain.page_story import Fact

_WHICH = """
SELECT id FROM tickets WHERE status <> 'closed'
UNION SELECT id FROM (SELECT id FROM tickets ORDER BY id DESC LIMIT 200) AS newest
UNION SELECT ticket_id FROM messages WHERE state IN ('waiting', 'sending', 'failed_for_now')
"""
_TICKETS = """
SELECT id, number, status, episode, acknowledged_by, runbook, signal FROM tickets WHERE id IN ({which}) ORDER BY id
"""
_EVENTS = """
SELECT id, ticket_id, at, kind, data FROM events WHERE ticket_id IN ({which}) AND (data NOT LIKE '{{%}}' OR kind IN
('opened', 'moved', 'handled', 'regraded', 'held', 'escalation', 'message', 'run', 'refused', 'approval', 'set_aside'))
ORDER BY ticket_id, id
"""
_MESSAGES = """
SELECT id, ticket_id, episode, purpose, person, channel, state, created_at, due_at, sent_at
FROM messages WHERE ticket_id IN ({which}) ORDER BY id
"""
_CHAINS = "SELECT ticket_id, number, episode, calls, position FROM chains WHERE ticket_id IN ({which}) ORDER BY number"
_RUNS = "SELECT DISTINCT ticket_id FROM runs WHERE ended_at IS NULL"
_ASKED = "SELECT DISTINCT ticket_id FROM approvals WHERE state = 'waiting'"
_NEVER = datetime.max.replace(tzinfo=UTC)
_KINDS = "('first_aid', 'run', 'hand_over', 'prove')"
_LOCAL_JOBS = f"SELECT kind, args, due_at, attempts FROM jobs WHERE set_aside_at IS NULL AND kind IN {_KINDS}"  # noqa: S608 ours
_CLUSTER_JOBS = f"""
SELECT task_name AS kind, args -> 'args' AS args, scheduled_at AS due_at, attempts, status = 'doing' AS at_work
FROM procrastinate_jobs WHERE status IN ('todo', 'doing') AND task_name IN {_KINDS}
"""  # noqa: S608 our own words


class PageAuditStore:
    """Reads all in one snapshot: ask it for nothing else in the same transaction before."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._is_cluster = connection.dialect.name == "postgresql"

    def accounts(self) -> list[Account]:
        """Every open ticket, the newest of the others, and those with messages that have not left."""
        if self._is_cluster:
            # Else each query would see what was committed since the one before, and they would not agree.
            self._connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        return self._accounts(_WHICH)

    def account(self, ticket_id: int) -> Account:
        """One ticket, in a transaction that holds its row."""
        (found,) = self._accounts(str(int(ticket_id)))
        return found

    def _accounts(self, which: str) -> list[Account]:
        facts = self._by_ticket(_EVENTS, which, _fact)
        sheets = self._by_ticket(_MESSAGES, which, _sheet)
        chains = self._by_ticket(_CHAINS, which, _chain)
        work = self._work()
        runs, asked = ({row.ticket_id for row in self._rows(query)} for query in (_RUNS, _ASKED))
        return [
            Account(
                **row._mapping,
                facts=facts[row.id],
                sheets=sheets[row.id],
                chains=chains[row.id],
                work=work[row.id],
                runs=row.id in runs,
                asks=row.id in asked,
            )
            for row in self._rows(_TICKETS, which)
        ]

    def _rows(self, query: str, which: str = "") -> Iterator[Row[Any]]:
        return iter(self._connection.execute(text(query.format(which=which))))

    def _by_ticket(self, query: str, which: str, read: Any) -> dict[int, list[Any]]:
        found: dict[int, list[Any]] = defaultdict(list)
        for row in self._rows(query, which):
            found[row.ticket_id].append(read(row))
        return found

    def _work(self) -> dict[int, list[Work]]:
        found: dict[int, list[Work]] = defaultdict(list)
        for row in self._rows(_CLUSTER_JOBS if self._is_cluster else _LOCAL_JOBS):
            args = row.args if isinstance(row.args, dict) else _json(row.args)
            if not isinstance(args, dict):
                # Then no job of its ticket is found, and that is the difference.
                continue
            due_at = row.due_at if self._is_cluster else _instant(row.due_at)
            at_work = bool(row.at_work) if self._is_cluster else False
            work = Work(kind=row.kind, due_at=due_at, is_at_work=at_work, tries=row.attempts)
            found[int(args.get("ticket", 0))].append(work)
        return found


def _json(stored: str) -> Any:
    """What is stored; where it is no JSON the audit is to notice it, and go on."""
    try:
        return orjson.loads(stored)
    except orjson.JSONDecodeError:
        return None


def _instant(value: int | None) -> datetime | None:
    return None if value is None else _moment(value)


def _moment(value: int) -> datetime:
    """An instant; one that no calendar has is the last one there is."""
    try:
        return from_microseconds(value)
    except OverflowError:
        return _NEVER


def _fact(row: Row[Any]) -> Fact:
    return Fact(id=row.id, at=_moment(row.at), kind=row.kind, data=_json(row.data))


def _sheet(row: Row[Any]) -> Sheet:
    values = dict(row._mapping)
    for name in ("created_at", "due_at", "sent_at"):
        values[name] = _instant(values[name])
    return Sheet(**values)


def _chain(row: Row[Any]) -> ChainRow:
    try:
        calls = tuple(call["at"] for call in _json(row.calls) or ())
    except (KeyError, TypeError):
        calls = ()
    return ChainRow(number=row.number, episode=row.episode, calls=calls, position=row.position)
