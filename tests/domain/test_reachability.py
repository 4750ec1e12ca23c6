"""What can come after what: facts after facts, things before moves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.domain.facts import Fact
from responder.domain.reachability import MEANWHILE, can_be_met, facts_after
from responder.domain.requirements import THINGS
from responder.domain.ticket import FACT_OF, MOVES, Action, Status


@pytest.mark.parametrize(
    ("fact", "later"),
    [
        (Fact.OPENED, Fact.CLOSED),
        (Fact.OPENED, Fact.REGISTERED),
        (Fact.ACKNOWLEDGED, Fact.HANDED_OVER),
        (Fact.RESTORED, Fact.RELAPSED),
        (Fact.RESTORED, Fact.VERIFIED),
        (Fact.RESTORED, Fact.ACKNOWLEDGED),
        (Fact.RESOLVED, Fact.APPROVED),
        (Fact.RESOLVED, Fact.REVIEWED),
        (Fact.CLOSED, Fact.REVIEWED),
        (Fact.WAITING, Fact.RESUMED),
    ],
)
def test_what_can_still_come(fact: Fact, later: Fact) -> None:
    assert later in facts_after(fact)


@pytest.mark.parametrize(
    ("fact", "later"),
    [
        (Fact.OPENED, Fact.OPENED),
        (Fact.OPENED, Fact.REOPENED),
        (Fact.HANDED_OVER, Fact.FIRST_AID),
        (Fact.RESOLVED, Fact.RESTORED),
        (Fact.RESOLVED, Fact.WAITING),
        (Fact.CLOSED, Fact.RESOLVED),
        (Fact.CLOSED, Fact.VERIFIED),
        (Fact.DISMISSED, Fact.CLOSED),
        (Fact.MERGED, Fact.APPROVED),
    ],
)
def test_what_cannot_come_any_more(fact: Fact, later: Fact) -> None:
    assert later not in facts_after(fact)


def test_every_fact_is_a_move_or_something_that_moves_nothing() -> None:
    assert {Fact.OPENED, *FACT_OF.values(), *MEANWHILE} == set(Fact)


_ACTIONS = st.lists(st.sampled_from([action for action in Action if action is not Action.REOPEN]), max_size=12)


@given(_ACTIONS)
def test_on_every_way_through_the_moves_what_comes_was_said_to_be_possible(actions: list[Action]) -> None:
    status, seen = Status.NEW, [Fact.OPENED]
    for action in actions:
        if (status, action) not in MOVES:
            continue
        status = MOVES[status, action]
        assert all(FACT_OF[action] in facts_after(fact) for fact in seen)
        seen.append(FACT_OF[action])


@pytest.mark.parametrize(
    ("thing", "move"),
    [
        ("approved_plan", Action.PROPOSE),
        ("approved_plan", Action.APPROVE),
        ("approved_plan", Action.REJECT),
        ("plan", Action.PROPOSE),
        ("plan_due", Action.PROPOSE),
        ("plan_resources", Action.START_FIRST_AID),
        ("test", Action.RESTORE),
        ("monitor", Action.PROPOSE),
        ("satisfaction", Action.RESTORE),
        ("guide", Action.MERGE),
        ("guide", Action.CLOSE),
    ],
)
def test_what_comes_only_with_a_move_or_after_it_cannot_be_required_before_it(thing: str, move: Action) -> None:
    assert not can_be_met(thing, move)


@pytest.mark.parametrize(
    ("thing", "move"),
    [
        ("approved_plan", Action.RESTORE),
        ("approved_plan", Action.RESOLVE),
        ("plan_due", Action.APPROVE),
        ("plan", Action.WAIT),
        ("test", Action.RESOLVE),
        ("reporter_confirmation", Action.CLOSE),
        ("reporter_confirmation", Action.RELAPSE),
        ("satisfaction", Action.CLOSE),
        ("guide", Action.REOPEN),
        ("guide", Action.DISMISS),
        ("review", Action.CLOSE),
        ("diagnosis", Action.ACKNOWLEDGE),
        ("field:symptom", Action.ACKNOWLEDGE),
    ],
)
def test_what_may_be_there_before_a_move_can_be_required(thing: str, move: Action) -> None:
    assert can_be_met(thing, move)


def test_everything_can_be_required_before_the_ticket_is_closed_but_the_guide_of_a_dismissal() -> None:
    assert [name for name in THINGS if not can_be_met(name, Action.CLOSE)] == ["guide"]
