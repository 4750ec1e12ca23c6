"""Calendars in files (.ics, RFC 5545): events with their repetitions as stretches of time, and shifts as a feed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from responder.domain.wall import shown
from responder.errors import Refused

if TYPE_CHECKING:
    import icalendar

LARGEST = 1024 * 1024
MOST = 1000
_LONGEST_EVENT = timedelta(days=370)
_TOO_OFTEN = frozenset({"SECONDLY", "MINUTELY", "HOURLY"})
_EXPANDING = ("BYHOUR", "BYMINUTE", "BYSECOND")


@dataclass(frozen=True, kw_only=True, slots=True)
class Occurrence:
    """One event of a calendar at one of its times."""

    summary: str
    start: datetime
    until: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedEntry:
    """One shift as calendars show it; a reader knows it again by its `uid`."""

    uid: str
    summary: str
    description: str
    start: datetime
    until: datetime


def occurrences(content: bytes, start: datetime, until: datetime, zone: ZoneInfo) -> list[Occurrence]:
    """The events of a file between two instants, in order; they may overlap. Whole days and times without a zone are
    those of `zone`; cancelled events are left out. Of several with the same UID and RECURRENCE-ID the one with the
    highest SEQUENCE counts, then the one with the latest DTSTAMP (RFC 5545 3.8.7.4, RFC 5546 2.1.5).

    Raises Refused for what is no calendar, is larger than a mebibyte, has more than a thousand events in that time, or
    repeats more often than daily.
    """
    if len(content) > LARGEST:
        raise Refused(f"The calendar is larger than {LARGEST} bytes.")
    calendar = _parsed(content)
    for event in calendar.walk("VEVENT"):
        _refuse_what_repeats_too_often(event)
    _leave_out_older_ones(calendar)
    _leave_out_what_has_ended(calendar, start)
    # Whole days have no zone: one day more on both sides, and then by the instant.
    around = (start - timedelta(days=2), until + timedelta(days=2))
    try:
        events = list(islice(_between(calendar, *around), MOST + 1))
        found = [_occurrence(event, zone) for event in events if str(event.get("STATUS", "")).upper() != "CANCELLED"]
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, IndexError) as error:
        raise Refused(f"The calendar has an event that cannot be understood: {error}") from error
    if len(events) > MOST:
        raise Refused(f"The calendar has more than {MOST} events in this time.")
    ordered = sorted(found, key=lambda one: (one.start, one.until, one.summary))
    return [one for one in ordered if one.start < one.until and one.start < until and start < one.until]


def feed(name: str, entries: Iterable[FeedEntry], made_at: datetime) -> bytes:
    """A calendar that other programs subscribe to."""
    # Here and below, because a tenth of every start would go into what few ever use.
    import icalendar

    made = icalendar.Calendar()
    made.add("prodid", "-//responder//on call//EN")
    made.add("version", "2.0")
    made.add("x-wr-calname", name)
    made.add("refresh-interval", timedelta(hours=1), parameters={"VALUE": "DURATION"})
    for entry in entries:
        event = icalendar.Event()
        event.add("uid", entry.uid)
        event.add("dtstamp", made_at)
        event.add("dtstart", entry.start)
        event.add("dtend", entry.until)
        event.add("summary", entry.summary)
        event.add("description", entry.description)
        made.add_component(event)
    return bytes(made.to_ical())


def _parsed(content: bytes) -> icalendar.Calendar:
    import icalendar

    try:
        found = icalendar.Calendar.from_ical(content)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise Refused(f"This is no calendar: {str(error)[:200] or type(error).__name__}") from error
    if not isinstance(found, icalendar.Calendar):
        raise Refused("This is no calendar: it begins with something else than BEGIN:VCALENDAR.")
    return found


def _refuse_what_repeats_too_often(event: Any) -> None:
    rules = event.get("RRULE") or []
    for rule in rules if isinstance(rules, list) else [rules]:
        often = {str(word).upper() for word in rule.get("FREQ", [])} & _TOO_OFTEN
        if often or any(key in rule for key in _EXPANDING):
            raise Refused(f"The event {str(event.get('SUMMARY', ''))[:80]!r} repeats more often than daily.")


def _leave_out_older_ones(calendar: icalendar.Calendar) -> None:
    """Keeps the newest of the events that are one, so that an order of them in the file means nothing."""
    newest: dict[tuple[str, str], tuple[tuple[int, str], Any]] = {}
    for event in calendar.walk("VEVENT"):
        if uid := str(event.get("UID", "")):
            one, age = (uid, _written(event, "RECURRENCE-ID")), _age(event)
            if one not in newest or newest[one][0] <= age:
                newest[one] = (age, event)
    kept = {id(event) for _, event in newest.values()}
    calendar.subcomponents = [
        one for one in calendar.subcomponents if one.name != "VEVENT" or not one.get("UID") or id(one) in kept
    ]


def _leave_out_what_has_ended(calendar: icalendar.Calendar, start: datetime) -> None:
    """Drops repeated events whose last time is long past: each would be walked through from its beginning."""
    long_ago = start.date() - _LONGEST_EVENT
    calendar.subcomponents = [
        one for one in calendar.subcomponents if one.name != "VEVENT" or not _ended_before(one, long_ago)
    ]


def _ended_before(event: Any, day: date) -> bool:
    rule = event.get("RRULE")
    if rule is None or isinstance(rule, list) or event.get("RDATE") is not None:
        return False
    return any(_day(end) < day for end in rule.get("UNTIL", []))


def _day(at: date | datetime) -> date:
    return at.date() if isinstance(at, datetime) else at


def _age(event: Any) -> tuple[int, str]:
    """What grows with each change of an event."""
    sequence = _written(event, "SEQUENCE")
    return int(sequence) if sequence.isascii() and sequence.isdigit() else 0, _written(event, "DTSTAMP")


def _written(event: Any, name: str) -> str:
    """A property as it stands in the file; a broken one is as good as none."""
    value = event.get(name)
    return "" if value is None else str(value.to_ical().decode() if hasattr(value, "to_ical") else value)


def _between(calendar: icalendar.Calendar, start: datetime, until: datetime) -> Iterable[Any]:
    import recurring_ical_events

    found: Iterable[Any] = recurring_ical_events.of(calendar).between(start, until)
    return found


def _occurrence(event: Any, zone: ZoneInfo) -> Occurrence:
    start, until = event.start, event.end
    summary = " ".join(str(event.get("SUMMARY", "")).replace("\x00", "").split())
    return Occurrence(summary=summary[:200], start=_instant(start, zone), until=_instant(until, zone))


def _instant(at: date | datetime, zone: ZoneInfo) -> datetime:
    if not isinstance(at, datetime):
        return shown(zone, datetime.combine(at, time()))
    return at.astimezone(UTC) if at.tzinfo else shown(zone, at)
