"""A mail that was set aside is taken again once what was wrong is mended: once, and as if it came now."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from responder.domain.mail_record import MailRecord, Taken
from responder.domain.mail_rule import MailRule
from responder.errors import NotFound, Refused
from responder.flows.mail_again import drop_mail, take_again
from responder.flows.mail_desk import Delivered
from responder.flows.mail_in import take_mail
from responder.flows.reporter import erase_contacts
from responder.flows.watch import forget
from responder.store.database import Database
from tests.flows.test_mail_in import Mailed, mail


class Broken(tuple[MailRule, ...]):
    def __iter__(self) -> Iterator[MailRule]:
        raise ZeroDivisionError("broken")


@pytest.fixture
def world(tmp_path: Path, database: Database) -> Mailed:
    return Mailed(tmp_path, database)


async def set_aside(world: Mailed, raw: bytes, sender: str | None = None) -> MailRecord:
    broken = replace(world.mails, rules=Broken())
    taken = await take_mail(world.desk, broken, Delivered(content=raw, way="imap", envelope_from=sender))
    await world.work()
    assert taken.taken is Taken.QUARANTINED
    return taken


async def again(world: Mailed, record: MailRecord) -> MailRecord:
    found = await take_again(world.desk, world.mails, record.id, actor="mei")
    await world.work()
    return found


async def test_after_the_fix_it_is_the_report_that_it_was_and_gets_its_answer(world: Mailed) -> None:
    first = await set_aside(world, mail())
    await world.advance(timedelta(hours=3))
    found = await again(world, first)
    assert (found.taken, found.answered, found.ticket_id) == (Taken.REPORT, True, 2)
    assert found.why.endswith("Taken again by mei.")
    assert (await world.read(lambda tx: tx.mails.one(first.id))) == found
    assert found.received_at == first.received_at
    assert (await world.ticket(2))["title"] == "The printer is dead"
    assert len(await world.letters(2)) == 1
    assert await world.read(lambda tx: tx.reports.quarantined()) == []


async def test_the_ticket_about_it_clears_with_the_last_one_of_its_way(world: Mailed) -> None:
    first, second = await set_aside(world, mail()), await set_aside(world, mail("Another one"))
    await again(world, first)
    assert (await world.ticket(1))["signal"] == "firing"
    await again(world, second)
    assert (await world.ticket(1))["signal"] == "cleared"


async def test_what_still_cannot_be_taken_stays_as_it_is_and_says_why(world: Mailed) -> None:
    first = await set_aside(world, mail())
    nobody = await world.comes(b"Subject: no sender\r\n\r\nhello")
    with pytest.raises(Refused, match="still cannot be taken: It names no sender"):
        await again(world, nobody)
    world.mails = replace(world.mails, rules=Broken())
    with pytest.raises(Refused, match=r"still cannot be taken: .*ZeroDivisionError"):
        await again(world, first)
    assert {one.taken for one in await world.read(lambda tx: tx.mails.listed(10))} == {Taken.QUARANTINED}
    assert len(await world.read(lambda tx: tx.tickets.listed())) == 1


async def test_taken_again_by_several_at_once_it_is_one_ticket(world: Mailed) -> None:
    first = await set_aside(world, mail())
    found = await asyncio.gather(*(again(world, first) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(one, MailRecord) for one in found) == 1
    assert all(isinstance(one, MailRecord | Refused) for one in found)
    assert len(await world.read(lambda tx: tx.tickets.listed())) == 2
    with pytest.raises(Refused, match="this one was taken as report"):
        await again(world, first)


async def test_the_sender_of_the_envelope_is_remembered_so_that_no_machine_is_answered(world: Mailed) -> None:
    found = await again(world, await set_aside(world, mail(), sender=""))
    assert (found.taken, found.answered) == (Taken.REPORT, False)


class Nobody(dict[str, str]):
    def get(self, *_: object) -> str:
        raise ZeroDivisionError("broken")


async def test_the_recipients_of_the_envelope_are_remembered_so_that_an_answer_finds_its_ticket(world: Mailed) -> None:
    first = await world.comes(mail())
    tag = f"help+{world.mails.names.tag(first.ticket_id or 0)}@desk.test"
    delivered = Delivered(content=mail("The lamp is red.", **{"Message-ID": "<2@example.org>"}), way="lmtp")
    delivered = replace(delivered, envelope_to=(tag,))
    broken = await take_mail(world.desk, replace(world.mails, people=Nobody()), delivered)
    assert broken.taken is Taken.QUARANTINED
    found = await again(world, broken)
    assert (found.taken, found.ticket_id) == (Taken.ANSWER, first.ticket_id)


async def test_without_its_bytes_it_cannot_be_taken_and_what_is_not_there_neither(world: Mailed) -> None:
    first = await set_aside(world, mail())
    await world.read(lambda tx: tx.mails.one(first.id))
    await world.database.write(lambda tx: tx.reports.forget_before(world.clock.now() + timedelta(days=1)))
    with pytest.raises(Refused, match="bytes are not kept"):
        await again(world, first)
    await world.advance(timedelta(days=31))
    await forget(world.desk)
    with pytest.raises(NotFound):
        await again(world, first)


async def test_with_the_contact_the_bytes_of_the_mails_are_erased(world: Mailed) -> None:
    taken = await world.comes(mail())
    assert await world.read(lambda tx: tx.reports.body(taken.receipt)) is not None
    await world.do("dismiss", **{"as": "false_alarm", "reason": "none"})
    await world.advance(timedelta(days=181))
    await erase_contacts(world.desk)
    assert await world.read(lambda tx: tx.reports.body(taken.receipt)) is None
    assert (await world.read(lambda tx: tx.mails.one(taken.id))).envelope_from is None


NOBODY = b"Subject: rubbish\r\n\r\nhello"


async def test_what_can_never_be_taken_is_dropped_with_a_reason_and_its_ticket_clears(world: Mailed) -> None:
    nobody, other = await world.comes(NOBODY), await set_aside(world, mail())
    assert nobody.why == "It names no sender."
    found = await drop_mail(world.desk, nobody.id, actor="mei", reason="an advertisement")
    assert (found.taken, found.why) == (Taken.LEFT, "It names no sender. Dropped by mei: an advertisement")
    assert await world.read(lambda tx: tx.mails.one(nobody.id)) == found
    assert await world.read(lambda tx: tx.reports.body(nobody.receipt)) is not None
    assert (await world.ticket(1))["signal"] == "firing"
    await drop_mail(world.desk, other.id, actor="mei", reason="the same")
    await world.work()
    assert (await world.ticket(1))["signal"] == "cleared"
    assert await world.read(lambda tx: tx.reports.quarantined()) == []
    assert await world.letters(1) == []


async def test_only_what_is_set_aside_is_dropped_and_once(world: Mailed) -> None:
    taken, nobody = await world.comes(mail()), await world.comes(NOBODY)
    with pytest.raises(Refused, match="set aside is dropped; this one was taken as report"):
        await drop_mail(world.desk, taken.id, actor="mei", reason="rubbish")
    drops = (drop_mail(world.desk, nobody.id, actor="mei", reason="rubbish") for _ in range(3))
    found = await asyncio.gather(*drops, return_exceptions=True)
    assert sum(isinstance(one, Refused) for one in found) == 2
    assert (await world.read(lambda tx: tx.mails.one(nobody.id))).why.count("Dropped by mei") == 1
    with pytest.raises(Refused, match="this one was taken as left"):
        await again(world, nobody)
    with pytest.raises(NotFound):
        await drop_mail(world.desk, 77, actor="mei", reason="rubbish")


async def test_it_is_dropped_without_its_bytes_too(world: Mailed) -> None:
    nobody = await world.comes(NOBODY)
    await world.database.write(lambda tx: tx.reports.forget_before(world.clock.now() + timedelta(days=1)))
    assert (await drop_mail(world.desk, nobody.id, actor="mei", reason="rubbish")).taken is Taken.LEFT
    await world.work()
    assert (await world.ticket(1))["signal"] == "cleared"
