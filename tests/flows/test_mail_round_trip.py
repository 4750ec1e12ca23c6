"""Mails to and fro, through a real mail server: one thread from the report to the end, and two machines that stop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest

from responder.config.configuration import Configuration
from responder.domain.mail_record import MailRecord, Taken
from responder.flows.mail_desk import Delivered, mail_desk
from responder.flows.mail_in import take_mail
from responder.store.database import Database
from responder.store.schema import upgrade
from tests.flows.reports import Reports
from tests.servers.smtpd import SmtpSink
from tests.world import MAIN, texts

REPORTER = "li.wei@example.org"


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[SmtpSink]:
    folder = tmp_path / "smtp"
    folder.mkdir()
    with SmtpSink(folder) as made:
        yield made


class Mailing(Reports):
    """A desk with an address of its own, whose letters go out by a real mail server."""

    def __init__(self, folder: Path, database: Database, sink: SmtpSink, address: str = "help@desk.test") -> None:
        mail = f"mail:\n  address: {address}\n  smtp: {{host: 127.0.0.1, port: {sink.port}, security: none}}\n"
        super().__init__(folder, database, main=f"{MAIN}reporters: {{url_file: reporters-url}}\n{mail}")

    async def comes(self, content: bytes) -> MailRecord:
        mails = mail_desk(self.desk)
        assert mails is not None
        taken = await take_mail(self.desk, mails, Delivered(content=content, way="imap"))
        await self.work()
        return taken


def mail(text: str, message_id: str, **headers: str) -> bytes:
    made = EmailMessage()
    plain = {"From": f"Li Wei <{REPORTER}>", "To": "help@desk.test", "Subject": "The printer is dead"}
    for name, value in {**plain, "Message-ID": f"<{message_id}@example.org>", **headers}.items():
        made[name] = value
    made.set_content(text)
    return made.as_bytes()


def reply_to(letter: EmailMessage, text: str, message_id: str) -> bytes:
    """What a mail program makes of the answer."""
    references = f"{letter['References'] or ''} {letter['Message-ID']}".strip()
    threaded = {"In-Reply-To": letter["Message-ID"], "References": references, "Subject": f"Re: {letter['Subject']}"}
    return mail(f"{text}\n\n> quoted", message_id, **{**threaded, "To": letter["Reply-To"] or letter["From"]})


@pytest.fixture
def world(tmp_path: Path, database: Database, sink: SmtpSink) -> Mailing:
    return Mailing(tmp_path, database, sink)


async def test_a_report_by_mail_is_one_thread_from_the_first_answer_to_the_end(world: Mailing, sink: SmtpSink) -> None:
    await world.comes(mail("It prints nothing.", "first"))
    (received,) = sink.letters
    assert (received["To"], received["In-Reply-To"]) == (REPORTER, "<first@example.org>")
    assert (received["Auto-Submitted"], received["From"]) == ("auto-replied", "help@desk.test")
    assert received["Reply-To"].startswith("help+1-")

    taken = await world.comes(reply_to(received, "The lamp is red.", "second"))
    assert (taken.taken, taken.ticket_id) == (Taken.ANSWER, 1)

    await world.restored()
    restored = sink.letters[-1]
    assert restored["In-Reply-To"] == "<second@example.org>"
    known = [received["Message-ID"], "<first@example.org>", "<second@example.org>"]
    assert sorted(restored["References"].split()) == sorted(known)

    await world.comes(reply_to(restored, "solved", "third"))
    assert "The reporter says that it is solved" in texts(await world.ticket())
    assert len(await world.read(lambda tx: tx.tickets.listed())) == 1


async def test_solved_and_how_it_was_may_come_in_one_mail(world: Mailing, sink: SmtpSink) -> None:
    await world.comes(mail("It prints nothing.", "first"))
    await world.restored()
    await world.comes(reply_to(sink.letters[-1], "Hello,\n\nsolved, thank you! Score: 5", "second"))
    ticket = await world.ticket()
    assert "The reporter says that it is solved" in texts(ticket)
    assert ticket["dossier"]["satisfaction"] == 5


async def test_where_the_provider_knows_no_plus_answers_are_found_by_their_references(
    tmp_path: Path, database: Database, sink: SmtpSink
) -> None:
    world = Mailing(tmp_path, database, sink)
    world.desk.take_over(without_plus(world.desk.configuration))
    await world.comes(mail("It prints nothing.", "first"))
    (received,) = sink.letters
    assert received["Reply-To"] is None
    assert (await world.comes(reply_to(received, "The lamp is red.", "second"))).ticket_id == 1


def without_plus(configuration: Configuration) -> Configuration:
    assert configuration.mail is not None
    settings = configuration.mail.settings.model_copy(update={"plus": False})
    return replace(configuration, mail=replace(configuration.mail, settings=settings))


async def test_a_letter_that_the_server_refuses_is_told_by_hand(world: Mailing, sink: SmtpSink) -> None:
    sink.says["RCPT"] = "550 no such user"
    await world.comes(mail("It prints nothing.", "first"))
    assert [letter.state for letter in await world.letters()] == ["by_hand"]


async def test_two_desks_that_write_to_each_other_stop_at_once(
    tmp_path: Path, database: Database, sink: SmtpSink
) -> None:
    """Both on one database would share their tickets: the second has a file of its own."""
    one = Mailing(tmp_path, database, sink)
    (tmp_path / "other").mkdir()
    other_database = Database(f"sqlite:///{tmp_path / 'other' / 'responder.db'}")
    upgrade(other_database)
    try:
        other = Mailing(tmp_path / "other", other_database, sink, address="desk@other.test")
        begins = mail("We report something.", "first", From="help@desk.test", To="desk@other.test")
        await other.comes(begins)
        passed = 0
        while passed < len(sink.envelopes) and passed < 20:
            letter = sink.envelopes[passed]
            passed += 1
            receiver = one if "help" in letter.rcpt_tos[0] else other
            assert isinstance(letter.content, bytes)
            await receiver.comes(letter.content)
        assert passed <= 2
    finally:
        other_database.close()
