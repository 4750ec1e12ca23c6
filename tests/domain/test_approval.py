"""Who may answer a question, and what makes a decision."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.domain.approval import (
    Approval,
    ApprovalKind,
    ApprovalState,
    answer,
    expire,
    no_longer_needed,
    overtake,
    unanswerable,
    wanted,
)
from responder.domain.oncall import Channel, Person, addressed
from responder.domain.report import Signal
from responder.domain.ticket import Status
from tests.fakes import MINUTE, NOW, SECOND, a_ticket

PHONE = (Channel(name="phone", scheme="json"),)
PEOPLE = {
    "mei": Person(name="mei", roles=("dba",), channels=PHONE),
    "lars": Person(name="lars", roles=("dba", "lead"), channels=PHONE),
    "ines": Person(name="ines", channels=PHONE),
}
LATER = NOW + MINUTE


def a_question(**changes: object) -> Approval:
    asked = Approval(
        id=1,
        ticket_id=7,
        episode=1,
        runbook="restart",
        target="web-1",
        kind=ApprovalKind.RUN,
        question="Restart it?",
        roles=("dba",),
        asked_at=NOW,
        due_at=NOW + 15 * MINUTE,
    )
    return replace(asked, **changes)  # type: ignore[arg-type]


def said(asked: Approval, person: str, *, yes: bool = True, reason: str = "", now: object = LATER) -> Approval:
    found = answer(asked, person, PEOPLE, yes=yes, reason=reason, now=now)  # type: ignore[arg-type]
    assert isinstance(found, Approval), found
    return found


def refused(asked: Approval, person: str, *, yes: bool = True, now: object = LATER) -> str:
    found = answer(asked, person, PEOPLE, yes=yes, reason="", now=now)  # type: ignore[arg-type]
    assert isinstance(found, str), found
    return found


def test_one_yes_of_one_who_may_gives_it() -> None:
    given_now = said(a_question(), "mei", reason="looks right")
    assert (given_now.state, given_now.ended_at) == (ApprovalState.GIVEN, LATER)
    assert given_now.sentence == "mei said yes: looks right."
    assert given_now.may_go_on


def test_one_no_refuses_at_once_even_after_a_yes() -> None:
    asked = said(a_question(needed=2), "mei")
    assert asked.is_waiting
    no = said(asked, "lars", yes=False, reason="the replica lags.")
    assert (no.state, no.sentence) == (ApprovalState.REFUSED, "lars said no: the replica lags.")


def test_who_said_yes_may_say_no_while_others_are_awaited() -> None:
    asked = said(a_question(needed=2), "mei")
    no = said(asked, "mei", yes=False)
    assert (no.state, [one.yes for one in no.answers]) == (ApprovalState.REFUSED, [False])


def test_the_same_yes_twice_counts_once() -> None:
    asked = said(a_question(needed=2), "mei")
    assert said(asked, "mei") is asked
    done = said(asked, "lars")
    assert (done.state, done.sentence) == (ApprovalState.GIVEN, "mei and lars said yes.")
    assert said(done, "mei") is done


def test_a_decided_question_says_who_decided_it() -> None:
    done = said(a_question(), "mei")
    assert refused(done, "lars", yes=False) == "It is decided already: mei said yes."
    assert refused(done, "mei", yes=False) == "It is decided already: mei said yes."


def test_the_sentence_to_who_may_not_names_who_may() -> None:
    assert refused(a_question(), "ines") == "ines has not the role dba that this needs; mei, lars could answer."
    assert refused(a_question(roles=()), "eve").startswith("Nobody is called 'eve' in the people file")
    assert said(a_question(roles=()), "ines").may_go_on


@pytest.mark.parametrize(("after", "is_late"), [(15 * MINUTE - SECOND, False), (15 * MINUTE, True)])
def test_the_last_instant_is_too_late(after: object, is_late: bool) -> None:
    found = answer(a_question(), "mei", PEOPLE, yes=True, reason="", now=NOW + after)  # type: ignore[operator]
    assert isinstance(found, str) is is_late


def test_time_that_ends_says_how_far_it_came() -> None:
    end = NOW + 15 * MINUTE
    assert expire(a_question(), end).sentence == "Within 15m nobody answered."
    half = said(a_question(needed=2, go_on_without=True), "mei")
    ended = expire(half, end)
    assert ended.sentence == "Within 15m mei said yes, 2 were needed."
    assert ended.may_go_on
    assert not expire(a_question(), end).may_go_on


@pytest.mark.parametrize(
    ("kind", "changes", "why"),
    [
        (ApprovalKind.RUN, {}, ""),
        (ApprovalKind.RUN, {"signal": Signal.CLEARED}, "The alert has cleared."),
        (ApprovalKind.RUN, {"acknowledged_by": "ines"}, "ines has taken the ticket."),
        (ApprovalKind.RUN, {"status": Status.HANDED_OVER}, "The ticket has moved on since."),
        (ApprovalKind.RUN, {"episode": 2}, "The trouble has come back since, and is asked about anew."),
        (ApprovalKind.SUGGESTION, {"acknowledged_by": "ines", "status": Status.IN_PROGRESS}, ""),
        (ApprovalKind.SUGGESTION, {"status": Status.RESOLVED}, "The ticket is resolved."),
        (ApprovalKind.STEP, {"signal": Signal.CLEARED}, ""),
    ],
)
def test_a_question_is_needed_as_long_as_its_run_would_start(
    kind: ApprovalKind, changes: dict[str, object], why: str
) -> None:
    assert no_longer_needed(a_question(kind=kind), a_ticket(**changes)) == why  # type: ignore[arg-type]


def test_a_question_that_nobody_could_answer_is_told_apart() -> None:
    assert unanswerable(["dba"], 2, PEOPLE) == ""
    assert unanswerable(["boss"], 1, PEOPLE) == "nobody in the people file has the role boss"
    assert unanswerable(["lead"], 2, PEOPLE) == "2 must say yes, but only lars could (role lead)"
    assert unanswerable([], 1, {}) == "there is nobody in the people file"


def test_whose_yes_is_needed_in_words() -> None:
    assert wanted(["dba"], 1) == "1 of role dba"
    assert wanted(["dba", "lead"], 2) == "2 of roles dba, lead"
    assert wanted([], 1) == "1 of all people"


def test_who_is_addressed_is_told_on_all_channels_once() -> None:
    told, why = addressed(["ines", "bob"], ["dba", "lead", "boss"], PEOPLE)
    assert [one.person for one in told] == ["ines", "mei", "lars"]
    assert why == (
        "ines by name; nobody is called bob; mei has the role dba; lars has the role dba; nobody has the role boss"
    )


@given(
    needed=st.integers(1, 3),
    said_by=st.lists(st.tuples(st.sampled_from(["mei", "lars", "ines", "eve"]), st.booleans(), st.integers(0, 20))),
)
def test_whatever_people_say_it_is_decided_once_and_only_by_those_who_may(
    needed: int, said_by: list[tuple[str, bool, int]]
) -> None:
    asked = a_question(needed=needed)
    for person, yes, minutes in sorted(said_by, key=lambda one: one[2]):
        found = answer(asked, person, PEOPLE, yes=yes, reason="", now=NOW + minutes * MINUTE)
        if isinstance(found, str) or found is asked:
            continue
        assert asked.is_waiting
        assert person in ("mei", "lars")
        assert minutes < 15
        asked = found
    is_given = asked.state is ApprovalState.GIVEN
    assert is_given == (len(asked.supporters) >= needed and all(one.yes for one in asked.answers))
    assert overtake(asked, "over", NOW).sentence == "over"
