"""Promised work on PostgreSQL: procrastinate keeps and hands out the jobs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache

import procrastinate
from procrastinate.jobs import Job as ProcrastinateJob
from procrastinate.manager import JobManager
from sqlalchemy import text
from sqlalchemy.engine import Connection

from responder.store.jobs import Job


class ClusterJobs:
    """Jobs deferred through procrastinate, on our connection and so inside our transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def promise(self, promised: Sequence[Job]) -> None:
        if promised:
            deferred = [_deferred(job) for job in promised]
            raw = self._connection.connection.driver_connection
            _manager().batch_defer_jobs(jobs=deferred, connection=raw)

    def waiting(self, now: datetime) -> list[tuple[str, int]]:
        query = text(
            "SELECT task_name, count(*) FROM procrastinate_jobs "
            "WHERE status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= :now) GROUP BY task_name"
        )
        return [tuple(row) for row in self._connection.execute(query, {"now": now})]


@cache
def _manager() -> JobManager:
    return procrastinate.App(connector=procrastinate.SyncPsycopgConnector()).job_manager


def _deferred(job: Job) -> ProcrastinateJob:
    return ProcrastinateJob(
        id=None,
        lock=job.lock or None,
        queueing_lock=None,
        task_name=job.kind,
        queue=job.kind,
        task_kwargs={"args": dict(job.args)},
        scheduled_at=None if job.at_once else job.due_at,
        priority=job.priority,
    )
