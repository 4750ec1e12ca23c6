"""What reviews promised to improve."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, text
from sqlalchemy.engine import Connection, Row

from responder.domain.actions import EVERY, ActionItem
from responder.errors import NotFound
from responder.store.changes import touch
from responder.store.tables import actions, tickets

# As the partial index says it, so that both databases use that.
_IS_OPEN = text("actions.done_at IS NULL")


class ActionStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # --- reading -----------------------------------------------------------------------------------

    def one(self, action_id: int) -> ActionItem:
        """Raises NotFound."""
        row = self._connection.execute(select(actions).where(actions.c.id == action_id)).first()
        if row is None:
            raise NotFound(f"There is no action {action_id}.")
        return _item(row)

    def of_ticket(self, ticket_id: int) -> list[ActionItem]:
        """The actions of a ticket's review, in the order in which they were promised."""
        query = select(actions).where(actions.c.ticket_id == ticket_id).order_by(actions.c.id)
        return [_item(row) for row in self._connection.execute(query)]

    def listed(
        self,
        *,
        open_only: bool = True,
        overdue_at: datetime | None = None,
        owner: str = "",
        after: tuple[bool, datetime, int] | None = None,
        limit: int = 100,
    ) -> list[tuple[str, ActionItem]]:
        """Actions with the numbers of their tickets: open before done ones, what is due first at the top.

        `overdue_at` leaves only those that are overdue at that instant. `after` is whether the last one of the page
        before is done, when it is due, and its id.
        """
        query = select(tickets.c.number, actions).join(tickets, tickets.c.id == actions.c.ticket_id)
        if open_only or overdue_at is not None:
            query = query.where(_IS_OPEN)
        if overdue_at is not None:
            query = query.where(actions.c.due_at <= overdue_at)
        if owner:
            query = query.where(actions.c.owner == owner)
        if after is not None:
            query = query.where(_is_behind(*after))
        query = query.order_by(actions.c.done_at.is_not(None), actions.c.due_at, actions.c.id).limit(limit)
        return [(row.number, _item(row)) for row in self._connection.execute(query)]

    def to_escalate(self, now: datetime, limit: int = 200) -> list[int]:
        """The ids of actions whose people are to be told now that they are overdue, the oldest first."""
        query = (
            select(actions.c.id)
            .where(_IS_OPEN, actions.c.due_at <= now)
            .where(or_(actions.c.escalated_at.is_(None), actions.c.escalated_at <= now - EVERY))
            .order_by(actions.c.due_at, actions.c.id)
            .limit(limit)
        )
        return [int(row.id) for row in self._connection.execute(query)]

    def counts(self, now: datetime) -> tuple[int, int]:
        """How many actions are open, and how many of those are overdue."""
        is_overdue = func.count().filter(actions.c.due_at <= now)
        row = self._connection.execute(select(func.count(), is_overdue).select_from(actions).where(_IS_OPEN)).one()
        return int(row[0]), int(row[1])

    # --- writing -----------------------------------------------------------------------------------

    def add(self, item: ActionItem) -> ActionItem:
        """Writes a new action; gives it with its id."""
        row = self._connection.execute(actions.insert().values(_values(item)).returning(actions.c.id)).one()
        touch(self._connection, tickets=[item.ticket_id])
        return replace(item, id=int(row.id))

    def keep(self, item: ActionItem) -> None:
        """Writes what became of an action; what is done is not changed any more."""
        self._connection.execute(actions.update().where(actions.c.id == item.id, _IS_OPEN).values(_values(item)))
        touch(self._connection, tickets=[item.ticket_id])


def _values(item: ActionItem) -> dict[str, Any]:
    return {name: value for name, value in asdict(item).items() if name != "id"}


def _item(row: Row[Any]) -> ActionItem:
    return ActionItem(**{name: value for name, value in row._mapping.items() if name != "number"})


def _is_behind(done: bool, due_at: datetime, action_id: int) -> ColumnElement[bool]:
    """What the list shows behind an action of this kind."""
    is_later = or_(actions.c.due_at > due_at, and_(actions.c.due_at == due_at, actions.c.id > action_id))
    if done:
        return and_(actions.c.done_at.is_not(None), is_later)
    return or_(actions.c.done_at.is_not(None), is_later)
