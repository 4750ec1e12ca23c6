"""Cron expressions: five fields, in the local time of a zone, right over its clock changes.

What the fields mean is crontab(5): with both days given, either will do. A time that a clock change leaves out counts
as much later as the change is wide; in an hour that comes twice, a fixed time counts the first time, and what has a
star for its hour or minute counts both times.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_LONGEST = 366 * 41
"""Days: so long it can be from one Sunday that is a 29 February to the next."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cron:
    """A parsed expression. `either_day`: both days are given, and one that fits is enough."""

    text: str
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool
    every_hour: bool

    def falls_on(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        by_day, by_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return by_day or by_weekday if self.either_day else by_day and by_weekday

    def __str__(self) -> str:
        return self.text


def parse_cron(text: str) -> Cron:
    """What `*/5 2-4 * * mon-fri` or `@daily` says. Raises ValueError with what is wrong."""
    words = _MACROS.get(text.strip().lower(), text).lower().split()
    if len(words) != 5:
        raise ValueError(f"{text!r} is no cron expression; it has five fields, like '15 2 * * mon-fri'")
    minute, hour, day, month, weekday = words
    made = Cron(
        text=" ".join(text.split()),
        minutes=_field(minute, 0, 59),
        hours=_field(hour, 0, 23),
        days=_field(day, 1, 31),
        months=_field(month, 1, 12, _MONTHS, 1),
        weekdays=frozenset(number % 7 for number in _field(weekday, 0, 7, _DAYS)),
        either_day=not day.startswith("*") and not weekday.startswith("*"),
        every_hour=hour.startswith("*") or minute.startswith("*"),
    )
    # In 28 years every date falls on every day of the week.
    if not any(made.falls_on(date(2028, 1, 1) + timedelta(days=number)) for number in range(28 * 366)):
        raise ValueError(f"{text!r} names a day that no month has, so it would never come")
    return made


def _field(text: str, low: int, high: int, names: tuple[str, ...] = (), first: int = 0) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        reach, slash, step = part.partition("/")
        begin, dash, end = reach.partition("-")
        if begin == "*" and not dash:
            start, stop = low, high
        else:
            start = _number(begin, names, first)
            stop = _number(end, names, first) if dash else high if slash else start
        if slash and not (step.isdigit() and int(step)):
            raise ValueError(f"{part!r} has no step; write it like */5")
        if not low <= start <= stop <= high:
            raise ValueError(f"{part!r} does not lie between {low} and {high}")
        found.update(range(start, stop + 1, int(step) if slash else 1))
    return frozenset(found)


def _number(text: str, names: tuple[str, ...], first: int) -> int:
    if text in names:
        return names.index(text) + first
    if not (text.isascii() and text.isdigit() and len(text) <= 2):
        raise ValueError(f"{text!r} is no number" + (f" and none of {', '.join(names)}" if names else ""))
    return int(text)


@lru_cache(maxsize=4096)
def next_after(cron: Cron, zone: ZoneInfo, at: datetime) -> datetime:
    """The first instant after `at`, in UTC."""
    # The day before: a time that a change around midnight leaves out may come as late as that.
    first = at.astimezone(zone).date() - timedelta(days=1)
    days = (first + timedelta(days=number) for number in range(_LONGEST))
    for day, following in pairwise(days):
        if found := [one for near in (day, following) for one in _instants(cron, zone, near) if one > at]:
            return min(found)
    raise ValueError(f"{cron} does not come within {_LONGEST} days")


def _instants(cron: Cron, zone: ZoneInfo, day: date) -> Iterator[datetime]:
    if not cron.falls_on(day):
        return
    for hour in cron.hours:
        for minute in cron.minutes:
            local = datetime.combine(day, time(hour, minute), zone)
            yield local.astimezone(UTC)
            if cron.every_hour and local.utcoffset() != local.replace(fold=1).utcoffset():
                yield local.replace(fold=1).astimezone(UTC)
