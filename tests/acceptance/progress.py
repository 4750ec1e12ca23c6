"""Telling how far it is, and waiting for real servers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_BEGAN = time.monotonic()


class Failed(Exception):
    """Something that had to hold does not; the text says what."""


def say(text: str) -> None:
    """One line of the log, with the seconds since the beginning."""
    for line in text.splitlines():
        print(f"[{elapsed():6.1f} s] {line}", flush=True)


def elapsed() -> float:
    return time.monotonic() - _BEGAN


def until(what: str, look: Callable[[], T | None], *, within: float = 40.0) -> T:
    """The first answer of `look` that says something. Raises Failed when there is none in time."""
    deadline = time.monotonic() + within
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise Failed(f"not within {within:g} s: {what}")
        time.sleep(0.05)


def require(holds: object, what: str) -> None:
    """Raises Failed with `what` unless it holds."""
    if not holds:
        raise Failed(f"this does not hold: {what}")
