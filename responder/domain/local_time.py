"""Local time: an instant as a reader's own clock on the wall shows it, with the name of that clock's time."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

UTC = ZoneInfo("UTC")
_MINUTE = timedelta(minutes=1)


def local_moment(at: datetime, zone: ZoneInfo) -> str:
    """Day and time to the minute: `2026-01-05 09:00 CET`."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M} {_name(at, zone)}"


def local_time(at: datetime, zone: ZoneInfo) -> str:
    """The time to the minute: `09:00 CET`, or where the zone has no letters for it `09:00 UTC+08:00`."""
    return f"{at.astimezone(zone):%H:%M} {_name(at, zone)}"


def _name(at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    name = local.tzname() or ""
    if name.isalpha():
        return name
    offset = local.utcoffset() or timedelta()
    hours, minutes = divmod(abs(offset) // _MINUTE, 60)
    return f"UTC{'-' if offset < timedelta() else '+'}{hours:02}:{minutes:02}"
