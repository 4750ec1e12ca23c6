"""What both workers share: which handler does a job, how many at once, and what becomes of a failure."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from responder.errors import ResponderError, StoreUnavailable
from responder.store.jobs import Job

Handler = Callable[[Job], Awaitable[None]]
SetAside = Callable[[Job, str], Awaitable[None]]

MOST_TRIES = 8
STOP_PATIENCE = timedelta(seconds=8)
"""So long a stop waits for the jobs at work. A page that is on its way is sent twice if its job is cut off; and other
replicas take a worker for dead that has not been heard of for longer than this and a beat."""


class Worker(Protocol):
    """What both workers can do."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def problem(self) -> str: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Lane:
    """Kinds of jobs that share a limit, so that slow ones cannot hold up the others."""

    kinds: tuple[str, ...]
    at_once: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """All that a worker needs to know about jobs."""

    handlers: Mapping[str, Handler]
    lanes: tuple[Lane, ...]
    set_aside: SetAside


def retry_after(error: Exception, attempts: int) -> timedelta | None:
    """When to try again after the `attempts`-th failure; None if trying again cannot help."""
    if isinstance(error, StoreUnavailable):
        return timedelta(seconds=min(2**attempts, 15))
    if isinstance(error, ResponderError) and error.permanent:
        return None
    if attempts >= MOST_TRIES:
        return None
    return timedelta(seconds=min(2**attempts, 300))


def described(error: Exception) -> str:
    """The error as a sentence for the ticket."""
    return str(error) if isinstance(error, ResponderError) else f"{type(error).__name__}: {error}"
