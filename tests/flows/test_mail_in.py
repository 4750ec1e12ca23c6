"""Mails become reports, answers, notes or alerts, each once; machines are not answered, and nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from responder.adapters.mail_names import MailNames
from responder.domain.mail_loop import AnswerBudget
from responder.domain.mail_record import MailRecord, Taken
from responder.domain.mail_rule import MailRule
from responder.domain.mail_thread import OwnAddress
from responder.flows.mail_desk import Delivered, MailDesk
from responder.flows.mail_in import take_mail
from responder.flows.reporter import erase_contacts
from responder.store.database import Database
from tests.flows.reports import Reports
from tests.world import texts

DESK = "help@desk.test"
REPORTER = "li.wei@example.org"


class Mailed(Reports):
    """A world into which mails come."""

    def __init__(self, folder: Path, database: Database) -> None:
        super().__init__(folder, database)
        secret = self.desk.configuration.secret
        self.mails = MailDesk(own=OwnAddress(address=DESK, id_domain="desk.test"), names=MailNames(secret))

    async def comes(self, mail: bytes) -> MailRecord:
        taken = await take_mail(self.desk, self.mails, Delivered(content=mail, way="imap"))
        await self.work()
        return taken

    def tag(self, ticket_id: int) -> str:
        return f"help+{self.mails.names.tag(ticket_id)}@desk.test"

    async def own_id(self, ticket_id: int = 1) -> str:
        """The Message-ID of the newest letter about a ticket."""
        letter = (await self.letters(ticket_id))[-1]
        return f"<{self.mails.names.message_id(letter.id, 'desk.test')}>"


def mail(text: str = "It prints nothing.", **headers: str) -> bytes:
    made = EmailMessage()
    plain = {
        "From": f"Li Wei <{REPORTER}>",
        "To": DESK,
        "Subject": "The printer is dead",
        "Message-ID": f"<{abs(hash((text, *sorted(headers.items()))))}@example.org>",
    }
    for name, value in {**plain, **{key.replace("_", "-"): value for key, value in headers.items()}}.items():
        if value:
            made[name] = value
    made.set_content(text)
    return made.as_bytes()


@pytest.fixture
def world(tmp_path: Path, database: Database) -> Mailed:
    return Mailed(tmp_path, database)


async def subjects(world: Mailed) -> list[str]:
    """Of the letters to the reporter."""
    return [one.subject for one in await world.letters()]


# --- reports --------------------------------------------------------------------------------------------------


async def test_a_mail_of_a_person_is_a_graded_ticket_and_gets_an_answer(world: Mailed) -> None:
    taken = await world.comes(mail())
    assert (taken.taken, taken.ticket_id, taken.answered) == (Taken.REPORT, 1, True)
    ticket = await world.ticket()
    assert (ticket["title"], ticket["source"], ticket["grade"]) == ("The printer is dead", "mail", "P3")
    assert ticket["annotations"]["description"] == "It prints nothing."
    assert (await world.reporter()).contact == REPORTER
    assert await subjects(world) == [f"Your report {ticket['number']}: we have received it"]


async def test_a_chinese_mail_is_answered_in_chinese(world: Mailed) -> None:
    await world.comes(mail("打印机没有任何反应，请尽快处理。", Subject="打印机坏了"))
    assert (await subjects(world))[0].endswith("已收到")


async def test_the_same_mail_twice_is_one_ticket(world: Mailed) -> None:
    first, second = await world.comes(mail()), await world.comes(mail())
    assert first == second
    assert len(await world.read(lambda tx: tx.tickets.listed())) == 1


async def test_the_same_mail_by_two_ways_at_once_is_one_ticket(world: Mailed) -> None:
    sent = [take_mail(world.desk, world.mails, Delivered(content=mail(), way=way)) for way in ("imap", "lmtp") * 4]
    taken = await asyncio.gather(*sent)
    assert len({one.id for one in taken}) == 1
    assert len(await world.read(lambda tx: tx.tickets.listed())) == 1


async def test_files_are_kept_with_the_ticket(world: Mailed) -> None:
    made = EmailMessage()
    for name, value in (("From", REPORTER), ("To", DESK), ("Subject", "Look"), ("Message-ID", "<a@b>")):
        made[name] = value
    made.set_content("See the picture.")
    made.add_attachment(b"PNG...", maintype="image", subtype="png", filename="../../screen shot.png")
    await world.comes(made.as_bytes())
    (kept,) = (await world.ticket())["attachments"]
    assert "/" not in kept["name"]
    assert kept["name"].endswith(".png")


# --- no answer ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "taken"),
    [
        ({"Auto-Submitted": "auto-replied"}, Taken.LEFT),
        ({"List-Id": "<news.example.org>", "Precedence": "bulk"}, Taken.LEFT),
        ({"Auto-Submitted": "auto-generated"}, Taken.REPORT),
        ({"From": DESK}, Taken.LEFT),
    ],
    ids=["out of office", "list", "machine", "ourselves"],
)
async def test_a_machine_is_never_answered(world: Mailed, headers: dict[str, str], taken: Taken) -> None:
    found = await world.comes(mail(**headers))
    assert (found.taken, found.answered) == (taken, False)
    assert await world.letters() == []


async def test_who_writes_too_often_gets_no_more_answers_but_a_ticket_each_time(world: Mailed) -> None:
    world.mails = MailDesk(own=world.mails.own, names=world.mails.names, budget=AnswerBudget(per_sender=2))
    answers = [(await world.comes(mail(f"Once more: {number}"))).answered for number in range(4)]
    assert answers == [True, True, False, False]
    assert len(await world.read(lambda tx: tx.tickets.listed())) == 4
    assert "It gets no answer" in texts(await world.ticket(3))


# --- answers --------------------------------------------------------------------------------------------------


async def test_an_answer_to_a_letter_belongs_to_its_ticket(world: Mailed) -> None:
    await world.comes(mail())
    answer = mail("The lamp is red.\n\n> We have received it", Subject="Re: it", In_Reply_To=await world.own_id())
    taken = await world.comes(answer)
    assert (taken.taken, taken.ticket_id) == (Taken.ANSWER, 1)
    assert "The reporter says more: The lamp is red." in texts(await world.ticket())
    assert "We have received it" not in texts(await world.ticket())


async def test_not_solved_by_the_address_of_the_ticket_takes_it_up_again(world: Mailed) -> None:
    await world.comes(mail())
    await world.restored()
    await world.comes(mail("not solved", To=world.tag(1)))
    assert (await world.ticket())["status"] == "handed_over"


async def test_solved_confirms(world: Mailed) -> None:
    await world.comes(mail())
    await world.restored()
    await world.comes(mail("已解决", To=world.tag(1)))
    assert "The reporter says that it is solved" in texts(await world.ticket())


async def test_a_stranger_with_the_address_of_a_ticket_leaves_a_note_and_moves_nothing(world: Mailed) -> None:
    await world.comes(mail())
    await world.restored()
    taken = await world.comes(mail("not solved", To=world.tag(1), From="eve@evil.test"))
    assert (taken.taken, (await world.ticket())["status"]) == (Taken.NOTE, "restored")


async def test_a_stranger_who_names_a_number_opens_a_ticket_of_their_own(world: Mailed) -> None:
    await world.comes(mail())
    number = (await world.ticket())["number"]
    taken = await world.comes(mail("close", Subject=f"Re: {number}", From="eve@evil.test"))
    assert (taken.taken, taken.ticket_id) == (Taken.REPORT, 2)
    assert f"It names {number}." in texts(await world.ticket(2))


async def test_a_forged_address_of_a_ticket_leads_nowhere(world: Mailed) -> None:
    await world.comes(mail())
    taken = await world.comes(mail("not solved", To="help+1-aaaaaaaaaaaaaaaa@desk.test"))
    assert (taken.taken, taken.ticket_id) == (Taken.REPORT, 2)


async def test_an_out_of_office_note_to_a_letter_is_noted_and_answers_nothing(world: Mailed) -> None:
    await world.comes(mail())
    away = mail("I am away.", To=world.tag(1), **{"Auto-Submitted": "auto-replied"})
    assert (await world.comes(away)).taken is Taken.NOTE
    assert len(await world.letters()) == 1


# --- bounces --------------------------------------------------------------------------------------------------


def bounce(about: str, status: str, action: str) -> bytes:
    lines = [
        "From: MAILER-DAEMON@mx.example.org", f"To: {DESK}", "Subject: Undelivered Mail", "Message-ID: <b1@mx>",
        "Return-Path: <>", "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"', "",
        "--b", "Content-Type: text/plain", "", "It did not arrive.", "",
        "--b", "Content-Type: message/delivery-status", "", "Reporting-MTA: dns; mx.example.org", "",
        f"Final-Recipient: rfc822; {REPORTER}", f"Action: {action}", f"Status: {status}",
        "Diagnostic-Code: smtp; 550 no such user", "",
        "--b", "Content-Type: text/rfc822-headers", "", f"Message-ID: {about}", "Subject: Your report", "", "--b--", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode()


async def test_a_letter_that_bounces_for_good_is_told_by_hand(world: Mailed) -> None:
    await world.comes(mail())
    taken = await world.comes(bounce(await world.own_id(), "5.1.1", "failed"))
    assert (taken.taken, taken.ticket_id) == (Taken.BOUNCE, 1)
    assert (await world.letters())[0].state == "by_hand"
    refused = await world.read(lambda tx: tx.mails.refused(REPORTER))
    assert refused.is_permanent


async def test_a_delay_changes_nothing(world: Mailed) -> None:
    await world.comes(mail())
    state = (await world.letters())[0].state
    await world.comes(bounce(await world.own_id(), "4.4.1", "delayed"))
    assert (await world.letters())[0].state == state
    assert await world.read(lambda tx: tx.mails.refused(REPORTER)) is None


async def test_a_bounce_of_a_letter_that_is_not_ours_marks_nobody(world: Mailed) -> None:
    await world.comes(mail())
    taken = await world.comes(bounce("<1-aaaaaaaaaaaaaaaa@desk.test>", "5.1.1", "failed"))
    assert (taken.taken, taken.ticket_id) == (Taken.BOUNCE, None)
    assert await world.read(lambda tx: tx.mails.refused(REPORTER)) is None


async def test_an_address_that_took_no_mail_is_answered_again_after_a_week(world: Mailed) -> None:
    await world.comes(mail())
    await world.comes(bounce(await world.own_id(), "5.1.1", "failed"))
    assert not (await world.comes(mail("Once more"))).answered
    world.clock.advance(timedelta(days=8))
    assert (await world.comes(mail("And once more"))).answered


# --- whose mail it was -----------------------------------------------------------------------------------------


async def test_when_the_contact_is_erased_no_mail_shows_who_wrote_it(world: Mailed) -> None:
    await world.comes(mail())
    await world.comes(bounce(await world.own_id(), "5.1.1", "failed"))
    await world.do("dismiss", **{"as": "false_alarm", "reason": "none"})
    await world.advance(timedelta(days=181))
    assert await erase_contacts(world.desk) == 1
    assert REPORTER not in str(await world.read(lambda tx: tx.mails.of_ticket(1)))
    assert await world.read(lambda tx: tx.mails.refused(REPORTER)) is None


# --- what cannot be taken -------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"\x00" * 400, b"Subject: no sender\r\n\r\nhello", b"\xff\xfe garbage"])
async def test_what_names_no_sender_stays_with_its_bytes_and_is_a_ticket_about_itself(
    world: Mailed, content: bytes
) -> None:
    taken = await world.comes(content)
    assert taken.taken is Taken.QUARANTINED
    (kept,) = await world.read(lambda tx: tx.reports.quarantined())
    assert kept.body == content
    assert (await world.ticket())["labels"]["alertname"] == "ResponderBodyNotUnderstood"
    assert (await world.comes(mail())).taken is Taken.REPORT


async def test_a_mail_on_which_the_decision_fails_is_set_aside_and_the_next_is_taken(world: Mailed) -> None:
    class Broken(tuple[MailRule, ...]):
        def __iter__(self) -> Iterator[MailRule]:
            raise ZeroDivisionError("broken")

    good, world.mails = world.mails, MailDesk(own=world.mails.own, names=world.mails.names, rules=Broken())
    taken = await world.comes(mail())
    assert taken.taken is Taken.QUARANTINED
    assert "ZeroDivisionError" in taken.why
    world.mails = good
    assert (await world.comes(mail("Another one"))).taken is Taken.REPORT
