"""The frame of a drawing, and the ticks of its axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil, log

from responder.domain.durations import spoken

_LABEL = 42
"""How wide a date is, with the space that keeps it apart from the next."""
_LINE = 15
"""How high a line of text is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """The size of a drawing, and how much of each side is kept for what stands beside the data."""

    width: float = 420
    height: float = 190
    left: float = 40
    right: float = 10
    top: float = 10
    bottom: float = 22

    @property
    def across(self) -> float:
        """The width in which data are drawn."""
        return self.width - self.left - self.right

    @property
    def tall(self) -> float:
        """The height in which data are drawn."""
        return self.height - self.top - self.bottom

    @property
    def ground(self) -> float:
        """Where the data stand on."""
        return self.height - self.bottom

    def x(self, share: float) -> float:
        """The place of a share of the width, from the left."""
        return round(self.left + self.across * _within(share), 2)

    def y(self, share: float) -> float:
        """The place of a share of the height, from the ground."""
        return round(self.ground - self.tall * _within(share), 2)


@dataclass(frozen=True, kw_only=True, slots=True)
class Tick:
    """A place on an axis, with what is written there."""

    at: float
    text: str


def _within(share: float) -> float:
    return min(max(share, 0.0), 1.0)


# --- counts -----------------------------------------------------------------------------------------------


def count_steps(most: int) -> list[int]:
    """Whole numbers from 0 to at least `most`, four to six of them with a round distance where there are so many."""
    rough = max(most, 1) / 5
    size = 10 ** max(0, _digits(rough) - 1)
    distance = next(size * one for one in (1, 2, 5, 10) if size * one >= rough)
    return [distance * number for number in range(ceil(max(most, 1) / distance) + 1)]


def _digits(value: float) -> int:
    return len(str(int(value)))


def short_count(count: int) -> str:
    """A number as an axis has room for it: `950`, `1.5k`, `20M`."""
    for size, letter in ((1_000_000_000, "G"), (1_000_000, "M"), (1000, "k")):
        if count >= size:
            return f"{count / size:.1f}".removesuffix(".0") + letter
    return str(count)


def count_ticks(frame: Frame, most: int) -> tuple[Tick, ...]:
    """The ticks of an upright axis of counts."""
    steps = count_steps(most)
    return tuple(Tick(at=frame.y(step / steps[-1]), text=short_count(step)) for step in steps)


# --- durations --------------------------------------------------------------------------------------------

_ROUND = tuple(
    timedelta(seconds=seconds)
    for seconds in (0.001, 0.01, 0.1, 1, 10, 60, 600, 3600, 21600, 86400, 604800, 2592000, 31536000, 315360000)
)
"""Durations that people think in; each is three to ten times the one before."""
_BETWEEN = tuple(
    timedelta(seconds=seconds)
    for seconds in (
        0.002,
        0.005,
        0.02,
        0.05,
        0.2,
        0.5,
        2,
        5,
        20,
        30,
        120,
        300,
        1200,
        1800,
        7200,
        43200,
        172800,
        1209600,
    )
)
_FINE = tuple(sorted((*_ROUND, *_BETWEEN)))


@dataclass(frozen=True, kw_only=True, slots=True)
class DurationScale:
    """An axis on which each step is so many times the one before: seconds and days are both readable on it."""

    least: timedelta
    most: timedelta

    @classmethod
    def of(cls, values: Sequence[timedelta]) -> DurationScale:
        """The scale that has room for all of these, between two round durations."""
        low, high = min(values, default=_ROUND[3]), max(values, default=_ROUND[5])
        least = next((one for one in reversed(_FINE) if one <= low), _FINE[0])
        most = next((one for one in _FINE if one >= high and one > least), max(high, _FINE[-1]))
        return cls(least=least, most=most)

    def share(self, value: timedelta) -> float:
        """Where a duration stands between both ends: 0 to 1."""
        if value <= self.least:
            return 0.0
        return min(log(value / self.least) / log(self.most / self.least), 1.0)

    def ticks(self, frame: Frame) -> tuple[Tick, ...]:
        """The round durations of an upright axis; where there are only one or two, those between them, too."""
        few, many = ([one for one in ones if self.least <= one <= self.most] for ones in (_ROUND, _FINE))
        ticks: list[Tick] = []
        for one in few if len(few) > 2 else many:
            at = frame.y(self.share(one))
            if not ticks or ticks[-1].at - at >= _LINE:
                ticks.append(Tick(at=at, text=spoken(one)))
        return tuple(ticks)


# --- shares and dates -------------------------------------------------------------------------------------


def share_ticks(frame: Frame, floor: float) -> tuple[Tick, ...]:
    """The ticks of an upright axis of shares from `floor` to 1, in percent."""
    places = (floor, floor + (1 - floor) / 2, 1.0)
    return tuple(Tick(at=frame.y((one - floor) / (1 - floor)), text=f"{one * 100:.4g}%") for one in places)


def date_ticks(frame: Frame, columns: Sequence[date]) -> tuple[Tick, ...]:
    """As many dates as have room below columns of the same width, evenly, and always the first."""
    if not columns:
        return ()
    width = frame.across / len(columns)
    every = max(1, ceil(_LABEL / width))
    return tuple(
        Tick(at=frame.x((number + 0.5) / len(columns)), text=f"{start:%m-%d}")
        for number, start in enumerate(columns)
        if number % every == 0
    )
