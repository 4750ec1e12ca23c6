"""What the console shows of many tickets at once: a few queries, however many tickets there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, Row, and_, case, func, literal_column, or_, select, text
from sqlalchemy.engine import Connection

from responder.domain.escalation import Chain
from responder.domain.message import MessageState, Purpose
from responder.domain.report import Signal
from responder.domain.reporter import REPORTER
from responder.domain.ticket import Status, Ticket
from responder.domain.unreached import Page
from responder.store.chains import chain_of
from responder.store.tables import approvals, chains, clocks, holds, messages, runs, tickets
from responder.store.tickets import TicketStore

# The index of open tickets is used only where its own condition stands, with no value bound to it.
_IS_OPEN = text("tickets.status <> 'closed'")
_OPEN_COUNT = select(func.count()).select_from(tickets).where(_IS_OPEN)
_OPEN_BY_GRADE = select(tickets.c.grade, func.count()).where(_IS_OPEN).group_by(tickets.c.grade)
_WAITING_COUNT = select(func.count()).select_from(approvals).where(text("approvals.state = 'waiting'"))
_HELD_COUNT = select(func.count()).select_from(holds).where(holds.c.ended_at.is_(None))
_IS_PAGE = messages.c.purpose.startswith(Purpose.HAND_OVER.value)
_HAS_TOLD = and_(
    messages.c.state == MessageState.SENT.value,
    messages.c.person != REPORTER,
    # A list tells by the pages that are in it.
    messages.c.purpose.not_like(f"{Purpose.BUNDLE}-%"),
)
_PAGE = tuple(messages.c[name] for name in ("ticket_id", "person", "state", "error", "created_at", "due_at", "sent_at"))
CONSIDERED = 1000
_OVER = (Status.RESTORED.value, Status.RESOLVED.value)


@dataclass(frozen=True, kw_only=True, slots=True)
class LastRun:
    """The newest run for a ticket; no `outcome` while it is at work."""

    id: int
    ticket_id: int
    runbook: str
    target: str
    started_at: datetime
    outcome: str
    sentence: str


class Overview:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def open_count(self) -> int:
        """How many tickets are open."""
        found: int = self._connection.execute(_OPEN_COUNT).scalar_one()
        return found

    def open_by_grade(self) -> dict[str, int]:
        """How many tickets are open, by grade."""
        return dict(tuple(row) for row in self._connection.execute(_OPEN_BY_GRADE))

    def waiting_count(self) -> int:
        """How many questions wait for an answer."""
        found: int = self._connection.execute(_WAITING_COUNT).scalar_one()
        return found

    def held_count(self) -> int:
        """How many tickets are held back."""
        found: int = self._connection.execute(_HELD_COUNT).scalar_one()
        return found

    def most_urgent(self, grades: Sequence[str], limit: int) -> list[Ticket]:
        """Open tickets as people should look at them: what is restored and fires no more last, the gravest
        grade first, and in a grade what comes to the end of a clock first.

        Of very many it looks at the clocks of the gravest and oldest only, which are due first."""
        rank = case({grade: place for place, grade in enumerate(grades)}, value=tickets.c.grade, else_=len(grades))
        is_calm = tickets.c.status.in_(_OVER) & (tickets.c.signal != Signal.FIRING.value)
        is_over = case((is_calm, 1), else_=0)
        wanted = select(tickets.c.id, is_over.label("is_over"), (rank if grades else is_over).label("rank"))
        first = wanted.where(_IS_OPEN).order_by("is_over", "rank", tickets.c.id).limit(CONSIDERED).subquery()
        running = (clocks.c.ticket_id == first.c.id, clocks.c.stopped_at.is_(None))
        due = select(func.min(clocks.c.due_at)).where(*running).scalar_subquery()
        never = literal_column(str(2**62), Integer)
        order = first.c.is_over, first.c.rank, func.coalesce(due, never), first.c.id.desc()
        query = select(first.c.id).order_by(*order).limit(limit)
        ids = [row.id for row in self._connection.execute(query)]
        known = TicketStore(self._connection).many(ids)
        return [known[one] for one in ids]

    def last_runs(self, ticket_ids: Sequence[int]) -> dict[int, LastRun]:
        """The newest run of each ticket that has one."""
        newest = select(func.max(runs.c.id)).where(runs.c.ticket_id.in_(ticket_ids)).group_by(runs.c.ticket_id)
        names = ("id", "ticket_id", "runbook", "target", "started_at", "outcome", "sentence")
        query = select(*(runs.c[name] for name in names)).where(runs.c.id.in_(newest))
        found = (dict(row._mapping) for row in self._connection.execute(query))
        return {values["ticket_id"]: LastRun(**{**values, "outcome": values["outcome"] or ""}) for values in found}

    def last_chains(self, ticket_ids: Sequence[int]) -> dict[int, Chain]:
        """The newest chain of each ticket that has one."""
        query = select(chains).where(chains.c.ticket_id.in_(ticket_ids)).order_by(chains.c.number)
        return {row.ticket_id: chain_of(row) for row in self._connection.execute(query)}

    def pages(self, ticket_ids: Sequence[int]) -> dict[int, list[Page]]:
        """The newest page of each person's channel in each state, of the episode in which each of these tickets is;
        and whatever else has told a person of it."""
        where, made = messages.c.ticket_id.in_(ticket_ids), messages.c
        each = (made.ticket_id, made.episode, made.person, made.channel, made.state, made.sent_at.is_(None))
        newest = select(func.max(made.id)).where(where, or_(_IS_PAGE, _HAS_TOLD)).group_by(*each)
        is_now = (tickets.c.id == made.ticket_id) & (tickets.c.episode == made.episode)
        query = select(*_PAGE).join(tickets, is_now).where(made.id.in_(newest)).order_by(made.id)
        found: dict[int, list[Page]] = {}
        for row in self._connection.execute(query):
            found.setdefault(row.ticket_id, []).append(_page(row))
        return found

    def held(self, ticket_ids: Sequence[int]) -> dict[int, str]:
        """Which of these tickets are held back, and by what kind of hold."""
        query = select(holds.c.ticket_id, holds.c.name).where(holds.c.ticket_id.in_(ticket_ids))
        return {row.ticket_id: row.name for row in self._connection.execute(query.where(holds.c.ended_at.is_(None)))}

    def asking(self, ticket_ids: Sequence[int]) -> set[int]:
        """Which of these tickets have a question that waits for an answer."""
        query = select(approvals.c.ticket_id).where(approvals.c.ticket_id.in_(ticket_ids))
        return {row.ticket_id for row in self._connection.execute(query.where(text("approvals.state = 'waiting'")))}


def _page(row: Row[Any]) -> Page:
    state = MessageState(row.state)
    in_list = state is MessageState.BUNDLED and row.sent_at is None
    return Page(person=row.person, state=state, error=row.error, in_list=in_list, due_at=row.due_at or row.created_at)
