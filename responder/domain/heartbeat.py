"""Heartbeats of sources: alerts that always fire, so that their silence tells that others may be lost, too."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

_SKEW = timedelta(minutes=1)
"""So far the clocks of replicas may differ; what lies further ahead was read off a clock that has been put right."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Heartbeat:
    """What is known of one source's heartbeat. `watched_since`: since when somebody was always there to hear it."""

    source: str
    name: str
    last_at: datetime | None
    watched_since: datetime
    silent_since: datetime | None = None

    @property
    def counted_from(self) -> datetime:
        """From when on its silence counts: what came while nobody listened cannot have been heard."""
        return max(self.last_at or self.watched_since, self.watched_since)

    @property
    def not_heard_since(self) -> datetime | None:
        """The start from which on it was not heard; None if it was heard since."""
        is_heard = self.last_at is not None and self.last_at >= self.watched_since
        return None if is_heard else self.watched_since

    @property
    def is_heard_again(self) -> bool:
        """Whether it was heard after it was found to be silent."""
        return self.silent_since is not None and self.last_at is not None and self.last_at >= self.silent_since

    def is_silent(self, within: timedelta, now: datetime) -> bool:
        """Whether it has not been heard for longer than `within`. Only a beat ends a silence: no restart, no longer
        patience."""
        if self.silent_since is not None and not self.is_heard_again:
            return True
        return now - self.counted_from > within

    def put_right(self, now: datetime) -> Heartbeat:
        """Without what a clock that was ahead has written: nobody knows when that was, so silence counts from now."""
        latest = now + _SKEW
        if max(self.counted_from, self.silent_since or now) <= latest:
            return self
        return replace(
            self,
            last_at=self.last_at if self.last_at and self.last_at <= latest else None,
            watched_since=min(self.watched_since, now) if self.counted_from <= latest else now,
            silent_since=min(self.silent_since, now) if self.silent_since else None,
        )
