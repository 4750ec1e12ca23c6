"""Requirements: what must be there before a move, and the sentence that says what is missing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from responder.domain.dossier import EMPTY, Dossier, Plan, Review, Verification, Verifier
from responder.domain.requirements import THINGS, Case, Need, is_known, missing, missing_sentence
from responder.domain.ticket import Action, Status
from responder.flows.verbs import VERBS
from tests.fakes import HOUR, NOW, a_ticket

PLAN = Plan(kind="patch", steps=("build it",), owner="mei")
REVIEW = Review(root_cause="no limits", cause_class="environment")

_OF_TICKETS = ("grade", "grade_rule", "kind", "assignee", "restored_by")


def a_case(dossier: Dossier = EMPTY, **changes: Any) -> Case:
    case = Case(ticket=a_ticket(Status.RESOLVED), dossier=dossier)
    ticket = {name: changes.pop(name) for name in _OF_TICKETS if name in changes}
    return replace(case, ticket=replace(case.ticket, **ticket), **changes)


def knows(**found: Any) -> Case:
    return a_case(replace(EMPTY, **found))


def verified(*looks: tuple[Verifier, bool, int]) -> Case:
    """Looks as (by whom, whether it was good, in which episode); the ticket is in its second episode."""
    seen = tuple(
        Verification(by=by, is_good=is_good, actor="mei", at=NOW, episode=episode) for by, is_good, episode in looks
    )
    case = knows(verifications=seen)
    return replace(case, ticket=replace(case.ticket, episode=2))


def lacks(name: str, case: Case) -> bool:
    return missing((Need(move=Action.CLOSE, needs=(name,)),), Action.CLOSE, case) == [name]


# --- when a need applies -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("narrowed", "other"),
    [
        ({"grades": ("P1", "P2")}, {"grade": "P3"}),
        ({"kinds": ("hardware",)}, {"kind": "software"}),
        ({"restored_by": ("human",)}, {"restored_by": "itself"}),
        ({"if_there_is_a_reporter": True}, {"has_reporter": False}),
    ],
)
def test_a_need_holds_only_where_its_rule_says(narrowed: dict[str, Any], other: dict[str, Any]) -> None:
    fitting: dict[str, Any] = {"grade": "P1", "kind": "hardware", "restored_by": "human", "has_reporter": True}
    need = Need(move=Action.CLOSE, needs=("cause",), **narrowed)
    assert missing((need,), Action.CLOSE, a_case(**fitting)) == ["cause"]
    assert missing((need,), Action.CLOSE, a_case(**{**fitting, **other})) == []


def test_a_need_that_names_nothing_holds_for_everything() -> None:
    assert lacks("cause", a_case(grade="P4", kind="", restored_by="machine"))


def test_a_need_before_closing_does_not_stand_in_the_way_of_another_move() -> None:
    need = Need(move=Action.CLOSE, needs=("cause",))
    assert missing((need,), Action.RESOLVE, a_case()) == []
    assert missing((need,), Action.DISMISS, a_case()) == []


# --- what is there -----------------------------------------------------------------------------------

BROUGHT: dict[str, Case] = {
    "assignee": a_case(assignee="mei"),
    "kind": a_case(kind="hardware"),
    "assessment": a_case(grade_rule="by hand"),
    "reporter": a_case(has_reporter=True),
    "diagnosis": knows(diagnosis="the disk is full"),
    "plan": knows(plan=PLAN),
    "approved_plan": knows(plan=replace(PLAN, approved_at=NOW)),
    "plan_due": knows(plan=replace(PLAN, due_at=NOW + HOUR)),
    "plan_resources": knows(plan=replace(PLAN, resources={"disk": 1})),
    "cause_class": knows(cause_class="environment"),
    "cause": knows(cause="logs were never rotated"),
    "solution": knows(solution="rotated them"),
    "guide": knows(guide="how to read the lamp"),
    "monitor": verified((Verifier.MONITOR, True, 2)),
    "test": verified((Verifier.TEST, True, 2)),
    "reporter_confirmation": verified((Verifier.REPORTER, True, 2)),
    "satisfaction": knows(satisfaction=1),
    "follow_up": knows(followed_up_by="mei"),
    "review": knows(review=REVIEW),
    "review_meeting": knows(review=replace(REVIEW, meeting_at=NOW)),
    "article": a_case(has_article=True),
    "field:model": knows(fields={"model": "X1"}),
    "attachment:core.log": a_case(attachments=("core.log",)),
}


@pytest.mark.parametrize("name", BROUGHT)
def test_each_thing_is_missing_until_it_is_brought(name: str) -> None:
    assert lacks(name, a_case())
    assert not lacks(name, BROUGHT[name])


@pytest.mark.parametrize("name", BROUGHT)
def test_no_other_thing_stands_for_it(name: str) -> None:
    brings_both = {"approved_plan": "plan", "plan_due": "plan", "plan_resources": "plan", "review_meeting": "review"}
    for other, case in BROUGHT.items():
        assert lacks(name, case) is (other != name and brings_both.get(other) != name), other


def test_every_thing_that_can_be_required_is_walked_here() -> None:
    assert set(BROUGHT) == {*THINGS, "field:model", "attachment:core.log"}


@pytest.mark.parametrize(
    ("looks", "is_enough"),
    [
        ([(Verifier.TEST, True, 1)], False),
        ([(Verifier.TEST, False, 2)], False),
        ([(Verifier.TEST, True, 2), (Verifier.TEST, False, 2)], False),
        ([(Verifier.TEST, False, 2), (Verifier.TEST, True, 2)], True),
        ([(Verifier.TEST, True, 2), (Verifier.REPORTER, False, 2)], True),
    ],
)
def test_a_verification_is_the_newest_of_its_kind_in_this_episode(
    looks: list[tuple[Verifier, bool, int]], is_enough: bool
) -> None:
    assert lacks("test", verified(*looks)) is not is_enough


def test_an_empty_field_is_none() -> None:
    assert lacks("field:model", knows(fields={"model": ""}))


# --- what is said ------------------------------------------------------------------------------------


def said(*names: str, **changes: Any) -> str:
    return missing_sentence((Need(move=Action.CLOSE, needs=names),), Action.CLOSE, a_case(**changes))


def test_the_sentence_names_the_ticket_the_move_the_grade_and_what_brings_each_thing() -> None:
    assert said("cause_class", "field:model", "attachment:core.log", grade="P1") == (
        "INC-7 cannot close yet: a P1 needs a cause class (verb: diagnose) and the field model (verb: register) "
        "and the attachment core.log (verb: attach)"
    )


def test_nothing_is_said_when_nothing_is_missing() -> None:
    assert missing_sentence((Need(move=Action.CLOSE, needs=("kind",)),), Action.CLOSE, a_case(kind="software")) == ""


def test_what_two_rules_want_is_said_once_and_in_the_order_of_the_policy() -> None:
    needs = (Need(move=Action.CLOSE, needs=("solution", "cause")), Need(move=Action.CLOSE, needs=("cause", "kind")))
    assert missing(needs, Action.CLOSE, a_case()) == ["solution", "cause", "kind"]


@pytest.mark.parametrize("name", THINGS)
def test_each_thing_has_words_and_a_verb(name: str) -> None:
    thing = THINGS[name]
    assert f"{thing.text} (verb: {thing.verb})" in said(name)
    assert thing.text
    assert thing.verb


def test_what_brings_a_thing_is_a_verb_or_a_page_of_its_own() -> None:
    assert {thing.verb for thing in THINGS.values()} - VERBS.keys() <= {"report", "review", "article"}
    assert {"register", "attach"} <= VERBS.keys()


@pytest.mark.parametrize("name", [*THINGS, "field:model", "attachment:a b"])
def test_a_policy_may_ask_for_what_is_known(name: str) -> None:
    assert is_known(name)


@pytest.mark.parametrize("name", ["", "luck", "field:", "attachment:", "fields:model", "field"])
def test_a_policy_may_not_ask_for_what_nobody_could_bring(name: str) -> None:
    assert not is_known(name)
