"""Spreads: how long something took, column by column, as a box from quarter to three quarters with its median."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from responder.domain.charts.frame import DurationScale, Frame, Tick, date_ticks
from responder.domain.statistics import Spread

_LEAST = 2.0
_WIDEST = 22.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Box:
    """The middle half of the durations of one column, its median, and the longest but for a tenth."""

    start: date
    spread: Spread
    x: float
    width: float
    y: float
    height: float
    median: float
    most: float

    @property
    def middle(self) -> float:
        return round(self.x + self.width / 2, 2)


@dataclass(frozen=True, kw_only=True, slots=True)
class Spreads:
    """A chart of boxes on an axis of durations that grows by factors."""

    frame: Frame
    boxes: tuple[Box, ...]
    up: tuple[Tick, ...]
    across: tuple[Tick, ...]

    @property
    def count(self) -> int:
        return sum(box.spread.count for box in self.boxes)


def spreads(columns: Sequence[date], found: Mapping[date, Spread], frame: Frame | None = None) -> Spreads:
    """The chart of these spreads; a column without any stays empty."""
    frame = frame or Frame()
    scale = DurationScale.of([end for one in found.values() for end in (one.quarter, one.most)])
    return Spreads(
        frame=frame,
        boxes=tuple(
            _box(frame, scale, (number, len(columns)), start, found[start])
            for number, start in enumerate(columns)
            if start in found
        ),
        up=scale.ticks(frame),
        across=date_ticks(frame, columns),
    )


def _box(frame: Frame, scale: DurationScale, place: tuple[int, int], start: date, spread: Spread) -> Box:
    number, of = place
    wide = frame.across / of
    width = min(wide * 0.7, _WIDEST)
    low, high = frame.y(scale.share(spread.quarter)), frame.y(scale.share(spread.three_quarters))
    height = max(low - high, _LEAST)
    return Box(
        start=start,
        spread=spread,
        x=round(frame.left + wide * (number + 0.5) - width / 2, 2),
        width=round(width, 2),
        y=round(min(high, frame.ground - height), 2),
        height=round(height, 2),
        median=frame.y(scale.share(spread.median)),
        most=frame.y(scale.share(spread.most)),
    )
