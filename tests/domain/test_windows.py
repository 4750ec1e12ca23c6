"""Windows by the clock on the wall: midnight, and the nights on which that clock is changed."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from responder.domain.windows import Window, holds_any

BERLIN = ZoneInfo("Europe/Berlin")
WORKDAYS = ("mon", "tue", "wed", "thu", "fri")
OFFICE = Window(days=WORKDAYS, start=time(8), end=time(20), zone=BERLIN)
NIGHT = Window(days=("fri",), start=time(22), end=time(2), zone=BERLIN)


def berlin(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN, fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("at", "holds"),
    [
        ("2026-11-20 07:59:59.999999", False),
        ("2026-11-20 08:00", True),
        ("2026-11-20 19:59:59.999999", True),
        ("2026-11-20 20:00", False),
        ("2026-11-21 12:00", False),
    ],
)
def test_the_start_belongs_to_it_and_the_end_does_not(at: str, holds: bool) -> None:
    assert OFFICE.holds(berlin(at)) is holds


@pytest.mark.parametrize(
    ("at", "holds"),
    [
        ("2026-11-20 21:59", False),
        ("2026-11-20 22:00", True),
        ("2026-11-21 00:00", True),
        ("2026-11-21 01:59", True),
        ("2026-11-21 02:00", False),
        ("2026-11-21 22:00", False),
        ("2026-11-20 01:00", False),
    ],
)
def test_over_midnight_it_belongs_to_the_day_on_which_it_begins(at: str, holds: bool) -> None:
    assert NIGHT.holds(berlin(at)) is holds


def test_sunday_goes_over_into_monday() -> None:
    window = Window(days=("sun",), start=time(23), end=time(1))
    assert window.holds(datetime(2026, 11, 23, 0, 30, tzinfo=UTC))
    assert not window.holds(datetime(2026, 11, 22, 0, 30, tzinfo=UTC))


@pytest.mark.parametrize("hour", [0, 12, 23])
def test_from_midnight_to_midnight_is_the_whole_day(hour: int) -> None:
    window = Window(days=("fri",))
    assert window.holds(datetime(2026, 11, 20, hour, tzinfo=UTC))
    assert not window.holds(datetime(2026, 11, 21, hour, tzinfo=UTC))


def test_in_summer_and_in_winter_it_opens_at_the_same_time_on_the_wall() -> None:
    assert OFFICE.holds(datetime(2026, 7, 1, 6, 0, tzinfo=UTC))
    assert not OFFICE.holds(datetime(2026, 12, 1, 6, 0, tzinfo=UTC))
    assert OFFICE.holds(datetime(2026, 12, 1, 7, 0, tzinfo=UTC))


def test_the_hour_that_comes_twice_in_autumn_is_held_twice() -> None:
    window = Window(start=time(2), end=time(3), zone=BERLIN)
    assert window.holds(berlin("2026-10-25 02:30", fold=0))
    assert window.holds(berlin("2026-10-25 02:30", fold=1))
    assert not window.holds(datetime(2026, 10, 25, 2, 0, tzinfo=UTC))


def test_the_hour_that_is_left_out_in_spring_is_not_held_and_the_day_ends_as_ever() -> None:
    window = Window(start=time(2), end=time(3), zone=BERLIN)
    night = [datetime(2026, 3, 29, 0, minute, tzinfo=UTC) for minute in (0, 30, 59)]
    after = [datetime(2026, 3, 29, 1, minute, tzinfo=UTC) for minute in (0, 30, 59)]
    assert not any(window.holds(at) for at in (*night, *after))
    over = Window(days=("sat",), start=time(22), end=time(4), zone=BERLIN)
    assert over.holds(datetime(2026, 3, 29, 1, 59, tzinfo=UTC))
    assert not over.holds(datetime(2026, 3, 29, 2, 0, tzinfo=UTC))


def test_one_of_several_is_enough_and_none_at_all_is_always() -> None:
    at = berlin("2026-11-20 23:00")
    assert holds_any([OFFICE, NIGHT], at)
    assert not holds_any([OFFICE], at)
    assert holds_any([], at)


def test_it_is_told_with_its_days_in_a_row() -> None:
    assert str(OFFICE) == "mon-fri 08:00-20:00 Europe/Berlin"
    assert str(NIGHT) == "fri 22:00-02:00 Europe/Berlin"
    assert str(Window(days=("wed", "mon"))) == "mon,wed 00:00-00:00 UTC"
