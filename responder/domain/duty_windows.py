"""Windows of duty as stretches of time: opened and closed by the clock on the wall, and joined where they touch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from responder.domain.wall import shown
from responder.domain.windows import DAYS, Window

_DAY = timedelta(days=1)
_REACH = timedelta(days=9)
"""Windows that touch, and do not fill the week, are joined to less than a week; the clocks may leave out a day."""
_MINUTES_OF_A_DAY = 1440
_MINUTES_OF_A_WEEK = 7 * _MINUTES_OF_A_DAY


class Opening(NamedTuple):
    start: datetime
    until: datetime


def openings(windows: Sequence[Window], start: datetime, until: datetime) -> list[Opening]:
    """The joined windows that are open at some time between two instants, each from its own start to its own end.

    Without windows, and where they fill the week, it is the whole time between the two.
    """
    if fills_the_week(windows):
        return [Opening(start, until)]
    found = sorted(one for window in windows for one in _openings(window, start - _REACH, until + _REACH))
    joined: list[Opening] = []
    for one in found:
        if joined and one.start <= joined[-1].until:
            joined[-1] = Opening(joined[-1].start, max(joined[-1].until, one.until))
        else:
            joined.append(one)
    return [one for one in joined if one.start < until and start < one.until]


def fills_the_week(windows: Sequence[Window]) -> bool:
    """Whether there is no time outside of the windows. No windows at all leave out nothing."""
    if not windows or len({window.zone.key for window in windows}) > 1:
        return not windows
    reached = 0
    for start, end in sorted(minutes_of_the_week(windows)):
        if start > reached:
            return False
        reached = max(reached, end)
    return reached >= _MINUTES_OF_A_WEEK


def minutes_of_the_week(windows: Iterable[Window]) -> list[tuple[int, int]]:
    """The minutes after Monday 00:00 from and to which the windows are open; what passes Sunday's end is two pieces."""
    found = []
    for window in windows:
        for day in window.days:
            start = DAYS.index(day) * _MINUTES_OF_A_DAY + _minute(window.start)
            end = start + _minutes_open(window)
            found.append((start, min(end, _MINUTES_OF_A_WEEK)))
            if end > _MINUTES_OF_A_WEEK:
                found.append((0, end - _MINUTES_OF_A_WEEK))
    return found


def overlap(one: Window, other: Window) -> bool:
    """Whether two windows of one zone are open at the same time of the week."""
    return any(
        start < other_end and other_start < end
        for start, end in minutes_of_the_week([one])
        for other_start, other_end in minutes_of_the_week([other])
    )


def _openings(window: Window, start: datetime, until: datetime) -> Iterable[Opening]:
    day, last = start.astimezone(window.zone).date(), until.astimezone(window.zone).date()
    while day <= last:
        if DAYS[day.weekday()] in window.days:
            closing = day if window.start < window.end else day + _DAY
            opens, closes = _shown(window, day, window.start), _shown(window, closing, window.end)
            if opens < closes:
                yield Opening(opens, closes)
        day += _DAY


def _shown(window: Window, day: date, at: time) -> datetime:
    return shown(window.zone, datetime.combine(day, at))


def _minute(at: time) -> int:
    return at.hour * 60 + at.minute


def _minutes_open(window: Window) -> int:
    return (_minute(window.end) - _minute(window.start) - 1) % _MINUTES_OF_A_DAY + 1
