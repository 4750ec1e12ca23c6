"""A mail that fails keeps no other from its turn, and is tried again ever more rarely."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from responder.domain.stuck_mails import (
    MailPlace,
    Stuck,
    about_stuck,
    in_turn,
    next_try,
    stored_elsewhere,
    stuck_again,
)

NOW = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def place(uid: int) -> MailPlace:
    return MailPlace(validity=1, uid=uid)


def failed(times: int, why: str = "It hurts.", *, is_safe: bool = False) -> Stuck:
    made = None
    for _ in range(times):
        made = stuck_again(made, why, NOW, is_safe=is_safe)
    assert made is not None
    return made


def test_the_oldest_is_first_whatever_the_order_of_the_list() -> None:
    assert in_turn([place(3), place(1), place(2)], {}, NOW) == [place(1), place(2), place(3)]


def test_what_failed_once_keeps_its_turn_for_the_line_may_have_been_cut() -> None:
    assert in_turn([place(1), place(2)], {place(1): failed(1)}, NOW) == [place(1), place(2)]


def test_what_failed_again_waits_and_comes_behind_the_others() -> None:
    stuck = {place(1): failed(3), place(2): failed(2)}
    listed = [place(1), place(2), place(3)]
    assert in_turn(listed, stuck, NOW) == [place(3)]
    assert in_turn(listed, stuck, NOW + MINUTE) == [place(3), place(2)]
    assert in_turn(listed, stuck, NOW + 2 * MINUTE) == [place(3), place(2), place(1)]


def test_what_another_one_has_stored_is_left_to_them_for_a_minute() -> None:
    stuck = {place(1): stored_elsewhere(NOW)}
    assert in_turn([place(1), place(2)], stuck, NOW) == [place(2)]
    assert in_turn([place(1), place(2)], stuck, NOW + MINUTE) == [place(1), place(2)]
    assert stuck[place(1)].is_safe


def test_waits_double_up_to_an_hour() -> None:
    waits = [(failed(times).again_at - NOW) / MINUTE for times in (1, 2, 3, 4, 7, 8, 9, 500)]
    assert waits == [0, 1, 2, 4, 32, 60, 60, 60]


def test_the_next_try_is_that_of_the_first_that_is_due_and_never_before_now() -> None:
    stuck = {place(1): failed(3), place(2): failed(2)}
    assert next_try({}, NOW) is None
    assert (next_try(stuck, NOW), next_try(stuck, NOW + 9 * MINUTE)) == (MINUTE, timedelta())


def test_people_hear_of_it_after_the_third_time_and_what_is_wrong() -> None:
    assert about_stuck({place(1): failed(2)}) == ""
    stuck = {place(7): failed(3), place(8): failed(3, "No room.", is_safe=True)}
    assert about_stuck(stuck) == (
        "The mail with the UID 7 cannot be taken in: It hurts. "
        "The mail with the UID 8 is stored, and cannot be put away: No room."
    )


def test_of_very_many_only_some_are_named() -> None:
    said = about_stuck({place(uid): failed(3) for uid in range(1, 10_001)})
    assert said.count("UID") == 3
    assert said.endswith("And 9997 more.")
