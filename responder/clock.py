"""The only place where the present moment is read; everything above gets it as an argument."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Clock(Protocol):
    """Tells the present moment as an aware UTC datetime."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def microseconds(at: datetime) -> int:
    """Microseconds since 1970 in UTC: how instants are stored, the same in every database."""
    return (at - EPOCH) // MICROSECOND


def from_microseconds(value: int) -> datetime:
    """The instant that `microseconds` was given."""
    return EPOCH + timedelta(microseconds=value)
