"""Where passwords are checked: few at once, for each takes 64 MiB, and not more waiting than can be served soon."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from responder.errors import TooManyTries

_AT_ONCE, _MOST_WAITING = 2, 10
_LATER = timedelta(seconds=10)


@dataclass(kw_only=True)
class PasswordDoor:
    """Through it one at a time goes on to be checked; `waiting` stand before it."""

    free: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))
    waiting: int = 0

    @asynccontextmanager
    async def through(self) -> AsyncIterator[None]:
        """Raises TooManyTries where too many wait: a flood of wrong passwords must not take all memory and time."""
        if self.waiting >= _MOST_WAITING:
            raise TooManyTries("Many people sign in just now; try again in 10s.", after=_LATER)
        self.waiting += 1
        try:
            await self.free.acquire()
        finally:
            self.waiting -= 1
        try:
            yield
        finally:
            self.free.release()
