"""Who listens for changes, and what they have missed: the commits of all replicas, gathered and handed on."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import threading
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from aiohttp import web

from responder.domain.topics import ACCOUNTS, EVERYTHING, collapsed, concerning
from responder.store.changes import Changes

_KEPT = 256
_MOST_WAITING = 32


class Full(Exception):
    """So many listen already."""


class FullForOne(Full):
    """The same one listens so often already."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """The `number`th change since the start of this process."""

    number: int
    topics: frozenset[str]
    at: datetime


class Listener:
    """What waits for one reader, who has seen all before `position`.

    One that does not read learns in the end that everything may have changed.
    """

    def __init__(
        self,
        wanted: Collection[str],
        is_connected: Callable[[], bool],
        drop: Callable[[], None],
        *,
        position: str,
        whose: str = "",
    ) -> None:
        self.position = position
        self.whose = whose
        self._wanted = frozenset(wanted)
        self._waiting: list[Change] = []
        self._something = asyncio.Event()
        self._drop = drop
        self.is_connected = is_connected
        self.is_ended = False
        self.is_doubted = False
        self.is_sending = False

    def offer(self, change: Change) -> None:
        topics = concerning(change.topics, self._wanted)
        if not topics:
            return
        self._waiting.append(replace(change, topics=topics))
        if len(self._waiting) > _MOST_WAITING:
            self._waiting = [replace(change, topics=frozenset({EVERYTHING}))]
        self._something.set()

    def doubt(self) -> None:
        """Lets its credential be looked at again, at once."""
        self.is_doubted = True
        self._something.set()

    def end(self) -> None:
        """Ends the reading at once, also that of somebody who takes nothing."""
        self.is_ended = True
        self._something.set()
        if self.is_sending:
            self._drop()

    async def next(self, patience: float) -> list[Change]:
        """What has come, or comes within so many seconds; nothing when that time is over, or all is."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._something.wait()
        self._something.clear()
        found, self._waiting = self._waiting, []
        return found


class Hub:
    """Hears of commits on any thread, and tells the listeners on the loop's.

    `most` may listen at a time, `most_of_one` of them being the same somebody, where that is known. Every `beat` a
    listener is told that this is still here. The first change after a quiet moment is told at once; between it and the
    next one is this much time `apart`, in which others are gathered.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.most = 200
        self.most_of_one = 10
        self.beat = timedelta(seconds=15)
        self.apart = timedelta(milliseconds=50)
        self._now = now
        self._start = secrets.token_hex(4)
        self._number = 0
        self._kept: deque[Change] = deque(maxlen=_KEPT)
        self._listeners: set[Listener] = set()
        self._lock = threading.Lock()
        self._pending: set[str] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pause: asyncio.TimerHandle | None = None
        self._forget: Callable[[], None] = lambda: None

    def open(self, changes: Changes) -> None:
        self._loop = asyncio.get_running_loop()
        self._forget = changes.follow(self.hear)

    def close(self) -> None:
        """Sends all listeners away."""
        self._forget()
        if self._pause is not None:
            self._pause.cancel()
        for listener in self._listeners:
            listener.end()

    @property
    def listening(self) -> int:
        """How many listen now."""
        return len(self._listeners)

    @property
    def position(self) -> str:
        """Where a reader begins who has seen all that is known now."""
        return self.position_of(self._number)

    def position_of(self, number: int) -> str:
        return f"{self._start}-{number}"

    def hear(self, topics: frozenset[str]) -> None:
        """Something was committed; called on any thread."""
        with self._lock:
            is_first = not self._pending
            self._pending |= topics
        if is_first and self._loop is not None:
            # The loop may have ended, for instance when somebody writes on after the end of the service.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._tell_unless_pausing)

    def listen(
        self,
        wanted: Collection[str],
        after: str,
        *,
        is_connected: Callable[[], bool],
        drop: Callable[[], None],
        whose: str = "",
    ) -> Listener:
        """A listener that has not missed anything after this position; empty for from now on.

        Raises Full, or FullForOne.
        """
        for one in [one for one in self._listeners if not one.is_connected()]:
            self.leave(one)
        if len(self._listeners) >= self.most:
            raise Full
        if whose and sum(one.whose == whose for one in self._listeners) >= self.most_of_one:
            raise FullForOne
        missed = self._missed(after) if after else []
        position = after if missed and self._number_in(after) is not None else self.position
        listener = Listener(wanted, is_connected, drop, position=position, whose=whose)
        for change in missed:
            listener.offer(change)
        self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        self._listeners.discard(listener)
        listener.end()

    def _missed(self, after: str) -> list[Change]:
        seen = self._number_in(after)
        missed = self._number - (-1 if seen is None else seen)
        if missed < 0 or missed > len(self._kept):
            return [Change(number=self._number, topics=frozenset({EVERYTHING}), at=self._now())]
        return list(self._kept)[len(self._kept) - missed :]

    def _number_in(self, position: str) -> int | None:
        """None for a position that we have not told since we began."""
        start, _, text = position.rpartition("-")
        is_ours = start == self._start and text.isascii() and text.isdigit() and len(text) < 18
        return int(text) if is_ours else None

    def _tell_unless_pausing(self) -> None:
        if self._pause is None:
            self._tell()

    def _tell(self) -> None:
        self._pause = None
        with self._lock:
            topics, self._pending = self._pending, set()
        if not topics.isdisjoint((ACCOUNTS, EVERYTHING)):
            for listener in self._listeners:
                listener.doubt()
        topics.discard(ACCOUNTS)
        if not topics:
            return
        self._number += 1
        change = Change(number=self._number, topics=collapsed(topics), at=self._now())
        self._kept.append(change)
        for listener in self._listeners:
            listener.offer(change)
        self._pause = asyncio.get_running_loop().call_later(self.apart.total_seconds(), self._tell)


HUB = web.AppKey("hub", Hub)
