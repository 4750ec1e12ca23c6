"""The week as a table of hours: the bigger a square, the more there was. It needs no colour to be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

from responder.domain.charts.frame import Frame, Tick

HOURS, DAYS = 24, 7
_LEAST = 0.22


@dataclass(frozen=True, kw_only=True, slots=True)
class Square:
    """An hour of a weekday (Monday is 0) with at least one."""

    day: int
    hour: int
    count: int
    x: float
    y: float
    size: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Hours:
    """The chart; `counts` has all hours of each weekday."""

    frame: Frame
    counts: tuple[tuple[int, ...], ...]
    squares: tuple[Square, ...]
    days: tuple[Tick, ...]
    across: tuple[Tick, ...]

    @property
    def total(self) -> int:
        return sum(map(sum, self.counts))

    @property
    def busiest(self) -> Square | None:
        """The fullest hour, the first of several; None if there is nothing."""
        return max(self.squares, key=lambda one: one.count, default=None)


def hours(found: Mapping[tuple[int, int], int], frame: Frame | None = None) -> Hours:
    """The chart of these counts by weekday and hour."""
    frame = frame or Frame(height=150, left=38, right=34, top=6)
    counts = tuple(tuple(found.get((day, hour), 0) for hour in range(HOURS)) for day in range(DAYS))
    most = max(map(max, counts))
    wide, tall = frame.across / HOURS, frame.tall / DAYS
    return Hours(
        frame=frame,
        counts=counts,
        squares=tuple(
            _square(frame, (wide, tall), (day, hour), count, sqrt(count / most))
            for day, row in enumerate(counts)
            for hour, count in enumerate(row)
            if count
        ),
        days=tuple(Tick(at=round(frame.top + tall * (day + 0.5), 2), text=str(day)) for day in range(DAYS)),
        across=tuple(Tick(at=round(frame.left + wide * hour, 2), text=f"{hour:02}") for hour in range(0, HOURS, 3)),
    )


def _square(frame: Frame, cell: tuple[float, float], place: tuple[int, int], count: int, share: float) -> Square:
    (wide, tall), (day, hour) = cell, place
    size = min(wide, tall) * 0.94 * max(share, _LEAST)
    x, y = frame.left + wide * (hour + 0.5) - size / 2, frame.top + tall * (day + 0.5) - size / 2
    return Square(day=day, hour=hour, count=count, x=round(x, 2), y=round(y, 2), size=round(size, 2))
