"""Lines of shares over time, one for each name; where nothing was counted there is a gap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from responder.domain.charts.frame import Frame, Tick, date_ticks, share_ticks
from responder.domain.statistics import Attainment

_FLOORS = (0.9, 0.5, 0.0)
"""Where an axis of shares may begin."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """The share of one column."""

    start: date
    x: float
    y: float
    of: Attainment


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """The points of one name; `strokes` are those that follow each other, as the drawing joins them."""

    name: str
    points: tuple[Point, ...]
    strokes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Lines:
    """A chart of shares. Its axis ends at 1 and begins at `floor`."""

    frame: Frame
    lines: tuple[Line, ...]
    floor: float
    up: tuple[Tick, ...]
    across: tuple[Tick, ...]


def lines(
    columns: Sequence[date],
    found: Mapping[tuple[date, str], Attainment],
    names: Sequence[str],
    frame: Frame | None = None,
) -> Lines:
    """The chart of these shares by column and name."""
    frame = frame or Frame()
    shares = [one.share for one in found.values() if one.share is not None]
    floor = next(one for one in _FLOORS if one <= min(shares, default=0.0))
    return Lines(
        frame=frame,
        lines=tuple(_line(frame, columns, {day: found[day, name] for day, one in found if one == name}, (name, floor))
                    for name in names),
        floor=floor,
        up=share_ticks(frame, floor),
        across=date_ticks(frame, columns),
    )  # fmt: skip


def _line(frame: Frame, columns: Sequence[date], found: Mapping[date, Attainment], named: tuple[str, float]) -> Line:
    name, floor = named
    placed = [(number, start, found.get(start, Attainment())) for number, start in enumerate(columns)]
    points = {
        number: Point(
            start=start,
            x=frame.x((number + 0.5) / len(columns)),
            y=frame.y((one.share - floor) / (1 - floor)),
            of=one,
        )
        for number, start, one in placed
        if one.share is not None
    }
    runs = [list(run) for _, run in groupby(enumerate(points), key=lambda pair: pair[1] - pair[0])]
    strokes = [" ".join(f"{points[number].x:g},{points[number].y:g}" for _, number in run) for run in runs]
    return Line(name=name, points=tuple(points.values()), strokes=tuple(one for one in strokes if " " in one))
