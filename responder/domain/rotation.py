"""Rotations: turns of even length by the clock on the wall, one after the other.

Every turn begins at the same wall-clock time as the first one, whatever the clocks do: a beginning that the clocks jump
over is the first instant after the gap, and one that they show twice is the first of the two. A turn's beginning
belongs to it, its end does not.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from responder.domain.wall import shown


class Unit(StrEnum):
    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


_LENGTHS = {Unit.HOURLY: timedelta(hours=1), Unit.DAILY: timedelta(days=1), Unit.WEEKLY: timedelta(weeks=1)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Rotation:
    """Turns of `length` units from `start` on, which is what the clock on the wall in `zone` shows."""

    start: datetime
    zone: ZoneInfo
    unit: Unit = Unit.WEEKLY
    length: int = 1

    def begins(self, turn: int) -> datetime:
        """The instant at which a turn begins; 0 is the first one, and there are turns before it.

        In a month that is too short for the day of the start it is the month's last day.
        """
        return shown(self.zone, self.local(turn))

    def turn_at(self, at: datetime) -> int:
        """The turn that holds this instant. Turns that a jump of the clocks leaves no time are passed over."""
        turn = self._estimated(at.astimezone(self.zone).replace(tzinfo=None))
        while self.begins(turn) > at:
            turn -= 1
        while self.begins(turn + 1) <= at:
            turn += 1
        return turn

    def local(self, turn: int) -> datetime:
        """What the clock on the wall shows, or would show, when a turn begins."""
        if self.unit in _LENGTHS:
            return self.start + turn * self.length * _LENGTHS[self.unit]
        years, month = divmod(self.start.month - 1 + turn * self.length, 12)
        year, month = self.start.year + years, month + 1
        return self.start.replace(year=year, month=month, day=min(self.start.day, monthrange(year, month)[1]))

    def _estimated(self, local: datetime) -> int:
        """The turn by the wall's clock: at most a few turns beside the right one, however long ago the start is."""
        if self.unit in _LENGTHS:
            return (local - self.start) // (self.length * _LENGTHS[self.unit])
        return ((local.year - self.start.year) * 12 + local.month - self.start.month) // self.length
