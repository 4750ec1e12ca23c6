"""The calendar of a rota: shifts cut into the days of whoever reads it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from responder.domain.rota import Override, Shift


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """The part of a shift that lies in one day. `begins` and `ends`: whether the shift itself does so in it."""

    start: datetime
    until: datetime
    people: tuple[str, ...]
    overrides: tuple[Override, ...]
    why: str
    begins: bool
    ends: bool

    @property
    def is_gap(self) -> bool:
        return not self.people


@dataclass(frozen=True, kw_only=True, slots=True)
class Day:
    """One day of the reader, from its first instant to that of the next."""

    date: date
    start: datetime
    until: datetime
    pieces: tuple[Piece, ...]


def first_instant(day: date, zone: ZoneInfo) -> datetime:
    """When a day begins on the wall of this zone."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def days(shifts: Iterable[Shift], first: date, count: int, zone: ZoneInfo) -> list[Day]:
    """So many days from the first on, each with what of the shifts lies in it."""
    known = list(shifts)
    borders = [first_instant(first + timedelta(days=number), zone) for number in range(count + 1)]
    return [
        Day(
            date=first + timedelta(days=number),
            start=borders[number],
            until=borders[number + 1],
            pieces=tuple(_pieces(known, borders[number], borders[number + 1])),
        )
        for number in range(count)
    ]


def weeks(found: Sequence[Day]) -> list[Sequence[Day]]:
    """Seven days each."""
    return [found[start : start + 7] for start in range(0, len(found), 7)]


def _pieces(shifts: Iterable[Shift], start: datetime, until: datetime) -> Iterable[Piece]:
    for one in shifts:
        if one.start < until and start < one.until:
            yield Piece(
                start=max(one.start, start),
                until=min(one.until, until),
                people=one.people,
                overrides=one.overrides,
                why=one.why,
                begins=one.start > start,
                ends=one.until < until,
            )
