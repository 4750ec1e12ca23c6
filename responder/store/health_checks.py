"""Health checks: those planned, those at work, and what the others found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, or_, select
from sqlalchemy.engine import Connection, Row

from responder.clock import from_microseconds, microseconds
from responder.domain.health_check import CheckState, Finding, HealthCheck, Look, Seen
from responder.errors import NotFound
from responder.store.changes import touch
from responder.store.tables import health_checks

_COLUMNS = ("id", "name", "started_at", "ended_at")


class HealthCheckStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # --- reading -----------------------------------------------------------------------------------

    def one(self, check_id: int) -> HealthCheck:
        """Raises NotFound."""
        found = self._found(check_id)
        if found is None:
            raise NotFound(f"There is no health check {check_id}; `responder health list` shows what there is.")
        return found

    def locked(self, check_id: int) -> HealthCheck | None:
        """One check, if it is there; until its end no other transaction changes it."""
        return self._found(check_id, locked=True)

    def planned(self) -> dict[str, HealthCheck]:
        """The planned check of each name. Few have not ended, so all these are read."""
        query = select(health_checks).where(health_checks.c.ended_at.is_(None)).order_by(health_checks.c.id)
        checks = map(_check, self._connection.execute(query))
        return {check.name: check for check in checks if check.state is CheckState.PLANNED}

    def latest(self, name: str) -> HealthCheck | None:
        """The last check of this name that has ended."""
        query = (
            select(health_checks)
            .where(health_checks.c.name == name, health_checks.c.ended_at.is_not(None))
            .order_by(health_checks.c.ended_at.desc(), health_checks.c.id.desc())
            .limit(1)
        )
        row = self._connection.execute(query).first()
        return _check(row) if row else None

    def listed(
        self, *, name: str = "", after: tuple[datetime, int] | None = None, limit: int = 20
    ) -> list[HealthCheck]:
        """Checks that have begun or been ordered, the newest first; `after` is start and id of the last one before."""
        started_at, check_id = health_checks.c.started_at, health_checks.c.id
        planned = [check.id for check in self.planned().values()]
        query = select(health_checks).where(check_id.not_in(planned))
        if name:
            query = query.where(health_checks.c.name == name)
        if after is not None:
            query = query.where(or_(started_at < after[0], and_(started_at == after[0], check_id < after[1])))
        query = query.order_by(started_at.desc(), check_id.desc()).limit(limit)
        return [_check(row) for row in self._connection.execute(query)]

    def _found(self, check_id: int, *, locked: bool = False) -> HealthCheck | None:
        query = select(health_checks).where(health_checks.c.id == check_id)
        row = self._connection.execute(query.with_for_update() if locked else query).first()
        return _check(row) if row else None

    # --- writing -----------------------------------------------------------------------------------

    def add(self, check: HealthCheck) -> HealthCheck:
        """Writes a new check; gives it with its number."""
        row = self._connection.execute(
            health_checks.insert().values(_values(check)).returning(health_checks.c.id)
        ).one()
        touch(self._connection, "health")
        return replace(check, id=int(row.id))

    def keep(self, check: HealthCheck) -> None:
        """Writes a check as it is now; the caller holds its row."""
        self._connection.execute(health_checks.update().where(health_checks.c.id == check.id).values(_values(check)))
        touch(self._connection, "health")

    def remove(self, check_id: int) -> None:
        """Takes a planned check back."""
        self._connection.execute(delete(health_checks).where(health_checks.c.id == check_id))
        touch(self._connection, "health")

    def forget(self, name: str, keep: int) -> None:
        """Deletes all checks of this name that have ended but the newest ones."""
        ended = health_checks.c.name == name, health_checks.c.ended_at.is_not(None)
        old = select(health_checks.c.id).where(*ended).order_by(health_checks.c.id.desc()).offset(keep).limit(1000)
        ids = [row.id for row in self._connection.execute(old)]
        if ids:
            self._connection.execute(delete(health_checks).where(health_checks.c.id.in_(ids)))


def _values(check: HealthCheck) -> dict[str, Any]:
    content = {name: value for name, value in asdict(check).items() if name not in _COLUMNS}
    content["due_at"] = microseconds(check.due_at)
    return {"name": check.name, "started_at": check.started_at, "ended_at": check.ended_at, "content": content}


def _check(row: Row[Any]) -> HealthCheck:
    content: Mapping[str, Any] = row.content
    return HealthCheck(
        **{
            **{name: row._mapping[name] for name in _COLUMNS},
            **content,
            "due_at": from_microseconds(content["due_at"]),
            "state": CheckState(content["state"]),
            "targets": tuple(content["targets"]),
            "notes": tuple(content["notes"]),
            "looks": tuple(Look(**{**one, "seen": Seen(one["seen"])}) for one in content["looks"]),
            "findings": tuple(Finding(**one) for one in content["findings"]),
            "new": tuple((target, step) for target, step in content["new"]),
            "gone": tuple(Finding(**one) for one in content["gone"]),
        }
    )
