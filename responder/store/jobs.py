"""Promised work. On SQLite it is a table of ours; on PostgreSQL see `cluster_jobs`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import Any, Protocol

import orjson
from sqlalchemy import delete, func, select, update
from sqlalchemy.engine import Connection, Row

from responder.clock import from_microseconds, microseconds
from responder.store.bulk import Bulk
from responder.store.changes import touch
from responder.store.tables import jobs

LaneOfJobs = tuple[Collection[str], int]
"""The kinds of jobs of a lane, and how many of them are wanted."""

_DUE = (
    "SELECT * FROM (SELECT {lane} AS lane, id, kind, args, lock, due_at, attempts FROM jobs WHERE set_aside_at IS NULL "
    "AND kind IN ({kinds}) AND priority = {priority} AND due_at <= ? AND lock NOT IN ({locked}) "
    "ORDER BY due_at, id LIMIT ?)"
)
_PRIORITIES = (1, 0)
"""One part each, so that the index gives the order: to sort all that wait would take longer than to do one of them."""
_INSERT = Bulk(jobs, "kind", "args", "lock", "due_at", "attempts", "error", "priority")


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One piece of promised work. Jobs with the same lock never run at the same time.

    `at_once` asks for no particular time: then the database's clock need not agree with this machine's.
    Of those that are due, the greater `priority` is first; it is 1 or 0.
    """

    kind: str
    args: Mapping[str, Any]
    due_at: datetime
    at_once: bool = False
    lock: str = ""
    id: int = 0
    attempts: int = 0
    priority: int = 0


class Jobs(Protocol):
    """What both kinds of storage can do inside a transaction."""

    def promise(self, promised: Sequence[Job]) -> None: ...

    def waiting(self, now: datetime) -> list[tuple[str, int]]: ...


class LocalJobs:
    """Jobs in our own table: one process, so what is at work needs no mark in the database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def promise(self, promised: Sequence[Job]) -> None:
        rows = ((job.kind, job.args, job.lock, job.due_at, 0, "", job.priority) for job in promised)
        _INSERT.insert(self._connection, rows)

    def waiting(self, now: datetime) -> list[tuple[str, int]]:
        """Jobs that are due and not done, by kind."""
        query = (
            select(jobs.c.kind, func.count())
            .where(jobs.c.set_aside_at.is_(None), jobs.c.due_at <= now)
            .group_by(jobs.c.kind)
        )
        return [tuple(row) for row in self._connection.execute(query)]

    def due(
        self, lanes: Sequence[LaneOfJobs], now: datetime, *, without: Collection[int], locked: Collection[str]
    ) -> list[list[Job]]:
        """For each lane its due jobs, by priority and time, except those at work and those behind a held lock.

        One statement for all lanes: a look that finds nothing is the most frequent of all.
        """
        parts, values = [], []
        for (number, (kinds, limit)), priority in product(enumerate(lanes), _PRIORITIES):
            marks = {"kinds": _marks(kinds), "locked": _marks(locked)}
            parts.append(_DUE.format(lane=number, priority=priority, **marks))
            values += [*kinds, microseconds(now), *locked, limit + len(without)]
        found: list[list[Job]] = [[] for _ in lanes]
        for row in self._connection.exec_driver_sql(" UNION ALL ".join(parts), tuple(values)) if parts else ():
            if row.id not in without and len(found[row.lane]) < lanes[row.lane][1]:
                found[row.lane].append(_raw_job(row))
        return found

    def next_due_at(self, now: datetime) -> datetime | None:
        """When the next job after `now` is due."""
        query = select(func.min(jobs.c.due_at)).where(jobs.c.set_aside_at.is_(None), jobs.c.due_at > now)
        return self._connection.execute(query).scalar()

    def done(self, job_ids: Sequence[int]) -> None:
        self._connection.execute(delete(jobs).where(jobs.c.id.in_(job_ids)))

    def retry(self, job_id: int, due_at: datetime, error: str) -> None:
        values = {"due_at": due_at, "attempts": jobs.c.attempts + 1, "error": error}
        self._connection.execute(update(jobs).where(jobs.c.id == job_id).values(values))

    def set_aside(self, job_id: int, error: str, at: datetime) -> None:
        values = {"set_aside_at": at, "attempts": jobs.c.attempts + 1, "error": error}
        self._connection.execute(update(jobs).where(jobs.c.id == job_id).values(values))
        touch(self._connection, "health")

    def all_set_aside(self) -> list[tuple[Job, str]]:
        query = select(jobs).where(jobs.c.set_aside_at.is_not(None)).order_by(jobs.c.id)
        return [(_job(row), row.error) for row in self._connection.execute(query)]


def _marks(values: Collection[object]) -> str:
    return ",".join("?" * len(values))


def _raw_job(row: Row[Any]) -> Job:
    due_at, args = from_microseconds(row.due_at), orjson.loads(row.args)
    return Job(id=row.id, kind=row.kind, args=args, lock=row.lock, due_at=due_at, attempts=row.attempts)


def _job(row: Row[Any]) -> Job:
    return Job(id=row.id, kind=row.kind, args=row.args, lock=row.lock, due_at=row.due_at, attempts=row.attempts)
