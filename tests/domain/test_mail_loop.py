"""What sent a mail, and that nothing but a person within its budget is ever answered."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.domain.mail import Address, Bounce, Mail
from responder.domain.mail_loop import AnswerBudget, AnswersSent, Kind, as_written, in_thread, may_answer, nature
from responder.domain.mail_thread import OwnAddress

OWN = OwnAddress(address="help@example.org", id_domain="responder.example.org")
PLAIN = Mail(id="1@example.net", digest="d", sender=Address(address="li@example.net"), subject="Disk full")
NONE_SENT = AnswersSent()


def bearing(**headers: str) -> Mail:
    return replace(PLAIN, headers={name.replace("_", "-"): (value,) for name, value in headers.items()})


def sent_by(address: str) -> Mail:
    return replace(PLAIN, sender=Address(address=address))


BOUNCE = Bounce(recipient="x@example.net", status="5.1.1", action="failed")


@pytest.mark.parametrize(
    ("mail", "kind"),
    [
        (PLAIN, Kind.PERSON),
        (bearing(auto_submitted="no"), Kind.PERSON),
        (bearing(auto_submitted="No (a person)"), Kind.PERSON),
        (replace(PLAIN, envelope_from="li@example.net"), Kind.PERSON),
        (bearing(precedence="first-class"), Kind.PERSON),
        (bearing(x_loop="other@example.org"), Kind.PERSON),
        (sent_by("norbert@example.net"), Kind.PERSON),
        (replace(PLAIN, subject="The out of office assistant does not work"), Kind.PERSON),
        (bearing(auto_submitted="auto-replied; owner-email=x"), Kind.AUTO_REPLY),
        (bearing(auto_submitted="Auto-Replied (vacation)"), Kind.AUTO_REPLY),
        (bearing(x_autoreply="yes"), Kind.AUTO_REPLY),
        (bearing(x_autorespond="1"), Kind.AUTO_REPLY),
        (bearing(precedence="auto_reply"), Kind.AUTO_REPLY),
        (bearing(content_type="multipart/report; report-type=disposition-notification"), Kind.AUTO_REPLY),
        (replace(PLAIN, subject="Automatic reply: INC-1", in_reply_to=("1@x",)), Kind.AUTO_REPLY),
        (replace(PLAIN, subject="自动回复：INC-1", references=("1@x",)), Kind.AUTO_REPLY),
        (replace(bearing(precedence="bulk"), subject="Automatic reply: INC-1"), Kind.AUTO_REPLY),
        (replace(PLAIN, subject="Automatic reply: INC-1", envelope_from=""), Kind.AUTO_REPLY),
        (replace(bearing(auto_submitted="auto-replied"), envelope_from=""), Kind.AUTO_REPLY),
        (bearing(auto_submitted="auto-generated"), Kind.MACHINE),
        (bearing(auto_submitted="auto-notified; x"), Kind.MACHINE),
        (bearing(precedence="bulk"), Kind.MACHINE),
        (bearing(precedence="Junk"), Kind.MACHINE),
        (bearing(content_type="multipart/report; report-type=feedback-report"), Kind.MACHINE),
        (replace(PLAIN, envelope_from=""), Kind.MACHINE),
        (sent_by("no-reply@example.net"), Kind.MACHINE),
        (sent_by("DoNotReply@example.net"), Kind.MACHINE),
        (sent_by("noreply+x@example.net"), Kind.MACHINE),
        (sent_by("list-request@example.net"), Kind.MACHINE),
        (sent_by("root@example.net"), Kind.MACHINE),
        (bearing(list_id="<ops.example.net>"), Kind.LIST),
        (bearing(list_unsubscribe="<mailto:x@example.net>", feedback_id="1:shop"), Kind.LIST),
        (bearing(list_unsubscribe="<mailto:x@example.net>", precedence="bulk"), Kind.LIST),
        (bearing(feedback_id="1.eu-west-1.abc:AmazonSES"), Kind.PERSON),
        (bearing(precedence="list"), Kind.LIST),
        (bearing(precedence="bulk", sender="owner-ops@example.net"), Kind.LIST),
        (bearing(precedence="bulk", sender="Ops <ops-owner@example.net>"), Kind.LIST),
        (bearing(x_mailman_version="2.0.4"), Kind.LIST),
        (bearing(x_beenthere="ops@example.net"), Kind.LIST),
        (bearing(sender="product-owner@example.net"), Kind.PERSON),
        (bearing(precedence="bulk", sender="shop@example.net"), Kind.MACHINE),
        (replace(PLAIN, bounces=(BOUNCE,)), Kind.BOUNCE),
        (sent_by("MAILER-DAEMON@example.net"), Kind.BOUNCE),
        (replace(sent_by("postmaster@example.net"), envelope_from=""), Kind.BOUNCE),
        (replace(PLAIN, id="7@responder.example.org"), Kind.OWN),
        (bearing(x_responder="1"), Kind.OWN),
        (bearing(x_loop="Help@example.org"), Kind.OWN),
        (sent_by("help+t1@Example.org"), Kind.OWN),
        (replace(sent_by("help@example.org"), bounces=(BOUNCE,)), Kind.OWN),
    ],
)  # fmt: skip
def test_what_sent_a_mail_is_told_by_its_headers(mail: Mail, kind: Kind) -> None:
    found = nature(mail, OWN)
    assert found.kind is kind
    assert found.why.endswith(".")
    assert found.is_sure
    assert (may_answer(mail, found, NONE_SENT) == "") is (kind is Kind.PERSON)


@pytest.mark.parametrize(
    ("mail", "kind", "answered_as"),
    [
        (replace(PLAIN, subject="Auto reply: function broken since the update"), Kind.AUTO_REPLY, Kind.AUTO_REPLY),
        (replace(PLAIN, subject="自动回复：功能失效"), Kind.AUTO_REPLY, Kind.AUTO_REPLY),
        (sent_by("postmaster@example.net"), Kind.MACHINE, Kind.PERSON),
        (bearing(x_failed_recipients="x@example.net"), Kind.MACHINE, Kind.PERSON),
        (bearing(list_unsubscribe="<mailto:x@example.net>"), Kind.MACHINE, Kind.PERSON),
    ],
)
def test_one_weak_sign_keeps_the_answer_back_and_nothing_else(mail: Mail, kind: Kind, answered_as: Kind) -> None:
    found = nature(mail, OWN)
    assert (found.kind, found.is_sure) == (kind, False)
    assert "nothing else says so" in found.why
    assert may_answer(mail, found, NONE_SENT)
    assert in_thread(found).kind is answered_as


def test_what_is_sure_stays_so_in_a_thread() -> None:
    for mail in (PLAIN, bearing(auto_submitted="auto-generated"), bearing(precedence="list")):
        assert in_thread(nature(mail, OWN)) == nature(mail, OWN)


ANNA = Address(address="anna@customer.test", name="Anna")
FORMS = replace(OWN, forms=("www@shop.test",))


@pytest.mark.parametrize("sender", ["no-reply@shop.test", "WWW@shop.test", "help@example.org", "help+t1@example.org"])
def test_who_filled_in_a_contact_form_is_its_sender(sender: str) -> None:
    mail = replace(sent_by(sender), reply_to=(Address(address="help@example.org"), ANNA))
    assert as_written(mail, FORMS).sender == ANNA
    assert nature(mail, FORMS).kind is Kind.PERSON


def test_a_page_of_ours_that_went_astray_is_nobodys() -> None:
    page = replace(bearing(auto_submitted="auto-generated"), sender=Address(address=OWN.address), reply_to=(ANNA,))
    assert nature(page, FORMS).kind is Kind.OWN


@pytest.mark.parametrize(
    "mail",
    [
        replace(PLAIN, reply_to=(ANNA,)),
        replace(sent_by("no-reply@shop.test"), reply_to=(Address(address="noreply@shop.test"),)),
        replace(sent_by("no-reply@shop.test"), reply_to=(Address(address="help@example.org"),)),
        replace(bearing(auto_submitted="auto-generated"), sender=Address(address=OWN.address), reply_to=(ANNA,)),
        sent_by("no-reply@shop.test"),
    ],
    ids=["a person's own", "nobody", "ourselves", "a page of ours", "none"],
)
def test_reply_to_counts_only_where_the_sender_is_nobody(mail: Mail) -> None:
    assert as_written(mail, FORMS) == mail


@pytest.mark.parametrize(
    "headers",
    [
        {"list_id": "The desk <help.example.org>", "precedence": "list"},
        {"list_post": "<https://example.org/>, <mailto:Help@example.org>", "list_unsubscribe": "<mailto:x@y.z>"},
    ],
)
def test_what_people_send_to_a_list_that_is_our_own_address_is_theirs(headers: dict[str, str]) -> None:
    assert nature(bearing(**headers), OWN).kind is Kind.PERSON
    others = {name: value.lower().replace("help", "ops") for name, value in headers.items()}
    assert nature(bearing(**others), OWN).kind is Kind.LIST


def test_who_wants_no_automatic_answer_gets_none() -> None:
    for wish, is_answered in (
        ("All", False),
        ("DR, AutoReply", False),
        ("DR, RN, NRN", True),
        ("None", True),
        ("OOF", True),
    ):
        mail = bearing(x_auto_response_suppress=wish)
        assert (may_answer(mail, nature(mail, OWN), NONE_SENT) == "") is is_answered, wish


def test_answers_are_counted_per_sender_and_in_all_to_the_border() -> None:
    budget, person = AnswerBudget(per_sender=2, in_all=5), nature(PLAIN, OWN)
    assert may_answer(PLAIN, person, AnswersSent(to_sender=1, in_all=4), budget) == ""
    assert "2 were sent to this address" in may_answer(PLAIN, person, AnswersSent(to_sender=2, in_all=2), budget)
    assert "5 were sent in 24 hours" in may_answer(PLAIN, person, AnswersSent(to_sender=0, in_all=5), budget)


def test_nobody_is_answered_who_does_not_say_who_it_is() -> None:
    mail = sent_by("")
    assert "does not say who" in may_answer(mail, nature(mail, OWN), NONE_SENT)


def test_two_services_that_answer_each_other_fall_silent() -> None:
    """Neither marks its answers, so that only the budget can end it."""
    budget, sent = AnswerBudget(per_sender=3), 0
    while not may_answer(PLAIN, nature(PLAIN, OWN), AnswersSent(to_sender=sent, in_all=sent), budget):
        sent += 1
    assert sent == 3


NAMES = ("auto-submitted", "precedence", "x-loop", "list-id", "content-type", "x-auto-response-suppress", "x-autoreply")


@given(
    headers=st.dictionaries(st.sampled_from(NAMES), st.lists(st.text()).map(tuple)),
    sender=st.text(),
    subject=st.text(),
    envelope=st.none() | st.text(),
)
def test_no_header_stops_the_question(
    headers: dict[str, tuple[str, ...]], sender: str, subject: str, envelope: str | None
) -> None:
    mail = replace(PLAIN, headers=headers, sender=Address(address=sender), subject=subject, envelope_from=envelope)
    found = nature(mail, OWN)
    assert len(found.why) < 200
    assert len(may_answer(mail, found, NONE_SENT)) < 300
