"""The worker on PostgreSQL: procrastinate hands out the jobs to any number of replicas.

Its `lock` serialises jobs per ticket, its heartbeats find workers that died, and LISTEN/NOTIFY wakes at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import procrastinate
import structlog
from procrastinate import JobContext, RetryDecision, jobs

from responder.metrics import jobs_running
from responder.store.database import Database
from responder.store.jobs import Job
from responder.worker.handlers import STOP_PATIENCE, Lane, Work, described, retry_after

log = structlog.get_logger()
_BEAT = 5.0
_STALLED_AFTER = 15.0
_FAREWELL = 3.0
# How late a job may start that was promised for a later time; what is due at once is woken by NOTIFY.
_LATENESS = 1.0


# Only from the hands of the worker that died: another replica may have revived the job already.
_REVIVE = (
    "UPDATE procrastinate_jobs SET status = 'todo', attempts = attempts + 1, scheduled_at = now() "
    "WHERE id = %(id)s AND status = 'doing' AND worker_id IS NOT DISTINCT FROM %(worker)s"
)


class _Backoff(procrastinate.BaseRetryStrategy):
    """Retries by what the error says of itself; no decision means: set aside."""

    def get_retry_decision(self, *, exception: BaseException, job: jobs.Job) -> RetryDecision | None:
        if not isinstance(exception, Exception):
            return RetryDecision(retry_in={"seconds": 1})
        wait = retry_after(exception, _tries(job) + 1)
        if wait is None:
            return None
        # A waiting job blocks every later one with its lock, so a retry waits under a lock of its own.
        return RetryDecision(retry_in={"seconds": max(1, round(wait.total_seconds()))}, lock=f"job:{job.id}")


class ClusterWorker:
    """Takes jobs from PostgreSQL beside the other replicas' workers; one procrastinate worker per lane."""

    def __init__(self, database: Database, work: Work, *, patience: timedelta = STOP_PATIENCE) -> None:
        conninfo = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
        connections = 4 + 2 * len(work.lanes)
        self._app = procrastinate.App(
            connector=procrastinate.PsycopgConnector(conninfo=conninfo, min_size=1, max_size=connections)
        )
        self._work = work
        self._patience = patience
        self._is_stopping = False
        self._tasks: list[asyncio.Task[None]] = []
        self._running = 0
        self._problems: dict[Lane, str] = {}
        for kind in work.handlers:
            self._app.task(name=kind, pass_context=True, retry=_Backoff())(self._do)

    async def start(self) -> None:
        await self._app.open_async()
        self._tasks = [
            *(asyncio.create_task(self._lane(lane), name=f"worker {lane.kinds[0]}") for lane in self._work.lanes),
            asyncio.create_task(self._revive_stalled(), name="stalled jobs"),
        ]

    async def stop(self) -> None:
        """Takes nothing new and lets those at work end; those that take too long are done again by whoever is left."""
        self._is_stopping = True
        for task in self._tasks:
            task.cancel()
        await self._wait_for_tasks(self._patience.total_seconds() + _FAREWELL)
        # With the database away they would wait long for a connection to say goodbye with; now they get none.
        await self._app.close_async()
        await self._wait_for_tasks(_FAREWELL)

    async def _wait_for_tasks(self, seconds: float) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)

    def problem(self) -> str:
        """Why some jobs cannot be taken; empty if all is well."""
        ended = [f"{task.get_name()} has ended." for task in self._tasks if task.done()]
        return next(iter([*ended, *self._problems.values()]), "")

    async def run_until_idle(self) -> None:
        """Does everything that is due, and what that promises; for tests."""
        kinds = [kind for lane in self._work.lanes for kind in lane.kinds]
        due = "SELECT count(*) AS n FROM procrastinate_jobs WHERE status = 'todo' "
        due += "AND (scheduled_at IS NULL OR scheduled_at <= now())"
        async with self._app.open_async():
            while (await self._app.connector.execute_query_one_async(due))["n"]:
                await self._app.run_worker_async(
                    queues=kinds,
                    concurrency=4,
                    wait=False,
                    listen_notify=False,
                    delete_jobs="successful",
                    install_signal_handlers=False,
                )

    async def _lane(self, lane: Lane) -> None:
        # An error in the middle of a stop must not begin the lane anew.
        while not self._is_stopping:
            # A lane that has run for a while without an error is taken to be well again.
            well = asyncio.get_running_loop().call_later(5, self._problems.pop, lane, None)
            try:
                await self._app.run_worker_async(
                    queues=list(lane.kinds),
                    name=f"responder-{lane.kinds[0]}",
                    concurrency=lane.at_once,
                    delete_jobs="successful",
                    install_signal_handlers=False,
                    fetch_job_polling_interval=_LATENESS,
                    update_heartbeat_interval=_BEAT,
                    stalled_worker_timeout=_STALLED_AFTER,
                    shutdown_graceful_timeout=self._patience.total_seconds(),
                )
            except procrastinate.exceptions.ConnectorException as error:
                self._problems[lane] = f"The worker for {', '.join(lane.kinds)} cannot take jobs: {_cause(error)}"
                log.error("a lane cannot take jobs", lane=lane.kinds, error=_cause(error))
                well.cancel()
                await asyncio.sleep(1)

    async def _do(self, context: JobContext, args: Mapping[str, Any]) -> None:
        job = _ours(context.job, args)
        # A task of its own, so that its failure can be looked at here and still reach procrastinate.
        doing = asyncio.ensure_future(self._work.handlers[job.kind](job))
        self._count(1)
        try:
            await asyncio.wait([doing])
        finally:
            self._count(-1)
            doing.cancel()
        error = doing.exception()
        if error is None:
            return
        if isinstance(error, Exception) and retry_after(error, job.attempts + 1) is None:
            await self._work.set_aside(job, described(error))
        raise error

    def _count(self, change: int) -> None:
        self._running += change
        jobs_running.set(self._running)

    async def _revive_stalled(self) -> None:
        while True:
            try:
                for job in await self._app.job_manager.get_stalled_jobs(seconds_since_heartbeat=_STALLED_AFTER):
                    log.warning("taking over a job whose worker died", job=job.id, kind=job.task_name)
                    await self._app.connector.execute_query_async(_REVIVE, id=job.id, worker=job.worker_id)
            except procrastinate.exceptions.ConnectorException as error:
                log.warning("cannot look for stalled jobs", error=_cause(error))
            await asyncio.sleep(_BEAT)


def _cause(error: BaseException) -> str:
    """procrastinate's own text says only that it was the database."""
    return " ".join(str(error.__cause__ or error).split())


def _tries(job: jobs.Job) -> int:
    """How often it was tried, also under the job that it follows."""
    args = job.task_kwargs.get("args")
    tried = args.get("tried", 0) if isinstance(args, dict) else 0
    return job.attempts + (tried if isinstance(tried, int) else 0)


def _ours(job: jobs.Job, args: Mapping[str, Any]) -> Job:
    return Job(
        id=job.id or 0,
        kind=job.task_name,
        args=args,
        due_at=job.scheduled_at or datetime.now(UTC),
        lock=job.lock or "",
        attempts=_tries(job),
    )
