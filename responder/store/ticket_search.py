"""Tickets by a filter, page by page. A page costs the same however many tickets there are.

What a filter asks of columns is answered by one index that holds them all. What it asks of texts is looked for in
at most so many tickets at a time; the next page goes on behind them.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Integer, Select, Text, and_, case, literal_column, or_, select, type_coerce
from sqlalchemy.engine import Connection

from responder.domain.ticket_filter import Order, Page, Place, TicketFilter
from responder.store.tables import dumped, runs, tickets
from responder.store.tickets import TicketStore

LOOKED_INTO = 10_000
"""How many tickets a search looks into for one page."""
_Condition = ColumnElement[bool]


class TicketSearch:
    def __init__(self, connection: Connection, grades: Sequence[str] = ()) -> None:
        """`grades`: from the gravest to the slightest."""
        self._connection = connection
        self._grades = tuple(grades)

    def page(self, asked: TicketFilter, *, after: Place | None = None, limit: int = 100) -> Page:
        """The tickets that a filter asks for, behind a place in their order."""
        rank = self._rank(asked.order)
        order = [rank, tickets.c.id.desc()] if asked.order is Order.URGENT else [tickets.c.id.desc()]
        wanted = select(tickets.c.id, rank.label("rank")).where(*_columns(asked), *_behind(after, rank, asked.order))
        wanted, inside = wanted.order_by(*order), _inside(asked)
        # By grade, the tickets are read in no order of their own.
        most = LOOKED_INTO if asked.order is Order.NEWEST else max(LOOKED_INTO // 4, 1)
        found = self._places(_looked_into(wanted, inside, most) if inside else wanted, limit + 1)
        following = found[limit - 1] if len(found) > limit else self._end(wanted, most) if inside else None
        known = TicketStore(self._connection).many([place.ticket_id for place in found[:limit]])
        return Page(tickets=tuple(known[place.ticket_id] for place in found[:limit]), next=following)

    def has(self, column: str, value: str) -> bool:
        """Whether there ever was a ticket with this value in a column."""
        query = select(tickets.c.id).where(tickets.c[column] == value).limit(1)
        return self._connection.execute(query).first() is not None

    def _rank(self, order: Order) -> ColumnElement[int]:
        ranks = {grade: number for number, grade in enumerate(self._grades)}
        if order is not Order.URGENT or not ranks:
            return literal_column("0", Integer)
        return case(ranks, value=tickets.c.grade, else_=len(ranks))

    def _places(self, query: Select[tuple[int, int]], limit: int) -> list[Place]:
        rows = self._connection.execute(query.limit(limit))
        return [Place(ticket_id=row.id, rank=row.rank) for row in rows]

    def _end(self, wanted: Select[tuple[int, int]], most: int) -> Place | None:
        """Behind the last ticket that was looked into; None if there is none behind it."""
        behind = self._places(wanted.offset(most - 1), 2)
        return behind[0] if len(behind) == 2 else None


def _looked_into(wanted: Select[tuple[int, int]], inside: Sequence[_Condition], most: int) -> Select[tuple[int, int]]:
    candidates = wanted.limit(most).subquery()
    found = select(candidates.c.id, candidates.c.rank).join(tickets, tickets.c.id == candidates.c.id)
    return found.where(*inside).order_by(candidates.c.rank, candidates.c.id.desc())


def _columns(asked: TicketFilter) -> list[_Condition]:
    """What the index answers."""
    found: list[_Condition] = []
    if asked.is_open is not None:
        # The index of open tickets is used only where its own condition stands, with no value bound to it.
        closed: ColumnElement[str] = literal_column("'closed'")
        found.append(tickets.c.status != closed if asked.is_open else tickets.c.status == closed)
    if asked.is_acknowledged is not None:
        is_set = tickets.c.acknowledged_at.is_not(None)
        found.append(is_set if asked.is_acknowledged else ~is_set)
    several = {"status": asked.statuses, "signal": asked.signals, "grade": asked.grades, "kind": asked.kinds}
    several |= {"team": asked.teams, "source": asked.sources}
    found += [tickets.c[name].in_([str(value) for value in values]) for name, values in several.items() if values]
    if asked.who:
        found.append(or_(tickets.c.acknowledged_by == asked.who, tickets.c.assignee == asked.who))
    if asked.opened_from:
        found.append(tickets.c.opened_at >= asked.opened_from)
    if asked.opened_to:
        found.append(tickets.c.opened_at < asked.opened_to)
    return found


def _behind(after: Place | None, rank: ColumnElement[int], order: Order) -> list[_Condition]:
    if after is None:
        return []
    is_older = tickets.c.id < after.ticket_id
    return [is_older] if order is Order.NEWEST else [or_(rank > after.rank, and_(rank == after.rank, is_older))]


def _inside(asked: TicketFilter) -> list[_Condition]:
    """What has to be looked for in the tickets themselves."""
    labels = type_coerce(tickets.c.labels, Text)
    found: list[_Condition] = []
    for word in asked.words:
        # As it stands in the labels, which are JSON.
        written = dumped(word)[1:-1]
        has_it = (tickets.c.title.icontains(word, autoescape=True), labels.icontains(written, autoescape=True))
        found.append(or_(*has_it, tickets.c.number.icontains(word, autoescape=True)))
    if asked.target:
        begins = f":{dumped(asked.target)[:-1]}"
        named = [labels.contains(f"{begins}{end}", autoescape=True) for end in ('"', ":", ".")]
        found.append(or_(*named, tickets.c.id.in_(select(runs.c.ticket_id).where(runs.c.target == asked.target))))
    return found
