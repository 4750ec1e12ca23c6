"""Calendars are read beside the service: nothing waits for one that takes for ever."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from responder.adapters.calendar_file import Occurrence, occurrences
from responder.adapters.calendar_reader import read_calendar
from responder.errors import Refused

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
BERLIN = ZoneInfo("Europe/Berlin")


def calendar(*rules: str, begin: str = "20100101") -> bytes:
    events = "".join(
        f"BEGIN:VEVENT\r\nUID:{number}\r\nSUMMARY:mei\r\nDTSTART:{begin}T090000\r\nDTEND:{begin}T100000\r\n"
        f"RRULE:{rule}\r\nEND:VEVENT\r\n"
        for number, rule in enumerate(rules)
    )
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{events}END:VCALENDAR\r\n".encode()


async def test_it_gives_what_is_in_the_calendar() -> None:
    found = await read_calendar(calendar("FREQ=DAILY", begin="20260301"), NOW, NOW + 2 * DAY, BERLIN)
    assert found == [
        Occurrence(summary="mei", start=start, until=start + timedelta(hours=1))
        for start in (datetime(2026, 3, day, 8, tzinfo=UTC) for day in (3, 4))
    ]


async def test_it_refuses_what_is_no_calendar_with_the_same_sentence() -> None:
    with pytest.raises(Refused, match="This is no calendar"):
        await read_calendar(b"Dear colleague,", NOW, NOW + DAY, BERLIN)


async def test_a_calendar_that_takes_for_ever_is_refused_and_meanwhile_the_rest_goes_on() -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    beside = asyncio.create_task(count())
    never = calendar(*["FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"] * 200, begin="19700101")
    with pytest.raises(Refused, match="takes longer than 1 s to be understood"):
        await read_calendar(never, NOW, NOW + 370 * DAY, BERLIN, within=timedelta(seconds=1))
    beside.cancel()
    assert turns > 100


def test_repeated_events_that_ended_long_ago_are_left_out() -> None:
    ended = ["FREQ=DAILY;UNTIL=20240101T000000Z"] * 50
    assert [one.start for one in occurrences(calendar(*ended, "FREQ=DAILY"), NOW, NOW + DAY, BERLIN)] == [
        datetime(2026, 3, 3, 8, tzinfo=UTC)
    ]
