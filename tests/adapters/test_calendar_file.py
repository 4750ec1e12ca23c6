"""Calendars in files: what is read of them, what is refused, and that our own feed is read by others."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responder.adapters.calendar_file import LARGEST, FeedEntry, Occurrence, feed, occurrences
from responder.errors import Refused

BERLIN = ZoneInfo("Europe/Berlin")
START, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)


def calendar(*events: str, head: str = "") -> bytes:
    body = "".join(f"BEGIN:VEVENT\nUID:{number}@x\nDTSTAMP:20260101T000000Z\n{event}\nEND:VEVENT\n" for number, event in enumerate(events))  # fmt: skip # noqa: E501
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n{head}{body}END:VCALENDAR\n".replace("\n", "\r\n").encode()


def read(*events: str, head: str = "") -> list[Occurrence]:
    return occurrences(calendar(*events, head=head), START, END, BERLIN)


def spans(found: list[Occurrence]) -> list[tuple[str, str]]:
    return [(f"{one.start:%m-%d %H:%M}", f"{one.until:%m-%d %H:%M}") for one in found]


def test_whole_days_and_times_without_a_zone_are_of_the_zone_given() -> None:
    assert spans(read("SUMMARY:a\nDTSTART;VALUE=DATE:20260328\nDTEND;VALUE=DATE:20260330")) == [
        ("03-27 23:00", "03-29 22:00")
    ]
    assert spans(read("SUMMARY:a\nDTSTART:20260402T090000\nDTEND:20260402T100000")) == [("04-02 07:00", "04-02 08:00")]
    assert spans(read("SUMMARY:a\nDTSTART;VALUE=DATE:20260328")) == [("03-27 23:00", "03-28 23:00")]


def test_times_with_a_zone_are_taken_as_they_are() -> None:
    zoned = "SUMMARY:a\nDTSTART;TZID=America/Chicago:20260310T090000\nDTEND;TZID=America/Chicago:20260310T170000"
    assert spans(read(zoned)) == [("03-10 14:00", "03-10 22:00")]
    assert spans(read("SUMMARY:a\nDTSTART:20260310T090000Z\nDURATION:PT2H")) == [("03-10 09:00", "03-10 11:00")]


def test_repetitions_keep_their_time_on_the_wall_with_exceptions_and_moved_ones() -> None:
    weekly = (
        "SUMMARY:ann\nDTSTART;TZID=Europe/Berlin:20260316T090000\nDTEND;TZID=Europe/Berlin:20260316T170000\n"
        "RRULE:FREQ=WEEKLY;COUNT=4\nEXDATE;TZID=Europe/Berlin:20260323T090000"
    )
    assert spans(read(weekly)) == [
        ("03-16 08:00", "03-16 16:00"),
        ("03-30 07:00", "03-30 15:00"),
        ("04-06 07:00", "04-06 15:00"),
    ]


def test_what_is_cancelled_empty_or_at_another_time_is_left_out() -> None:
    cancelled = "SUMMARY:a\nSTATUS:CANCELLED\nDTSTART:20260310T090000Z\nDURATION:PT2H"
    empty = "SUMMARY:a\nDTSTART:20260310T090000Z"
    elsewhere = "SUMMARY:a\nDTSTART:20260610T090000Z\nDURATION:PT2H"
    assert read(cancelled, empty, elsewhere) == []


def test_events_that_overlap_are_all_there_in_an_order_that_the_file_does_not_change() -> None:
    day = "DTSTART:20260310T090000Z\nDURATION:PT8H"
    events = (f"SUMMARY:bob\n{day}", f"SUMMARY:ann\n{day}", "SUMMARY:cem\nDTSTART:20260310T080000Z\nDURATION:PT2H")
    assert [one.summary for one in read(*events)] == ["cem", "ann", "bob"]
    assert read(*reversed(events)) == read(*events)


def one(summary: str, hour: int, *more: str) -> str:
    lines = ("UID:1", f"SUMMARY:{summary}", f"DTSTART:20260310T{hour:02}0000Z", "DURATION:PT1H", *more)
    stamp = () if any(line.startswith("DTSTAMP") for line in more) else ("DTSTAMP:20260101T000000Z",)
    return "\n".join(("BEGIN:VEVENT", *lines, *stamp, "END:VEVENT\n"))


SERIES, MOVED, CANCELLED = "RRULE:FREQ=DAILY;COUNT=2", "RECURRENCE-ID:20260310T090000Z", "STATUS:CANCELLED"
OLD, NEW, LATER = one("ann", 9), one("bob", 10, "SEQUENCE:1"), one("bob", 10, "DTSTAMP:20260102T000000Z")
DAILY, BOB_INSTEAD = one("ann", 9, SERIES), one("bob", 15, MOVED)


@pytest.mark.parametrize(
    ("events", "found"),
    [
        ((OLD, OLD), ["ann 10 09"]),
        ((OLD, NEW), ["bob 10 10"]),
        ((OLD, LATER), ["bob 10 10"]),
        ((one("ann", 9, "SEQUENCE:1"), LATER), ["ann 10 09"]),
        ((OLD, one("ann", 9, "SEQUENCE:10", CANCELLED), one("ann", 9, "SEQUENCE:2")), []),
        ((DAILY, BOB_INSTEAD), ["bob 10 15", "ann 11 09"]),
        ((DAILY, BOB_INSTEAD, one("cem", 16, MOVED, "SEQUENCE:1")), ["cem 10 16", "ann 11 09"]),
        ((DAILY, BOB_INSTEAD, one("bob", 15, MOVED, "SEQUENCE:1", CANCELLED)), ["ann 11 09"]),
    ],
)
def test_of_events_with_the_same_uid_and_recurrence_the_newest_counts_wherever_it_stands(
    events: tuple[str, ...], found: list[str]
) -> None:
    for order in (events, events[::-1]):
        body = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n{''.join(order)}END:VCALENDAR\n".replace("\n", "\r\n")
        there = occurrences(body.encode(), START, END, BERLIN)
        assert [f"{each.summary} {each.start:%d %H}" for each in there] == found


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "This is no calendar"),
        (b"people: []", "This is no calendar"),
        (b"\xff\xfe\x00", "This is no calendar"),
        (b"x" * (LARGEST + 1), "larger than"),
        (calendar("SUMMARY:a\nDTSTART:20260310T090000Z\nRRULE:FREQ=SECONDLY"), "repeats more often than daily"),
        (calendar("SUMMARY:a\nDTSTART:20260310T090000Z\nRRULE:FREQ=DAILY;BYMINUTE=1,2"), "repeats more often than"),
        (calendar(*["SUMMARY:a\nDTSTART:20260310T090000Z\nDURATION:PT1H"] * 1001), "more than 1000 events"),
    ],
)
def test_what_is_no_calendar_or_too_much_of_one_is_refused_in_a_sentence(content: bytes, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        occurrences(content, START, END, BERLIN)


@settings(max_examples=150, deadline=None)
@given(
    line=st.text(alphabet="ABCDTSRULE:;=,0123456789-+ZPWMHé\n\r\t \x00", max_size=60),
    key=st.sampled_from(["RRULE:", "DTSTART:", "DTEND;TZID=", "DURATION:", "RDATE:", "EXDATE:", "RECURRENCE-ID:", ""]),
)
def test_no_bytes_do_more_than_be_refused(line: str, key: str) -> None:
    content = calendar(f"SUMMARY:a\nDTSTART:20260310T090000Z\n{key}{line}")
    with contextlib.suppress(Refused):
        assert all(one.start < one.until for one in occurrences(content, START, END, BERLIN))


def test_our_feed_is_read_back_as_it_was_written() -> None:
    entries = [
        FeedEntry(
            uid=f"{number}@responder",
            summary="On call: ops; first, really",
            description="layer a\nturn 1",
            start=START + timedelta(days=number),
            until=START + timedelta(days=number + 1),
        )
        for number in range(3)
    ]
    content = feed("On call: ops", entries, START)
    assert content.startswith(b"BEGIN:VCALENDAR\r\n")
    assert b"X-WR-CALNAME:On call: ops\r\n" in content
    found = occurrences(content, START, END, BERLIN)
    assert [(one.summary, one.start, one.until) for one in found] == [
        (one.summary, one.start, one.until) for one in entries
    ]
