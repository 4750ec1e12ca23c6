"""What of mails does not stand on tickets: whose they are, our own signed names, and letters of ours in quotes."""

from __future__ import annotations

from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from responder.domain.mail_record import MailRecord, Taken
from responder.flows.reporter import erase_contacts
from responder.store.database import Database
from tests.flows.test_mail_commands import Commanded
from tests.flows.test_mail_in import DESK, REPORTER, Mailed, mail
from tests.world import texts

SHOUTED = REPORTER.title()
UNDER_A_RULE = "-----Original Message-----\nFrom: desk\nSent: today\nTo: you\nSubject: Your report\n\n"


@pytest.fixture
def world(tmp_path: Path, database: Database) -> Mailed:
    return Mailed(tmp_path, database)


@pytest.fixture
def team(tmp_path: Path, database: Database) -> Commanded:
    return Commanded(tmp_path, database)


async def read_by_all(world: Mailed, ticket_id: int = 1) -> str:
    """What everybody reads of a ticket."""
    ticket = await world.ticket(ticket_id)
    fields = ticket["dossier"]["fields"]
    return f"{ticket['title']} {ticket['annotations']} {fields} {texts(ticket)} {ticket['attachments']}"


async def letter(world: Mailed) -> str:
    """The newest letter to the reporter, with the link that only they may have."""
    body = (await world.letters())[-1].body
    assert "/report/" in body
    return body


def prefixed(text: str) -> str:
    return "On Fri, 20 Nov 2026 at 10:00, Desk <help@desk.test> wrote:\n" + "\n".join(
        f"> {line}" for line in text.split("\n")
    )


def with_file(name: str, said: str = "See it.", **headers: str) -> bytes:
    made = EmailMessage()
    for key, value in {"From": REPORTER, "To": DESK, "Subject": "Look", **headers}.items():
        made[key] = value
    made.set_content(said)
    made.add_attachment(b"PNG...", maintype="image", subtype="png", filename=name)
    return made.as_bytes()


def returned(
    about: str, *, recipient: str = REPORTER, status: str = "5.1.1", action: str = "failed", path: str = "<>"
) -> bytes:
    """A delivery report, whose reason bears the address."""
    made = f"""Return-Path: {path}
From: MAILER-DAEMON@mx.example.org
To: {DESK}
Subject: Undelivered Mail Returned to Sender
Message-ID: <{abs(hash((about, recipient, status, path)))}@mx.example.org>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Final-Recipient: rfc822; {recipient}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 <{SHOUTED}>: no such user li.wei; moved to li@elsewhere.test

--b
Content-Type: message/rfc822

Message-ID: {about}

x
--b--
"""
    return made.encode()


async def why_of(world: Mailed, record: MailRecord) -> str:
    return str((await world.read(lambda tx: tx.mails.one(record.id))).why)


# --- addresses ------------------------------------------------------------------------------------------------


async def test_the_address_of_the_reporter_is_masked_in_whatever_capitals(world: Mailed) -> None:
    await world.comes(mail(f"Write to {SHOUTED} please, it prints nothing.", Subject=f"For {SHOUTED}"))
    await world.comes(mail(f"{SHOUTED} has the papers.", To=world.tag(1)))
    assert REPORTER not in (await read_by_all(world)).lower()


async def test_the_address_of_the_reporter_is_masked_in_a_strangers_note(world: Mailed) -> None:
    await world.comes(mail())
    await world.comes(mail(f"Li Wei ({REPORTER}) is out, ask me.", From="bob@example.org", To=world.tag(1)))
    assert "(***) is out, ask me." in await read_by_all(world)
    assert not [one for one in await world.messages_to("mei") if REPORTER in one]


async def test_the_address_of_the_reporter_is_masked_in_the_name_of_a_file(world: Mailed) -> None:
    await world.comes(with_file(f"{SHOUTED}.png"))
    shown = await read_by_all(world)
    assert REPORTER not in shown.lower()
    assert ".png" in shown


@pytest.mark.parametrize(("status", "action"), [("5.1.1", "failed"), ("4.2.2", "delayed")])
async def test_why_a_letter_did_not_arrive_names_no_address(world: Mailed, status: str, action: str) -> None:
    await world.comes(mail())
    taken = await world.comes(returned(await world.own_id(), status=status, action=action))
    await world.comes(mail("The next trouble."))
    read = f"{await read_by_all(world)} {await read_by_all(world, 2)} {await why_of(world, taken)}".lower()
    assert "no such user" in read
    for hidden in (REPORTER, "li.wei", "li@elsewhere.test"):
        assert hidden not in read


async def test_with_the_contact_goes_the_sender_of_what_was_left(world: Mailed) -> None:
    await world.comes(mail())
    left = await world.comes(mail("I am away.", Auto_Submitted="auto-replied"))
    others = await world.comes(mail("I am away.", Auto_Submitted="auto-replied", From="bob@example.org"))
    await world.comes(returned(await world.own_id()))
    await world.do("dismiss", **{"as": "false_alarm", "reason": "none"})
    await world.advance(timedelta(days=181))
    assert await erase_contacts(world.desk) == 1
    assert REPORTER not in str(await world.read(lambda tx: tx.mails.listed(10)))
    assert await world.read(lambda tx: tx.reports.body(left.receipt)) is None
    assert (await world.read(lambda tx: tx.mails.one(others.id))).sender == "bob@example.org"
    assert await world.read(lambda tx: tx.mails.refused(REPORTER)) is None


# --- our links and tags ---------------------------------------------------------------------------------------


async def test_a_link_that_no_program_marks_as_quoted_is_masked(world: Mailed) -> None:
    await world.comes(mail())
    body = await letter(world)
    await world.comes(mail(f"It is still dead.\n\n| Desk said:\n{body}", To=world.tag(1)))
    await world.comes(mail(f"For you.\n\n{body}\nAnswer to {world.tag(1)}", From="bob@example.org", To=world.tag(1)))
    shown = await read_by_all(world)
    assert "It is still dead." in shown
    assert "For you." in shown
    told = [one for one in await world.messages_to("mei") if "/report/" in one or world.tag(1) in one]
    assert ("/report/" in shown, world.tag(1) in shown, told) == (False, False, [])


@pytest.mark.parametrize("sender", ["bob@example.org", REPORTER])
async def test_a_mere_forward_of_a_letter_is_a_report_with_its_words_but_without_its_link(
    world: Mailed, sender: str
) -> None:
    await world.comes(mail())
    body = await letter(world)
    forwarded = f"{UNDER_A_RULE}The lamp is red.\n{body}\n{world.tag(1)}"
    taken = await world.comes(mail(forwarded, From=sender, Subject="Fwd: Your report"))
    assert (taken.taken, taken.ticket_id) == (Taken.REPORT, 2)
    shown = await read_by_all(world, 2)
    assert "The lamp is red." in shown
    assert ("/report/" in shown, world.tag(1) in shown) == (False, False)


# --- nothing new ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_prefixed", [True, False])
async def test_an_empty_answer_says_nothing_new_and_is_a_note(world: Mailed, *, is_prefixed: bool) -> None:
    await world.comes(mail())
    body = await letter(world)
    quoted = prefixed(body) if is_prefixed else f"{UNDER_A_RULE}{body}"
    taken = await world.comes(mail(quoted, To=world.tag(1), Subject="Re: Your report"))
    shown = texts(await world.ticket())
    assert taken.taken is Taken.NOTE
    assert "It says nothing new." in shown
    assert ("The reporter says" in shown, "/report/" in shown, "Original Message" in shown) == (False, False, False)
    assert not [one for one in await world.messages_to("mei") if "/report/" in one]


async def test_a_picture_without_a_word_is_an_answer(world: Mailed) -> None:
    await world.comes(mail())
    taken = await world.comes(with_file("lamp.png", prefixed(await letter(world)), To=world.tag(1), Subject="Re: x"))
    assert taken.taken is Taken.ANSWER
    assert "The reporter says more: (lamp.png)" in texts(await world.ticket())


async def test_what_is_filled_in_within_the_quoted_letter_is_an_answer(world: Mailed) -> None:
    world.rule(report_fields=("product", "serial"))
    await world.comes(mail("Product: P900"))
    quoted = prefixed((await world.last_letter()).replace("batch number:", "batch number: SN-1"))
    taken = await world.comes(mail(quoted, To=world.tag(1), Subject="Re: x"))
    assert taken.taken is Taken.ANSWER
    assert (await world.ticket())["dossier"]["fields"]["serial"] == "SN-1"
    shown = texts(await world.ticket())
    assert ("batch number: SN-1" in shown, "/report/" in shown) == (True, False)


@pytest.mark.parametrize(
    ("subject", "is_shown"), [("Fwd: what the vendor writes", True), ("Re: what the vendor writes", False)]
)
async def test_what_a_colleague_forwards_to_a_ticket_stands_on_it(
    world: Mailed, subject: str, *, is_shown: bool
) -> None:
    await world.comes(mail())
    forwarded = f"{UNDER_A_RULE}The spare part comes tomorrow."
    await world.comes(mail(forwarded, From="bob@example.org", To=world.tag(1), Subject=subject))
    assert ("The spare part comes tomorrow." in await read_by_all(world)) is is_shown


async def test_a_letter_of_ours_that_is_forwarded_to_its_ticket_says_nothing_new(world: Mailed) -> None:
    await world.comes(mail())
    forwarded = f"{UNDER_A_RULE}The lamp is red.\n{await letter(world)}"
    await world.comes(mail(forwarded, From="bob@example.org", To=world.tag(1), Subject="Fwd: Your report"))
    shown = await read_by_all(world)
    assert ("It says nothing new." in shown, "The lamp is red." in shown) == (True, False)


# --- who marks an address -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recipient", "path", "is_marked"),
    [
        (REPORTER, "<>", True),
        (SHOUTED, "<>", True),
        ("somebody@evil.test", "<>", False),
        (REPORTER, "<mallory@evil.test>", False),
    ],
    ids=["a mail server", "in other letters", "another recipient", "a person"],
)
async def test_only_a_mail_server_marks_an_address_and_only_the_one_it_reports(
    world: Mailed, recipient: str, path: str, *, is_marked: bool
) -> None:
    await world.comes(mail())
    await world.comes(returned(await world.own_id(), recipient=recipient, path=path))
    assert (await world.read(lambda tx: tx.mails.refused(REPORTER)) is not None) is is_marked
    assert (await world.comes(mail("The next trouble."))).answered is not is_marked


async def test_who_is_proven_to_write_is_answered_at_once(team: Commanded) -> None:
    await team.comes(team.mail("It prints nothing.", "kunde", Subject="Printer"))
    (letter,) = await team.read(lambda tx: tx.reporters.letters(1))
    about = f"<{team.mails.names.message_id(letter.id, team.mails.own.id_domain)}>"
    await team.comes(returned(about, recipient="kunde@ops.test"))
    assert await team.read(lambda tx: tx.mails.refused("kunde@ops.test")) is not None
    unproven = await team.comes(team.mail("The first again.", "kunde", dmarc="none", Subject="Again"))
    proven = await team.comes(team.mail("The next trouble.", "kunde", Subject="Next"))
    assert (unproven.answered, proven.answered) == (False, True)
    assert await team.read(lambda tx: tx.mails.refused("kunde@ops.test")) is None
