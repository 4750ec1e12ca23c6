"""What a mail is taken for: no person's words are lost because they look like a machine's, and no machine is answered
for ever."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from responder.domain.mail_loop import AnswerBudget
from responder.domain.mail_record import Taken
from responder.domain.ticket import Ticket
from responder.store.database import Database
from tests.flows.test_mail_in import DESK, REPORTER, Mailed, bounce, mail
from tests.flows.test_monitoring_trust import NAGIOS, Monitored
from tests.world import texts

SUBJECT, TEXT = NAGIOS.problem
OUTLOOK = f"-----Original Message-----\nFrom: nagios\nSent: today\nTo: ops\nSubject: {SUBJECT}\n\n{TEXT}"
ANNA = "anna@customer.test"


@pytest.fixture
def world(tmp_path: Path, database: Database) -> Mailed:
    return Mailed(tmp_path, database)


@pytest.fixture
def monitored(tmp_path: Path, database: Database) -> Monitored:
    return Monitored(tmp_path, database)


# --- words around a monitoring's mail -------------------------------------------------------------------------


async def test_a_command_above_a_quoted_alert_is_done(monitored: Monitored) -> None:
    await monitored.problem()
    taken = await monitored.comes(monitored.mail(f"ack\n\n{OUTLOOK}", Subject=f"Re: {SUBJECT}", To=monitored.tag()))
    assert (taken.taken, await monitored.status()) == (Taken.COMMAND, "in_progress")


async def test_the_reporters_answer_above_a_quoted_alert_is_heard(monitored: Monitored) -> None:
    await monitored.comes(monitored.mail("The shop is dead", who="kunde", Subject="Shop", dmarc=""))
    answer = monitored.mail(f"not solved\n\n{OUTLOOK}", who="kunde", To=monitored.tag(), dmarc="", Subject="Re: Shop")
    assert (await monitored.comes(answer)).ticket_id == 1
    assert len(await monitored.read(lambda tx: tx.tickets.listed())) == 1


async def test_even_an_alert_itself_is_a_note_where_it_answers_a_letter(monitored: Monitored) -> None:
    await monitored.problem()
    taken = await monitored.comes(monitored.mail(TEXT, who="bob", dmarc="", Subject=SUBJECT, To=monitored.tag()))
    assert (taken.taken, taken.ticket_id) == (Taken.NOTE, 1)


async def test_words_of_a_customer_above_a_quoted_alert_are_a_report_with_an_answer(monitored: Monitored) -> None:
    content = monitored.mail(f"Is it this one?\n\n{OUTLOOK}", who="kunde", dmarc="", Subject="Shop down")
    taken = await monitored.comes(content)
    assert (taken.taken, taken.answered) == (Taken.REPORT, True)


async def test_a_forwarded_alert_keeps_nothing_from_clearing(monitored: Monitored) -> None:
    await monitored.problem()
    await monitored.comes(monitored.mail(f"Look!\n\n{OUTLOOK}", Subject=f"Fw: {SUBJECT}", dmarc=""))
    await monitored.recovery()
    assert await monitored.signal() == "cleared"


async def test_an_absence_note_with_an_alert_in_it_is_no_alert(monitored: Monitored) -> None:
    subject = f"Automatic reply: {SUBJECT}"
    away = monitored.mail(f"{TEXT}\nI am away.", Subject=subject, Auto_Submitted="auto-replied")
    assert (await monitored.comes(away)).taken is Taken.LEFT


LIKE_A_MONITORING = [
    "[PROBLEM] Printer on floor 3 is dead!",
    "Checkmk: please update our licence",
    "** URGENT Service Alert: the coffee machine **",
]


@pytest.mark.parametrize("subject", LIKE_A_MONITORING)
async def test_a_person_whose_subject_looks_like_an_alert_is_answered(monitored: Monitored, subject: str) -> None:
    content = monitored.mail("The printer smokes. Please call me. Anna", who="anna", Subject=subject)
    taken = await monitored.comes(content)
    assert (taken.taken, taken.answered) == (Taken.REPORT, True)
    ticket = await monitored.ticket()
    assert "The printer smokes" in str(ticket["annotations"])
    assert "was not understood" in texts(ticket)


@pytest.mark.parametrize("subject", LIKE_A_MONITORING)
async def test_what_a_named_monitoring_sends_is_an_alert_even_if_it_is_not_understood(
    monitored: Monitored, subject: str
) -> None:
    monitored.mails = replace(monitored.mails, monitors=("nagios@ops.test",))
    taken = await monitored.comes(monitored.mail("?", who="nagios", Subject=subject))
    assert taken.taken is Taken.ALERT


# --- words that look like a machine's -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "is_answered"),
    [
        ({"From": f"Anna <{ANNA}>", "Subject": "Out of office - the screen at the reception is dead"}, False),
        ({"From": f"Anna <{ANNA}>", "Subject": "自动回复：功能失效，客户收不到回复"}, False),
        ({"From": "Anna <postmaster@customer.test>", "Subject": "Your server refuses our mails"}, False),
        ({"X-Failed-Recipients": "a@b.test"}, False),
        ({"List-Unsubscribe": "<mailto:u@crm.test>"}, False),
        ({"Feedback-ID": "1.eu-west-1.abc:AmazonSES"}, True),
    ],
    ids=["absence", "absence zh", "postmaster", "failed", "crm", "ses"],
)
async def test_one_weak_sign_keeps_no_mail_from_being_a_ticket(
    world: Mailed, headers: dict[str, str], is_answered: bool
) -> None:
    taken = await world.comes(mail("Nothing happens any more. Please help.", **headers))
    assert (taken.taken, taken.answered) == (Taken.REPORT, is_answered)
    assert len(await world.letters()) == int(is_answered)


@pytest.mark.parametrize("sign", ["Feedback-ID", "List-Unsubscribe", "X-Failed-Recipients"])
async def test_the_reporters_answer_with_a_weak_sign_is_heard(world: Mailed, sign: str) -> None:
    await world.comes(mail())
    await world.restored()
    assert (await world.comes(mail("not solved", To=world.tag(1), **{sign: "<x@y.test>"}))).taken is Taken.ANSWER
    assert (await world.ticket())["status"] == "handed_over"


async def test_an_absence_note_with_nothing_but_its_subject_that_names_a_ticket_opens_none(world: Mailed) -> None:
    await world.comes(mail())
    number = (await world.ticket())["number"]
    away = mail("I am away.", From="bob@customer.test", Subject=f"Out of office: [P1] {number}")
    assert (await world.comes(away)).taken is Taken.LEFT


async def test_an_absence_note_of_a_colleague_without_any_header_begins_no_loop_of_pages(monitored: Monitored) -> None:
    away = monitored.mail("I am away.", Subject="Automatic reply: something is down", dmarc="")
    assert (await monitored.comes(away)).taken is Taken.LEFT


async def test_a_mail_server_that_speaks_no_known_language_opens_no_ticket(world: Mailed) -> None:
    words = mail("Konnte leider nicht sein.", From="MAILER-DAEMON@mx.test", Subject="Schade")
    assert (await world.comes(words)).taken is Taken.BOUNCE


async def test_who_passes_on_a_delivery_report_is_a_reporter(world: Mailed) -> None:
    lines = [
        f"From: {REPORTER}", f"To: {DESK}", "Subject: Fwd: Undelivered Mail", "Message-ID: <fw@example.org>",
        "MIME-Version: 1.0", 'Content-Type: multipart/mixed; boundary="b"', "",
        "--b", "Content-Type: text/plain", "", "I cannot write to our customer, please help!", "",
        "--b", "Content-Type: message/delivery-status", "", "Reporting-MTA: dns; mx.example.org", "",
        "Final-Recipient: rfc822; x@customer.test", "Action: failed", "Status: 5.7.1", "", "--b--", "",
    ]  # fmt: skip
    taken = await world.comes("\r\n".join(lines).encode())
    assert (taken.taken, taken.answered) == (Taken.REPORT, True)


def bounce_to(recipient: str, name: str, action: str = "failed") -> bytes:
    lines = [
        "From: MAILER-DAEMON@mx.test", f"To: {DESK}", "Return-Path: <>", "Subject: Undelivered",
        f"Message-ID: <{name}@mx>", "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"', "",
        "--b", "Content-Type: message/delivery-status", "", "Reporting-MTA: dns; mx", "",
        f"Final-Recipient: rfc822; {recipient}", f"Action: {action}", "Status: 5.2.2", "", "--b--", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode()


async def test_a_page_that_comes_back_is_a_ticket_once_for_each_person(monitored: Monitored) -> None:
    for recipient, name in (("Mei@ops.test", "1"), ("mei@ops.test", "2"), ("eve@evil.test", "3")):
        assert (await monitored.comes(bounce_to(recipient, name))).taken is Taken.BOUNCE
    ticket = await monitored.ticket()
    assert (ticket["labels"]["alertname"], ticket["labels"]["person"]) == ("ResponderPageBounced", "mei")
    assert "mei@ops.test" not in str(ticket).lower()
    assert len(await monitored.read(lambda tx: tx.tickets.listed())) == 1


async def test_a_page_that_is_only_late_is_no_ticket(monitored: Monitored) -> None:
    assert (await monitored.comes(bounce_to("mei@ops.test", "1", "delayed"))).taken is Taken.BOUNCE
    assert await monitored.read(lambda tx: tx.tickets.listed()) == []


async def test_a_letter_that_comes_back_is_no_page_whoever_its_reporter_is(world: Mailed) -> None:
    world.mails = replace(world.mails, people={REPORTER: "mei"})
    await world.comes(mail())
    assert (await world.comes(bounce(await world.own_id(), "5.1.1", "failed"))).ticket_id == 1
    assert len(await world.read(lambda tx: tx.tickets.listed())) == 1


# --- whom letters can reach -----------------------------------------------------------------------------------


@pytest.mark.parametrize("sender", ["root@db3", "root@localhost", "cron@web1", "böse@example.org", "王五@例子.中国"])
@pytest.mark.parametrize("more", ["", "Auto-Submitted: auto-generated\r\n"], ids=["plain", "machine"])
async def test_who_has_no_address_that_letters_can_go_to_gets_a_ticket_without_an_answer(
    world: Mailed, sender: str, more: str
) -> None:
    head = f"From: {sender}\r\nTo: {DESK}\r\nMessage-ID: <1@x>\r\nSubject: backup.sh\r\n{more}"
    taken = await world.comes(f"{head}\r\nThe backup failed.\r\n".encode())
    assert (taken.taken, taken.answered) == (Taken.REPORT, False)
    assert (await world.ticket())["annotations"]["description"] == "The backup failed."
    assert await world.read(lambda tx: tx.reporters.of_ticket(1)) is None
    assert "It gets no answer" in texts(await world.ticket())


@pytest.mark.parametrize("sender", ["www@shop.test", "no-reply@shop.test", DESK])
async def test_who_filled_in_a_contact_form_is_the_reporter(world: Mailed, sender: str) -> None:
    world.mails = replace(world.mails, own=replace(world.mails.own, forms=("www@shop.test",)))
    taken = await world.comes(mail("The shop is down", From=f"Website <{sender}>", Reply_To=f"Anna <{ANNA}>"))
    assert (taken.taken, taken.answered, taken.sender) == (Taken.REPORT, True, ANNA)
    assert ((await world.reporter()).contact, (await world.reporter()).name) == (ANNA, "Anna")
    assert (await world.comes(mail("It goes on", From=ANNA, To=world.tag(1)))).taken is Taken.ANSWER


async def test_that_a_form_is_proven_proves_nothing_of_who_filled_it_in(monitored: Monitored) -> None:
    monitored.mails = replace(monitored.mails, own=replace(monitored.mails.own, forms=("www@ops.test",)))
    taken = await monitored.comes(monitored.mail("It is down", who="www", Subject="Shop", Reply_To=ANNA))
    assert (taken.sender, taken.is_proven) == (ANNA, False)
    answer = monitored.mail("It goes on", dmarc="", From=ANNA, To=monitored.tag())
    assert (await monitored.comes(answer)).taken is Taken.ANSWER


async def test_elsewhere_reply_to_is_said_and_not_used(world: Mailed) -> None:
    await world.comes(mail(Reply_To=ANNA))
    assert (await world.reporter()).contact == REPORTER
    assert "asks for answers at another address" in texts(await world.ticket())
    assert ANNA not in str(await world.ticket())


# --- how often it is answered ---------------------------------------------------------------------------------


async def test_a_machine_that_answers_from_ever_new_addresses_is_answered_once(world: Mailed) -> None:
    taken = await world.comes(mail("We have received it.", From="ticket-1@vendor.test", Subject="[#1] new"))
    answered = []
    for number in range(2, 6):
        own = await world.own_id(taken.ticket_id or 0) if taken.answered else await world.own_id()
        sender = f"ticket-{number}@vendor.test"
        taken = await world.comes(mail("We have received it.", From=sender, Subject=f"[#{number}]", In_Reply_To=own))
        answered.append(taken.answered)
    assert answered == [False] * 4
    assert "answers a letter to somebody else" in taken.why


async def test_a_domain_is_answered_so_many_times_and_that_it_ends_is_a_ticket(world: Mailed) -> None:
    world.mails = replace(world.mails, budget=AnswerBudget(per_domain=2))
    taken = [await world.comes(mail(f"no {number}", From=f"a{number}@vendor.test")) for number in range(4)]
    assert [one.answered for one in taken] == [True, True, False, False]
    assert (await world.comes(mail("no 9", From="a@other-vendor.test"))).answered
    found = await _used_up(world)
    assert [one.labels["domain"] for one in found] == ["vendor.test"]


async def test_that_nobody_unproven_is_answered_any_more_is_a_ticket_and_proven_senders_still_are(
    monitored: Monitored,
) -> None:
    monitored.mails = replace(monitored.mails, budget=AnswerBudget(in_all=2))
    assert (await monitored.comes(monitored.mail("Help", who="boss"))).answered
    answered = [
        (await monitored.comes(monitored.mail("Help", who=f"a{number}", dmarc=""))).answered for number in range(4)
    ]
    assert answered == [True, True, False, False]
    (ticket,) = await _used_up(monitored)
    assert "domain" not in ticket.labels
    assert (await monitored.comes(monitored.mail("Help", who="kunde"))).answered


async def test_who_invents_addresses_at_a_domain_silences_nobody_who_is_proven_there(monitored: Monitored) -> None:
    monitored.mails = replace(monitored.mails, budget=AnswerBudget(per_domain=1))
    sent = [("a1", ""), ("a2", ""), ("kunde", "pass"), ("kunde-2", "pass")]
    taken = [await monitored.comes(monitored.mail("Help", who=who, dmarc=dmarc)) for who, dmarc in sent]
    assert [one.answered for one in taken] == [True, False, True, False]


async def _used_up(world: Mailed | Monitored) -> list[Ticket]:
    known: list[Ticket] = await world.read(lambda tx: tx.tickets.listed())
    return [one for one in known if one.labels.get("alertname") == "ResponderMailAnswersUsedUp"]
