"""Calendars in policy.yml: what they become, and the place of every mistake."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import Field

from responder.adapters.yaml_file import parse
from responder.config.calendars import CalendarFile, as_calendars, complaints, years_around
from responder.config.model import Model, Name
from responder.domain.workhours import Calendar, Span
from responder.errors import ConfigError

HOUR = timedelta(hours=1)
YEARS = years_around(date(2026, 11, 21))
SHANGHAI = ZoneInfo("Asia/Shanghai")
GOOD = """\
calendars:
  office:
    zone: Asia/Shanghai
    hours: {mon-fri: ["09:00-12:00", "13:00-18:00"], sat: ["10:00-12:00"]}
    holidays: CN
    overrides:
      "2026-12-24": closed
      "2026-12-25": {closed: works outing}
      "2026-10-10": ["09:00-18:00"]
      "2026-10-05": ["10:00-11:00"]
"""


class PartOfPolicy(Model):
    calendars: dict[Name, CalendarFile] = Field(default_factory=dict)


def read(text: str) -> dict[str, CalendarFile]:
    return parse(text, Path("policy.yml")).parsed(PartOfPolicy).calendars


def calendar(text: str, years: range = YEARS) -> Calendar:
    return read(text)["office"].as_calendar("office", years)


def mistakes(text: str) -> list[str]:
    """What is wrong, by the file's form and then by sense, each with its place."""
    document = parse(text, Path("policy.yml"))
    try:
        written = document.parsed(PartOfPolicy).calendars
    except ConfigError as error:
        return [str(problem) for problem in error.problems]
    return [str(document.problem(place, said)) for place, said in complaints(written, YEARS)]


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new, 1)


def hours(*written: str) -> tuple[Span, ...]:
    minutes = [[int(part[:2]) * 60 + int(part[3:]) for part in one.split("-")] for one in written]
    return tuple(Span(start=start, end=end) for start, end in minutes)


def told(made: Calendar, day: str) -> Sequence[str]:
    """The different words for the time of a local day in which it counts, or if none does, in which it does not."""
    start = datetime.fromisoformat(day).replace(tzinfo=made.zone).astimezone(UTC)
    pieces = made.stretches(start, start + 24 * HOUR)
    counted = any(piece.counts for piece in pieces)
    return sorted({piece.why for piece in pieces if piece.counts is counted})


# --- what it becomes ------------------------------------------------------------------------------------------


def test_nothing_is_wrong_with_a_good_file() -> None:
    assert mistakes(GOOD) == []


def test_hours_zone_and_name_are_taken_as_written() -> None:
    made = calendar(GOOD)
    assert (made.name, made.zone) == ("office", SHANGHAI)
    assert made.week == ((hours("09:00-12:00", "13:00-18:00"),) * 5) + (hours("10:00-12:00"), ())


def test_overrides_win_over_holidays_and_hours() -> None:
    made = calendar(GOOD)
    assert told(made, "2026-12-24") == ["closed"]
    assert told(made, "2026-12-25") == ["closed: works outing"]
    assert told(made, "2026-10-10") == ["working hours"]
    assert made.spans(date(2026, 10, 10)) == hours("09:00-18:00")
    assert told(made, "2026-10-05") == ["working hours"]
    assert made.spans(date(2026, 10, 5)) == hours("10:00-11:00")


def test_a_make_up_day_has_the_hours_of_monday() -> None:
    made = calendar(GOOD)
    assert made.spans(date(2026, 2, 14)) == made.spans(date(2026, 9, 20)) == made.week[0]
    assert told(made, "2026-09-20") == ["make-up working day: National Day"]


def test_a_make_up_day_may_have_hours_of_its_own_or_none() -> None:
    short = calendar(changed("holidays: CN", 'holidays: CN\n    make_up_hours: ["09:00-13:00"]'))
    assert short.spans(date(2026, 2, 14)) == hours("09:00-13:00")
    none = calendar(changed("holidays: CN", "holidays: CN\n    make_up_hours: closed"))
    assert none.spans(date(2026, 2, 14)) == ()
    assert told(none, "2026-02-14") == ["closed: make-up working day: Chinese New Year (Spring Festival)"]


def test_the_saturday_of_a_break_is_closed_even_where_saturdays_are_worked() -> None:
    made = calendar(GOOD)
    assert told(made, "2026-02-21") == ["holiday: Chinese New Year (Spring Festival)"]
    assert told(made, "2026-03-07") == ["working hours"]


def test_holidays_that_are_not_announced_yet_are_provisional() -> None:
    assert told(calendar(GOOD, range(2040, 2042)), "2040-10-01") == ["holiday: National Day (provisional)"]


def test_a_whole_week_of_spring_festival_counts_nothing() -> None:
    made = calendar(GOOD)
    start = datetime(2026, 2, 14, 18, tzinfo=SHANGHAI).astimezone(UTC)
    assert made.add(start, HOUR) == datetime(2026, 2, 24, 10, tzinfo=SHANGHAI)
    assert made.next_at(start, time(17)) == datetime(2026, 2, 24, 17, tzinfo=SHANGHAI)


def test_the_holidays_of_two_years_back_and_five_ahead_are_known() -> None:
    assert list(YEARS) == [2024, 2025, 2026, 2027, 2028, 2029, 2030, 2031]
    made = calendar(GOOD)
    assert {day.year for day in made.days} == set(YEARS)


def test_an_override_holds_in_any_year() -> None:
    made = calendar(changed("2026-12-24", "2044-12-23"))
    assert made.spans(date(2044, 12, 23)) == ()


def test_without_holidays_only_the_overrides_differ() -> None:
    made = calendar(changed("    holidays: CN\n", ""))
    assert len(made.days) == 4


def test_a_part_of_a_country_has_its_own_holidays() -> None:
    made = calendar(changed("holidays: CN", "holidays: DE-BY"))
    assert told(made, "2026-01-06") == ["holiday: Epiphany"]
    assert told(calendar(changed("holidays: CN", "holidays: DE")), "2026-01-06") == ["working hours"]


@pytest.mark.parametrize(
    ("written", "worked"),
    [
        ("sun-thu", "mon tue wed thu sun"),
        ("fri-mon", "mon fri sat sun"),
        ("mon,wed", "mon wed"),
        ("Tuesday", "tue"),
        ("mon-tue, sat", "mon tue sat"),
    ],
)
def test_days_are_named_alone_in_rows_and_in_lists(written: str, worked: str) -> None:
    text = f'calendars: {{office: {{zone: UTC, hours: {{"{written}": ["00:00-24:00"]}}}}}}'
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    assert [days[index] for index, spans in enumerate(calendar(text).week) if spans] == worked.split()


def test_spans_may_be_written_in_any_order_and_may_touch() -> None:
    text = 'calendars: {office: {zone: UTC, hours: {mon: ["22:00-24:00", "00:00-06:00", "06:00-07:00"]}}}'
    assert calendar(text).week[0] == hours("00:00-06:00", "06:00-07:00", "22:00-24:00")


def test_a_date_may_be_written_without_quotes() -> None:
    made = calendar(changed('"2026-12-24"', "2026-12-24"))
    assert made.spans(date(2026, 12, 24)) == ()


def test_a_day_may_be_said_to_be_closed_in_the_week() -> None:
    made = calendar(changed('["10:00-12:00"]', "closed"))
    assert made.week[5] == ()


def test_the_version_follows_what_is_written() -> None:
    assert calendar(GOOD).version == calendar(GOOD).version
    assert calendar(GOOD).version != calendar(changed("10:00-11:00", "10:00-11:30")).version
    assert calendar(GOOD).version == calendar(changed("works outing", "party")).version


def test_always_is_there_with_the_policys_own_time_of_day() -> None:
    made = as_calendars(read(GOOD), YEARS, SHANGHAI)
    assert sorted(made) == ["always", "office"]
    assert made["office"] == calendar(GOOD)
    assert made["always"].is_always
    assert made["always"].next_at(datetime(2026, 5, 1, tzinfo=UTC), time(17)) == datetime(2026, 5, 1, 9, tzinfo=UTC)


# --- mistakes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "Asia/Shanghai",
            "Asia/Shangai",
            "policy.yml:3:5: calendars.office.zone: 'Asia/Shangai' is no time zone; write",
        ),
        ("Asia/Shanghai", "../Berlin", "policy.yml:3:5: calendars.office.zone: '../Berlin' is no time zone; write"),
        ("    zone: Asia/Shanghai\n", "", "policy.yml:2:3: calendars.office.zone is missing"),
        ("mon-fri", "mon-fir", "policy.yml:4:13: calendars.office.hours.mon-fir.[key]: 'fir' is no day; write it like"),
        ("sat:", "satu:", "policy.yml:4:54: calendars.office.hours.satu.[key]: 'satu' is no day; write it like mon"),
        ("sat:", "fri:", "policy.yml:4:5: calendars.office.hours: fri is in mon-fri and again in fri; a day has one"),
        ("sat:", '"sun,sunday":', "policy.yml:4:5: calendars.office.hours: sun is in sun,sunday and again in sun,sund"),
        ("13:00-18:00", "11:00-18:00", "calendars.office.hours.mon-fri: 09:00-12:00 and 11:00-18:00 overlap"),
        ("13:00-18:00", "18:00-13:00", "calendars.office.hours.mon-fri: '18:00-13:00' ends before it has begun; write"),
        ("13:00-18:00", "13:00-13:00", "calendars.office.hours.mon-fri: '13:00-13:00' ends before it has begun; write"),
        ("13:00-18:00", "13:00-24:30", "calendars.office.hours.mon-fri: '13:00-24:30' is no span of time; write it"),
        ("13:00-18:00", "24:00-24:00", "calendars.office.hours.mon-fri: '24:00-24:00' is no span of time; write it"),
        ("13:00-18:00", "1 pm-6 pm", "calendars.office.hours.mon-fri: '1 pm-6 pm' is no span of time; write it like"),
        ('["10:00-12:00"]', "10:00-12:00", "hours.sat: '10:00-12:00' is no list of hours; write it like ['09:00-12:00"),
        (
            '["10:00-12:00"]',
            "[10]",
            "policy.yml:4:54: calendars.office.hours.sat: 10 is no span of time; write it like",
        ),
        ("holidays: CN", "holidays: XX", "policy.yml:5:5: calendars.office.holidays: no country 'XX' in the tables of"),
        ("holidays: CN", "holidays: DE-XX", "policy.yml:5:5: calendars.office.holidays: DE has no part 'XX' in the"),
        ("2026-12-24", "2026-02-30", "policy.yml:7:7: calendars.office.overrides.2026-02-30.[key]: '2026-02-30' is no"),
        ("2026-12-24", "24.12.2026", "policy.yml:7:7: calendars.office.overrides.24.12.2026.[key]: '24.12.2026' is no"),
        ("2026-12-24", "2026-12-24T00:00:00", "overrides.2026-12-24T00:00:00.[key]: '2026-12-24T00:00:00' is no day"),
        ('"2026-12-24"', "20261224", "policy.yml:7:7: calendars.office.overrides.20261224.[key]: '20261224' is no day"),
        ('": closed', '": shut', "policy.yml:7:7: calendars.office.overrides.2026-12-24: 'shut' is no list of hours;"),
        ("{closed: works outing}", "{open: [x]}", "policy.yml:8:7: calendars.office.overrides.2026-12-25: {'open': ["),
        ("{closed: works outing}", '{closed: ""}', "overrides.2026-12-25: {'closed': ''} is no override; write closed"),
        ("09:00-18:00", "18:00-09:00", "policy.yml:9:7: calendars.office.overrides.2026-10-10: '18:00-09:00' ends"),
        ("holidays: CN", "holiday: CN", "policy.yml:5:5: calendars.office.holiday is not known here"),
        (
            "  office:",
            "  always:",
            "policy.yml:2:3: always is built in, and counts around the clock; give this calendar",
        ),
        (
            "mon-fri",
            "tue-fri",
            "policy.yml:5:5: CN has make-up working days, which take Monday's hours, and Monday has",
        ),
    ],
)
def test_a_mistake_is_shown_at_its_place(old: str, new: str, expected: str) -> None:
    found = mistakes(changed(old, new))
    assert len(found) == 1, found
    assert expected in found[0]


def test_hours_for_make_up_days_answer_a_week_without_mondays() -> None:
    text = changed("mon-fri", "tue-fri").replace("holidays: CN", 'holidays: CN\n    make_up_hours: ["09:00-18:00"]')
    assert mistakes(text) == []
    assert mistakes(changed("mon-fri", "tue-fri").replace("holidays: CN", "holidays: DE")) == []


@pytest.mark.parametrize("written", ["{}", "{mon: []}", "{mon-sun: closed}"])
def test_a_week_without_any_hours_is_refused(written: str) -> None:
    found = mistakes(f"calendars: {{office: {{zone: UTC, hours: {written}}}}}")
    assert found == [
        "policy.yml:1:33: calendars.office.hours: no day has hours, so no clock would ever run; "
        "write them like {mon-fri: ['09:00-18:00']}"
    ]


def test_a_year_without_any_working_time_is_refused() -> None:
    mondays = [date(2027, 1, 4) + timedelta(weeks=number) for number in range(52)]
    closed = ", ".join(f'"{day}": closed' for day in mondays)
    text = f'calendars: {{office: {{zone: UTC, hours: {{mon: ["09:00-10:00"]}}, overrides: {{{closed}}}}}}}'
    assert mistakes(text) == ["policy.yml:1:33: calendar office has no working time in 2027"]
    assert mistakes(text.replace(f'"{mondays[-1]}": closed', f'"{mondays[-1]}": ["09:00-10:00"]')) == []


def test_what_is_refused_can_still_be_made_so_that_all_mistakes_are_found() -> None:
    text = changed("mon-fri", "tue-fri").replace("  office:", "  always:")
    assert read(text)["always"].as_calendar("always", YEARS).spans(date(2026, 2, 14)) == ()
    assert len(mistakes(text)) == 2
