"""The worker on SQLite: jobs are rows, woken by the commit that promised them, never by polling.

One process serves one file (`Database.lock_file`), so what is at work is known in memory and needs no mark in the
database; after a crash every job that was not finished is simply done again.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime, timedelta

import structlog

from responder.clock import Clock
from responder.errors import StoreUnavailable
from responder.metrics import jobs_running
from responder.store.database import Database
from responder.store.jobs import Job
from responder.store.transaction import Transaction
from responder.worker.handlers import STOP_PATIENCE, Lane, Work, described, retry_after

log = structlog.get_logger()
_LONGEST_NAP = timedelta(seconds=30)


class LocalWorker:
    """Runs due jobs, each lane up to its limit, and jobs with the same lock one after another."""

    def __init__(self, database: Database, work: Work, clock: Clock, *, patience: timedelta = STOP_PATIENCE) -> None:
        self._database = database
        self._patience = patience
        self._work = work
        self._clock = clock
        self._awake = asyncio.Event()
        self._at_work: dict[int, Job] = {}
        self._finished: set[int] = set()
        self._locks: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.Task[None] | None = None
        self._problem = ""

    async def start(self) -> None:
        running = asyncio.get_running_loop()
        self._database.on_promise = lambda: _wake(running, self._awake)
        self._loop = asyncio.create_task(self._forever(), name="local worker")

    async def stop(self) -> None:
        """Takes nothing new and lets those at work end; those that take too long are done again at the next start."""
        self._database.on_promise = lambda: None
        if self._loop is not None:
            self._loop.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._loop
        at_work = list(self._tasks)
        if at_work:
            await asyncio.wait(at_work, timeout=self._patience.total_seconds())
        for task in at_work:
            task.cancel()
        await asyncio.gather(*at_work, return_exceptions=True)
        with contextlib.suppress(StoreUnavailable):
            await self._forget_finished()

    def problem(self) -> str:
        """Why no jobs can be taken; empty if all is well."""
        return self._problem if self._loop is None or not self._loop.done() else "The worker has ended."

    async def run_until_idle(self) -> None:
        """Does everything that is due, and what that promises; for tests and the demo."""
        was_busy = True
        # What was at work while the rows were read may have held the lock of one that is due.
        while await self._take(self._clock.now()) or self._tasks or was_busy:
            was_busy = bool(self._tasks)
            if self._tasks:
                await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)

    async def _forever(self) -> None:
        while True:
            self._awake.clear()
            # One instant for both questions: what becomes due between them would be in neither answer.
            now = self._clock.now()
            try:
                started = await self._take(now)
                nap = timedelta() if started else await self._nap(now)
                self._problem = ""
            except StoreUnavailable as error:
                self._problem = f"The worker cannot reach the database: {error}"
                log.warning("worker cannot reach the database", error=str(error))
                nap = timedelta(seconds=1)
            # Not wait_for: before Python 3.12 it can swallow a cancellation that comes with the wake-up.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(nap.total_seconds()):
                    await self._awake.wait()

    async def _take(self, now: datetime) -> int:
        """Starts what is due and fits; how many that was."""
        await self._forget_finished()
        free = {lane: self._free(lane) for lane in self._work.lanes}
        # A job behind a held lock must take no place: it would hold up those behind it.
        busy, locked = set(self._at_work) | self._finished, set(self._locks)

        wanted = [(lane.kinds, places) for lane, places in free.items() if places > 0]
        found = await self._database.read(lambda tx: tx.local_jobs.due(wanted, now, without=busy, locked=locked))
        return sum(self._begin(job) for jobs in found for job in jobs)

    def _free(self, lane: Lane) -> int:
        return lane.at_once - sum(job.kind in lane.kinds for job in self._at_work.values())

    def _begin(self, job: Job) -> bool:
        # It may have been finished, or its lock taken, since the rows were read.
        if job.lock in self._locks or job.id in self._finished or job.id in self._at_work:
            return False
        if job.lock:
            self._locks.add(job.lock)
        self._at_work[job.id] = job
        task = asyncio.create_task(self._do(job), name=f"{job.kind} {job.id}")
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._end(done, job))
        jobs_running.set(len(self._at_work))
        return True

    def _end(self, task: asyncio.Task[None], job: Job) -> None:
        self._tasks.discard(task)
        del self._at_work[job.id]
        self._locks.discard(job.lock)
        jobs_running.set(len(self._at_work))
        self._awake.set()

    async def _do(self, job: Job) -> None:
        with structlog.contextvars.bound_contextvars(job=job.id, kind=job.kind, **_ticket_of(job)):
            try:
                await self._work.handlers[job.kind](job)
            except Exception as error:  # noqa: BLE001 the one place where any failure of a job is dealt with
                await self._failed(job, error)
            else:
                self._finished.add(job.id)

    async def _failed(self, job: Job, error: Exception) -> None:
        attempts, sentence = job.attempts + 1, described(error)
        wait = retry_after(error, attempts)
        log.warning("job failed", error=sentence, attempts=attempts, again=wait is not None, exc_info=error)
        now = self._clock.now()

        def write_down(tx: Transaction) -> None:
            if wait is not None:
                tx.local_jobs.retry(job.id, now + wait, sentence)
            else:
                tx.local_jobs.set_aside(job.id, sentence, now)

        try:
            # First for the ticket, which is safe to repeat; then for the row, which ends the repeating.
            if wait is None:
                await self._work.set_aside(job, sentence)
            await self._database.write(write_down)
        except StoreUnavailable:
            # The row still says that the job is due: it is taken again when the database is back.
            await asyncio.sleep(1)

    async def _forget_finished(self) -> None:
        done = list(self._finished)
        if done:
            await self._database.write(lambda tx: tx.local_jobs.done(done))
            self._finished.difference_update(done)

    async def _nap(self, now: datetime) -> timedelta:
        if self._finished:
            return timedelta()
        due_at = await self._database.read(lambda tx: tx.local_jobs.next_due_at(now))
        return _LONGEST_NAP if due_at is None else min(max(due_at - self._clock.now(), timedelta()), _LONGEST_NAP)


def _wake(loop: asyncio.AbstractEventLoop, awake: asyncio.Event) -> None:
    loop.call_soon_threadsafe(awake.set)


def _ticket_of(job: Job) -> dict[str, object]:
    return {"ticket": job.args["ticket"]} if "ticket" in job.args else {}
