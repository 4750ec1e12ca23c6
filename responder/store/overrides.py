"""Overrides of rotas, kept for ever with who made and ended them, and what was last seen of each rota."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import Connection

from responder.domain.rota import Override
from responder.errors import NotFound
from responder.store.changes import touch
from responder.store.tables import overrides, rota_watches


@dataclass(frozen=True, kw_only=True, slots=True)
class RotaWatch:
    """Since when nobody of a rota can be reached, and the next gap that was told of."""

    rota: str
    empty_since: datetime | None = None
    gap_at: datetime | None = None


class OverrideStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def page(self, at: datetime, rota: str, *, after: int, limit: int) -> list[Override]:
        """As `since`, so many behind the one of this id."""
        wanted = overrides.c.until > at, overrides.c.rota.in_(["", rota]), overrides.c.id > after
        found = self._connection.execute(select(overrides).where(*wanted).order_by(overrides.c.id).limit(limit))
        return [Override(**row._mapping) for row in found]

    def since(self, at: datetime, rota: str | None = None) -> list[Override]:
        """All that end after this instant, of one rota and those of all rotas, or every one; in the order of making."""
        query = select(overrides).where(overrides.c.until > at).order_by(overrides.c.id)
        if rota is not None:
            query = query.where(overrides.c.rota.in_(["", rota]))
        return [Override(**row._mapping) for row in self._connection.execute(query)]

    def one(self, override_id: int) -> Override:
        """Raises NotFound."""
        found = self.find(override_id)
        if found is None:
            raise NotFound(f"There is no override {override_id}.")
        return found

    def find(self, override_id: int) -> Override | None:
        row = self._connection.execute(select(overrides).where(overrides.c.id == override_id)).first()
        return None if row is None else Override(**row._mapping)

    def of_act(self, act: str) -> list[Override]:
        """What was made in one go."""
        query = select(overrides).where(overrides.c.act == act).order_by(overrides.c.id)
        return [Override(**row._mapping) for row in self._connection.execute(query)]

    def of_source(self, source: str) -> list[Override]:
        """What came from one file and has not been ended."""
        query = select(overrides).where(overrides.c.source == source, overrides.c.ended_at.is_(None))
        return [Override(**row._mapping) for row in self._connection.execute(query.order_by(overrides.c.id))]

    def add(self, override: Override) -> int:
        values = _values(override)
        del values["id"]
        found = self._connection.execute(insert(overrides).values(values).returning(overrides.c.id)).scalar_one()
        touch(self._connection, "rotas")
        return int(found)

    def end(self, override_id: int, at: datetime, actor: str) -> None:
        here = overrides.c.id == override_id
        self._connection.execute(update(overrides).where(here).values(ended_at=at, ended_by=actor))
        touch(self._connection, "rotas")

    # --- what was seen -------------------------------------------------------------------------------

    def watches(self) -> dict[str, RotaWatch]:
        return {row.rota: RotaWatch(**row._mapping) for row in self._connection.execute(select(rota_watches))}

    def keep_watch(self, watch: RotaWatch) -> None:
        """Writes what was seen in place of what was there."""
        self._connection.execute(delete(rota_watches).where(rota_watches.c.rota == watch.rota))
        values = {name: getattr(watch, name) for name in ("rota", "empty_since", "gap_at")}
        self._connection.execute(insert(rota_watches).values(values))
        touch(self._connection, "rotas")


def _values(override: Override) -> dict[str, Any]:
    return {name: getattr(override, name) for name in overrides.c.keys()}  # noqa: SIM118 columns are no mapping
