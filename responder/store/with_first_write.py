"""What a request wants written with the first thing that it changes: its entry in the audit log, its key.

So each of these is there exactly if something was changed, and once, however many transactions a request needs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from responder.store.transaction import Transaction

T = TypeVar("T")
C = TypeVar("C", bound="Companion")


class Companion(Protocol):
    """One thing to be written. `before` and `after` may be called again and again: only what is committed counts."""

    is_written: bool

    def before(self, tx: Transaction) -> None:
        """Raises what forbids the change."""

    def after(self, tx: Transaction) -> None:
        """Writes it beside the change; `tx.refusal` says that a rule has refused what was wanted."""

    def committed(self, refusal: str) -> None:
        """The transaction is durable."""


@dataclass(frozen=True, slots=True)
class _Request:
    companions: tuple[Companion, ...] = ()
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


_NOW: ContextVar[_Request | None] = ContextVar("request", default=None)


@contextmanager
def with_first_write(companion: C) -> Iterator[C]:
    """The first thing that is changed inside is written with this."""
    outer = _NOW.get() or _Request()
    before = _NOW.set(_Request((*outer.companions, companion), outer.turn))
    try:
        yield companion
    finally:
        _NOW.reset(before)


def present(kind: type[C]) -> C | None:
    """What of this kind still waits for the first change; None if there is nothing."""
    request = _NOW.get()
    found = [one for one in request.companions if isinstance(one, kind)] if request else []
    return found[-1] if found and not found[-1].is_written else None


async def written(body: Callable[[Transaction], T], write: Callable[[Callable[[Transaction], T]], Awaitable[T]]) -> T:
    """Writes a body, and with it what waits for that. Of two that write at one time, the second waits for the first."""
    request = _NOW.get()
    if request is None or all(one.is_written for one in request.companions):
        return await write(body)
    async with request.turn:
        waiting, refusal = [one for one in request.companions if not one.is_written], ""

        def joined(tx: Transaction) -> T:
            nonlocal refusal
            for one in waiting:
                one.before(tx)
            result = body(tx)
            for one in waiting:
                one.after(tx)
            refusal = tx.refusal
            return result

        result = await write(joined)
        for one in waiting:
            one.committed(refusal)
        return result
