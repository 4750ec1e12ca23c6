"""The one table of moves: every pair of status and action is walked."""

from __future__ import annotations

from itertools import product

import pytest

from responder.domain.ticket import MOVES, Action, Change, EventKind, Status, move, refusal
from tests.fakes import NOW, a_ticket

PAIRS = list(product(Status, Action))
OPEN_PAIRS = [pair for pair in PAIRS if pair in MOVES]
SHUT_PAIRS = [pair for pair in PAIRS if pair not in MOVES]


@pytest.mark.parametrize(("status", "action"), OPEN_PAIRS)
def test_a_pair_of_the_table_moves_and_writes_one_event(status: Status, action: Action) -> None:
    change = Change.of(a_ticket(status))
    assert refusal(change.after, action) is None
    move(change, action, now=NOW, actor="ann", reason="because")
    assert change.after.status is MOVES[status, action]
    (event,) = change.events
    assert (event.kind, event.actor, event.text, event.at) == (EventKind.MOVED, "ann", "because", NOW)
    told = {"action": action, "was": status, "status": MOVES[status, action], "grade": change.after.grade}
    assert event.data == told


@pytest.mark.parametrize(("status", "action"), SHUT_PAIRS)
def test_any_other_pair_is_refused_with_what_is_possible_and_moves_nothing(status: Status, action: Action) -> None:
    ticket = a_ticket(status)
    sentence = refusal(ticket, action)
    assert sentence is not None
    assert sentence.startswith(f"INC-7 is {status.replace('_', ' ')}, so it cannot {action.replace('_', ' ')}; ")
    told = sentence.rpartition("possible now: ")[2].split(", ")
    assert told == sorted(name.replace("_", " ") for known, name in MOVES if known is status)
    change = Change.of(ticket)
    with pytest.raises(KeyError):
        move(change, action, now=NOW, actor="ann", reason="because")
    assert (change.after, change.events) == (ticket, [])


def test_the_walk_has_seen_both_kinds_of_pairs() -> None:
    assert len(OPEN_PAIRS) == len(MOVES)
    assert len(SHUT_PAIRS) > len(OPEN_PAIRS)


def test_acknowledging_twice_names_who_has_it() -> None:
    ticket = a_ticket(Status.IN_PROGRESS, acknowledged_by="ann")
    assert refusal(ticket, Action.ACKNOWLEDGE) == "INC-7 is already acknowledged by ann"


def reachable(start: Status, without: tuple[Action, ...] = ()) -> set[Status]:
    seen, ahead = {start}, [start]
    while ahead:
        here = ahead.pop()
        for (status, action), there in MOVES.items():
            if status is here and action not in without and there not in seen:
                seen.add(there)
                ahead.append(there)
    return seen


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.CLOSED])
def test_every_status_has_a_way_to_closed_that_is_no_merge(status: Status) -> None:
    assert Status.CLOSED in reachable(status, without=(Action.MERGE,))


def test_every_status_can_be_reached_from_new() -> None:
    assert reachable(Status.NEW) == set(Status)


def test_a_ticket_closes_only_from_resolved_or_without_a_solution() -> None:
    without = (Action.MERGE, Action.DISMISS)
    ways = {pair for pair, there in MOVES.items() if there is Status.CLOSED and pair[1] not in without}
    assert ways == {(Status.RESOLVED, Action.CLOSE)}


def test_it_is_resolved_only_after_it_was_restored() -> None:
    assert {pair for pair, there in MOVES.items() if there is Status.RESOLVED} == {(Status.RESTORED, Action.RESOLVE)}


def test_first_aid_is_given_once_and_only_to_what_is_new() -> None:
    assert {pair for pair, there in MOVES.items() if there is Status.FIRST_AID} == {
        (Status.NEW, Action.START_FIRST_AID)
    }


def test_nothing_but_reopening_leaves_closed() -> None:
    assert {action for status, action in MOVES if status is Status.CLOSED} == {Action.REOPEN}


@pytest.mark.parametrize("status", list(Status))
def test_only_closed_is_not_open(status: Status) -> None:
    assert a_ticket(status).is_open is (status is not Status.CLOSED)


def test_a_ticket_waits_for_a_person_only_between_hand_over_and_acknowledgement() -> None:
    assert a_ticket(Status.HANDED_OVER).waits_for_a_person
    assert not a_ticket(Status.HANDED_OVER, acknowledged_at=NOW).waits_for_a_person
    assert not a_ticket(Status.NEW).waits_for_a_person
