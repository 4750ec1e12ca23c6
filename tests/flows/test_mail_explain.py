"""What is said of a mail in advance is what becomes of it: the intake decides the same of every mail."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import format_datetime
from pathlib import Path

import pytest

from responder.config.mail_rules import shipped_mail_rules
from responder.domain.mail_record import Taken
from responder.flows.mail_desk import Delivered, mail_desk
from responder.flows.mail_explain import Explained, explain_mail, reader
from responder.flows.mail_in import take_mail
from responder.store.database import Database
from tests.fakes import NOW, material_folder
from tests.flows.reports import Reports
from tests.intake.mail.test_bounds import data_of_python
from tests.intake.monitoring_mails import PAIRS
from tests.world import MAIN, World

MAIL = "mail: {address: help@desk.test, trusted_authserv_ids: [mx.desk.test]}\n"
HEAD = "From: Li Wei <li.wei@example.org>\r\nTo: help@desk.test\r\nSubject: The printer is dead\r\n"
DSN = "\r\nMessage-ID: <dsn@x>\r\nX-Failed-Recipients: li.wei@example.org\r\n\r\nIt could not be delivered.\r\n"


class Mailed(Reports):
    """A world whose configuration says how mails come in."""

    def __init__(self, folder: Path, database: Database) -> None:
        super().__init__(folder, database)
        self.desk.take_over(World(folder, database, main=MAIN + MAIL).desk.configuration)

    async def becomes(self, raw: bytes) -> Taken:
        mails = mail_desk(self.desk)
        assert mails
        return (await take_mail(self.desk, mails, Delivered(content=raw, way="imap"))).taken

    def explained(self, raw: bytes) -> Explained:
        return explain_mail(raw, reader(self.desk.configuration, shipped_mail_rules()), NOW)


@pytest.fixture
def world(tmp_path: Path, database: Database) -> Mailed:
    return Mailed(tmp_path, database)


def mail(number: int, more: str = "", text: str = "It prints nothing.") -> bytes:
    return f"{HEAD}Message-ID: <{number}@example.org>\r\n{more}\r\n{text}\r\n".encode()


def monitoring() -> Iterator[bytes]:
    for number, pair in enumerate(PAIRS):
        subject, text = pair.problem
        yield f"From: {pair.sender}\r\nSubject: {subject}\r\nMessage-ID: <{number}@mon>\r\n\r\n{text}\r\n".encode()


OWN = [
    mail(1),
    mail(2, "Auto-Submitted: auto-replied\r\n"),
    mail(3, "Auto-Submitted: auto-generated\r\n"),
    mail(4, "List-Id: <ops.example.net>\r\n"),
    mail(5, "In-Reply-To: <1-aaaaaaaaaaaaaaaa@responder.desk.test>\r\n"),
    mail(6, "X-Loop: help@desk.test\r\n"),
    mail(7).replace(b"li.wei@example.org", b"help@desk.test"),
    mail(8).replace(b"From: Li Wei <li.wei@example.org>\r\n", b""),
    mail(9).replace(b"help@desk.test", b"help+1-aaaaaaaaaaaaaaaa@desk.test"),
    f"From: MAILER-DAEMON@x.example{DSN}".encode(),
    b"",
    b"\xff\xfe\x00",
    *monitoring(),
    *(b"Authentication-Results: mx.desk.test; dmarc=fail\r\n" + one for one in monitoring()),
]


@pytest.mark.parametrize("raw", OWN, ids=range(len(OWN)))
async def test_what_is_said_of_a_mail_becomes_of_it(world: Mailed, raw: bytes) -> None:
    assert world.explained(raw).becomes is await world.becomes(raw)


async def test_each_of_the_mails_is_of_the_kind_that_it_should_be(world: Mailed) -> None:
    found = [world.explained(raw).becomes.value for raw in OWN]
    assert found == [
        "report", "left", "report", "left", "report", "left", "left", "quarantined", "report", "bounce",
        "quarantined", "quarantined", *["alert"] * len(PAIRS), *["quarantined"] * len(PAIRS),
    ]  # fmt: skip


SUBJECT, ALERT = PAIRS[0].problem
QUOTED = (
    f"Is it this one?\r\n\r\n-----Original Message-----\r\nFrom: n\r\nSent: t\r\nTo: o\r\nSubject: s\r\n\r\n{ALERT}"
)
LIKE_MACHINES = [
    (mail(31, text=QUOTED), Taken.REPORT),
    (mail(32, "Auto-Submitted: auto-replied\r\n", ALERT), Taken.LEFT),
    (mail(33).replace(b"The printer is dead", b"Checkmk: please update our licence"), Taken.REPORT),
    (mail(34).replace(b"The printer is dead", b"Automatic reply: does not come"), Taken.REPORT),
    (mail(35, "In-Reply-To: <1@x.test>\r\n").replace(b"The printer is dead", b"Automatic reply: x"), Taken.LEFT),
    (mail(36, "List-Unsubscribe: <mailto:u@crm.test>\r\n"), Taken.REPORT),
    (mail(37, "X-Failed-Recipients: a@b.test\r\n"), Taken.REPORT),
    (mail(38).replace(b"li.wei@example.org", b"postmaster@example.org"), Taken.REPORT),
    (mail(39).replace(b"li.wei@example.org", b"root@db3"), Taken.REPORT),
    (mail(40, "Reply-To: anna@shop.test\r\n").replace(b"li.wei@example.org", b"help@desk.test"), Taken.REPORT),
]


@pytest.mark.parametrize(("raw", "becomes"), LIKE_MACHINES, ids=range(len(LIKE_MACHINES)))
async def test_of_what_looks_like_a_machines_the_same_is_said(world: Mailed, raw: bytes, becomes: Taken) -> None:
    assert world.explained(raw).becomes is await world.becomes(raw) is becomes
    (record,) = await world.read(lambda tx: tx.mails.listed(5))
    assert (not world.explained(raw).objection) is record.answered or becomes is Taken.LEFT


async def test_mails_of_other_projects_become_what_is_said_of_them(world: Mailed) -> None:
    collected = [*sorted((material_folder() / "mail").rglob("*.eml")), *data_of_python()]
    for path in collected:
        raw = path.read_bytes()
        assert world.explained(raw).becomes is await world.becomes(raw), path.name


async def test_an_answer_to_the_address_of_a_ticket_is_told_by_its_signature(world: Mailed) -> None:
    await world.becomes(mail(1))
    mails = mail_desk(world.desk)
    assert mails
    raw = mail(10).replace(b"help@desk.test", f"help+{mails.names.tag(1)}@desk.test".encode())
    found = world.explained(raw)
    assert (found.becomes, found.ticket_id) == (await world.becomes(raw), 1)
    assert found.becomes is Taken.ANSWER
    vacation = mail(11, "Auto-Submitted: auto-replied\r\n").replace(b"help@", f"help+{mails.names.tag(1)}@".encode())
    assert world.explained(vacation).becomes is await world.becomes(vacation) is Taken.NOTE


async def test_an_answer_to_a_letter_of_ours_is_told_by_its_signature(world: Mailed) -> None:
    await world.becomes(mail(1))
    await world.work()
    mails = mail_desk(world.desk)
    assert mails
    letter = (await world.letters(1))[-1].id
    raw = mail(12, f"In-Reply-To: <{mails.names.message_id(letter, 'responder.desk.test')}>\r\n")
    assert world.explained(raw).becomes is await world.becomes(raw) is Taken.ANSWER


def test_without_a_configuration_nobody_is_ourselves_and_nothing_fails() -> None:
    by = reader(None, shipped_mail_rules())
    found = [explain_mail(raw, by, NOW) for raw in OWN]
    assert found[6].becomes is Taken.REPORT
    assert "only the configuration" in found[4].why
    assert all(one.why for one in found)


async def test_a_proven_colleague_who_answers_with_a_command_is_told(world: Mailed) -> None:
    people = "people:\n  - {name: mei, mails: [mei@example.org], channels: [{name: p, url: 'json://127.0.0.1:9/m'}]}\n"
    teams = "teams:\n  - {name: ops, tiers: {1: [mei]}}\n"
    folder, database = world.desk.configuration.path.parent, world.database
    world.desk.take_over(World(folder, database, main=MAIN + MAIL, people=people + teams).desk.configuration)
    await world.becomes(mail(1))
    await world.work()
    mails = mail_desk(world.desk)
    assert mails
    proof = "Authentication-Results: mx.desk.test; dmarc=pass header.from=example.org\r\n"
    tagged = f"help+{mails.names.tag(1)}@desk.test".encode()
    sent_at = format_datetime(world.clock.now())
    raw = mail(20, f"{proof}Date: {sent_at}\r\n", "ack").replace(b"li.wei@", b"mei@").replace(b"help@desk.test", tagged)
    assert world.explained(raw).becomes is await world.becomes(raw) is Taken.COMMAND
    forged = raw.replace(b"dmarc=pass", b"dmarc=fail")
    assert world.explained(forged).becomes is Taken.ANSWER
    assert "somebody else" in world.explained(forged).why


async def test_of_a_report_the_fields_in_its_text_are_told_with_how_and_what_is_missing(world: Mailed) -> None:
    found = world.explained(mail(21, text="Serial no: 4711-X\r\nIt reports error E1234."))
    assert found.fields
    assert found.fields.found["serial"] == "4711-X"
    assert "Serial no" in found.fields.how["serial"]
    assert "serial" not in found.missing
