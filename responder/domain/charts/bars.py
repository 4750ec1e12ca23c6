"""Bars that stand on each other: so many of each name, column by column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from responder.domain.charts.frame import Frame, Tick, count_steps, count_ticks, date_ticks

MOST_SERIES = 7
_LEAST = 1.0
"""How high what is not nothing is at least, so that it can be seen beside a thousand."""
_GAP = 0.18


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """So many of one series in one column."""

    series: int
    count: int
    y: float
    height: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One step of time. `counts` has every series, those with nothing too."""

    start: date
    x: float
    width: float
    counts: tuple[int, ...]
    blocks: tuple[Block, ...]

    @property
    def total(self) -> int:
        return sum(self.counts)


@dataclass(frozen=True, kw_only=True, slots=True)
class Bars:
    """A chart of stacked bars. `series` names the parts from the ground up; the last one joins `rest` names."""

    frame: Frame
    series: tuple[str, ...]
    columns: tuple[Column, ...]
    up: tuple[Tick, ...]
    across: tuple[Tick, ...]
    rest: int = 0

    @property
    def total(self) -> int:
        return sum(column.total for column in self.columns)

    @property
    def totals(self) -> tuple[int, ...]:
        """How many of each series."""
        return tuple(sum(column.counts[number] for column in self.columns) for number in range(len(self.series)))


def bars(
    columns: Sequence[date], counts: Mapping[tuple[date, str], int], names: Sequence[str], frame: Frame | None = None
) -> Bars:
    """The chart of these counts by column and name. Of more names than can be told apart the rarest are joined."""
    frame = frame or Frame()
    kept, rest = _kept(names, counts)
    rows = [_row(start, counts, kept, names) for start in columns]
    top = count_steps(max(map(sum, rows), default=0))[-1]
    return Bars(
        frame=frame,
        series=(*kept, *[""] * bool(rest)),
        columns=tuple(
            _column(frame, (number, len(columns)), start, row, top)
            for number, (start, row) in enumerate(zip(columns, rows, strict=True))
        ),
        up=count_ticks(frame, max(map(sum, rows), default=0)),
        across=date_ticks(frame, columns),
        rest=rest,
    )


def _kept(names: Sequence[str], counts: Mapping[tuple[date, str], int]) -> tuple[list[str], int]:
    if len(names) <= MOST_SERIES:
        return list(names), 0
    totals = {name: sum(count for (_, one), count in counts.items() if one == name) for name in names}
    most = sorted(names, key=lambda name: -totals[name])[: MOST_SERIES - 1]
    return [name for name in names if name in most], len(names) - len(most)


def _row(
    start: date, counts: Mapping[tuple[date, str], int], kept: Sequence[str], names: Sequence[str]
) -> tuple[int, ...]:
    of = [counts.get((start, name), 0) for name in kept]
    if len(kept) == len(names):
        return tuple(of)
    return (*of, sum(counts.get((start, name), 0) for name in names if name not in kept))


def _column(frame: Frame, place: tuple[int, int], start: date, row: tuple[int, ...], top: int) -> Column:
    number, of = place
    wide = frame.across / of
    blocks, ground = [], frame.ground
    for series, height in enumerate(_heights(row, frame.tall / top, frame.tall)):
        if height:
            ground -= height
            blocks.append(Block(series=series, count=row[series], y=round(ground, 2), height=round(height, 2)))
    x = frame.left + wide * (number + _GAP / 2)
    return Column(start=start, x=round(x, 2), width=round(wide * (1 - _GAP), 2), counts=row, blocks=tuple(blocks))


def _heights(row: Sequence[int], each: float, tall: float) -> list[float]:
    """What is there is seen; if that makes the column too high, its highest block gives way."""
    heights = [max(_LEAST, count * each) if count else 0.0 for count in row]
    over = sum(heights) - tall
    if over > 0:
        highest = heights.index(max(heights))
        heights[highest] -= over
    return heights
