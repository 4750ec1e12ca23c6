"""Tickets with their events and clocks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Text, bindparam, exists, func, or_, select, text, type_coerce
from sqlalchemy.engine import Connection, Row

from responder.clock import from_microseconds
from responder.domain.correlation import Known, needs_clocks
from responder.domain.holds import OURSELVES
from responder.domain.report import Report, Signal
from responder.domain.sla import Clock
from responder.domain.ticket import Disposition, Event, EventKind, Status, Ticket
from responder.errors import Conflict, NotFound
from responder.store import clock_marks
from responder.store.bulk import Bulk, fetched, for_both, listed
from responder.store.changes import touch
from responder.store.holds import STOOD_FOR
from responder.store.tables import Instant, Json, clocks, dumped, events, holds, tickets

_NAMES = tuple(field.name for field in fields(Ticket))
_VALUES = attrgetter(*_NAMES)
_INSERT = Bulk(tickets, *_NAMES)
_UPDATE = (
    tickets.update()
    .where(tickets.c.id == bindparam("_id"), tickets.c.version == bindparam("_version"))
    .values({name: bindparam(name) for name in _NAMES if name != "id"})
)
_INSERT_EVENT = Bulk(events, "ticket_id", "at", "kind", "actor", "text", "data")
_SHOWN_OF_UNREADABLE = 200
_CLOCK_NAMES = ("name", "started_at", "due_at", "next_at", "stopped_at", "breached_at", "warned", "counted")
_CLOCK_VALUES = attrgetter(*_CLOCK_NAMES)
_INSERT_CLOCK = Bulk(clocks, "ticket_id", *_CLOCK_NAMES, "marks")
_SELECTED = ", ".join(f'"{name}"' for name in _NAMES)
# An older ticket may have been reopened: the open one is what reports belong to.
_LATEST = (
    "SELECT {columns} FROM tickets WHERE id IN ("
    "SELECT coalesce(max(CASE WHEN status <> 'closed' THEN id END), max(id)) "
    "FROM tickets WHERE {condition} GROUP BY trouble)"
)
_ONE = for_both(f"SELECT {_SELECTED} FROM tickets WHERE id = ?")  # noqa: S608 our own columns
_ONE_LOCKED = {"sqlite": _ONE["sqlite"], "postgresql": f"{_ONE['postgresql']} FOR UPDATE"}
_CLOCKS = select(clocks).where(clocks.c.ticket_id.in_(bindparam("ids", expanding=True)))
_FROM_JSON = [name for name in _NAMES if isinstance(tickets.c[name].type, Json)]
_FROM_INSTANT = [name for name in _NAMES if isinstance(tickets.c[name].type, Instant)]
_EVENT = (events.c.at, events.c.kind, events.c.actor, events.c.text, type_coerce(events.c.data, Text).label("raw"))
_COLUMNS = [tickets.c[name] for name in _NAMES]

_IS_HELD = exists().where(holds.c.ticket_id == tickets.c.id, holds.c.ended_at.is_(None))
_WAS_STOOD_FOR = exists().where(holds.c.ticket_id == tickets.c.id, holds.c.name == STOOD_FOR)
_COUNTS_FOR_STORMS = (
    tickets.c.source != bindparam("but_by"),
    tickets.c.disposition != Disposition.MAINTENANCE.value,
    ~_WAS_STOOD_FOR,
)
_NEWEST = (
    select(tickets.c.opened_at)
    .where(*_COUNTS_FOR_STORMS)
    .order_by(tickets.c.id.desc())
    .limit(bindparam("most"))
    .subquery()
)
_OPENED_SINCE = select(func.count()).select_from(_NEWEST).where(_NEWEST.c.opened_at > bindparam("since", type_=Instant))


class TicketStore:
    """The only way to rows of tickets, events and clocks."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # --- reading -----------------------------------------------------------------------------------

    def latest(self, troubles: Iterable[str]) -> dict[str, Ticket]:
        """For each trouble its open ticket, or if none is open its latest one."""
        condition, values = listed(self._connection, "trouble", sorted(set(troubles)))
        latest = _LATEST.format(columns=_SELECTED, condition=condition)
        rows = fetched(self._connection, {self._connection.dialect.name: latest}, (values,))
        return {ticket.trouble: ticket for ticket in map(_raw_ticket, rows)}

    def known(self, reports: Mapping[str, Sequence[Report]]) -> dict[str, Known]:
        """What is known of the troubles of these reports, with the clocks where a decision may need them.

        A trouble whose ticket was merged into another one is known by that other ticket.
        """
        found = self._followed(self.latest(reports))
        wanted = {
            ticket.id
            for trouble, ticket in found.items()
            if any(needs_clocks(report, ticket) for report in reports[trouble])
        }
        running = self.clocks(list(wanted))
        return {trouble: Known(ticket=ticket, clocks=running.get(ticket.id, {})) for trouble, ticket in found.items()}

    def _followed(self, found: dict[str, Ticket]) -> dict[str, Ticket]:
        for trouble, ticket in found.items():
            seen: set[int] = set()
            while ticket.merged_into is not None and ticket.id not in seen:
                seen.add(ticket.id)
                into = self.one(ticket.merged_into).ticket
                # Its trouble may be known by a newer ticket by now.
                ticket = self.latest([into.trouble])[into.trouble]  # noqa: PLW2901 the end of the chain is what counts
            found[trouble] = ticket
        return found

    def one(self, ticket_id: int, *, locked: bool = False) -> Known:
        """One ticket by id. `locked` orders this transaction with every other that changes the ticket."""
        rows = fetched(self._connection, _ONE_LOCKED if locked else _ONE, (ticket_id,))
        if not rows:
            raise NotFound(f"There is no ticket with id {ticket_id}.")
        return Known(ticket=_raw_ticket(rows[0]), clocks=self.clocks([ticket_id]).get(ticket_id, {}))

    def many(self, ticket_ids: Sequence[int]) -> dict[int, Ticket]:
        """Tickets by their ids, without their clocks."""
        condition, values = listed(self._connection, "id", ticket_ids)
        rows = self._connection.exec_driver_sql(f"SELECT {_SELECTED} FROM tickets WHERE {condition}", (values,))  # noqa: S608
        return {ticket.id: ticket for ticket in map(_raw_ticket, rows)}

    def find(self, key: str) -> Known:
        """One ticket by number or id; a number that nothing has may be typed in small letters. Raises NotFound."""
        for typed in dict.fromkeys((key, key.upper())):
            ticket_id = self._connection.execute(select(tickets.c.id).where(_is(typed))).scalar()
            if ticket_id is not None:
                return self.one(ticket_id)
        raise NotFound(f"There is no ticket {key}.")

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
            for row in self._connection.execute(_CLOCKS, {"ids": list(ticket_ids)}):
                values = {name: getattr(row, name) for name in _CLOCK_NAMES}
                found.setdefault(row.ticket_id, {})[row.name] = Clock(**values, marks=clock_marks.read(row.marks))
        return found

    def clocks_to_look_at(self, now: datetime, limit: int = 200) -> list[tuple[int, str]]:
        """Running clocks that have come to a warning or to their target since, as (ticket id, clock)."""
        rows = self._connection.execute(
            select(clocks.c.ticket_id, clocks.c.name)
            .where(clocks.c.next_at.is_not(None), clocks.c.next_at <= now)
            .order_by(clocks.c.next_at)
            .limit(limit)
        )
        return [(row.ticket_id, row.name) for row in rows]

    def with_running_clocks(self) -> list[int]:
        """The ids of open tickets with a clock that has not stopped."""
        query = (
            select(clocks.c.ticket_id)
            .join(tickets, tickets.c.id == clocks.c.ticket_id)
            .where(tickets.c.status != Status.CLOSED.value, clocks.c.stopped_at.is_(None))
            .distinct()
            .order_by(clocks.c.ticket_id)
        )
        return [row.ticket_id for row in self._connection.execute(query)]

    def all_ids(self) -> list[int]:
        """The ids of all tickets, open or closed."""
        return [row.id for row in self._connection.execute(select(tickets.c.id).order_by(tickets.c.id))]

    def next_due(self) -> datetime | None:
        """When the next running clock comes to a warning or to its target."""
        return self._connection.execute(
            select(func.min(clocks.c.next_at)).where(clocks.c.next_at.is_not(None))
        ).scalar()

    def events(self, ticket_id: int) -> list[Event]:
        """The history of a ticket, oldest first."""
        query = select(*_EVENT).where(events.c.ticket_id == ticket_id).order_by(events.c.id)
        return [_event(row) for row in self._connection.execute(query)]

    def last_event(self, ticket_id: int) -> int:
        """The id of the last event in the history; 0 without any."""
        query = select(func.max(events.c.id)).where(events.c.ticket_id == ticket_id)
        return int(self._connection.execute(query).scalar() or 0)

    def events_after(self, ticket_id: int, after: int, limit: int) -> list[tuple[int, Event]]:
        """What follows in the history on the event of this id, oldest first, each with its id."""
        wanted = (events.c.ticket_id == ticket_id, events.c.id > after)
        query = select(events.c.id, *_EVENT).where(*wanted).order_by(events.c.id).limit(limit)
        return [(int(row.id), _event(row)) for row in self._connection.execute(query)]

    def open_counts(self) -> list[tuple[str, str, str, int]]:
        """Open tickets as (grade, team, status, count)."""
        query = (
            select(tickets.c.grade, tickets.c.team, tickets.c.status, func.count())
            .where(tickets.c.status != Status.CLOSED.value)
            .group_by(tickets.c.grade, tickets.c.team, tickets.c.status)
        )
        return [tuple(row) for row in self._connection.execute(query)]

    def unacknowledged_counts(self) -> list[tuple[str, str, int]]:
        """Tickets handed over that nobody has taken, without those that are held, as (grade, team, count)."""
        query = (
            select(tickets.c.grade, tickets.c.team, func.count())
            .where(tickets.c.status == Status.HANDED_OVER.value, tickets.c.acknowledged_at.is_(None), ~_IS_HELD)
            .group_by(tickets.c.grade, tickets.c.team)
        )
        return [tuple(row) for row in self._connection.execute(query)]

    def opened_since(self, since: datetime, most: int, *, but_by: str = "") -> int:
        """How many of the newest `most` tickets were opened after `since`, without those that maintenance or another
        ticket explains and, with `but_by`, those of that source."""
        values = {"since": since, "most": most, "but_by": but_by}
        found: int = self._connection.execute(_OPENED_SINCE, values).scalar_one()
        return found

    def fresh_since(self, since: datetime, most: int) -> list[Ticket]:
        """Those of them that nothing has looked at yet, the newest first."""
        is_fresh = (tickets.c.status == Status.NEW.value, tickets.c.opened_at > bindparam("since", type_=Instant))
        query = select(*_COLUMNS).where(*_COUNTS_FOR_STORMS, *is_fresh, ~_IS_HELD)
        rows = self._connection.execute(
            query.order_by(tickets.c.id.desc()).limit(most), {"since": since, "but_by": OURSELVES}
        )
        return [_ticket(row) for row in rows]

    def labels_since(self, since: datetime, most: int) -> list[dict[str, str]]:
        """The labels of those of the newest `most` tickets from outside that were opened after `since`."""
        wanted = select(tickets.c.labels, tickets.c.opened_at).where(tickets.c.source != OURSELVES)
        newest = wanted.order_by(tickets.c.id.desc()).limit(most).subquery()
        query = select(newest.c.labels).where(newest.c.opened_at > since)
        return [row.labels for row in self._connection.execute(query)]

    def open_about(self, names: Collection[str], limit: int = 1000) -> list[Ticket]:
        """Open tickets a label of which begins with one of these names, the oldest first; perhaps with others, too."""
        labels = type_coerce(tickets.c.labels, Text)
        speaks = or_(*(labels.contains(dumped(name)[:-1], autoescape=True) for name in names))
        # The index of open tickets is used only where its own condition stands, with no value bound to it.
        is_open = text("status <> 'closed' AND status <> 'resolved'")
        # The plus keeps SQLite from walking over all tickets there ever were, in the order of their ids.
        query = select(*_COLUMNS).where(is_open, speaks).order_by(text("+tickets.id")).limit(limit)
        return [_ticket(row) for row in self._connection.execute(query)] if names else []

    def least_remaining(self) -> list[tuple[str, str, datetime]]:
        """For each running clock and grade the instant that is due first, as (clock, grade, due)."""
        query = (
            select(clocks.c.name, tickets.c.grade, func.min(clocks.c.due_at))
            .join(tickets, tickets.c.id == clocks.c.ticket_id)
            .where(tickets.c.status != Status.CLOSED.value, clocks.c.stopped_at.is_(None), clocks.c.due_at.is_not(None))
            .group_by(clocks.c.name, tickets.c.grade)
        )
        return [tuple(row) for row in self._connection.execute(query)]

    # --- writing -----------------------------------------------------------------------------------

    def insert(self, new: Sequence[Ticket]) -> None:
        _INSERT.insert(self._connection, map(_VALUES, new))
        self._touch(ticket.id for ticket in new)

    def update(self, changed: Sequence[Ticket]) -> None:
        """Compare and set: `version` is the one that was read. Raises Conflict if it is no longer."""
        rows = []
        for ticket in changed:
            row: dict[str, Any] = dict(zip(_NAMES, _VALUES(ticket), strict=True))
            rows.append({**row, "_id": row.pop("id"), "_version": ticket.version, "version": ticket.version + 1})
        if rows and self._connection.execute(_UPDATE, rows).rowcount != len(rows):
            raise Conflict("The ticket was changed by somebody else in the meantime.")
        self._touch(ticket.id for ticket in changed)

    def append(self, history: Sequence[tuple[int, Event]]) -> None:
        _INSERT_EVENT.insert(
            self._connection,
            ((ticket_id, one.at, one.kind.value, one.actor, one.text, one.data) for ticket_id, one in history),
        )
        self._touch(ticket_id for ticket_id, _ in history)

    def insert_clocks(self, started: Sequence[tuple[int, Mapping[str, Clock]]]) -> None:
        # New tickets of one grade share their clocks: what is the same is made once.
        different = {id(one): one for _, named in started for one in named.values()}
        made = {key: _INSERT_CLOCK.made(_clock_row(one)) for key, one in different.items()}
        rows = [[ticket_id, *made[id(one)][1:]] for ticket_id, named in started for one in named.values()]
        _INSERT_CLOCK.insert_made(self._connection, rows)

    def replace_clocks(self, ticket_id: int, named: Mapping[str, Clock]) -> None:
        self._connection.execute(clocks.delete().where(clocks.c.ticket_id == ticket_id))
        self.insert_clocks([(ticket_id, named)])
        self._touch([ticket_id])

    def _touch(self, ticket_ids: Iterable[int]) -> None:
        ids = list(ticket_ids)
        if ids:
            touch(self._connection, "tickets", tickets=ids)


def _clock_row(clock: Clock) -> tuple[Any, ...]:
    """A clock without its ticket."""
    return (None, *_CLOCK_VALUES(clock), clock_marks.written(clock.marks))


def _raw_ticket(row: Sequence[Any]) -> Ticket:
    """A ticket from values as the driver gives them."""
    values = dict(zip(_NAMES, row, strict=True))
    for name in _FROM_JSON:
        values[name] = orjson.loads(values[name])
    for name in _FROM_INSTANT:
        if values[name] is not None:
            values[name] = from_microseconds(values[name])
    values["flapping"], values["incomplete"] = bool(values["flapping"]), bool(values["incomplete"])
    return _as_ticket(values)


def _is(key: str) -> ColumnElement[bool]:
    matches: ColumnElement[bool] = tickets.c.number == key
    if key.isascii() and key.isdigit() and len(key) < 18:
        return or_(matches, tickets.c.id == int(key))
    return matches


def _ticket(row: Row[Any]) -> Ticket:
    return _as_ticket(dict(zip(_NAMES, row, strict=True)))


def _as_ticket(values: dict[str, Any]) -> Ticket:
    values["status"] = Status(values["status"])
    values["signal"] = Signal(values["signal"])
    values["toggles"] = tuple(values["toggles"])
    return Ticket(**values)


def _event(row: Row[Any]) -> Event:
    return Event(at=row.at, kind=EventKind(row.kind), actor=row.actor, text=row.text, data=_data(row.raw))


def _data(stored: str) -> Mapping[str, object]:
    """An event's data; what somebody has spoiled by hand must not hide the rest of the history."""
    try:
        found = orjson.loads(stored)
    except orjson.JSONDecodeError:
        found = None
    return found if isinstance(found, dict) else {"unreadable": stored[:_SHOWN_OF_UNREADABLE]}
