"""Times as people say them at a prompt."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.domain.spoken_times import written_out

BERLIN, SHANGHAI = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Shanghai")
WEDNESDAY = datetime(2026, 1, 7, 8, 0, tzinfo=UTC)
"""Nine in the morning in Berlin."""


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("now", "2026-01-07T08:00:00+00:00"),
        ("+8h", "2026-01-07T16:00:00+00:00"),
        (" +1h30m ", "2026-01-07T09:30:00+00:00"),
        ("+2w", "2026-01-21T08:00:00+00:00"),
        ("yesterday 18:00", "2026-01-06T18:00"),
        ("today", "2026-01-07"),
        ("today 18:00", "2026-01-07T18:00"),
        ("tomorrow", "2026-01-08"),
        ("Tomorrow 9:00", "2026-01-08T09:00"),
        ("tomorrow  09:00", "2026-01-08T09:00"),
        ("tomorrowT09:00", "2026-01-08T09:00"),
        ("monday", "2026-01-12"),
        ("monday 09:00", "2026-01-12T09:00"),
        ("fri 17:30", "2026-01-09T17:30"),
        ("wednesday 09:01", "2026-01-07T09:01"),
        ("wednesday 09:00", "2026-01-14T09:00"),
        ("wednesday", "2026-01-14"),
    ],
)
def test_a_time_is_understood_by_the_wall_s_clock(said: str, meant: str) -> None:
    assert written_out(said, BERLIN, WEDNESDAY) == meant


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-05", "2026-01-05T09:00", "2026-01-05T09:00+01:00", "soon", "", "+", "+8", "+8x", "8h",
        "tomorrow 24:00", "tomorrow 9:60", "tomorrow 9", "mon day", "09:00", "tomorrow 09:00 CET", "+" + "9" * 30 + "w",
        "today+1h",
    ],
)  # fmt: skip
def test_what_is_no_spoken_time_stays_as_it_is(text: str) -> None:
    assert written_out(text, BERLIN, WEDNESDAY) == text


def test_a_day_is_that_of_the_zone() -> None:
    late = datetime(2026, 1, 7, 17, 0, tzinfo=UTC)
    assert written_out("tomorrow 09:00", SHANGHAI, late) == "2026-01-09T09:00"
    assert written_out("tomorrow 09:00", BERLIN, late) == "2026-01-08T09:00"


def test_an_end_comes_after_its_begin() -> None:
    monday = datetime(2026, 1, 12, 8, 0, tzinfo=UTC)
    assert written_out("friday 17:00", BERLIN, WEDNESDAY, monday) == "2026-01-16T17:00"
    assert written_out("+8h", BERLIN, WEDNESDAY, monday) == "2026-01-12T16:00:00+00:00"
    assert written_out("tomorrow 17:00", BERLIN, WEDNESDAY, monday) == "2026-01-08T17:00"


@given(st.text(max_size=30))
def test_no_text_makes_it_fail(text: str) -> None:
    assert isinstance(written_out(text, BERLIN, WEDNESDAY), str)
