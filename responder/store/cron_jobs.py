"""What cron jobs have said."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, text, update
from sqlalchemy.engine import Connection, Row

from responder.clock import MICROSECOND, from_microseconds, microseconds
from responder.domain.cron_job import CronJob
from responder.store.changes import touch
from responder.store.tables import cron_jobs

# Two replicas may begin to watch a job at the same moment.
_WATCH = text(
    "INSERT INTO cron_jobs (name, since, started, words, told) VALUES (:name, :since, '{}', '', '{}') "
    "ON CONFLICT DO NOTHING"
)


class CronJobStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def watch(self, names: Iterable[str], since: datetime) -> None:
        """Begins to watch jobs; one that is watched already stays as it is."""
        for name in sorted(names):
            self._connection.execute(_WATCH, {"name": name, "since": microseconds(since)})

    def all(self, *, locked: bool = False) -> list[CronJob]:
        query = select(cron_jobs).order_by(cron_jobs.c.name)
        return [_job(row) for row in self._connection.execute(query.with_for_update() if locked else query)]

    def one(self, name: str) -> CronJob | None:
        """A job, locked against other pings; None if it is not watched yet."""
        query = select(cron_jobs).where(cron_jobs.c.name == name).with_for_update()
        row = self._connection.execute(query).first()
        return _job(row) if row else None

    def keep(self, job: CronJob) -> None:
        values = {
            "since": job.since,
            "last_at": job.last_at,
            "heard_at": job.heard_at,
            "started": {run: microseconds(at) for run, at in job.started.items()},
            "failed_at": job.failed_at,
            "exit_code": job.exit_code,
            "took": None if job.took is None else job.took // MICROSECOND,
            "words": job.words,
            "told": job.told,
        }
        self._connection.execute(update(cron_jobs).where(cron_jobs.c.name == job.name).values(values))
        touch(self._connection, "health")

    def forget(self, name: str) -> None:
        self._connection.execute(delete(cron_jobs).where(cron_jobs.c.name == name))
        touch(self._connection, "health")


def _job(row: Row[Any]) -> CronJob:
    values = dict(row._mapping)
    values["started"] = {run: from_microseconds(at) for run, at in values["started"].items()}
    values["took"] = None if values["took"] is None else timedelta(microseconds=values["took"])
    return CronJob(**values)
