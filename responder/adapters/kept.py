"""An answer from outside that is kept for a while, and asked for once, however many wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """What `ask` gives. An error is given to all who wait, and is not kept."""

    def __init__(self, ask: Callable[[datetime], Awaitable[T]], *, longest: timedelta) -> None:
        self._ask = ask
        self._longest = longest
        self._answer: tuple[T, datetime] | None = None
        self._asking: asyncio.Task[T] | None = None

    async def value(self, now: datetime, *, at_most_old: timedelta | None = None) -> T:
        """The answer, which is at most so old. Raises what `ask` raises."""
        longest = self._longest if at_most_old is None else at_most_old
        if self._answer is not None and now - self._answer[1] < longest:
            return self._answer[0]
        if self._asking is None:
            self._asking = asyncio.ensure_future(self._asked(now))
            self._asking.add_done_callback(self._is_over)
        # Shielded: who goes away must not take the answer from the others.
        return await asyncio.shield(self._asking)

    async def _asked(self, now: datetime) -> T:
        answer = await self._ask(now)
        self._answer = (answer, now)
        return answer

    def _is_over(self, asking: asyncio.Task[T]) -> None:
        self._asking = None
        if not asking.cancelled():
            # Looked at, even if everybody who waited has gone.
            asking.exception()
