"""Drills: the planned one, the one at work, and those before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.engine import Connection, Row

from responder.clock import from_microseconds, microseconds
from responder.domain.drill import Answer, Drill
from responder.errors import NotFound
from responder.store.changes import touch
from responder.store.tables import drills


class DrillStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def open_ones(self) -> list[Drill]:
        """Those that are planned or at work, the oldest first."""
        query = select(drills).where(drills.c.ended_at.is_(None)).order_by(drills.c.id)
        return [_drill(row) for row in self._connection.execute(query)]

    def listed(self, limit: int, before: int | None = None) -> list[Drill]:
        """Those that have begun, the newest first; `before` is the last id of the page before."""
        query = select(drills).where(drills.c.started_at.is_not(None)).order_by(drills.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(drills.c.id < before)
        return [_drill(row) for row in self._connection.execute(query)]

    def one(self, drill_id: int, *, locked: bool = False) -> Drill:
        """Raises NotFound. `locked` orders this transaction with every other that changes the drill."""
        query = select(drills).where(drills.c.id == drill_id)
        row = self._connection.execute(query.with_for_update() if locked else query).first()
        if row is None:
            raise NotFound(f"There is no drill {drill_id}.")
        return _drill(row)

    def add(self, drill: Drill) -> Drill:
        """Writes a new drill; gives it with its number."""
        row = self._connection.execute(drills.insert().values(_values(drill)).returning(drills.c.id)).one()
        touch(self._connection, "rotas")
        return replace(drill, id=int(row.id))

    def keep(self, drill: Drill) -> None:
        """Writes a drill as it is now; the caller holds its row."""
        self._connection.execute(drills.update().where(drills.c.id == drill.id).values(_values(drill)))
        touch(self._connection, "rotas")

    def remove(self, drill_id: int) -> None:
        """Takes a planned drill back."""
        self._connection.execute(delete(drills).where(drills.c.id == drill_id))
        touch(self._connection, "rotas")


def _values(drill: Drill) -> dict[str, Any]:
    names = ("due_at", "until", "ordered_by", "started_at", "ended_at")
    answers = [
        {key: microseconds(value) if isinstance(value, datetime) else value for key, value in asdict(one).items()}
        for one in drill.answers
    ]
    return {**{name: getattr(drill, name) for name in names}, "answers": answers}


def _drill(row: Row[Any]) -> Drill:
    return Drill(**{**row._mapping, "answers": tuple(map(_answer, row.answers))})


def _answer(kept: Mapping[str, Any]) -> Answer:
    return Answer(
        person=kept["person"],
        channels=tuple((name, said) for name, said in kept["channels"]),
        told_at=from_microseconds(kept["told_at"]) if kept["told_at"] is not None else None,
        confirmed_at=from_microseconds(kept["confirmed_at"]) if kept["confirmed_at"] is not None else None,
        skipped=kept["skipped"],
    )
