"""Gates: which one stands before a move, and whose yes together opens a joint one."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.domain.approval import (
    Approval,
    ApprovalKind,
    ApprovalState,
    all_roles_have_spoken,
    answer,
    expire,
    no_longer_needed,
    unanswerable,
)
from responder.domain.gates import GateRule, gate_for
from responder.domain.oncall import Person
from responder.domain.ticket import Action, Status
from tests.fakes import HOUR, MINUTE, NOW, a_ticket

BOTH = GateRule(name="plan of a P1", move=Action.APPROVE, roles=("manager", "director"), each=True, grades=("P1",))
ONE = GateRule(name="any plan", move=Action.APPROVE, roles=("manager",))
HARDWARE = GateRule(name="hardware", move=Action.CLOSE, roles=("manager",), kinds=("hardware",))
PEOPLE = {
    "lars": Person(name="lars", roles=("manager",)),
    "rosa": Person(name="rosa", roles=("director",)),
    "otto": Person(name="otto", roles=("manager", "director")),
    "mei": Person(name="mei"),
}


def a_question(**changes: object) -> Approval:
    asked = Approval(
        id=1,
        ticket_id=7,
        episode=1,
        runbook=Action.APPROVE.value,
        target="",
        kind=ApprovalKind.GATE,
        question="May plan 1 of INC-7 be carried out?",
        roles=("manager", "director"),
        asked_at=NOW,
        due_at=NOW + 4 * HOUR,
        gate=BOTH.name,
        each_role=True,
    )
    return replace(asked, **changes)  # type: ignore[arg-type]


def said_yes(*names: str, asked: Approval | None = None) -> Approval:
    found = asked or a_question()
    for name in names:
        answered = answer(found, name, PEOPLE, yes=True, reason="", now=NOW + MINUTE)
        assert isinstance(answered, Approval), answered
        found = answered
    return found


# --- which gate --------------------------------------------------------------------------------------


def test_the_first_gate_that_fits_stands_before_the_move() -> None:
    assert gate_for((BOTH, ONE), Action.APPROVE, a_ticket(grade="P1")) is BOTH
    assert gate_for((BOTH, ONE), Action.APPROVE, a_ticket(grade="P3")) is ONE
    assert gate_for((ONE, BOTH), Action.APPROVE, a_ticket(grade="P1")) is ONE


def test_a_gate_before_one_move_leaves_the_others_open() -> None:
    assert gate_for((BOTH, ONE), Action.CLOSE, a_ticket(grade="P1")) is None


@pytest.mark.parametrize(("kind", "expected"), [("hardware", HARDWARE), ("software", None), ("", None)])
def test_a_gate_of_a_kind_is_for_that_kind(kind: str, expected: GateRule | None) -> None:
    assert gate_for((HARDWARE,), Action.CLOSE, a_ticket(kind=kind)) is expected


# --- joint consent -----------------------------------------------------------------------------------


def test_each_role_must_say_yes_by_a_person_of_its_own() -> None:
    assert said_yes("otto").is_waiting
    assert said_yes("otto", "rosa").state is ApprovalState.GIVEN
    assert said_yes("otto", "lars").state is ApprovalState.GIVEN


def test_the_order_of_the_answers_does_not_matter() -> None:
    assert said_yes("rosa", "otto").state is said_yes("lars", "otto").state is ApprovalState.GIVEN


def test_two_of_one_role_do_not_stand_for_the_other() -> None:
    both_managers = {**PEOPLE, "otto": Person(name="otto", roles=("manager",))}
    assert not all_roles_have_spoken(("manager", "director"), ("lars", "otto"), both_managers)


def test_who_has_left_the_people_file_counts_no_more() -> None:
    gone = {name: person for name, person in PEOPLE.items() if name != "rosa"}
    assert not all_roles_have_spoken(("manager", "director"), ("lars", "rosa"), gone)


def test_one_no_ends_it_however_many_have_said_yes() -> None:
    answered = answer(said_yes("otto"), "rosa", PEOPLE, yes=False, reason="not by day", now=NOW + MINUTE)
    assert isinstance(answered, Approval)
    assert (answered.state, answered.sentence) == (ApprovalState.REFUSED, "rosa said no: not by day.")


def test_who_has_none_of_the_roles_is_told_who_could() -> None:
    assert answer(a_question(), "mei", PEOPLE, yes=True, reason="", now=NOW) == (
        "mei has not the roles manager, director that this needs; lars, rosa, otto could answer."
    )


def test_without_each_so_many_of_any_role_are_enough() -> None:
    two = a_question(each_role=False, needed=2)
    assert said_yes("lars", asked=two).is_waiting
    assert said_yes("lars", "otto", asked=two).state is ApprovalState.GIVEN


ROLES = st.sampled_from(["a", "b", "c"])
CROWDS = st.dictionaries(st.sampled_from("vwxyz"), st.sets(ROLES), min_size=1)


@given(roles=st.lists(ROLES, max_size=3, unique=True), crowd=CROWDS, present=st.sets(st.sampled_from("vwxyz")))
def test_a_joint_yes_is_a_choice_of_as_many_people_as_roles(
    roles: list[str], crowd: dict[str, set[str]], present: set[str]
) -> None:
    people = {name: Person(name=name, roles=tuple(has)) for name, has in crowd.items()}
    chosen = permutations(sorted(present & crowd.keys()), len(roles))
    expected = any(all(role in crowd[name] for role, name in zip(roles, one, strict=True)) for one in chosen)
    assert all_roles_have_spoken(roles, sorted(present), people) is expected


# --- questions that nobody could answer, and their end -----------------------------------------------


def test_a_joint_gate_that_one_person_alone_could_open_is_unanswerable() -> None:
    alone = {"otto": PEOPLE["otto"], "mei": PEOPLE["mei"]}
    said = unanswerable(("manager", "director"), 1, alone, each_role=True)
    assert said == "there is no person of its own for each of the roles manager and director"
    assert unanswerable(("manager", "director"), 1, PEOPLE, each_role=True) == ""


def test_the_silence_at_a_joint_gate_says_whose_yes_was_needed() -> None:
    said = expire(said_yes("otto"), NOW + 4 * HOUR).sentence
    assert said == "Within 4h otto said yes, each of the roles manager and director was needed."


@pytest.mark.parametrize("go_on_without", [True, False])
def test_a_gate_that_passes_in_silence_is_open_after_its_time(go_on_without: bool) -> None:
    ended = expire(a_question(go_on_without=go_on_without), NOW + 4 * HOUR)
    assert ended.may_go_on is go_on_without


@pytest.mark.parametrize("status", [Status.PROPOSED, Status.RESTORED, Status.RESOLVED])
def test_a_plan_is_asked_about_as_long_as_it_is_on_the_table(status: Status) -> None:
    assert no_longer_needed(a_question(), a_ticket(status)) == ""


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"status": Status.IN_PROGRESS}, "The plan is no longer on the table."),
        ({"status": Status.CLOSED}, "The ticket is closed."),
        ({"status": Status.PROPOSED, "episode": 2}, "The trouble has come back since."),
    ],
)
def test_a_plan_that_is_gone_is_not_asked_about(changes: dict[str, object], sentence: str) -> None:
    assert no_longer_needed(a_question(), replace(a_ticket(), **changes)) == sentence  # type: ignore[arg-type]


def test_consent_to_close_is_asked_for_in_its_episode_whatever_becomes_of_the_plan() -> None:
    asked = a_question(runbook=Action.CLOSE.value)
    assert no_longer_needed(asked, a_ticket(Status.RESOLVED)) == ""
    assert no_longer_needed(asked, a_ticket(Status.NEW, episode=2)) == "The trouble has come back since."
