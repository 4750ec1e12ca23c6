"""Calendars: when time counts. A working calendar has hours, weekends, holidays and overrides; ALWAYS has none.

Time counts while the clock on the wall, in the calendar's zone, shows working hours. So 01:00-04:00 is two hours long
in the night in which an hour is left out, and four in the night in which one is repeated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from hashlib import sha256
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from responder.domain.durations import spoken
from responder.domain.wall import even, midnight, offset_at, shown

MINUTES_OF_A_DAY = 1440
WORKING = "working hours"
OUTSIDE = "outside working hours"
WEEKEND = "weekend"
CLOSED = "closed"

_DAY = timedelta(days=1)
_NOTHING = timedelta()
_PATIENCE = 5 * 366
_LONGEST = 100 * 366
"""In days: how long a calendar may be closed, and how far ahead time is counted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """Working time of a local day, from `start` to `end` in minutes after local midnight (end up to 1440)."""

    start: int
    end: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """A piece of time that counts or does not, and why: `working hours`, `weekend`, `holiday: Labour Day`."""

    start: datetime
    end: datetime
    counts: bool
    why: str


class _Counted(NamedTuple):
    """What counts of one UTC day."""

    total: timedelta
    pieces: tuple[tuple[datetime, datetime], ...]


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """When a clock runs. `week` has the spans of Monday to Sunday; `days` overrides single local days.

    The spans of a day are in order and do not overlap. Without a `week` all time counts. `reasons` says in words why
    a day of `days` is closed, or why it is worked. `version` is a digest of what decides over time, and not of names;
    it is made anew where none is given.
    """

    name: str = "always"
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    week: tuple[tuple[Span, ...], ...] = ()
    days: Mapping[date, tuple[Span, ...]] = field(default_factory=dict, hash=False)
    reasons: Mapping[date, str] = field(default_factory=dict, hash=False)
    version: str = ""
    _known: dict[int, _Counted] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.version:
            object.__setattr__(self, "version", _digest(self))

    @property
    def is_always(self) -> bool:
        return not self.week

    def spans(self, day: date) -> tuple[Span, ...]:
        """The working time of a local day."""
        return _WHOLE_DAY if self.is_always else self.days.get(day, self.week[day.weekday()])

    def add(self, start: datetime, amount: timedelta) -> datetime:
        """The first instant at which `amount` of counted time has passed since `start`.

        Raises ValueError when `amount` is negative, when the calendar has no working time for five years, and when it
        would take longer than a hundred.
        """
        if amount < _NOTHING:
            raise ValueError(f"a calendar counts forward; it cannot add {spoken(amount)}")
        if self.is_always or not amount:
            return start + amount
        first, closed = start.astimezone(UTC).toordinal(), 0
        left = amount + self._before(start)
        for day in range(first, first + _LONGEST):
            counted = self._counted(day)
            if left <= counted.total:
                return _reached(counted, left)
            left -= counted.total
            closed = 0 if counted.total else closed + 1
            if closed > _PATIENCE:
                raise self._closed_since(day - closed + 1)
        raise ValueError(f"{spoken(amount)} of working time on calendar {self.name} take longer than a hundred years")

    def between(self, start: datetime, end: datetime) -> timedelta:
        """How much counted time lies between two instants; none if the end is not after the start."""
        if end <= start:
            return _NOTHING
        if self.is_always:
            return end - start
        days = range(start.astimezone(UTC).toordinal(), end.astimezone(UTC).toordinal())
        whole = sum((self._counted(day).total for day in days), _NOTHING)
        return whole - self._before(start) + self._before(end)

    def next_at(self, after: datetime, at: time) -> datetime:
        """The next local `at` strictly after an instant, on a day with working time.

        Where the clock on the wall shows it twice it is the first one; where it is left out, the instant at which the
        clock jumps over it. Raises ValueError when the calendar has no working time for five years.
        """
        after = after.astimezone(UTC)
        first = after.astimezone(self.zone).toordinal() - 1
        for number in range(first, first + _PATIENCE):
            day = datetime.fromordinal(number)
            if self._is_worked(day) and (found := shown(self.zone, datetime.combine(day, at))) > after:
                return found
        raise self._closed_since(first + 1)

    def stretches(self, start: datetime, end: datetime) -> Sequence[Stretch]:
        """All the time between two instants, in pieces that count and pieces that do not."""
        start, end = start.astimezone(UTC), end.astimezone(UTC)
        if end <= start:
            return []
        if self.is_always:
            return [Stretch(start=start, end=end, counts=True, why="around the clock")]
        found: list[Stretch] = []
        for day in range(start.toordinal(), end.toordinal() + 1):
            for piece in self._pieces(day):
                _join(found, replace(piece, start=max(piece.start, start), end=min(piece.end, end)))
        return found

    def _is_worked(self, day: datetime) -> bool:
        """Whether any time of the local day counts. A change of the clock may leave out a span, or a whole day."""
        return any(
            shown(self.zone, day + timedelta(minutes=span.start)) < shown(self.zone, day + timedelta(minutes=span.end))
            for span in self.spans(day.date())
        )

    def _counted(self, day: int) -> _Counted:
        found = self._known.get(day)
        if found is None:
            pieces = tuple((piece.start, piece.end) for piece in self._pieces(day) if piece.counts)
            found = _Counted(sum((end - start for start, end in pieces), _NOTHING), pieces)
            self._known[day] = found
        return found

    def _before(self, at: datetime) -> timedelta:
        """What counts of the UTC day before this instant of it."""
        at = at.astimezone(UTC)
        pieces = self._counted(at.toordinal()).pieces
        return sum((min(end, at) - start for start, end in pieces if start < at), _NOTHING)

    def _pieces(self, day: int) -> Iterator[Stretch]:
        """A whole UTC day. Days of UTC are even, in order and without gaps, which local days are not."""
        begin = midnight(day)
        for start, end, offset in even(self.zone, begin, begin + _DAY):
            yield from self._evenly(start, end, offset)

    def _evenly(self, start: datetime, end: datetime, offset: timedelta) -> Iterator[Stretch]:
        """What lies between two instants between which the clock on the wall runs evenly."""
        for day in range((start + offset).toordinal(), (end + offset).toordinal() + 1):
            first_minute, local = midnight(day) - offset, date.fromordinal(day)
            for first, last, why in self._parts(local):
                begin = max(start, first_minute + timedelta(minutes=first))
                finish = min(end, first_minute + timedelta(minutes=last))
                if begin < finish:
                    yield Stretch(start=begin, end=finish, counts=bool(why), why=why or self._why_not(local))

    def _parts(self, day: date) -> Iterator[tuple[int, int, str]]:
        """A local day from its first to its last minute, with the words for what counts, and none for the rest."""
        minute = 0
        for span in self.spans(day):
            yield minute, span.start, ""
            yield span.start, span.end, self.reasons.get(day) or WORKING
            minute = span.end
        yield minute, MINUTES_OF_A_DAY, ""

    def _why_not(self, day: date) -> str:
        if self.spans(day):
            return OUTSIDE
        return self.reasons.get(day) or (CLOSED if self.week[day.weekday()] else WEEKEND)

    def _closed_since(self, day: int) -> ValueError:
        since = date.fromordinal(day)
        return ValueError(
            f"calendar {self.name} has no working time in the five years after {since}; give it some hours"
        )


_WHOLE_DAY = (Span(start=0, end=MINUTES_OF_A_DAY),)


def _reached(counted: _Counted, left: timedelta) -> datetime:
    """The instant of this day at which so much of its time has been counted."""
    for start, end in counted.pieces:
        if left <= end - start:
            break
        left -= end - start
    return start + left


def _join(found: list[Stretch], piece: Stretch) -> None:
    """Adds a piece to those before it, as a part of the last one if it goes on in the same way."""
    if piece.start >= piece.end:
        return
    last = found[-1] if found else None
    if last and (last.counts, last.why) == (piece.counts, piece.why):
        found[-1] = replace(last, end=piece.end)
    else:
        found.append(piece)


# --- versions -------------------------------------------------------------------------------------------------


def _digest(calendar: Calendar) -> str:
    if calendar.is_always:
        # The zone still decides when it is five o'clock.
        return "" if calendar.zone.key == "UTC" else _short(_rules(calendar.zone))
    differing = {day: spans for day, spans in calendar.days.items() if spans != calendar.week[day.weekday()]}
    return _short((_rules(calendar.zone), calendar.week, sorted(differing.items(), key=lambda item: item[0])))


def _short(told: object) -> str:
    return sha256(repr(told).encode()).hexdigest()[:12]


@cache
def _rules(zone: ZoneInfo) -> tuple[tuple[int, timedelta], ...]:
    """The days since 2020 on which the zone changes its offset: the part of the time zone database that matters."""
    days = range(date(2020, 1, 1).toordinal(), date(2038, 1, 1).toordinal())
    offsets = [(day, offset_at(zone, midnight(day))) for day in days]
    changed = (new for old, new in pairwise(offsets) if old[1] != new[1])
    return (offsets[0], *changed)


ALWAYS = Calendar()
