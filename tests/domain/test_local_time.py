"""Instants as their readers' clocks show them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from responder.domain.local_time import local_moment, local_time


@pytest.mark.parametrize(
    ("zone", "at", "said"),
    [
        ("UTC", (2026, 1, 5, 9), "2026-01-05 09:00 UTC"),
        ("Europe/Berlin", (2026, 1, 5, 9), "2026-01-05 10:00 CET"),
        ("Europe/Berlin", (2026, 7, 5, 23), "2026-07-06 01:00 CEST"),
        ("Asia/Shanghai", (2026, 1, 5, 20), "2026-01-06 04:00 CST"),
        ("Asia/Singapore", (2026, 1, 5, 9), "2026-01-05 17:00 UTC+08:00"),
        ("America/Sao_Paulo", (2026, 1, 5, 1), "2026-01-04 22:00 UTC-03:00"),
        ("Asia/Kathmandu", (2026, 1, 5, 9), "2026-01-05 14:45 UTC+05:45"),
    ],
)
def test_an_instant_is_named_in_its_reader_s_zone(zone: str, at: tuple[int, int, int, int], said: str) -> None:
    instant = datetime(*at, tzinfo=UTC)
    assert local_moment(instant, ZoneInfo(zone)) == said
    assert local_time(instant, ZoneInfo(zone)) == said[11:]


def test_the_hour_that_comes_twice_is_told_apart() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    twice = [local_time(datetime(2026, 10, 25, hour, 30, tzinfo=UTC), berlin) for hour in (0, 1)]
    assert twice == ["02:30 CEST", "02:30 CET"]
