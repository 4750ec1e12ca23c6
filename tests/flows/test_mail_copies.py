"""Mails that come again, and mails that only look so: each is taken once, and none keeps another out."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from responder.domain.mail_record import MailRecord, Taken
from responder.flows.mail_desk import Delivered
from responder.flows.mail_in import take_mail
from responder.store.database import Database
from tests.flows.test_mail_commands import Commanded
from tests.flows.test_mail_in import Mailed, mail
from tests.flows.test_monitoring_trust import NAGIOS, Monitored


@pytest.fixture
def world(tmp_path: Path, database: Database) -> Mailed:
    return Mailed(tmp_path, database)


@pytest.fixture
def team(tmp_path: Path, database: Database) -> Commanded:
    return Commanded(tmp_path, database)


async def by(world: Mailed, way: str, raw: bytes) -> MailRecord:
    """As it comes by a way: each server writes lines of its own above it."""
    head = f"Delivered-To: help@desk.test\r\nReceived: by {way}.desk.test; Fri, 20 Nov 2026 10:00:00 +0000\r\n"
    return await take_mail(world.desk, world.mails, Delivered(content=head.encode() + raw, way=way))


async def titles(world: Mailed) -> list[str]:
    return [one.title for one in await world.read(lambda tx: tx.tickets.listed())]


@pytest.mark.parametrize("message_id", ["<a@example.org>", ""], ids=["with an id", "without an id"])
async def test_the_same_mail_by_two_ways_is_one_ticket(world: Mailed, message_id: str) -> None:
    raw = mail(Message_ID=message_id)
    first, second = await by(world, "imap", raw), await by(world, "lmtp", raw)
    assert first == second
    assert len(await titles(world)) == 1


async def test_two_mails_with_the_message_id_of_their_device_are_two_tickets(world: Mailed) -> None:
    first = await world.comes(mail("It prints nothing.", Message_ID="<scan@device>"))
    second = await world.comes(mail("Fire in the server room!", Subject="Fire", Message_ID="<scan@device>"))
    assert (first.id, second.id) == (1, 2)
    assert sorted(await titles(world)) == ["Fire", "The printer is dead"]
    for one in (first, second):
        assert await world.read(lambda tx, receipt=one.receipt: tx.reports.body(receipt)) is not None  # type: ignore[misc]


async def test_what_a_device_says_without_id_and_date_is_new_on_another_day(world: Mailed) -> None:
    raw = mail("The battery is empty.", Message_ID="", Auto_Submitted="auto-generated")
    first, again = await world.comes(raw), await world.comes(raw)
    world.clock.advance(timedelta(days=1))
    other_day = await world.comes(raw)
    assert (first.id, again.id, other_day.id) == (1, 1, 2)
    assert len(await titles(world)) == 2


async def test_a_forgery_of_a_command_does_not_keep_the_command_out(team: Commanded) -> None:
    await team.fires()
    first = team.mail("ack", dmarc="fail", To=team.tag(), Message_ID="<7@ops.test>")
    forged = await team.comes(first)
    real, again = [await team.comes(first.replace(b"dmarc=fail", b"dmarc=pass")) for _ in range(2)]
    assert (forged.taken, real.taken) == (Taken.NOTE, Taken.COMMAND)
    assert again == real


async def test_a_forged_problem_that_is_set_aside_does_not_keep_the_real_one_out(
    tmp_path: Path, database: Database
) -> None:
    world, (subject, text) = Monitored(tmp_path, database), NAGIOS.problem
    first = world.mail(text, "nagios", dmarc="fail", Subject=subject, Message_ID="<predictable@ops.test>")
    forged = await world.comes(first)
    real = await world.comes(first.replace(b"dmarc=fail", b"dmarc=pass"))
    assert (forged.taken, real.taken) == (Taken.QUARANTINED, Taken.ALERT)
