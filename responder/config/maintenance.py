"""The part of policy.yml that says when alerts are expected: maintenance windows, once or again and again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from responder.adapters.yaml_file import Place
from responder.config.grades import OneOrMore
from responder.config.model import Matchers, Model
from responder.domain.maintenance import LAST, MaintenanceWindow, Once, Recurring, mutes_everything
from responder.domain.wall import shown
from responder.domain.windows import DAYS
from responder.firstaid.window_file import Clock, Day, Zone, as_time

_WEEKS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "last": LAST}
_OF_THE_MONTH = re.compile(rf"({'|'.join(_WEEKS)}) ([a-z]+)")


def _instant(value: object) -> datetime:
    """Written with a place in the world, or as the clock on the wall shows it."""
    if isinstance(value, datetime):
        return datetime.fromisoformat(value.isoformat())
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else datetime.fromisoformat("")
    except ValueError as error:
        raise ValueError(f"{value!r} is no instant; write it like 2026-12-01 22:00") from error


def _of_the_month(value: object) -> str:
    found = _OF_THE_MONTH.fullmatch(value) if isinstance(value, str) else None
    if not found or found[2][:3] not in DAYS:
        raise ValueError(f"{value!r} is no day of a month; write it like 'first sunday' or 'last fri'")
    return str(value)


Instant = Annotated[datetime, BeforeValidator(_instant), WithJsonSchema({"type": "string"})]
OfTheMonth = Annotated[str, BeforeValidator(_of_the_month)]


class _Hours(Model):
    """From when to when by the clock on the wall; without a zone it is the policy's."""

    start: Annotated[Clock, Field(alias="from")]
    end: Annotated[Clock, Field(alias="to")]
    zone: Zone | None = None

    def _recurring(self, days: tuple[str, ...], weeks: tuple[int, ...], zone: ZoneInfo) -> Recurring:
        here = ZoneInfo(self.zone) if self.zone else zone
        return Recurring(days=days, weeks=weeks, start=as_time(self.start), end=as_time(self.end), zone=here)


class WeeklyFile(_Hours):
    days: Annotated[OneOrMore[Day], Field(min_length=1)]

    def as_times(self, zone: ZoneInfo) -> Recurring:
        """As the domain knows it."""
        return self._recurring(self.days, (), zone)


class MonthlyFile(_Hours):
    on: OfTheMonth

    def as_times(self, zone: ZoneInfo) -> Recurring:
        """As the domain knows it."""
        week, day = self.on.split()
        return self._recurring((day[:3],), (_WEEKS[week],), zone)


class MaintenanceFile(Model):
    """Which alerts are expected, and when: from one instant to another, each week, or each month."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    when: Matchers = ()
    everything: bool = False
    reason: str = ""
    start: Annotated[Instant | None, Field(alias="from")] = None
    until: Instant | None = None
    zone: Zone | None = None
    weekly: WeeklyFile | None = None
    monthly: MonthlyFile | None = None

    @model_validator(mode="after")
    def _says_when(self) -> MaintenanceFile:
        once = self.start is not None or self.until is not None
        if [once, self.weekly is not None, self.monthly is not None].count(True) != 1:
            raise ValueError("say when it is: from and until, or weekly, or monthly")
        if once and (self.start is None or self.until is None):
            raise ValueError("a window has both from and until, so that it is never forgotten")
        return self

    def as_window(self, zone: ZoneInfo) -> MaintenanceWindow:
        """The window as the domain knows it; `zone` is the policy's."""
        again = [one.as_times(zone) for one in (self.weekly, self.monthly) if one]
        return MaintenanceWindow(
            name=self.name,
            when=self.when,
            times=tuple(again) or (self._once(zone),),
            is_everything=self.everything,
            reason=self.reason,
        )

    def _once(self, zone: ZoneInfo) -> Once:
        here = ZoneInfo(self.zone) if self.zone else zone
        start, end = (
            one.astimezone(UTC) if one.tzinfo else shown(here, one) for one in (self.start, self.until) if one
        )
        return Once(start=start, end=end)


def complaints(windows: Sequence[MaintenanceFile]) -> Iterator[tuple[Place, str]]:
    """What is wrong with windows that could be read, each with its place."""
    for index, window in enumerate(windows):
        place: tuple[Any, ...] = ("maintenance", index)
        if window.name in {other.name for other in windows[:index]}:
            yield (*place, "name"), f"there is another window called {window.name}"
        yield from _about_everything(window, place)
        yield from _about_times(window, place)


def _about_everything(window: MaintenanceFile, place: Place) -> Iterator[tuple[Place, str]]:
    if window.everything and window.until is None:
        yield (*place, "everything"), "a window for everything is open once, with from and until"
    elif window.everything and window.when:
        yield (*place, "when"), "it is for everything, so matchers have no say; leave out one of the two"
    elif not window.everything and mutes_everything(window.when):
        where = (*place, "when") if window.when else place
        yield (
            where,
            "it would mute every alert, or all but a few: name the alerts that are meant, or write everything: true",
        )


def _about_times(window: MaintenanceFile, place: Place) -> Iterator[tuple[Place, str]]:
    if window.until is None:
        return
    once = window.as_window(ZoneInfo("UTC")).times[0]
    if isinstance(once, Once) and once.end <= once.start:
        yield (*place, "until"), "it ends before it begins, so it would never be open"
