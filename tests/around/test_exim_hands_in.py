"""A real Exim hands mails in: what cannot be stored stays in its queue, and what is not for the desk goes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from responder.adapters.mail_listener import MailListener
from responder.flows.mail_listener import HandedIn
from responder.store.database import Database
from tests.flows.test_mail_in import REPORTER, mail
from tests.flows.test_mail_listener import DESK, DOOR, Away, HandingIn
from tests.servers.exim import EXIM, Exim

pytestmark = pytest.mark.needs(EXIM)


@pytest.fixture
async def world(tmp_path: Path, database: Database) -> AsyncIterator[HandingIn]:
    made = HandingIn(tmp_path, database)
    yield made
    await made.listener.close()


async def exim_before(world: HandingIn, protocol: Any) -> Exim:
    """A mail server before the desk, and the desk's door of the same kind open."""
    exim = Exim()
    door = replace(DOOR, protocol="smtp" if protocol == "smtp" else "lmtp")
    if protocol == "socket":
        door = replace(door, socket=exim.folder / "lmtp", mode=0o666)
    world.listener = MailListener(door, HandedIn(world.desk, door))
    await world.listener.open()
    exim.points_to(door.socket or world.listener.port, door.protocol)
    return exim


@pytest.mark.parametrize("protocol", ["lmtp", "smtp", "socket"])
async def test_what_the_store_cannot_take_waits_in_the_queue_and_is_one_ticket(world: HandingIn, protocol: str) -> None:
    store = Away(world.desk.store)
    with await exim_before(world, protocol) as exim:
        world.desk.store = store  # type: ignore[assignment]
        await asyncio.to_thread(exim.send, mail(), DESK, "help+x@desk.test", sender=REPORTER)
        assert exim.waiting() == 1
        store.is_away = False
        await asyncio.to_thread(exim.try_again)
        assert exim.waiting() == 0, exim.log()
        assert "250 2.0.0 Taken as " in exim.log()
    await world.work()
    assert (await world.count(), len(await world.letters())) == (1, 1)


async def test_the_address_of_a_ticket_and_the_null_sender_come_through(world: HandingIn) -> None:
    with await exim_before(world, "lmtp") as exim:
        await asyncio.to_thread(exim.send, mail(), DESK, sender=REPORTER)
        await world.work()
        hidden = mail("It smells.", To="undisclosed-recipients:;")
        await asyncio.to_thread(exim.send, hidden, world.tag(1), sender=REPORTER)
        await asyncio.to_thread(exim.send, mail("A machine's."), DESK, sender="")
        assert exim.waiting() == 0, exim.log()
    await world.work()
    assert await world.count() == 2
    assert len(await world.letters(2)) == 0


async def test_what_is_not_for_the_desk_is_told_its_sender_and_the_rest_is_taken(world: HandingIn) -> None:
    with await exim_before(world, "lmtp") as exim:
        await asyncio.to_thread(exim.send, mail(), "mei@desk.test", DESK, sender="li@desk.test")
        assert "No mails to this address are taken here." in exim.log()
        # The letter to the sender, who is no address of ours either, is the one that stays.
        assert exim.log().count("** mei@desk.test") == 1
    assert await world.count() == 1
