"""Our own rounds: when each was made last on any replica, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, text, update
from sqlalchemy.engine import Connection

from responder.clock import MICROSECOND, microseconds
from responder.store.changes import touch
from responder.store.tables import rounds

_FIRST = text("INSERT INTO rounds (name, at, result) VALUES (:name, :at, '{}') ON CONFLICT DO NOTHING")
_NEXT = text("UPDATE rounds SET at = :at WHERE name = :name AND (at <= :before OR at > :at)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    name: str
    at: datetime
    result: dict[str, Any]


class RoundStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def is_due(self, name: str, every: timedelta, now: datetime) -> bool:
        """Whether nobody has made this round within `every`."""
        last = self.last(name)
        return last is None or not timedelta() <= now - last.at < every

    def begin(self, name: str, every: timedelta, now: datetime) -> bool:
        """Takes a round that is due, so that only one replica makes it; False if another one was first."""
        values = {"name": name, "at": microseconds(now), "before": microseconds(now) - every // MICROSECOND}
        if self._connection.execute(_FIRST, values).rowcount == 1:
            return True
        return self._connection.execute(_NEXT, values).rowcount == 1

    def last(self, name: str) -> Round | None:
        row = self._connection.execute(select(rounds).where(rounds.c.name == name)).first()
        return Round(**row._mapping) if row else None

    def keep(self, name: str, at: datetime, result: dict[str, Any]) -> None:
        """Writes down what came of a round."""
        self._connection.execute(_FIRST, {"name": name, "at": microseconds(at)})
        self._connection.execute(update(rounds).where(rounds.c.name == name).values(at=at, result=result))
        touch(self._connection, "health")
