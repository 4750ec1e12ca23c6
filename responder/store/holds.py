"""Which tickets wait now, and for what; so that all of them can be looked at together, without writing to each."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.engine import Connection, Row

from responder.clock import microseconds
from responder.store.changes import touch
from responder.store.jobs import Job
from responder.store.tables import Instant, holds

STOOD_FOR = "dependency"
"""The kind of hold in which another ticket stands for the held one: that is remembered when it is over."""

_OF_TICKET = select(holds).where(holds.c.ticket_id == bindparam("ticket_id"), holds.c.ended_at.is_(None))
_ANY = select(holds.c.ticket_id).where(holds.c.ended_at.is_(None)).limit(1)
_MOVE = (
    update(holds)
    .where(holds.c.ticket_id == bindparam("_id"), holds.c.due_at == bindparam("_was"), holds.c.ended_at.is_(None))
    .values(due_at=bindparam("at"))
)
_THEIRS = (holds.c.ended_at.is_(None), holds.c.ticket_id.in_(bindparam("ids", expanding=True)))
_REMEMBER = update(holds).where(*_THEIRS, holds.c.name == STOOD_FOR).values(ended_at=bindparam("now", type_=Instant))
_FORGET = delete(holds).where(*_THEIRS)


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptHold:
    """What holds a ticket, and its job: of which kind, with what it is told, and when it is due."""

    ticket_id: int
    episode: int
    name: str
    occasion: str
    kind: str
    args: dict[str, Any]
    due_at: datetime


class HoldStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of_ticket(self, ticket_id: int) -> KeptHold | None:
        """What holds this one; None if nothing does."""
        row = self._connection.execute(_OF_TICKET, {"ticket_id": ticket_id}).first()
        return _hold(row) if row else None

    def is_any(self) -> bool:
        """Whether any ticket is held."""
        return self._connection.execute(_ANY).first() is not None

    def all(self) -> list[KeptHold]:
        """All tickets that are held, the oldest first."""
        query = select(holds).where(holds.c.ended_at.is_(None)).order_by(holds.c.ticket_id)
        return [_hold(row) for row in self._connection.execute(query)]

    def keep(self, hold: KeptHold) -> None:
        """Writes down what holds a ticket, in place of what held it before."""
        values = {**asdict(hold), "ended_at": None}
        here = update(holds).where(holds.c.ticket_id == hold.ticket_id).values(values)
        if not self._connection.execute(here).rowcount:
            self._connection.execute(insert(holds).values(values))
        touch(self._connection, "tickets", tickets=[hold.ticket_id])

    def let_go(self, ticket_id: int) -> None:
        """It goes on: nothing is left of the hold."""
        self._connection.execute(delete(holds).where(holds.c.ticket_id == ticket_id))
        touch(self._connection, "tickets", tickets=[ticket_id])

    def end(self, ticket_ids: Collection[int], now: datetime) -> None:
        """These wait no more, because they cleared or somebody has them."""
        if not ticket_ids or not self.is_any():
            return
        which = {"ids": list(ticket_ids)}
        self._connection.execute(_REMEMBER, {**which, "now": now})
        self._connection.execute(_FORGET, which)
        touch(self._connection, "tickets", tickets=ticket_ids)

    def bring_forward(self, ticket_id: int, at: datetime, now: datetime) -> Job | None:
        """The job that has to be promised, so that a ticket that waits for longer is looked at by then."""
        hold = self.of_ticket(ticket_id)
        if hold is None or hold.due_at <= at:
            return None
        values = {"_id": hold.ticket_id, "_was": hold.due_at, "at": at}
        return _job(hold, at, now) if self._connection.execute(_MOVE, values).rowcount == 1 else None

    def forget(self, before: datetime) -> None:
        """Forgets what other tickets stood for, if that was over before."""
        self._connection.execute(delete(holds).where(holds.c.ended_at < before))


def job_args(hold: KeptHold, due_at: datetime) -> dict[str, Any]:
    """What its job is told; `due` tells the job that counts from those promised for another time."""
    return {**hold.args, "held": hold.name, "episode": hold.episode, "due": microseconds(due_at)}


def _job(hold: KeptHold, at: datetime, now: datetime) -> Job:
    args = {"ticket": hold.ticket_id, **job_args(hold, at)}
    if at > now:
        return Job(kind=hold.kind, args=args, due_at=at)
    return Job(kind=hold.kind, args=args, due_at=at, at_once=True, lock=f"ticket:{hold.ticket_id}")


def _hold(row: Row[Any]) -> KeptHold:
    return KeptHold(**{name: value for name, value in row._mapping.items() if name != "ended_at"})
