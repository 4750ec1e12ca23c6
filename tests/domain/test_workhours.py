"""Calendars: hours, weekends, holidays, and the nights in which the clock on the wall is changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from responder.domain.workhours import ALWAYS, Calendar, Span

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
BERLIN, SHANGHAI = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Shanghai")
MORNING, AFTERNOON = Span(start=9 * 60, end=12 * 60), Span(start=13 * 60, end=18 * 60)
OFFICE_DAY = (MORNING, AFTERNOON)
LABOUR_DAY, MADE_UP, OUTING = date(2026, 5, 1), date(2026, 5, 9), date(2026, 5, 6)
OFFICE = Calendar(
    name="office",
    zone=SHANGHAI,
    week=(OFFICE_DAY,) * 5 + ((), ()),
    days={LABOUR_DAY: (), MADE_UP: OFFICE_DAY, OUTING: ()},
    reasons={
        LABOUR_DAY: "holiday: Labour Day",
        MADE_UP: "make-up working day: Labour Day",
        OUTING: "closed: works outing",
    },
)
EVERY_NIGHT = Calendar(name="night", zone=BERLIN, week=((Span(start=60, end=240),),) * 7)


def shanghai(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


def berlin(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN, fold=fold).astimezone(UTC)


def told(calendar: Calendar, start: datetime, end: datetime) -> list[str]:
    """The stretches in local time, `+` for those that count."""
    return [
        f"{'+' if piece.counts else '-'} {piece.start.astimezone(calendar.zone):%d %H:%M} "
        f"to {piece.end.astimezone(calendar.zone):%d %H:%M} {piece.why}"
        for piece in calendar.stretches(start, end)
    ]


# --- around the clock -----------------------------------------------------------------------------------------


def test_around_the_clock_all_time_counts() -> None:
    start, end = berlin("2026-10-24 12:00"), berlin("2026-10-26 12:00")
    assert ALWAYS.is_always
    assert ALWAYS.between(start, end) == 49 * HOUR
    assert ALWAYS.add(start, 49 * HOUR) == end
    assert told(ALWAYS, start, end) == ["+ 24 10:00 to 26 11:00 around the clock"]


def test_around_the_clock_a_time_of_day_comes_every_day_in_the_calendars_zone() -> None:
    always = Calendar(zone=SHANGHAI)
    assert always.next_at(shanghai("2026-05-02 16:59"), time(17)) == shanghai("2026-05-02 17:00")
    assert always.next_at(shanghai("2026-05-02 17:00"), time(17)) == shanghai("2026-05-03 17:00")


# --- hours ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "amount", "reached"),
    [
        ("2026-04-27 09:00", HOUR, "2026-04-27 10:00"),
        ("2026-04-27 11:30", HOUR, "2026-04-27 13:30"),
        ("2026-04-27 07:00", HOUR, "2026-04-27 10:00"),
        ("2026-04-27 17:00", HOUR, "2026-04-27 18:00"),
        ("2026-04-27 17:00", HOUR + timedelta(microseconds=1), "2026-04-28 09:00:00.000001"),
        ("2026-04-24 17:00", 2 * HOUR, "2026-04-27 10:00"),
        ("2026-04-25 13:00", 8 * HOUR, "2026-04-27 18:00"),
        ("2026-04-30 17:00", 2 * HOUR, "2026-05-04 10:00"),
        ("2026-05-08 17:30", HOUR, "2026-05-09 09:30"),
        ("2026-04-27 09:00", 72 * HOUR, "2026-05-09 18:00"),
    ],
)
def test_time_is_added_while_it_counts_and_measured_back_the_same(start: str, amount: timedelta, reached: str) -> None:
    assert OFFICE.add(shanghai(start), amount) == shanghai(reached)
    assert OFFICE.between(shanghai(start), shanghai(reached)) == amount


def test_nothing_added_is_the_instant_itself_even_at_night() -> None:
    assert OFFICE.add(shanghai("2026-04-25 03:00"), timedelta()) == shanghai("2026-04-25 03:00")


def test_an_end_before_the_start_is_no_time_at_all() -> None:
    start, end = shanghai("2026-04-27 12:00"), shanghai("2026-04-27 09:00")
    for calendar in (OFFICE, ALWAYS):
        assert calendar.between(start, end) == timedelta()
        assert list(calendar.stretches(start, end)) == []
        assert list(calendar.stretches(start, start)) == []


def test_a_night_shift_is_two_spans_that_meet_at_midnight() -> None:
    shift = Calendar(name="night", zone=BERLIN, week=((Span(start=0, end=360), Span(start=1320, end=1440)),) * 7)
    assert shift.between(berlin("2026-05-04 20:00"), berlin("2026-05-05 20:00")) == 8 * HOUR
    assert told(shift, berlin("2026-05-04 22:00"), berlin("2026-05-05 06:00")) == [
        "+ 04 22:00 to 05 06:00 working hours"
    ]


def test_stretches_say_why_time_counts_or_does_not() -> None:
    assert told(OFFICE, shanghai("2026-04-30 17:00"), shanghai("2026-05-04 10:00")) == [
        "+ 30 17:00 to 30 18:00 working hours",
        "- 30 18:00 to 01 00:00 outside working hours",
        "- 01 00:00 to 02 00:00 holiday: Labour Day",
        "- 02 00:00 to 04 00:00 weekend",
        "- 04 00:00 to 04 09:00 outside working hours",
        "+ 04 09:00 to 04 10:00 working hours",
    ]
    assert told(OFFICE, shanghai("2026-05-06 00:00"), shanghai("2026-05-07 00:00")) == [
        "- 06 00:00 to 07 00:00 closed: works outing"
    ]
    assert told(OFFICE, shanghai("2026-05-09 08:00"), shanghai("2026-05-10 12:00")) == [
        "- 09 08:00 to 09 09:00 outside working hours",
        "+ 09 09:00 to 09 12:00 make-up working day: Labour Day",
        "- 09 12:00 to 09 13:00 outside working hours",
        "+ 09 13:00 to 09 18:00 make-up working day: Labour Day",
        "- 09 18:00 to 10 00:00 outside working hours",
        "- 10 00:00 to 10 12:00 weekend",
    ]


def test_a_day_that_is_closed_without_words_is_said_to_be_closed() -> None:
    bare = replace(OFFICE, reasons={})
    assert told(bare, shanghai("2026-05-06 00:00"), shanghai("2026-05-07 00:00")) == ["- 06 00:00 to 07 00:00 closed"]


@pytest.mark.parametrize(
    ("after", "found"),
    [
        ("2026-04-30 16:59:59", "2026-04-30 17:00"),
        ("2026-04-30 17:00", "2026-05-04 17:00"),
        ("2026-05-05 18:00", "2026-05-07 17:00"),
        ("2026-05-08 17:00", "2026-05-09 17:00"),
    ],
)
def test_a_time_of_day_comes_on_days_with_working_time_only(after: str, found: str) -> None:
    assert OFFICE.next_at(shanghai(after), time(17)) == shanghai(found)


def test_a_time_of_day_need_not_lie_in_working_hours() -> None:
    assert OFFICE.next_at(shanghai("2026-05-09 19:00"), time(8, 30)) == shanghai("2026-05-11 08:30")


# --- when the clock on the wall is changed --------------------------------------------------------------------


def test_a_night_span_is_an_hour_shorter_in_spring_and_longer_in_autumn() -> None:
    for day, hours in {"2026-03-28": 3, "2026-03-29": 2, "2026-10-25": 4, "2026-10-26": 3}.items():
        start, end = berlin(f"{day} 00:00"), berlin(f"{day} 12:00")
        assert EVERY_NIGHT.between(start, end) == hours * HOUR
        assert EVERY_NIGHT.add(start, hours * HOUR) == berlin(f"{day} 04:00")


def test_a_span_that_begins_in_the_hour_left_out_begins_after_it() -> None:
    half_past_two = Calendar(name="c", zone=BERLIN, week=((Span(start=150, end=240),),) * 7)
    assert half_past_two.between(berlin("2026-03-29 00:00"), berlin("2026-03-29 12:00")) == HOUR


def test_a_span_that_begins_in_the_repeated_hour_counts_when_the_clock_shows_it() -> None:
    half_past_two = Calendar(name="c", zone=BERLIN, week=((Span(start=150, end=240),),) * 7)
    start, end = berlin("2026-10-25 00:00"), berlin("2026-10-25 12:00")
    assert half_past_two.between(start, end) == 2 * HOUR
    counted = [piece for piece in half_past_two.stretches(start, end) if piece.counts]
    assert [(piece.start, piece.end) for piece in counted] == [
        (berlin("2026-10-25 02:30"), berlin("2026-10-25 02:30") + 30 * MINUTE),
        (berlin("2026-10-25 02:30", fold=1), berlin("2026-10-25 04:00")),
    ]


def test_a_time_of_day_that_is_left_out_comes_when_the_clock_jumps_over_it() -> None:
    jump = berlin("2026-03-29 03:00")
    assert EVERY_NIGHT.next_at(berlin("2026-03-28 12:00"), time(2, 30)) == jump
    assert EVERY_NIGHT.next_at(jump - timedelta(microseconds=1), time(2, 30)) == jump
    assert EVERY_NIGHT.next_at(jump, time(2, 30)) == berlin("2026-03-30 02:30")


@pytest.mark.parametrize("fold", [0, 1])
def test_a_time_of_day_that_is_repeated_comes_once_the_first_time(fold: int) -> None:
    first, at = berlin("2026-10-25 02:30"), time(2, 30, fold=fold)
    assert EVERY_NIGHT.next_at(berlin("2026-10-24 12:00"), at) == first
    assert EVERY_NIGHT.next_at(first, at) == berlin("2026-10-26 02:30")


def test_half_an_hour_is_left_out_on_lord_howe() -> None:
    island = Calendar(name="c", zone=ZoneInfo("Australia/Lord_Howe"), week=((Span(start=60, end=240),),) * 7)
    assert island.between(datetime(2026, 10, 3, 12, tzinfo=UTC), datetime(2026, 10, 4, 2, tzinfo=UTC)) == 2.5 * HOUR
    assert island.between(datetime(2026, 4, 4, 12, tzinfo=UTC), datetime(2026, 4, 5, 2, tzinfo=UTC)) == 3.5 * HOUR


def test_a_day_that_a_zone_left_out_is_no_working_day() -> None:
    apia = Calendar(zone=ZoneInfo("Pacific/Apia"))
    friday = datetime(2011, 12, 30, 9, 59, tzinfo=UTC)
    assert apia.next_at(friday, time(12)) == datetime(2011, 12, 30, 22, tzinfo=UTC)


def test_instants_of_another_zone_are_taken_for_what_they_are() -> None:
    start = shanghai("2026-04-27 11:30").astimezone(ZoneInfo("America/New_York"))
    assert OFFICE.add(start, HOUR) == shanghai("2026-04-27 13:30")
    assert OFFICE.between(start, start + 3 * HOUR) == 2 * HOUR
    assert OFFICE.add(start, HOUR).tzinfo is UTC


# --- refusals -------------------------------------------------------------------------------------------------


def test_a_calendar_that_is_closed_for_five_years_is_refused_with_a_sentence() -> None:
    closed = Calendar(name="never", week=((),) * 7)
    words = "calendar never has no working time in the five years after 2026-04-27; give it some hours"
    with pytest.raises(ValueError, match=words):
        closed.add(datetime(2026, 4, 27, tzinfo=UTC), HOUR)
    with pytest.raises(ValueError, match="calendar never has no working time in the five years after"):
        closed.next_at(datetime(2026, 4, 27, tzinfo=UTC), time(9))


def test_four_closed_years_are_waited_for() -> None:
    begins = date(2030, 4, 1)
    late = Calendar(name="late", week=((),) * 7, days={begins: (Span(start=0, end=60),)})
    assert late.add(datetime(2026, 4, 27, tzinfo=UTC), HOUR) == datetime(2030, 4, 1, 1, tzinfo=UTC)


def test_what_takes_longer_than_a_hundred_years_is_refused() -> None:
    rare = Calendar(name="rare", week=((Span(start=0, end=1),), *((),) * 6))
    with pytest.raises(ValueError, match=r"4d 4h of working time on calendar rare take longer than a hundred years"):
        rare.add(datetime(2026, 4, 27, tzinfo=UTC), 100 * HOUR)


@pytest.mark.parametrize("calendar", [OFFICE, ALWAYS])
def test_no_calendar_counts_backward(calendar: Calendar) -> None:
    with pytest.raises(ValueError, match="a calendar counts forward; it cannot add -1h"):
        calendar.add(datetime(2026, 4, 27, tzinfo=UTC), -HOUR)


# --- versions -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changed",
    [
        {"zone": ZoneInfo("Asia/Tokyo")},
        {"week": (OFFICE_DAY,) * 6 + ((),)},
        {"days": {**OFFICE.days, date(2026, 5, 4): ()}},
        {"days": {}},
        {"week": ()},
    ],
)
def test_the_version_changes_with_whatever_decides_over_time(changed: Mapping[str, object]) -> None:
    assert replace(OFFICE, version="", **changed).version not in ("", OFFICE.version)  # type: ignore[arg-type]


def test_the_version_does_not_change_with_names_or_with_days_that_are_as_usual() -> None:
    sunday, monday = date(2026, 5, 10), date(2026, 5, 11)
    days = {monday: OFFICE_DAY, sunday: (), **OFFICE.days}
    assert replace(OFFICE, name="other", reasons={}, days=days, version="").version == OFFICE.version


def test_two_zones_with_the_same_clock_have_the_same_version() -> None:
    assert replace(OFFICE, zone=ZoneInfo("Asia/Macau"), version="").version == OFFICE.version


def test_calendars_are_values() -> None:
    twin = replace(OFFICE, days=dict(OFFICE.days))
    assert OFFICE.add(shanghai("2026-04-27 09:00"), HOUR) != twin.add(shanghai("2026-04-27 10:00"), HOUR)
    assert (twin, hash(twin)) == (OFFICE, hash(OFFICE))
    assert ALWAYS.version == ""
