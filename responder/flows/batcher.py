"""Group commit: every request that waits at this moment goes into one transaction."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import replace

import structlog

from responder.errors import Conflict, IntakeFull, StoreUnavailable
from responder.flows.desk import Desk
from responder.flows.receive import Post, about_quarantine, receive
from responder.metrics import intake_waiting
from responder.worker.handlers import described

log = structlog.get_logger()
_MOST_REPORTS = 2000


class Batcher:
    """Joins waiting requests. Each gets its answer only after the commit that holds its reports."""

    def __init__(self, desk: Desk, most_waiting: int) -> None:
        self._desk = desk
        self._most_waiting = most_waiting
        self._waiting: deque[tuple[Post, asyncio.Future[None]]] = deque()
        self._committing: asyncio.Task[None] | None = None

    async def submit(self, post: Post) -> None:
        """Returns when the post is durable. Raises IntakeFull, or StoreUnavailable."""
        if len(self._waiting) >= self._most_waiting:
            raise IntakeFull(f"{self._most_waiting} requests wait already.")
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((post, answer))
        intake_waiting.set(len(self._waiting))
        if self._committing is None or self._committing.done():
            self._committing = asyncio.create_task(self._commit_all(), name="group commit")
        await answer

    async def _commit_all(self) -> None:
        while self._waiting:
            batch = self._next_batch()
            intake_waiting.set(len(self._waiting))
            await self._commit(batch)

    def _next_batch(self) -> list[tuple[Post, asyncio.Future[None]]]:
        batch: list[tuple[Post, asyncio.Future[None]]] = []
        reports = 0
        while self._waiting and (not batch or reports + len(self._waiting[0][0].reports) <= _MOST_REPORTS):
            batch.append(self._waiting.popleft())
            reports += len(batch[-1][0].reports)
        return batch

    async def _commit(self, batch: list[tuple[Post, asyncio.Future[None]]]) -> None:
        error = await _outcome(self._desk, [post for post, _ in batch])
        if error is None or isinstance(error, StoreUnavailable):
            for _, answer in batch:
                _settle(answer, error)
        elif isinstance(error, Conflict) and len(batch) == 1:
            # Others were first again and again: nothing is wrong with the report, so its sender shall come back.
            _settle(batch[0][1], StoreUnavailable(str(error)))
        elif len(batch) > 1:
            # One of them makes the decision itself fail. Halving finds it; the others go on.
            middle = len(batch) // 2
            await self._commit(batch[:middle])
            await self._commit(batch[middle:])
        else:
            _settle(batch[0][1], await self._set_aside(batch[0][0], error))

    async def _set_aside(self, post: Post, error: BaseException) -> BaseException | None:
        """Files what can be filed of a post that failed as a whole; the rest stays in quarantine."""
        log.error("a report could not be filed", receipt=post.body.id, exc_info=error)
        kept = replace(post.body, quarantined_because=f"filing failed: {_sentence(error)}")
        about = about_quarantine(kept, self._desk.clock.now())
        failed = await _outcome(self._desk, [Post(body=kept, reports=(about,))])
        if failed is not None:
            return failed
        if len(post.reports) > 1:
            for position, report in enumerate(post.reports):
                part = replace(post.body, id=f"{post.body.id}.{position}", body=b"")
                lost = await _outcome(self._desk, [Post(body=part, reports=(report,))])
                if isinstance(lost, StoreUnavailable | Conflict):
                    return StoreUnavailable(str(lost))
        return None


async def _outcome(desk: Desk, posts: list[Post]) -> BaseException | None:
    """What went wrong, as a value: any failure of a decision concerns its own reports alone."""
    receiving = asyncio.ensure_future(receive(desk, posts))
    await asyncio.wait([receiving])
    return receiving.exception()


def _settle(answer: asyncio.Future[None], error: BaseException | None) -> None:
    if answer.done():
        return
    if error is None:
        answer.set_result(None)
    else:
        answer.set_exception(error)


def _sentence(error: BaseException) -> str:
    return described(error) if isinstance(error, Exception) else type(error).__name__
