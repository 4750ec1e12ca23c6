"""The part of policy.yml that says when clocks count: calendars with hours, holidays and overrides."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import pairwise
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field

from responder.adapters.holiday_dates import holiday_dates, objection_to
from responder.adapters.yaml_file import Place
from responder.config.model import Model
from responder.domain.windows import DAYS
from responder.domain.workhours import ALWAYS, CLOSED, Calendar, Span

YEARS_BACK, YEARS_AHEAD = 2, 5
_FULL = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def years_around(today: date) -> range:
    """The years for which the holidays of a calendar are looked up."""
    return range(today.year - YEARS_BACK, today.year + YEARS_AHEAD + 1)


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{text!r} is no time zone; write it like Europe/Berlin") from error
    return text


def _holidays(text: str) -> str:
    objection = objection_to(text)
    if objection:
        raise ValueError(objection)
    return text


def _day(text: str) -> int:
    word = text.strip().lower()
    if word not in DAYS and word not in _FULL:
        raise ValueError(f"{text!r} is no day; write it like mon, or mon-fri, out of {', '.join(DAYS)}")
    return DAYS.index(word[:3])


def _days(text: str) -> list[int]:
    """The days, from 0 for Monday, that a key names: `sat`, `mon-fri`, `sun-thu`, `mon,wed`."""
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        begin, count = _day(first), 1
        if dash:
            count = (_day(last) - begin) % 7 + 1
        found += [(begin + step) % 7 for step in range(count)]
    return found


def _span(value: object) -> Span:
    found = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise ValueError(f"{value!r} is no span of time; write it like '09:00-12:00', up to 24:00")
    numbers = [int(number or 0) for number in found.groups()]
    start, end = numbers[0] * 60 + numbers[1], numbers[2] * 60 + numbers[3] if found[3] else 24 * 60
    if end <= start:
        raise ValueError(
            f"{value!r} ends before it has begun; write a shift over midnight as two spans: one up to 24:00, and one "
            "from 00:00 on the next day"
        )
    return Span(start=start, end=end)


def _spans(value: object) -> tuple[Span, ...]:
    if value == CLOSED:
        return ()
    if not isinstance(value, list | tuple):
        raise ValueError(f"{value!r} is no list of hours; write it like ['09:00-12:00', '13:00-18:00'], or closed")
    spans = sorted((_span(one) for one in value), key=lambda span: span.start)
    for one, following in pairwise(spans):
        if following.start < one.end:
            raise ValueError(f"{_spoken(one)} and {_spoken(following)} overlap")
    return tuple(spans)


def _spoken(span: Span) -> str:
    return f"{span.start // 60:02}:{span.start % 60:02}-{span.end // 60:02}:{span.end % 60:02}"


@dataclass(frozen=True, kw_only=True)
class Override:
    """What one day is like instead: its hours, or none, with the words for it."""

    spans: tuple[Span, ...] = ()
    reason: str = ""


def _override(value: object) -> Override:
    if not isinstance(value, dict):
        spans = _spans(value)
        return Override(spans=spans, reason="" if spans else CLOSED)
    why = value.get(CLOSED)
    if set(value) != {CLOSED} or not isinstance(why, str) or not why.strip():
        raise ValueError(f"{value!r} is no override; write closed, {{closed: why}}, or hours like ['09:00-18:00']")
    return Override(reason=f"{CLOSED}: {why.strip()}")


def _date(value: object) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        if isinstance(value, str) and _DATE.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise ValueError(f"{str(value)!r} is no day of any calendar; write it like '2026-12-24'")


def _named(text: str) -> str:
    _days(text)
    return text


def _sensible(hours: dict[str, tuple[Span, ...]]) -> dict[str, tuple[Span, ...]]:
    owner: dict[int, str] = {}
    for text in hours:
        for day in _days(text):
            if day in owner:
                raise ValueError(f"{DAYS[day]} is in {owner[day]} and again in {text}; a day has one list of hours")
            owner[day] = text
    if not any(hours.values()):
        raise ValueError("no day has hours, so no clock would ever run; write them like {mon-fri: ['09:00-18:00']}")
    return hours


DayHours = Annotated[tuple[Span, ...], BeforeValidator(_spans)]


class CalendarFile(Model):
    """When time counts: hours of the week in a zone, without the holidays of a country, and days that differ."""

    zone: Annotated[str, AfterValidator(_zone)]
    hours: Annotated[dict[Annotated[str, AfterValidator(_named)], DayHours], AfterValidator(_sensible)]
    holidays: Annotated[str, AfterValidator(_holidays)] | None = None
    make_up_hours: DayHours | None = None
    overrides: dict[Annotated[date, BeforeValidator(_date)], Annotated[Override, BeforeValidator(_override)]] = Field(
        default_factory=dict
    )

    def as_calendar(self, name: str, years: range) -> Calendar:
        """The calendar as the domain knows it, with the holidays of these years."""
        by_day = {day: spans for text, spans in self.hours.items() for day in _days(text)}
        special = self._special(years)
        return Calendar(
            name=name,
            zone=ZoneInfo(self.zone),
            week=tuple(by_day.get(day, ()) for day in range(7)),
            days={day: special[day].spans for day in sorted(special)},
            reasons={day: special[day].reason for day in sorted(special) if special[day].reason},
        )

    @property
    def made_up(self) -> tuple[Span, ...]:
        """The hours of a make-up working day: those of Monday, unless others are written."""
        if self.make_up_hours is not None:
            return self.make_up_hours
        return next((spans for text, spans in self.hours.items() if 0 in _days(text)), ())

    def _special(self, years: range) -> dict[date, Override]:
        if self.holidays is None:
            return dict(self.overrides)
        dates = holiday_dates(self.holidays, years[0], years[-1])
        free = {day: Override(reason=f"holiday: {name}") for day, name in dates.free.items()}
        worked = {day: self._as_made_up(name) for day, name in dates.worked.items()}
        return {**free, **worked, **self.overrides}

    def _as_made_up(self, name: str) -> Override:
        reason = f"make-up working day: {name}" if name else "make-up working day"
        return Override(spans=self.made_up, reason=reason if self.made_up else f"{CLOSED}: {reason}")


def as_calendars(calendars: Mapping[str, CalendarFile], years: range, zone: ZoneInfo) -> dict[str, Calendar]:
    """All calendars by their names, with `always`, whose times of day are those of `zone`."""
    made = {name: calendar.as_calendar(name, years) for name, calendar in calendars.items()}
    return {**made, ALWAYS.name: replace(ALWAYS, zone=zone, version="")}


def complaints(calendars: Mapping[str, CalendarFile], years: range) -> Iterator[tuple[Place, str]]:
    """What no calendar may be, each with its place."""
    for name, calendar in calendars.items():
        place: Place = ("calendars", name)
        if name == ALWAYS.name:
            yield place, f"{name} is built in, and counts around the clock; give this calendar another name"
        made = calendar.as_calendar(name, years)
        idle = [str(year) for year in years if not _is_worked(made, year)]
        if idle:
            yield (*place, "hours"), f"calendar {name} has no working time in {', '.join(idle)}"
        if calendar.make_up_hours is None and not calendar.made_up and _makes_up(calendar, years):
            text = "has make-up working days, which take Monday's hours, and Monday has none; write make_up_hours"
            yield (*place, "holidays"), f"{calendar.holidays} {text}"


def _is_worked(calendar: Calendar, year: int) -> bool:
    days = range(date(year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal())
    return any(calendar.spans(date.fromordinal(day)) for day in days)


def _makes_up(calendar: CalendarFile, years: range) -> bool:
    return calendar.holidays is not None and bool(holiday_dates(calendar.holidays, years[0], years[-1]).worked)
