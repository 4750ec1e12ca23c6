"""Maintenance windows: when the alerts that match are expected, so that nothing runs for them and nobody is paged."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from responder.domain.matching import Matcher, all_match
from responder.domain.wall import shown
from responder.domain.windows import DAYS

Labels = Mapping[str, str]
LAST = -1
_ANYTHING = ("", "a", "0", "web-1:9100", "a name that nobody gives")
_A_WEEK = 7


@dataclass(frozen=True, kw_only=True, slots=True)
class Once:
    """From one instant to another."""

    start: datetime
    end: datetime

    def end_at(self, at: datetime) -> datetime | None:
        """When it ends, if it is open at the instant; its start belongs to it, its end does not."""
        return self.end if self.start <= at < self.end else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Recurring:
    """By the clock on the wall on these days of the week: of each week, or of these weeks of the month (the first is
    1, the last -1). An end that is not after the start is one of the next day."""

    days: tuple[str, ...]
    weeks: tuple[int, ...] = ()
    start: time = time()
    end: time = time()
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))

    def end_at(self, at: datetime) -> datetime | None:
        """When it ends, if it is open at the instant. Where the clocks leave out all of it, it never opens."""
        today = at.astimezone(self.zone).date()
        for day in (today, today - timedelta(days=1)):
            if self.falls_on(day):
                opens, ends = self._on(day)
                if opens <= at < ends:
                    return ends
        return None

    def falls_on(self, day: date) -> bool:
        """Whether it opens on that day."""
        if DAYS[day.weekday()] not in self.days:
            return False
        is_last = day.day + _A_WEEK > monthrange(day.year, day.month)[1]
        return not self.weeks or (day.day - 1) // _A_WEEK + 1 in self.weeks or (is_last and LAST in self.weeks)

    def _on(self, day: date) -> tuple[datetime, datetime]:
        last = day if self.start < self.end else day + timedelta(days=1)
        return shown(self.zone, datetime.combine(day, self.start)), shown(self.zone, datetime.combine(last, self.end))


@dataclass(frozen=True, kw_only=True, slots=True)
class MaintenanceWindow:
    """For which alerts, when and why. One for `everything` needs no matchers, and is open once only."""

    name: str
    when: tuple[Matcher, ...]
    times: tuple[Once | Recurring, ...]
    is_everything: bool = False
    reason: str = ""

    def end_at(self, at: datetime) -> datetime | None:
        """When it ends, if it is open at the instant."""
        ends = [end for one in self.times if (end := one.end_at(at))]
        return max(ends, default=None)

    def covers(self, labels: Labels) -> bool:
        """Whether the alert is one of those that it expects. One that names none expects none, unless it says so."""
        return self.is_everything or (not mutes_everything(self.when) and all_match(self.when, labels))

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}" if self.reason else self.name


@dataclass(frozen=True, kw_only=True, slots=True)
class Expected:
    """By which windows the alerts of a ticket are expected, and until when all of them are."""

    names: tuple[str, ...]
    until: datetime


def expected(windows: Sequence[MaintenanceWindow], alerts: Sequence[Labels], at: datetime) -> Expected | None:
    """The windows that are open for these alerts; None unless every single one of them is expected."""
    open_now = [(end, window) for window in windows if (end := window.end_at(at))]
    names, ends = [], []
    for labels in alerts:
        found = max(((end, str(window)) for end, window in open_now if window.covers(labels)), default=None)
        if found is None:
            return None
        ends.append(found[0])
        names.append(found[1])
    return Expected(names=tuple(dict.fromkeys(names)), until=min(ends)) if ends else None


def mutes_everything(when: Iterable[Matcher]) -> bool:
    """Whether nothing here says which alerts are meant: every matcher holds for any value, or for all but a few."""
    return all(_holds_for_anything(matcher) for matcher in when)


def _holds_for_anything(matcher: Matcher) -> bool:
    # That a label is there says little: every alert has a name, and most have an instance.
    return all(matcher.matches({matcher.label: value}) for value in _ANYTHING if value)
