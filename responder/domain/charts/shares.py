"""Rows that are divided: of so many runs, which share was proven, was not, and is not known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from responder.domain.statistics import RunCount

WIDTH = 420.0
MOST_ROWS = 12
_ROW = 34.0
_LONGEST = 44


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """So many of one outcome. `series`: 0 proven, 1 not, 2 unknown, 3 left out."""

    series: int
    count: int
    x: float
    width: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One name; `short` fits above its bar."""

    name: str
    short: str
    of: RunCount
    y: float
    parts: tuple[Part, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Shares:
    """The rows with the most first; `more` have no room."""

    width: float
    height: float
    rows: tuple[Row, ...]
    more: int


def shares(found: Mapping[str, RunCount]) -> Shares:
    """The chart of these counts by name; each bar is as wide as the others, for what counts is the share."""
    ordered = sorted(found, key=lambda name: (-found[name].total, name))
    shown = ordered[:MOST_ROWS]
    rows = tuple(
        Row(name=name, short=_short(name), of=found[name], y=number * _ROW, parts=_parts(found[name]))
        for number, name in enumerate(shown)
    )
    return Shares(width=WIDTH, height=max(len(rows), 1) * _ROW, rows=rows, more=len(ordered) - len(shown))


def _parts(one: RunCount) -> tuple[Part, ...]:
    found, x = [], 0.0
    for series, count in enumerate((one.proven, one.disproved, one.unknown, one.left_out)):
        width = WIDTH * count / one.total
        if count:
            found.append(Part(series=series, count=count, x=round(x, 2), width=round(width, 2)))
        x += width
    return tuple(found)


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
