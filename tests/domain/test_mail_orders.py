"""Commands by mail: whose they are, when they count, and which question a yes answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from responder.domain.approval import Approval, ApprovalKind, ApprovalState
from responder.domain.mail_commands import Command, Verb
from responder.domain.mail_loop import Kind
from responder.domain.mail_orders import NEWEST, OLDEST, objection_to, order_in, question_meant
from responder.domain.mail_thread import Led, Role, Sender, Thread, Trace, thread_of
from responder.domain.oncall import Person
from responder.domain.ticket import Status, Ticket

NOW = datetime(2026, 5, 7, 3, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
PEOPLE = {
    "mei": Person(name="mei", roles=("engineer",)),
    "lars": Person(name="lars", roles=("manager",)),
    "otto": Person(name="otto", roles=("manager", "director")),
}
COLLEAGUE = Thread(role=Role.COLLEAGUE, why="", ticket_id=1, number="INC-1", person="mei")
TICKET = Ticket(
    id=1, number="INC-1", trouble="t", source="main", title="It is down", grade="P1", grade_rule="", grade_reason="",
    labels={}, opened_at=NOW, episode_at=NOW,
)  # fmt: skip


def asked(number: int, role: str, **changes: object) -> Approval:
    question = Approval(
        id=number, ticket_id=1, episode=1, runbook="close", target="", kind=ApprovalKind.GATE,
        question=f"Question {number}?", roles=(role,), asked_at=NOW,
    )  # fmt: skip
    return replace(question, **changes)  # type: ignore[arg-type]


def meant(*questions: Approval, who: str = "lars", sent_at: datetime = NOW, ticket: Ticket = TICKET) -> int | str:
    found = question_meant(questions, who, PEOPLE, ticket, sent_at=sent_at)
    return found if isinstance(found, str) else found.id


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.PERSON])
def test_only_people_command(kind: Kind) -> None:
    assert order_in(COLLEAGUE, Kind.PERSON, "ack") == Command(verb=Verb.ACK)
    assert order_in(COLLEAGUE, kind, "ack") is None


def test_who_is_not_proven_commands_nothing_as_whoever_they_write() -> None:
    for role in Role:
        assert order_in(replace(COLLEAGUE, role=role, person=""), Kind.PERSON, "close") is None


def test_a_refuted_sender_is_nobody() -> None:
    led = [Led(trace=Trace.TAG, ticket_id=1, number="INC-1")]
    sender = Sender(address="mei@ops.test", person="mei", is_refuted=True)
    assert not thread_of(led, sender).may_command


def test_two_numbers_are_rivals_and_a_tag_settles_it() -> None:
    sender = Sender(address="mei@ops.test", person="mei", is_authentic=True)
    numbers = [Led(trace=Trace.NUMBER, ticket_id=one, number=f"INC-{one}") for one in (1, 2, 1)]
    assert thread_of(numbers, sender).rivals == ("INC-2",)
    assert thread_of([*numbers, Led(trace=Trace.TAG, ticket_id=2, number="INC-2")], sender).rivals == ()
    answered = [Led(trace=Trace.ID, ticket_id=one, number=f"INC-{one}") for one in (1, 2)]
    assert thread_of(answered, sender).rivals == ()


@pytest.mark.parametrize(
    ("late", "counts"), [(OLDEST, True), (OLDEST + SECOND, False), (-NEWEST, True), (-NEWEST - SECOND, False)]
)
def test_a_command_may_be_a_day_on_its_way(late: timedelta, *, counts: bool) -> None:
    said = objection_to(Command(verb=Verb.ACK), COLLEAGUE, TICKET, NOW - late, NOW)
    assert (said == "") is counts


@pytest.mark.parametrize(("early", "counts"), [(timedelta(), True), (SECOND, False)])
def test_a_command_counts_for_the_episode_in_which_it_was_written(early: timedelta, *, counts: bool) -> None:
    again = replace(TICKET, episode=2, episode_at=NOW + timedelta(milliseconds=300))
    assert (objection_to(Command(verb=Verb.ACK), COLLEAGUE, again, NOW - early, NOW) == "") is counts


def test_of_several_questions_the_only_one_for_this_person_is_meant() -> None:
    questions = asked(1, "engineer"), asked(2, "manager")
    assert meant(*questions) == 2
    assert meant(*questions, who="mei") == 1


def test_who_could_answer_several_is_not_guessed_at() -> None:
    found = str(meant(asked(1, "manager"), asked(2, "director"), who="otto"))
    assert found.startswith("2 questions wait")
    assert "“Question 1?”; “Question 2?”." in found


def test_who_may_answer_none_is_led_to_the_one_that_waits_and_refused_there() -> None:
    assert meant(asked(3, "director"), who="mei") == 3


def test_what_waits_no_longer_is_not_meant() -> None:
    decided = asked(1, "manager", state=ApprovalState.GIVEN)
    earlier = asked(2, "manager", episode=0)
    assert meant(decided, earlier, asked(3, "manager")) == 3
    assert meant(decided, earlier) == "INC-1 has nothing that waits for consent."
    assert "nothing that waits" in str(meant(asked(3, "manager"), ticket=replace(TICKET, status=Status.CLOSED)))


def test_nobody_has_answered_what_was_asked_later() -> None:
    question = asked(1, "manager", asked_at=NOW + timedelta(milliseconds=900))
    assert meant(question, sent_at=NOW) == 1
    assert "was written before this was asked: Question 1?" in str(meant(question, sent_at=NOW - SECOND))
