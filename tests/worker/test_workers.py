"""Both workers: woken at once, one at a time per lock, retried by what the error says, never silent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from responder.app import LANES
from responder.clock import SystemClock
from responder.errors import Refused, ResponderError
from responder.store import schema
from responder.store.database import Database
from responder.store.jobs import Job
from responder.worker.cluster import ClusterWorker
from responder.worker.handlers import STOP_PATIENCE, Handler, Work, Worker, retry_after
from responder.worker.local import LocalWorker
from tests.servers.postgres import Postgres

CLOCK = SystemClock()
KINDS = [kind for lane in LANES for kind in lane.kinds]


class Desk:
    """Handlers that note what they did, and do what a test wants."""

    def __init__(self, then: Handler | None = None) -> None:
        self.done: list[Job] = []
        self.aside: list[tuple[str, str]] = []
        self._then = then

    async def handle(self, job: Job) -> None:
        if self._then is not None:
            await self._then(job)
        self.done.append(job)

    async def set_aside(self, job: Job, why: str) -> None:
        self.aside.append((job.kind, why))

    @property
    def work(self) -> Work:
        return Work(handlers=dict.fromkeys(KINDS, self.handle), lanes=LANES, set_aside=self.set_aside)


def a_worker(database: Database, work: Work, patience: timedelta = STOP_PATIENCE) -> Worker:
    if database.is_cluster:
        return ClusterWorker(database, work, patience=patience)
    return LocalWorker(database, work, CLOCK, patience=patience)


@asynccontextmanager
async def at_work(database: Database, desk: Desk, patience: timedelta = STOP_PATIENCE) -> AsyncIterator[Worker]:
    worker = a_worker(database, desk.work, patience)
    await worker.start()
    yield worker
    await worker.stop()


async def promise(database: Database, *jobs: Job) -> None:
    await database.write(lambda tx: tx.promise(jobs))


def a_job(kind: str, *, lock: str = "", later: timedelta | None = None, **args: object) -> Job:
    return Job(kind=kind, args=args, due_at=CLOCK.now() + (later or timedelta()), lock=lock, at_once=later is None)


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.005)


async def test_every_kind_of_job_is_done_whether_it_was_there_before_or_comes_later(database: Database) -> None:
    desk = Desk()
    await promise(database, *(a_job(kind) for kind in KINDS))
    async with at_work(database, desk) as worker:
        await until(lambda: len(desk.done) == len(KINDS))
        await promise(database, *(a_job(kind) for kind in KINDS))
        await until(lambda: len(desk.done) == 2 * len(KINDS))
        assert worker.problem() == ""
    assert sorted(job.kind for job in desk.done) == sorted(KINDS * 2)
    assert await database.read(lambda tx: tx.jobs.waiting(CLOCK.now())) == []


async def test_a_job_for_later_is_done_then(database: Database) -> None:
    desk = Desk()
    async with at_work(database, desk):
        await promise(database, a_job("run", later=timedelta(milliseconds=300)), a_job("close"))
        await until(lambda: len(desk.done) == 2)
    assert [job.kind for job in desk.done] == ["close", "run"]


async def test_jobs_with_one_lock_run_one_after_another_and_others_beside_them(database: Database) -> None:
    running: set[object] = set()
    together: list[int] = []
    gate = asyncio.Event()

    async def slow(job: Job) -> None:
        if job.lock:
            assert not running
            running.add(job.id)
            together.append(len(running))
            await gate.wait()
            running.discard(job.id)

    desk = Desk(slow)
    async with at_work(database, desk):
        await promise(database, a_job("first_aid", lock="ticket:1"), a_job("hand_over", lock="ticket:1"))
        await promise(database, a_job("deliver"))
        await until(lambda: [job.kind for job in desk.done] == ["deliver"] and running)
        gate.set()
        await until(lambda: len(desk.done) == 3)
    assert together == [1, 1]


async def test_jobs_that_wait_for_one_lock_do_not_hold_up_the_others_of_their_lane(database: Database) -> None:
    gate = asyncio.Event()

    async def slow(job: Job) -> None:
        if job.lock == "ticket:1":
            await gate.wait()

    desk = Desk(slow)
    async with at_work(database, desk):
        await promise(database, *(a_job("hand_over", lock="ticket:1") for _ in range(12)))
        await promise(database, a_job("hand_over", lock="ticket:2"))
        await until(lambda: [job.lock for job in desk.done] == ["ticket:2"])
        gate.set()
        await until(lambda: len(desk.done) == 13)


async def test_a_failure_that_may_pass_is_tried_again(database: Database) -> None:
    tries: list[int] = []

    async def fails_once(job: Job) -> None:
        tries.append(job.attempts)
        if len(tries) == 1:
            raise ResponderError("not now")

    desk = Desk(fails_once)
    async with at_work(database, desk):
        await promise(database, a_job("deliver"))
        await until(lambda: desk.done)
    assert tries == [0, 1]
    assert desk.aside == []


@pytest.mark.parametrize("error", [Refused("This can never be.")])
async def test_a_failure_that_cannot_pass_is_set_aside_with_its_reason(database: Database, error: Exception) -> None:
    async def fails(job: Job) -> None:
        raise error

    desk = Desk(fails)
    async with at_work(database, desk):
        await promise(database, a_job("deliver"))
        await until(lambda: desk.aside)
    assert desk.aside == [("deliver", "This can never be.")]
    assert desk.done == []


def test_a_mistake_of_ours_is_tried_eight_times_and_then_set_aside() -> None:
    waits = [retry_after(ZeroDivisionError("x"), attempt) for attempt in range(1, 9)]
    assert waits[-1] is None
    assert waits[:3] == [timedelta(seconds=2), timedelta(seconds=4), timedelta(seconds=8)]


async def test_a_stopped_worker_leaves_its_jobs_to_the_next_one(database: Database) -> None:
    started = asyncio.Event()

    async def never_ends(job: Job) -> None:
        started.set()
        await asyncio.Event().wait()

    first, second = Desk(never_ends), Desk()
    async with at_work(database, first, timedelta(milliseconds=100)):
        await promise(database, a_job("first_aid"))
        await started.wait()
    async with at_work(database, second):
        await until(lambda: second.done)
    assert first.done == []


async def test_an_orderly_stop_lets_what_is_at_work_end_and_takes_nothing_new(database: Database) -> None:
    started, gate = asyncio.Event(), asyncio.Event()

    async def slow(job: Job) -> None:
        started.set()
        await gate.wait()

    first, second = Desk(slow), Desk()
    worker = a_worker(database, first.work)
    await worker.start()
    await promise(database, a_job("deliver", number=1))
    await started.wait()
    stopping = asyncio.create_task(worker.stop())
    assert not (await asyncio.wait([stopping], timeout=1.5))[0]
    await promise(database, a_job("deliver", number=2))
    gate.set()
    await stopping
    assert [job.args["number"] for job in first.done] == [1]
    async with at_work(database, second):
        await until(lambda: second.done)
    assert [job.args["number"] for job in second.done] == [2]


@pytest.mark.needs("postgresql")
async def test_a_stop_ends_though_the_database_is_away() -> None:
    with Postgres() as server:
        database = Database(server.url(server.create()))
        schema.upgrade(database)
        desk = Desk()
        worker = a_worker(database, desk.work, timedelta(milliseconds=100))
        await worker.start()
        await promise(database, a_job("deliver"))
        await until(lambda: desk.done)
        server.stop()
        async with asyncio.timeout(20):
            await worker.stop()
        database.close()
        server.start()


async def test_what_has_priority_goes_before_all_that_waits_longer(database: Database) -> None:
    gate = asyncio.Event()
    begun: list[object] = []

    async def slow(job: Job) -> None:
        begun.append(job.args["number"])
        await gate.wait()

    desk = Desk(slow)
    await promise(database, *(a_job("hand_over", number=number) for number in range(40)))
    async with at_work(database, desk):
        await until(lambda: len(begun) == 8)
        await promise(database, replace(a_job("hand_over", number=99), priority=1))
        gate.set()
        await until(lambda: len(desk.done) == 41)
    # Some had begun, and as many may have been taken when it came.
    assert 99 in begun[:24]
