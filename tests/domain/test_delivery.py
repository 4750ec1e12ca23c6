"""Contact order, quiet hours and bundles, as pure decisions."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from responder.domain.delivery import (
    BundleRule,
    ContactStep,
    QuietHours,
    Window,
    admitted,
    after_a_bundle,
    delay_of,
    first_quiet,
    may_still_be_reached,
    next_tries,
    quiet_until,
)
from responder.domain.message import Message, MessageState

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
MINUTE = timedelta(minutes=1)
ORDER = (
    ContactStep(channels=("pager",)),
    ContactStep(channels=("mail", "phone"), after=5 * MINUTE),
    ContactStep(channels=("home",), after=10 * MINUTE),
)


def at(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def page(channel: str, state: MessageState = MessageState.WAITING, **more: object) -> Message:
    given = {"ticket_id": 1, "episode": 1, "purpose": "hand_over", "person": "mei", "subject": "", "body": ""}
    return Message(**{**given, "channel": channel, "state": state, "created_at": NOW, **more})  # type: ignore[arg-type]


# --- order ----------------------------------------------------------------------------------------------------


def test_each_channel_waits_for_its_step_and_without_an_order_none_waits() -> None:
    assert [delay_of(ORDER, name) for name in ("pager", "mail", "home")] == [0 * MINUTE, 5 * MINUTE, 10 * MINUTE]
    assert delay_of((), "mail") == timedelta()


def test_the_next_step_is_tried_when_all_before_it_have_refused() -> None:
    failed = page("pager", MessageState.FAILED)
    assert [one.channel for one in next_tries([failed, page("mail"), page("phone"), page("home")], ORDER, failed)] == [
        "mail",
        "phone",
    ]


def test_no_step_is_brought_forward_while_another_channel_of_its_step_is_tried() -> None:
    failed = page("mail", MessageState.FAILED)
    others = [page("pager", MessageState.FAILED), page("phone", MessageState.FAILED_FOR_NOW), page("home")]
    assert next_tries([failed, *others], ORDER, failed) == []


def test_another_persons_channels_are_not_brought_forward() -> None:
    failed = page("pager", MessageState.FAILED)
    assert next_tries([failed, page("mail", person="lars")], ORDER, failed) == []


# --- who is left ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "age", "is_left"),
    [
        (MessageState.SENT, 60 * MINUTE, True),
        (MessageState.BUNDLED, MINUTE, True),
        (MessageState.BUNDLED, 2 * MINUTE, False),
        (MessageState.SENDING, 60 * MINUTE, True),
        (MessageState.WAITING, MINUTE, True),
        (MessageState.FAILED_FOR_NOW, MINUTE, True),
        (MessageState.FAILED_FOR_NOW, 2 * MINUTE, False),
        (MessageState.WAITING, 2 * MINUTE, False),
        (MessageState.HELD, timedelta(), False),
        (MessageState.FAILED, timedelta(), False),
        (MessageState.OVERTAKEN, timedelta(), False),
    ],
)
def test_a_person_can_still_be_reached(state: MessageState, age: timedelta, *, is_left: bool) -> None:
    assert may_still_be_reached([page("pager", state)], NOW + age, 2 * MINUTE) is is_left


def test_who_is_told_in_a_list_is_left_until_the_list_is_late_and_for_good_once_it_has_arrived() -> None:
    in_list = replace(page("pager", MessageState.BUNDLED), due_at=NOW + 5 * MINUTE)
    assert may_still_be_reached([in_list], NOW + 6 * MINUTE, 2 * MINUTE)
    assert not may_still_be_reached([in_list], NOW + 7 * MINUTE, 2 * MINUTE)
    told = replace(in_list, due_at=None, sent_at=NOW + 8 * MINUTE)
    assert may_still_be_reached([told], NOW + 60 * MINUTE, 2 * MINUTE)


def test_whose_first_channel_is_held_will_not_be_reached_by_the_later_ones() -> None:
    held, later = page("pager", MessageState.HELD), page("mail")
    assert not may_still_be_reached([held, later], NOW, 2 * MINUTE)
    assert may_still_be_reached([held, later, page("phone", person="lars")], NOW, 2 * MINUTE)


# --- quiet hours ----------------------------------------------------------------------------------------------

NIGHT = QuietHours(start=time(22), end=time(7), zone=BERLIN)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-20T21:59:59", None),
        ("2026-11-20T22:00:00", "2026-11-21T07:00:00"),
        ("2026-11-21T00:00:00", "2026-11-21T07:00:00"),
        ("2026-11-21T06:59:59", "2026-11-21T07:00:00"),
        ("2026-11-21T07:00:00", None),
        # The nights in which the clocks change are an hour shorter, and an hour longer.
        ("2027-03-28T01:59:00", "2027-03-28T07:00:00"),
        ("2027-10-31T02:30:00", "2027-10-31T07:00:00"),
    ],
)
def test_quiet_hours_over_midnight_begin_with_their_first_instant_and_end_before_their_last(
    now: str, until: str | None
) -> None:
    assert quiet_until([NIGHT], at(now)) == (at(until) if until else None)


def test_quiet_hours_belong_to_the_day_on_which_they_begin() -> None:
    friday = replace(NIGHT, days=frozenset({4}))
    assert quiet_until([friday], at("2026-11-21T03:00:00")) == at("2026-11-21T07:00:00")
    assert quiet_until([friday], at("2026-11-20T03:00:00")) is None


def test_quiet_hours_that_touch_are_one_and_those_that_never_end_do_not_hang() -> None:
    morning = QuietHours(start=time(7), end=time(9), zone=BERLIN)
    assert quiet_until([NIGHT, morning], at("2026-11-21T03:00:00")) == at("2026-11-21T09:00:00")
    rest = QuietHours(start=time(7), end=time(22), zone=BERLIN)
    found = quiet_until([NIGHT, rest], NOW)
    assert found is not None
    assert found > NOW + timedelta(days=5)


def test_an_end_in_the_hour_that_is_left_out_is_the_first_instant_after_it() -> None:
    short = QuietHours(start=time(1), end=time(2, 30), zone=BERLIN)
    assert quiet_until([short], at("2027-03-28T01:30:00")) == datetime(2027, 3, 28, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "until", "found"),
    [
        ("2026-11-20T09:00", "2026-11-20T18:00", None),
        ("2026-11-20T09:00", "2026-11-20T22:00", None),
        ("2026-11-20T09:00", "2026-11-20T22:01", ("2026-11-20T22:00", "2026-11-21T07:00")),
        ("2026-11-20T23:30", "2026-11-21T00:30", ("2026-11-20T23:30", "2026-11-21T07:00")),
        ("2026-11-21T07:00", "2026-11-28T09:00", ("2026-11-21T22:00", "2026-11-22T07:00")),
    ],
)
def test_the_first_quiet_hours_of_a_time_are_found(start: str, until: str, found: tuple[str, str] | None) -> None:
    expected = (at(found[0]), at(found[1])) if found else None
    assert first_quiet([NIGHT], at(start), at(until)) == expected


def test_quiet_hours_of_one_day_of_the_week_are_found_within_a_week() -> None:
    thursday = replace(NIGHT, days=frozenset({3}))
    assert first_quiet([thursday], at("2026-11-20T09:00"), at("2026-11-26T22:00")) is None
    found = first_quiet([thursday], at("2026-11-20T09:00"), at("2026-12-26T22:00"))
    assert found == (at("2026-11-26T22:00"), at("2026-11-27T07:00"))


def test_of_several_quiet_hours_the_first_one_is_found() -> None:
    noon = QuietHours(start=time(12), end=time(13), zone=BERLIN)
    found = first_quiet([NIGHT, noon], at("2026-11-20T09:00"), at("2026-11-22T22:00"))
    assert found == (at("2026-11-20T12:00"), at("2026-11-20T13:00"))
    assert first_quiet([], at("2026-11-20T09:00"), at("2026-11-22T22:00")) is None


# --- bundles --------------------------------------------------------------------------------------------------

RULE = BundleRule(messages=2, within=5 * MINUTE)


def test_so_many_leave_and_the_next_ones_wait_for_the_end_of_the_window() -> None:
    window, first = admitted(None, RULE, NOW)
    window, second = admitted(window, RULE, NOW + MINUTE)
    window, third = admitted(window, RULE, NOW + 2 * MINUTE)
    assert (first, second, third) == (True, True, False)
    assert window.bundle_at == NOW + 5 * MINUTE
    # Until the list has left, whatever comes belongs to it, even if it is late.
    assert admitted(window, RULE, NOW + 10 * MINUTE - timedelta(microseconds=1)) == (window, False)


def test_for_a_list_that_never_left_nothing_more_waits() -> None:
    lost = Window(since_at=NOW, sent=2, bundle_at=NOW + 5 * MINUTE)
    assert admitted(lost, RULE, NOW + 10 * MINUTE) == (Window(since_at=NOW + 10 * MINUTE, sent=1), True)


def test_a_new_window_begins_when_the_old_one_is_over_to_the_instant() -> None:
    full = Window(since_at=NOW, sent=2)
    assert admitted(full, RULE, NOW + 5 * MINUTE - timedelta(microseconds=1))[1] is False
    assert admitted(full, RULE, NOW + 5 * MINUTE) == (Window(since_at=NOW + 5 * MINUTE, sent=1), True)


def test_the_list_is_the_first_page_of_the_next_window() -> None:
    window, leaves = admitted(after_a_bundle(NOW), RULE, NOW + MINUTE)
    assert (window.sent, leaves) == (2, True)
    assert admitted(window, RULE, NOW + MINUTE)[1] is False
