"""The tables of holidays against what governments have announced."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from responder.adapters.holiday_dates import holiday_dates, objection_to

# General Office of the State Council, notices of 25 October 2023, 12 November 2024 and 4 November 2025: first and last
# day of each break, and the weekend days that are worked. Breaks that the notice joins with a weekend have it here.
NOTICES = {
    2024: (
        "01-01 01-01, 02-10 02-17, 04-04 04-06, 05-01 05-05, 06-08 06-10, 09-15 09-17, 10-01 10-07",
        "02-04 02-18 04-07 04-28 05-11 09-14 09-29 10-12",
    ),
    2025: (
        "01-01 01-01, 01-28 02-04, 04-04 04-06, 05-01 05-05, 05-31 06-02, 10-01 10-08",
        "01-26 02-08 04-27 09-28 10-11",
    ),
    2026: (
        "01-01 01-03, 02-15 02-23, 04-04 04-06, 05-01 05-05, 06-19 06-21, 09-25 09-27, 10-01 10-07",
        "01-04 02-14 02-28 05-09 09-20 10-10",
    ),
}


def _breaks(year: int) -> Iterator[date]:
    for written in NOTICES[year][0].split(", "):
        first, last = (date.fromisoformat(f"{year}-{day}") for day in written.split())
        yield from (first + timedelta(days=number) for number in range((last - first).days + 1))


@pytest.mark.parametrize("year", NOTICES)
def test_chinas_breaks_are_those_of_the_state_council_with_their_weekends(year: int) -> None:
    assert sorted(holiday_dates("CN", year, year).free) == sorted(_breaks(year))


@pytest.mark.parametrize("year", NOTICES)
def test_chinas_make_up_days_are_those_of_the_state_council(year: int) -> None:
    announced = [date.fromisoformat(f"{year}-{day}") for day in NOTICES[year][1].split()]
    assert list(holiday_dates("CN", year, year).worked) == announced


def test_a_make_up_day_says_which_holiday_it_makes_up_for() -> None:
    worked = holiday_dates("CN", 2024, 2031).worked
    assert worked[date(2026, 2, 14)] == "Chinese New Year (Spring Festival)"
    assert worked[date(2026, 9, 20)] == worked[date(2026, 10, 10)] == "National Day"
    assert worked[date(2026, 5, 9)] == "Labor Day"


def test_a_day_that_only_stands_for_a_holiday_or_bridges_to_one_has_its_name() -> None:
    free = holiday_dates("CN", 2024, 2031).free
    assert {free[date(2026, 10, day)] for day in range(1, 8)} == {"National Day"}
    assert free[date(2025, 10, 8)] == "Mid-Autumn Festival"


def test_breaks_of_years_that_are_not_announced_yet_are_provisional() -> None:
    dates = holiday_dates("CN", 2024, 2040)
    announced = max(day.year for day in dates.worked)
    assert announced >= 2026
    assert dates.free[date(announced + 1, 10, 1)] == "National Day (provisional)"
    assert not any("(provisional)" in name for day, name in dates.free.items() if day.year <= announced)
    assert all(name.endswith("(provisional)") for day, name in dates.free.items() if day.year > announced)


def test_what_is_looked_up_alone_is_as_provisional_as_in_company() -> None:
    assert holiday_dates("CN", 2030, 2030).free[date(2030, 10, 1)] == "National Day (provisional)"


def test_a_part_of_a_country_has_holidays_of_its_own() -> None:
    epiphany = date(2026, 1, 6)
    assert holiday_dates("DE-BY", 2026, 2026).free[epiphany] == "Epiphany"
    assert epiphany not in holiday_dates("DE", 2026, 2026).free


def test_where_weekends_are_not_announced_they_stay_weekends() -> None:
    free = holiday_dates("DE-BY", 2026, 2026).free
    assert date(2026, 4, 3) in free
    assert date(2026, 4, 4) not in free
    assert holiday_dates("DE-BY", 2026, 2026).worked == {}


def test_other_countries_make_up_days_are_known_too() -> None:
    assert holiday_dates("HU", 2026, 2026).worked[date(2026, 12, 12)] == "Christmas Day"


def test_only_the_years_that_were_asked_for_are_given() -> None:
    dates = holiday_dates("CN", 2025, 2026)
    assert {day.year for day in (*dates.free, *dates.worked)} == {2025, 2026}


def test_a_country_without_holidays_has_none() -> None:
    assert holiday_dates("BV", 2026, 2026).free == {}


@pytest.mark.parametrize("place", ["CN", "DE", "DE-BY", "US-CA", "GB-SCT"])
def test_countries_and_their_parts_are_known(place: str) -> None:
    assert objection_to(place) == ""


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("XX", "no country 'XX' in the tables of holidays; write its code, like CN, or DE-BY for a part of it"),
        ("cn", "no country 'cn' in the tables"),
        ("", "no country '' in the tables"),
        ("DE-XX", "DE has no part 'XX' in the tables of holidays; it has BB, BE, BW, BY, "),
        ("DE-", "DE has no part '' in the tables"),
        ("VA-1", "VA has no part '1' in the tables of holidays; it has none"),
    ],
)
def test_an_unknown_place_is_named_with_what_there_is(place: str, expected: str) -> None:
    assert objection_to(place).startswith(expected)
    with pytest.raises(ValueError, match=expected[:10]):
        holiday_dates(place, 2026, 2026)


def test_names_do_not_follow_the_language_of_the_machine() -> None:
    code = "from responder.adapters import holiday_dates as dates; print(dates.holiday_dates('CN', 2026, 2026).free)"
    chinese = {**os.environ, "LANG": "zh_CN.UTF-8", "LC_ALL": "zh_CN.UTF-8", "LANGUAGE": "zh_CN"}
    done = subprocess.run([sys.executable, "-c", code], env=chinese, capture_output=True, text=True, check=True)
    assert "National Day" in done.stdout


def test_the_tables_are_not_read_before_somebody_asks() -> None:
    code = "import sys, responder.config.calendars; sys.exit('holidays' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
