"""Tickets with their events and clocks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.engine import Connection, Row

from responder.domain.correlation import Known
from responder.domain.report import Signal
from responder.domain.sla import Clock
from responder.domain.ticket import Event, EventKind, Status, Ticket
from responder.errors import Conflict, NotFound
from responder.store.tables import clocks, events, tickets

_NAMES = tuple(field.name for field in fields(Ticket))
_VALUES = attrgetter(*_NAMES)
_INSERT = tickets.insert()
_UPDATE = (
    tickets.update()
    .where(tickets.c.id == bindparam("_id"), tickets.c.version == bindparam("_version"))
    .values({name: bindparam(name) for name in _NAMES if name != "id"})
)
_INSERT_EVENT = events.insert()
_INSERT_CLOCK = clocks.insert()
_COLUMNS = [tickets.c[name] for name in _NAMES]


class TicketStore:
    """The only way to rows of tickets, events and clocks."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # --- reading -----------------------------------------------------------------------------------

    def known(self, troubles: Iterable[str]) -> dict[str, Known]:
        """For each trouble its latest ticket, open or closed, with its clocks."""
        wanted = sorted(set(troubles))
        latest = select(func.max(tickets.c.id)).where(tickets.c.trouble.in_(wanted)).group_by(tickets.c.trouble)
        found = [_ticket(row) for row in self._connection.execute(select(*_COLUMNS).where(tickets.c.id.in_(latest)))]
        running = self.clocks([ticket.id for ticket in found])
        return {ticket.trouble: Known(ticket=ticket, clocks=running.get(ticket.id, {})) for ticket in found}

    def one(self, ticket_id: int, *, locked: bool = False) -> Known:
        """One ticket by id. `locked` orders this transaction with every other that changes the ticket."""
        query = select(*_COLUMNS).where(tickets.c.id == ticket_id)
        row = self._connection.execute(query.with_for_update() if locked else query).first()
        if row is None:
            raise NotFound(f"There is no ticket with id {ticket_id}.")
        return Known(ticket=_ticket(row), clocks=self.clocks([ticket_id]).get(ticket_id, {}))

    def find(self, key: str) -> Known:
        """One ticket by number or id. Raises NotFound."""
        matches = tickets.c.number == key
        if key.isascii() and key.isdigit() and len(key) < 18:
            matches = or_(matches, tickets.c.id == int(key))
        ticket_id = self._connection.execute(select(tickets.c.id).where(matches)).scalar()
        if ticket_id is None:
            raise NotFound(f"There is no ticket {key}.")
        return self.one(ticket_id)

    def listed(
        self, *, open_only: bool = False, status: str = "", grade: str = "", before: int | None = None, limit: int = 100
    ) -> list[Ticket]:
        """Tickets, newest first; `before` is the last id of the page before."""
        query = select(*_COLUMNS).order_by(tickets.c.id.desc()).limit(limit)
        if open_only:
            query = query.where(tickets.c.status != Status.CLOSED.value)
        if status:
            query = query.where(tickets.c.status == status)
        if grade:
            query = query.where(tickets.c.grade == grade)
        if before is not None:
            query = query.where(tickets.c.id < before)
        return [_ticket(row) for row in self._connection.execute(query)]

    def clocks(self, ticket_ids: Sequence[int]) -> dict[int, dict[str, Clock]]:
        found: dict[int, dict[str, Clock]] = {}
        if ticket_ids:
            for row in self._connection.execute(select(clocks).where(clocks.c.ticket_id.in_(ticket_ids))):
                found.setdefault(row.ticket_id, {})[row.name] = Clock(
                    name=row.name,
                    started_at=row.started_at,
                    due_at=row.due_at,
                    stopped_at=row.stopped_at,
                    breached_at=row.breached_at,
                )
        return found

    def past_due(self, now: datetime, limit: int = 200) -> list[tuple[int, str]]:
        """Running clocks whose target has passed and that nobody has marked yet, as (ticket id, clock)."""
        rows = self._connection.execute(
            select(clocks.c.ticket_id, clocks.c.name)
            .where(clocks.c.stopped_at.is_(None), clocks.c.breached_at.is_(None), clocks.c.due_at <= now)
            .order_by(clocks.c.due_at)
            .limit(limit)
        )
        return [(row.ticket_id, row.name) for row in rows]

    def next_due(self) -> datetime | None:
        """When the next running clock reaches its target."""
        return self._connection.execute(
            select(func.min(clocks.c.due_at)).where(clocks.c.stopped_at.is_(None), clocks.c.breached_at.is_(None))
        ).scalar()

    def events(self, ticket_id: int) -> list[Event]:
        """The history of a ticket, oldest first."""
        query = select(events).where(events.c.ticket_id == ticket_id).order_by(events.c.id)
        return [
            Event(at=row.at, kind=EventKind(row.kind), actor=row.actor, text=row.text, data=row.data)
            for row in self._connection.execute(query)
        ]

    def open_counts(self) -> list[tuple[str, str, str, int]]:
        """Open tickets as (grade, team, status, count)."""
        query = (
            select(tickets.c.grade, tickets.c.team, tickets.c.status, func.count())
            .where(tickets.c.status != Status.CLOSED.value)
            .group_by(tickets.c.grade, tickets.c.team, tickets.c.status)
        )
        return [tuple(row) for row in self._connection.execute(query)]

    def unacknowledged_counts(self) -> list[tuple[str, str, int]]:
        """Tickets handed over that nobody has taken, as (grade, team, count)."""
        query = (
            select(tickets.c.grade, tickets.c.team, func.count())
            .where(tickets.c.status == Status.HANDED_OVER.value, tickets.c.acknowledged_at.is_(None))
            .group_by(tickets.c.grade, tickets.c.team)
        )
        return [tuple(row) for row in self._connection.execute(query)]

    def least_remaining(self) -> list[tuple[str, str, datetime]]:
        """For each running clock and grade the instant that is due first, as (clock, grade, due)."""
        query = (
            select(clocks.c.name, tickets.c.grade, func.min(clocks.c.due_at))
            .join(tickets, tickets.c.id == clocks.c.ticket_id)
            .where(tickets.c.status != Status.CLOSED.value, clocks.c.stopped_at.is_(None))
            .group_by(clocks.c.name, tickets.c.grade)
        )
        return [tuple(row) for row in self._connection.execute(query)]

    # --- writing -----------------------------------------------------------------------------------

    def insert(self, new: Sequence[Ticket]) -> None:
        if new:
            self._connection.execute(_INSERT, [dict(zip(_NAMES, _VALUES(ticket), strict=True)) for ticket in new])

    def update(self, changed: Sequence[Ticket]) -> None:
        """Compare and set: `version` is the one that was read. Raises Conflict if it is no longer."""
        rows = []
        for ticket in changed:
            row: dict[str, Any] = dict(zip(_NAMES, _VALUES(ticket), strict=True))
            rows.append({**row, "_id": row.pop("id"), "_version": ticket.version, "version": ticket.version + 1})
        if rows and self._connection.execute(_UPDATE, rows).rowcount != len(rows):
            raise Conflict("The ticket was changed by somebody else in the meantime.")

    def append(self, history: Sequence[tuple[int, Event]]) -> None:
        rows = [
            {
                "ticket_id": ticket_id,
                "at": event.at,
                "kind": event.kind,
                "actor": event.actor,
                "text": event.text,
                "data": event.data,
            }
            for ticket_id, event in history
        ]
        if rows:
            self._connection.execute(_INSERT_EVENT, rows)

    def insert_clocks(self, started: Sequence[tuple[int, Mapping[str, Clock]]]) -> None:
        rows = [_clock_row(ticket_id, clock) for ticket_id, named in started for clock in named.values()]
        if rows:
            self._connection.execute(_INSERT_CLOCK, rows)

    def replace_clocks(self, ticket_id: int, named: Mapping[str, Clock]) -> None:
        self._connection.execute(clocks.delete().where(clocks.c.ticket_id == ticket_id))
        self.insert_clocks([(ticket_id, named)])


def _clock_row(ticket_id: int, clock: Clock) -> dict[str, object]:
    return {
        "ticket_id": ticket_id,
        "name": clock.name,
        "started_at": clock.started_at,
        "due_at": clock.due_at,
        "stopped_at": clock.stopped_at,
        "breached_at": clock.breached_at,
    }


def _ticket(row: Row[Any]) -> Ticket:
    values = dict(zip(_NAMES, row, strict=True))
    values["status"] = Status(values["status"])
    values["signal"] = Signal(values["signal"])
    values["toggles"] = tuple(values["toggles"])
    return Ticket(**values)
