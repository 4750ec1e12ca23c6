"""Time windows by the clock on the wall: in which hours automation may act."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, time
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """From `start` to `end` on these days in this zone; a window whose end is not after its start ends on the
    next day."""

    days: tuple[str, ...] = DAYS
    start: time = time()
    end: time = time()
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))

    def holds(self, at: datetime) -> bool:
        """Whether the instant lies in the window; its start belongs to it, its end does not."""
        local = at.astimezone(self.zone)
        here, now = DAYS[local.weekday()], local.time()
        if self.start < self.end:
            return here in self.days and self.start <= now < self.end
        yesterday = DAYS[local.weekday() - 1]
        return (here in self.days and now >= self.start) or (yesterday in self.days and now < self.end)

    def __str__(self) -> str:
        return f"{_spoken(self.days)} {self.start:%H:%M}-{self.end:%H:%M} {self.zone.key}"


def _spoken(days: tuple[str, ...]) -> str:
    """`mon-fri` for days in a row, `mon,wed` for others."""
    known = [day for day in DAYS if day in days]
    first = DAYS.index(known[0]) if known else 0
    if len(known) > 2 and tuple(known) == DAYS[first : first + len(known)]:
        return f"{known[0]}-{known[-1]}"
    return ",".join(known)


def holds_any(windows: Iterable[Window], at: datetime) -> bool:
    """Whether the instant lies in one of them; no windows at all hold every instant."""
    windows = tuple(windows)
    return not windows or any(window.holds(at) for window in windows)
