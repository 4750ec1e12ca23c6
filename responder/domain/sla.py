"""Clocks: how long we have to respond, to restore and to resolve, by grade."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum


class ClockName(StrEnum):
    RESPOND = "respond"
    RESTORE = "restore"
    RESOLVE = "resolve"


@dataclass(frozen=True, kw_only=True, slots=True)
class Clock:
    """One clock of one ticket, on a 24×7 calendar: due is the start plus the target."""

    name: str
    started_at: datetime
    due_at: datetime
    stopped_at: datetime | None = None
    breached_at: datetime | None = None

    @property
    def is_running(self) -> bool:
        return self.stopped_at is None

    @property
    def was_met(self) -> bool:
        return self.stopped_at is not None and self.stopped_at <= self.due_at

    def remaining(self, now: datetime) -> timedelta:
        """What is left until it is due; negative after that."""
        return self.due_at - (self.stopped_at or now)


def started(targets: Mapping[str, timedelta], at: datetime) -> dict[str, Clock]:
    """The clocks that start when a trouble is reported at `at`."""
    return {name: Clock(name=name, started_at=at, due_at=at + target) for name, target in targets.items()}


def stopped(clock: Clock, at: datetime) -> Clock:
    """The clock with its hand held at `at`; one that stands already stays as it is."""
    return clock if clock.stopped_at else replace(clock, stopped_at=at)


def resumed(clock: Clock) -> Clock:
    """The clock going on as if it had never been stopped: a relapse was not a restoration."""
    return replace(clock, stopped_at=None)


def is_breached(clock: Clock, now: datetime) -> bool:
    """True from the due instant on, unless it was stopped by then."""
    return (clock.stopped_at or now) > clock.due_at or (clock.is_running and now >= clock.due_at)
