"""Reporters: one row per ticket that a person reported. Name and contact stand here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Connection, Row

from responder.domain.message import Message, MessageState
from responder.domain.reporter import REPORTER, Asked, Reporter
from responder.domain.ticket import Event, EventKind
from responder.errors import NotFound
from responder.store.changes import touch
from responder.store.messages import MessageStore
from responder.store.tables import events, messages, reporters

_NAMES = [field.name for field in fields(Reporter)]
_UNSENT = (MessageState.WAITING.value, MessageState.FAILED_FOR_NOW.value, MessageState.BY_HAND.value)


class ReporterStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # --- reading -----------------------------------------------------------------------------------

    def of_ticket(self, ticket_id: int) -> Reporter | None:
        """Who reported the ticket; None if nobody did. The caller that will write holds the ticket's row."""
        row = self._connection.execute(select(reporters).where(reporters.c.ticket_id == ticket_id)).first()
        return _reporter(row) if row else None

    def one(self, ticket_id: int) -> Reporter:
        """Raises NotFound."""
        found = self.of_ticket(ticket_id)
        if found is None:
            raise NotFound("Nobody reported this ticket: it has no reporter.")
        return found

    def having(self, ticket_ids: Iterable[int]) -> set[int]:
        """Which of these tickets have a reporter."""
        query = select(reporters.c.ticket_id).where(reporters.c.ticket_id.in_(list(ticket_ids)))
        return {int(row.ticket_id) for row in self._connection.execute(query)}

    def to_erase(self, now: datetime, limit: int = 100) -> list[int]:
        """Tickets whose reporter's name and contact have been kept long enough."""
        query = (
            select(reporters.c.ticket_id)
            .where(reporters.c.erase_at.is_not(None), reporters.c.erased_at.is_(None), reporters.c.erase_at <= now)
            .order_by(reporters.c.erase_at)
            .limit(limit)
        )
        return [int(row.ticket_id) for row in self._connection.execute(query)]

    def letters(self, ticket_id: int) -> list[Message]:
        """What was written to the reporter, oldest first."""
        return [one for one in MessageStore(self._connection).of_ticket(ticket_id) if one.person == REPORTER]

    def news(self, ticket_id: int, after: int) -> tuple[list[Event], int]:
        """The ticket's events after the one with this id, and the id of the newest."""
        query = select(events).where(events.c.ticket_id == ticket_id, events.c.id > after).order_by(events.c.id)
        rows = self._connection.execute(query).all()
        found = [
            Event(at=row.at, kind=EventKind(row.kind), actor=row.actor, text=row.text, data=row.data) for row in rows
        ]
        return found, int(rows[-1].id) if rows else after

    # --- writing -----------------------------------------------------------------------------------

    def add(self, reporter: Reporter) -> None:
        """Writes a new one."""
        self._connection.execute(reporters.insert().values(_values(reporter)))
        touch(self._connection, tickets=[reporter.ticket_id])

    def keep(self, reporter: Reporter) -> None:
        """Writes what has changed; what is erased stays so."""
        query = reporters.update().where(reporters.c.ticket_id == reporter.ticket_id, reporters.c.erased_at.is_(None))
        self._connection.execute(query.values(_values(reporter)))
        touch(self._connection, tickets=[reporter.ticket_id])

    def erase(self, ticket_id: int, now: datetime) -> None:
        """Overwrites name, contact and the letters; a letter that has not left any more stays here."""
        gone = {"name": "", "contact": "", "asked_for": Asked.NOTHING.value, "asked_at": None, "erased_at": now}
        self._connection.execute(reporters.update().where(reporters.c.ticket_id == ticket_id).values(gone))
        written = messages.update().where(messages.c.ticket_id == ticket_id, messages.c.person == REPORTER)
        overtaken = {"state": MessageState.OVERTAKEN.value, "error": "The reporter's contact was erased."}
        self._connection.execute(written.where(messages.c.state.in_(_UNSENT)).values(overtaken))
        self._connection.execute(written.values(subject="", body=""))
        touch(self._connection, "messages", tickets=[ticket_id])


def _values(reporter: Reporter) -> dict[str, Any]:
    plain = {name: getattr(reporter, name) for name in _NAMES}
    return {**plain, "kind": str(reporter.kind), "asked_for": reporter.asked_for.value}


def _reporter(row: Row[Any]) -> Reporter:
    values = dict(row._mapping)
    return Reporter(**{**values, "asked_for": Asked(values["asked_for"])})
