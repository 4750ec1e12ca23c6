"""How marks of clocks are written: short, since every new alert writes some."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import time, timedelta
from typing import Any

from responder.clock import from_microseconds, microseconds
from responder.domain.sla import Daily, Mark, MarkKind, Target

_MICROSECOND = timedelta(microseconds=1)


def written(marks: Iterable[Mark]) -> list[list[Any]]:
    """Marks as plain lists: instant, kind, why, target, time kept."""
    return [
        [microseconds(mark.at), mark.kind.value, mark.why, written_target(mark.target), mark.kept // _MICROSECOND]
        for mark in marks
    ]


def read(rows: Sequence[Sequence[Any]]) -> tuple[Mark, ...]:
    """What `written` gave."""
    return tuple(
        Mark(
            at=from_microseconds(at),
            kind=MarkKind(kind),
            why=why,
            target=read_target(target),
            kept=timedelta(microseconds=kept),
        )
        for at, kind, why, target, kept in rows
    )


def written_target(target: Target | None) -> int | str | None:
    """A target as microseconds, or as a time of day."""
    if isinstance(target, Daily):
        return target.at.isoformat("minutes")
    return None if target is None else target // _MICROSECOND


def read_target(value: int | str | None) -> Target | None:
    """What `written_target` gave."""
    if isinstance(value, str):
        return Daily(at=time.fromisoformat(value))
    return None if value is None else timedelta(microseconds=value)
