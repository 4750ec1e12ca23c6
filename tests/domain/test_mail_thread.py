"""To which ticket a mail belongs, and that nobody writes in the name of another."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.domain.mail import Address, Mail
from responder.domain.mail_thread import Led, OwnAddress, Role, Sender, Trace, is_own, tag_in, thread_of, traces

OWN = OwnAddress(address="help@example.org", id_domain="responder.example.org", other_addresses=("it@example.org",))
REPORTER, STRANGER = "li@example.net", "eve@example.com"


def mail(subject: str = "", to: tuple[str, ...] = (), **more: tuple[str, ...]) -> Mail:
    return Mail(
        id="1@example.net",
        digest="d",
        sender=Address(address=REPORTER),
        recipients=tuple(Address(address=one) for one in to),
        subject=subject,
        in_reply_to=more.get("in_reply_to", ()),
        references=more.get("references", ()),
    )


def led(trace: Trace, ticket_id: int = 1, reporter: str = REPORTER) -> Led:
    return Led(trace=trace, ticket_id=ticket_id, number=f"INC-{ticket_id}", reporter=reporter)


def test_tags_are_read_from_our_addresses_alone() -> None:
    found = traces(mail(to=("Help+t1-Abc@Example.org", "bob+t2@example.org", "it+t3@example.org")), OWN)
    assert found.tags == ("t1-Abc", "t3")
    assert (
        tag_in("help@example.org", OWN) == tag_in("help+@example.org", OWN) == tag_in("help+a b@example.org", OWN) == ""
    )
    assert is_own("IT+x@example.org", OWN)
    assert not is_own("bob@example.org", OWN)


def test_our_own_message_ids_are_told_from_others_the_latest_first() -> None:
    references = ("a@responder.example.org", "x@example.net", "b@responder.example.org", "c@evil.responder.example.org")
    found = traces(mail(in_reply_to=("b@Responder.example.org",), references=references), OWN)
    assert found.ids == ("b@Responder.example.org", "b@responder.example.org", "a@responder.example.org")


@pytest.mark.parametrize(
    ("subject", "number"),
    [
        ("Re: [INC-20261120-001] disk full", "INC-20261120-001"),
        ("回复：【INC-20261120-001】磁盘已满", "INC-20261120-001"),
        ("工单INC-20261120-001已收到", "INC-20261120-001"),
        ("AW: #20231025001: login", "20231025001"),
        ("Re: FB-20240501001.", "FB-20240501001"),
        ("关于 故障-001 的问题", "故障-001"),
    ],
)
def test_numbers_in_a_subject_are_found_in_both_languages(subject: str, number: str) -> None:
    assert number in traces(mail(subject), OWN).numbers


def test_the_reporter_who_answers_a_letter_writes_as_the_reporter() -> None:
    for trace in (Trace.TAG, Trace.ID):
        found = thread_of([led(trace)], Sender(address=REPORTER.upper()))
        assert (found.role, found.ticket_id) == (Role.REPORTER, 1)
        assert found.is_answer_of_the_reporter


def test_a_number_alone_needs_a_proven_address() -> None:
    assert thread_of([led(Trace.NUMBER)], Sender(address=REPORTER, is_authentic=True)).role is Role.REPORTER
    found = thread_of([led(Trace.NUMBER)], Sender(address=REPORTER))
    assert (found.role, found.ticket_id) == (Role.STRANGER, 1)
    assert "nothing proves" in found.why


def test_a_known_person_writes_a_note_and_may_command() -> None:
    found = thread_of([led(Trace.NUMBER)], Sender(address="anna@example.org", person="anna", is_authentic=True))
    assert (found.role, found.ticket_id, found.may_command) == (Role.COLLEAGUE, 1, True)


def test_a_stranger_with_a_tag_leaves_a_note_and_without_one_opens_a_report() -> None:
    found = thread_of([led(Trace.TAG)], Sender(address=STRANGER))
    assert (found.role, found.ticket_id, found.may_command) == (Role.STRANGER, 1, False)
    for trace in (Trace.ID, Trace.NUMBER):
        found = thread_of([led(trace)], Sender(address=STRANGER, is_authentic=True))
        assert (found.role, found.ticket_id, found.mentions) == (Role.NEW, None, ("INC-1",))


def test_the_tag_decides_before_the_reference_and_this_before_the_number() -> None:
    found = thread_of([led(Trace.NUMBER, 3), led(Trace.ID, 2), led(Trace.TAG, 1)], Sender(address=REPORTER))
    assert (found.ticket_id, found.mentions) == (1, ("INC-2", "INC-3"))
    assert thread_of([led(Trace.NUMBER, 3), led(Trace.ID, 2)], Sender(address=REPORTER)).ticket_id == 2


def test_a_refuted_sender_is_a_stranger_whatever_it_knows() -> None:
    sender = Sender(address=REPORTER, person="anna", is_refuted=True)
    assert [thread_of([led(trace)], sender).role for trace in Trace] == [Role.STRANGER, Role.NEW, Role.NEW]


def test_nothing_that_leads_anywhere_is_a_new_report() -> None:
    assert thread_of([], Sender(address=STRANGER)).role is Role.NEW


LEDS = st.lists(
    st.builds(
        led, st.sampled_from(Trace), st.integers(1, 3), st.sampled_from(("", REPORTER, STRANGER, "bob@example.org"))
    )
)
SENDERS = [
    Sender(address=address, person=person, claimed=claimed or person, is_authentic=authentic, is_refuted=refuted)
    for address, person, claimed, authentic, refuted in itertools.product(
        ("", REPORTER, STRANGER), ("", "anna"), ("", "anna"), (False, True), (False, True)
    )
]


@given(found=LEDS, sender=st.sampled_from(SENDERS))
def test_a_foreign_sender_never_writes_as_the_reporter_of_anothers_ticket(found: list[Led], sender: Sender) -> None:
    thread = thread_of(found, sender)
    if thread.role is Role.REPORTER:
        assert any(one.ticket_id == thread.ticket_id and one.reporter == sender.address != "" for one in found)
        assert not sender.is_refuted
    assert not (thread.may_command and not sender.person)
    assert thread.why.endswith(".")


@given(subject=st.text(), to=st.lists(st.text()), ids=st.lists(st.text()))
def test_nothing_in_a_mail_stops_the_search_for_traces(subject: str, to: list[str], ids: list[str]) -> None:
    found = traces(mail(subject * 50, tuple(to), in_reply_to=tuple(ids), references=tuple(ids)), OWN)
    assert all(len(part) <= 50 for part in (found.tags, found.ids, found.numbers))


@pytest.mark.parametrize(
    ("was_proven", "is_authentic", "role"),
    [(False, False, Role.REPORTER), (True, False, Role.STRANGER), (True, True, Role.REPORTER)],
)
@pytest.mark.parametrize("trace", [Trace.TAG, Trace.ID])
def test_what_a_proven_mail_began_only_a_proven_one_goes_on_with(
    trace: Trace, role: Role, *, was_proven: bool, is_authentic: bool
) -> None:
    sender = Sender(address=REPORTER, is_authentic=is_authentic)
    assert thread_of([replace(led(trace), was_proven=was_proven)], sender).role is role


def test_an_own_address_with_a_plus_has_tags_too() -> None:
    own = OwnAddress(address="support+eu@example.org", id_domain="example.org", other_addresses=("help@example.org",))
    assert tag_in("support+eu+7-abc@example.org", own) == "7-abc"
    assert tag_in("help+7-abc@example.org", own) == "7-abc"
    assert tag_in("support+7-abc@example.org", own) == ""
    assert is_own("Support+EU+7-abc@example.org", own)
    assert is_own("help+a+b@example.org", own)
    assert not is_own("support+us@example.org", own)


@pytest.mark.parametrize(("is_refuted", "role"), [(False, Role.STRANGER), (True, Role.NEW)])
def test_what_bears_a_colleagues_address_unproven_is_a_note_of_a_stranger(role: Role, *, is_refuted: bool) -> None:
    found = thread_of([led(Trace.NUMBER)], Sender(address="mei@example.org", claimed="mei", is_refuted=is_refuted))
    assert (found.role, found.may_command) == (role, False)
