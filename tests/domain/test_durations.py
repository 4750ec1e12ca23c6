"""Durations as people write and read them."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.domain.durations import coarse, parse_duration, spoken


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("5m", 300),
        ("1h30m", 5400),
        ("2d", 172800),
        ("1w", 604800),
        ("250ms", 0.25),
        ("1m500ms", 60.5),
        (" 5m ", 300),
        ("0s", 0),
    ],
)
def test_a_duration_is_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "5", "m", "5 m", "-5m", "1.5h", "5M", "5m!", "5min", "1h 30m", "٣", "5m\n5"])
def test_what_is_no_duration_is_refused_and_shown(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration; write it like"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.25, "250ms"),
        (45, "45s"),
        (59.6, "1m"),
        (60, "1m"),
        (5400, "1h 30m"),
        (5430, "1h 30m"),
        (90000, "1d 1h"),
        (86460, "1d 1m"),
        (-5400, "-1h 30m"),
    ],
)
def test_a_duration_is_spoken_in_its_two_largest_units(seconds: float, text: str) -> None:
    assert spoken(timedelta(seconds=seconds)) == text


@given(st.integers(0, 23), st.integers(0, 59))
def test_what_is_spoken_can_be_read_again(hours: int, minutes: int) -> None:
    duration = timedelta(hours=hours, minutes=minutes)
    assert parse_duration(spoken(duration).replace(" ", "")) == duration


@given(st.text(max_size=12))
def test_any_short_text_is_a_duration_or_refused(text: str) -> None:
    with suppress(ValueError):
        assert parse_duration(text) >= timedelta()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (0.7, "0s"), (59.9, "59s"), (60, "1m"), (119, "1m"), (3719, "1h 1m"), (90061, "1d 1h")],
)
def test_a_coarse_duration_changes_once_a_minute(seconds: float, text: str) -> None:
    assert coarse(timedelta(seconds=seconds)) == text
