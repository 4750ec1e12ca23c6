"""Public holidays and make-up working days of a country, from the tables of the package `holidays`.

In China the State Council announces the breaks of a year in the autumn before it: whole, with the weekends in them,
and with the Saturdays and Sundays that are worked for them. The tables have the days off, but not those weekends.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holidays import HolidayBase

PROVISIONAL = "(provisional)"
_WHOLE_BREAKS = frozenset({"CN"})
"""Where breaks are announced every year anew, and whole."""
_SUBSTITUTED = re.compile(r"\(substituted from (\d\d)/(\d\d)/(\d{4})\)")
_STANDS_FOR = re.compile(r"\((substituted|observed)\b")


@dataclass(frozen=True, kw_only=True, slots=True)
class HolidayDates:
    """Days that are free, and days of a weekend that are worked, each with the holiday that it is for.

    The name of a worked day is empty where the tables do not say. Names of breaks that were not announced yet end in
    `(provisional)`; those of days that follow the moon may end in `(estimated)`.
    """

    free: Mapping[date, str]
    worked: Mapping[date, str]


def objection_to(place: str) -> str:
    """Why there are no tables for a country (`CN`) or a part of one (`DE-BY`); empty if there are."""
    import holidays  # takes 0.2 s, too long for the many commands that need no calendar

    country, dash, part = place.partition("-")
    known = holidays.list_supported_countries()
    if country not in known:
        return f"no country {country!r} in the tables of holidays; write its code, like CN, or DE-BY for a part of it"
    if dash and part not in known[country]:
        return f"{country} has no part {part!r} in the tables of holidays; it has {', '.join(known[country]) or 'none'}"
    return ""


@cache
def holiday_dates(place: str, first: int, last: int) -> HolidayDates:
    """The holidays of a country or a part of one, from one year to another. Raises ValueError if it has no tables."""
    objection = objection_to(place)
    if objection:
        raise ValueError(objection)
    # One year more on either side: a break over New Year is seen whole, and so is what was moved over it.
    table = _table(place, range(first - 1, last + 2))
    labels, worked = dict(table.items()), set(table.weekend_workdays)
    named = {day: name for run in _breaks(labels, table.weekend, worked) for day, name in _named(run, labels).items()}
    made_up = {_moved_from(label): named[day] for day, label in labels.items()}
    if table.country in _WHOLE_BREAKS:
        announced = max((day.year for day in worked), default=0)
        free = {day: name if day.year <= announced else f"{name} {PROVISIONAL}" for day, name in named.items()}
    else:
        free = {day: named[day] for day in labels}
    return HolidayDates(
        free={day: name for day, name in sorted(free.items()) if first <= day.year <= last},
        worked={day: made_up.get(day, "") for day in sorted(worked) if first <= day.year <= last},
    )


def _table(place: str, years: Collection[int]) -> HolidayBase:
    import holidays

    country, _, part = place.partition("-")
    # Without a language it is the machine's. The countries whose tables have only one have it in English.
    return holidays.country_holidays(country, subdiv=part or None, years=years, language="en_US")


def _breaks(free: Collection[date], weekend: Collection[int], worked: Collection[date]) -> Iterator[list[date]]:
    """Days without work in a row, with a holiday among them."""
    run: list[date] = []
    first, last = min(free, default=None), max(free, default=None)
    for day in _days(first, last) if first and last else ():
        if day in free or (day.weekday() in weekend and day not in worked):
            run.append(day)
            continue
        if any(day in free for day in run):
            yield run
        run = []


def _days(first: date, last: date) -> Iterator[date]:
    """All days from one to another, with a week more on either side so that no weekend is cut off."""
    yield from map(date.fromordinal, range(first.toordinal() - 7, last.toordinal() + 8))


def _named(run: list[date], labels: Mapping[date, str]) -> dict[date, str]:
    """The holiday of each day of a break: of a day that only stands for one or bridges to one, the nearest."""
    proper = [day for day in run if day in labels and not _STANDS_FOR.search(labels[day])]
    if not proper:
        return {day: labels[day] for day in run if day in labels}
    return {day: labels[min(proper, key=lambda other: abs(other - day))] for day in run}


def _moved_from(label: str) -> date | None:
    """The working day that is worked instead of this one, as the tables' English names have it."""
    found = _SUBSTITUTED.search(label)
    return date(int(found[3]), int(found[1]), int(found[2])) if found else None
