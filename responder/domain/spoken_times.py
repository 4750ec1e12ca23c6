"""Spoken times: `tomorrow 09:00`, `monday`, `+8h`, for people at a prompt; written out as a date, or date and time."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from responder.domain.durations import parse_duration

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NEAR = {"yesterday": -1, "today": 0, "tomorrow": 1}
_TEXT = re.compile(r"(?P<day>[a-z]{3,9})(?:[ t]+(?P<time>\d{1,2}:\d{2}))?", re.IGNORECASE)
_WEEK = timedelta(days=7)


def written_out(text: str, zone: ZoneInfo, now: datetime, after: datetime | None = None) -> str:
    """A spoken time as ISO 8601, by the wall's clock of the zone and without an offset, unless it is `now` or `+8h`.
    What is no spoken time is given back as it is.

    `yesterday`, `today` and `tomorrow` are days of now. A weekday is the next one that is not over, a duration begins:
    both after `after`, which is the begin of what is to end then, or now.
    """
    said, begin = text.strip(), after or now
    if said.lower() == "now":
        return now.isoformat()
    if said.startswith("+"):
        return _later(said, begin)
    match = _TEXT.fullmatch(said)
    at = _time(match["time"]) if match else None
    if match is None or (match["time"] and at is None):
        return text
    day = _day(match["day"].lower(), at, now.astimezone(zone), begin.astimezone(zone))
    if day is None:
        return text
    return f"{day}" if at is None else f"{datetime.combine(day, at):%Y-%m-%dT%H:%M}"


def _later(said: str, begin: datetime) -> str:
    try:
        return (begin + parse_duration(said[1:])).isoformat()
    except (ValueError, OverflowError):
        return said


def _time(text: str | None) -> time | None:
    hour, _, minute = (text or "24:00").partition(":")
    return time(int(hour), int(minute)) if int(hour) < 24 and int(minute) < 60 else None


def _day(word: str, at: time | None, now: datetime, begin: datetime) -> date | None:
    if word in _NEAR:
        return now.date() + timedelta(days=_NEAR[word])
    wanted = next((number for number, name in enumerate(_DAYS) if word in (name, name[:3])), None)
    if wanted is None:
        return None
    day = begin.date() + timedelta(days=(wanted - begin.weekday()) % 7)
    is_over = datetime.combine(day, at or time()) <= begin.replace(tzinfo=None)
    return day + _WEEK if is_over else day
