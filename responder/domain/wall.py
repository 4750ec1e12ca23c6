"""The clock on the wall: between an instant and what a zone's clocks show, where they jump or repeat an hour too."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


def midnight(day: int) -> datetime:
    """The beginning of a day of UTC, given by its ordinal."""
    return datetime.fromordinal(day).replace(tzinfo=UTC)


def offset_at(zone: ZoneInfo, at: datetime) -> timedelta:
    """How far the wall's clock is ahead of UTC."""
    return at.astimezone(zone).replace(tzinfo=UTC) - at


def even(zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime, timedelta]]:
    """The time between two instants at most a day apart, in pieces within which the offset stays the same.

    Within a day no zone changes its offset and takes that back: the closest two changes in the time zone database are
    almost four days apart (Africa/Freetown, 1939).
    """
    while start < end:
        offset = offset_at(zone, start)
        until = end if offset_at(zone, end) == offset else change_between(zone, start, end)
        yield start, until, offset
        start = until


def change_between(zone: ZoneInfo, start: datetime, end: datetime) -> datetime:
    """The instant between two, to the second, at which the offset becomes another one."""
    start = start.replace(microsecond=0)
    offset, seconds = offset_at(zone, start), int((end - start).total_seconds()) + 1
    passed = bisect_left(
        range(seconds), True, key=lambda gone: offset_at(zone, start + timedelta(seconds=gone)) != offset
    )
    return start + timedelta(seconds=passed)


def shown(zone: ZoneInfo, local: datetime) -> datetime:
    """The first instant at which the wall's clock shows `local`, or at which it jumps over it."""
    found = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == local:
        return found
    return change_between(zone, local.replace(tzinfo=zone, fold=1).astimezone(UTC), found)


def is_skipped(zone: ZoneInfo, local: datetime) -> bool:
    """Whether the clocks jump over this time."""
    return shown(zone, local).astimezone(zone).replace(tzinfo=None) != local


def is_repeated(zone: ZoneInfo, local: datetime) -> bool:
    """Whether the clocks show this time twice."""
    offsets = [local.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1)]
    return offsets[0] != offsets[1] and not is_skipped(zone, local)
