"""Stretching time: where much happens within seconds and then nothing for days, both are to be seen in one drawing."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

_PARTS = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """Instants on an axis from 0 to 1. Between two `cuts` time runs evenly; what is far longer than the rest is cut
    short, so that it takes no more than a sixth of the axis."""

    cuts: tuple[datetime, ...]
    places: tuple[float, ...]
    shortened: tuple[bool, ...]

    @classmethod
    def of(cls, instants: Iterable[datetime]) -> Stretch:
        """The axis of these instants, at least one."""
        cuts = sorted(set(instants))
        gaps = [(after - before).total_seconds() for before, after in pairwise(cuts)]
        longest = _longest(gaps)
        drawn = [min(gap, longest) for gap in gaps]
        whole = sum(drawn) or 1.0
        places = [0.0]
        for one in drawn:
            places.append(places[-1] + one / whole)
        return cls(cuts=tuple(cuts), places=tuple(places), shortened=tuple(gap > longest for gap in gaps))

    def share(self, at: datetime) -> float:
        """Where an instant is; those outside are at the ends."""
        if at <= self.cuts[0]:
            return 0.0
        if at >= self.cuts[-1]:
            return 1.0
        number = bisect_right(self.cuts, at) - 1
        start, end = self.cuts[number], self.cuts[number + 1]
        part = (at - start) / (end - start)
        return self.places[number] + part * (self.places[number + 1] - self.places[number])

    def quiet(self) -> list[tuple[float, float, timedelta]]:
        """The stretches that were cut short: from where to where, and how long each really is."""
        return [
            (self.places[number], self.places[number + 1], self.cuts[number + 1] - self.cuts[number])
            for number, is_short in enumerate(self.shortened)
            if is_short
        ]


def _longest(gaps: Sequence[float]) -> float:
    """How long a gap is drawn at most: the length that is a sixth of all that is drawn then."""
    ordered = sorted(gaps, reverse=True)
    for number, gap in enumerate(ordered[:_PARTS]):
        even = sum(ordered[number:]) / (_PARTS - number)
        if gap <= even:
            return even
    # Fewer than six: each is as long as the shortest of them.
    return min((gap for gap in ordered[:_PARTS]), default=0.0)
