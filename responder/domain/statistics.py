"""Statistics: what a period of local days was like, in numbers. Each agrees with the metric of the same name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from responder.clock import MICROSECOND
from responder.domain.observed import Measure
from responder.domain.wall import even, shown

LONGEST = 400
"""Days of the longest period: a year, and the same weeks of the year before."""
_DAILY = 31
_EPOCH = date(1970, 1, 1)
_DAY = timedelta(days=1)


class Step(StrEnum):
    """How long one column of a chart is. A week begins on Monday (ISO 8601)."""

    DAY = "day"
    WEEK = "week"


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """A stretch of time in which a zone's clocks are `offset` ahead of UTC throughout."""

    until: datetime
    offset: timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """Which tickets are asked for: the local days from `first` to `last`, both whole; an empty name is all of them."""

    first: date
    last: date
    zone: ZoneInfo
    team: str = ""
    kind: str = ""
    grade: str = ""

    @property
    def start(self) -> datetime:
        """The first instant of the first day."""
        return shown(self.zone, datetime.combine(self.first, time()))

    @property
    def end(self) -> datetime:
        """The first instant after the last day."""
        return shown(self.zone, datetime.combine(self.last + _DAY, time()))

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def step(self) -> Step:
        """Days up to a month, weeks beyond it."""
        return Step.DAY if self.days <= _DAILY else Step.WEEK

    @property
    def columns(self) -> tuple[date, ...]:
        """The first day of every step of the period; that of the first week may be before the period."""
        if self.step is Step.DAY:
            return tuple(self.first + number * _DAY for number in range(self.days))
        monday = self.first - self.first.weekday() * _DAY
        return tuple(monday + number * 7 * _DAY for number in range((self.last - monday).days // 7 + 1))

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """The period in stretches between two changes of the zone's clocks, in order and without a gap."""
        return tuple(Piece(until=until, offset=offset) for until, offset in _even(self.zone, self.start, self.end))

    def column(self, number: int) -> date:
        """The column of which the store says the number: local days, or weeks since Monday 1969-12-29."""
        return _EPOCH + number * _DAY if self.step is Step.DAY else date(1969, 12, 29) + number * 7 * _DAY


def _even(zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[tuple[datetime, timedelta]]:
    """Until when which offset holds, in order."""
    last: tuple[datetime, timedelta] | None = None
    while start < end:
        for _, until, offset in even(zone, start, min(start + _DAY, end)):
            if last and last[1] != offset:
                yield last
            last = (until, offset)
        start += _DAY
    if last:
        yield last


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """How long it took: each quantile is the least duration that so many of them did not pass (nearest rank)."""

    count: int
    total: timedelta
    quarter: timedelta
    median: timedelta
    three_quarters: timedelta
    most: timedelta

    @property
    def mean(self) -> timedelta:
        """The metric's sum by its count."""
        return self.total / self.count


RANKS = {"quarter": 25, "median": 50, "three_quarters": 75, "most": 90}
"""The quantiles of a spread, in percent."""


def rank(percent: int, count: int) -> int:
    """Which of so many values in order, beginning with 1, is the quantile: the nearest rank, rounded up."""
    return (percent * count + 99) // 100


def spread(values: Sequence[int]) -> Spread:
    """The spread of at least one duration, in microseconds."""
    ordered = sorted(values)
    found = {name: ordered[rank(percent, len(ordered)) - 1] * MICROSECOND for name, percent in RANKS.items()}
    return Spread(count=len(ordered), total=sum(ordered) * MICROSECOND, **found)


@dataclass(frozen=True, kw_only=True, slots=True)
class Attainment:
    """Rounds of clocks that were met and breached; `excluded` ones count in no service level."""

    met: int = 0
    breached: int = 0
    excluded: int = 0

    @property
    def counted(self) -> int:
        return self.met + self.breached

    @property
    def share(self) -> float | None:
        """How many of those that count were met; None if none counts."""
        return self.met / self.counted if self.counted else None

    def __add__(self, other: Attainment) -> Attainment:
        return Attainment(
            met=self.met + other.met,
            breached=self.breached + other.breached,
            excluded=self.excluded + other.excluded,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class RunCount:
    """Runs of one runbook. `proven`: the alert cleared and stayed away; `disproved`: it did not; `unknown`: nobody can
    tell, or not yet; `left_out`: they only looked, were refused or cancelled, so they are never judged."""

    proven: int = 0
    disproved: int = 0
    unknown: int = 0
    left_out: int = 0

    @property
    def total(self) -> int:
        return self.proven + self.disproved + self.unknown + self.left_out

    @property
    def share(self) -> float | None:
        """Of those that were judged, how many were proven: the success rate of the runbook."""
        judged = self.proven + self.disproved
        return self.proven / judged if judged else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Answers:
    """Of the tickets that people were given: for how many somebody answered, how many still wait, and how many were
    over before anybody did."""

    answered: int = 0
    waiting: int = 0
    never: int = 0


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """All numbers of a period. Tickets count by when they were opened, the rest by when it happened."""

    wish: Wish
    opened: Mapping[tuple[date, str, str], int]
    hours: Mapping[tuple[int, int], int]
    endings: Mapping[str, int]
    answers: Answers
    spreads: Mapping[tuple[date, Measure, str], Spread]
    whole: Mapping[tuple[Measure, str], Spread]
    clocks: Mapping[tuple[date, str, str], Attainment]
    runs: Mapping[str, RunCount]

    @property
    def total(self) -> int:
        """How many tickets were opened."""
        return sum(self.opened.values())

    def by_grade(self) -> dict[tuple[date, str], int]:
        """Tickets by column and grade."""
        return _summed(((start, grade), count) for (start, grade, _), count in self.opened.items())

    def by_kind(self) -> dict[tuple[date, str], int]:
        """Tickets by column and kind."""
        return _summed(((start, kind), count) for (start, _, kind), count in self.opened.items())

    def service_levels(self) -> dict[tuple[str, str], Attainment]:
        """The whole period by clock and grade."""
        found: dict[tuple[str, str], Attainment] = {}
        for (_, clock, grade), one in self.clocks.items():
            found[clock, grade] = found.get((clock, grade), Attainment()) + one
        return found


def _summed(pairs: Iterable[tuple[tuple[date, str], int]]) -> dict[tuple[date, str], int]:
    found: dict[tuple[date, str], int] = {}
    for key, count in pairs:
        found[key] = found.get(key, 0) + count
    return found


def in_order(names: Iterable[str], known: Sequence[str]) -> list[str]:
    """The names each once: those that are known in their order, the others after them by name."""
    found = set(names)
    return [*(name for name in known if name in found), *sorted(found.difference(known))]
