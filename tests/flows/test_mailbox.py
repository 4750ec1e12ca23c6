"""A real mailbox: each mail becomes a ticket and is put away; a mailbox that is away is a ticket that clears."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from responder.adapters.mail_servers import ImapAccount
from responder.adapters.mailbox import Mailbox
from responder.adapters.notifier import Secret
from responder.flows.mailbox import TOLD_AFTER, follow_mailbox
from responder.store.database import Database
from tests.flows.reports import Reports
from tests.servers.dovecot import PASSWORD, USER, Dovecot
from tests.world import MAIN

pytestmark = pytest.mark.needs("/usr/lib/dovecot/imap")
MAIL = """
mail:
  address: desk@desk.test
  imap: {host: 127.0.0.1, security: none, user: desk, password_file: mail-password}
"""
LETTER = (
    b"From: Li Wei <li.wei@example.org>\r\nTo: desk@desk.test\r\nSubject: %b\r\n"
    b"Message-ID: <%b@example.org>\r\n\r\nIt prints nothing.\r\n"
)


@pytest.fixture
def dovecot() -> Iterator[Dovecot]:
    with Dovecot() as server:
        yield server


@pytest.fixture
def world(tmp_path: Path, database: Database) -> Reports:
    (tmp_path / "mail-password").write_text(f"{PASSWORD}\n")
    return Reports(tmp_path, database, main=MAIN + "reporters: {url_file: reporters-url}\n" + MAIL)


@pytest.fixture
async def mailbox(dovecot: Dovecot) -> AsyncIterator[Mailbox]:
    made = Mailbox(account(dovecot.port))
    yield made
    await made.close()


def account(port: int) -> ImapAccount:
    return ImapAccount(
        host="127.0.0.1", port=port, user=USER, password=Secret(PASSWORD), security="none",
        timeout=timedelta(seconds=5), done_folder="Taken",
    )  # fmt: skip


def letter(name: str) -> bytes:
    return LETTER % (name.encode(), name.encode())


class Following:
    """The mailbox is followed while this is entered; its pauses last as long as somebody looks."""

    def __init__(self, world: Reports, mailbox: Mailbox) -> None:
        self.pauses = 0
        self._task = asyncio.ensure_future(follow_mailbox(world.desk, mailbox, self._pause))

    async def __aenter__(self) -> Following:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _pause(self, _: timedelta) -> None:
        self.pauses += 1
        await asyncio.sleep(0.01)


async def tickets(world: Reports, holds: Any) -> list[Any]:
    """The tickets as soon as it holds of them."""
    async with asyncio.timeout(30):
        while not holds(found := await world.read(lambda tx: tx.tickets.listed())):
            await asyncio.sleep(0.02)
    return list(found)


async def test_each_mail_becomes_a_ticket_and_is_put_away(world: Reports, dovecot: Dovecot, mailbox: Mailbox) -> None:
    dovecot.deliver(letter("first"))
    async with Following(world, mailbox):
        await tickets(world, lambda found: len(found) == 1)
        dovecot.deliver(letter("second"))
        found = await tickets(world, lambda found: len(found) == 2)
        # The move follows the ticket.
        async with asyncio.timeout(30):
            while dovecot.letters():
                await asyncio.sleep(0.02)
    assert sorted(ticket.title for ticket in found) == ["first", "second"]
    assert await Mailbox(account(dovecot.port)).waiting() == []


async def test_a_mailbox_that_is_away_is_a_ticket_which_clears_when_it_is_back(
    world: Reports, dovecot: Dovecot
) -> None:
    nobody, back = Mailbox(account(1)), Mailbox(account(dovecot.port))
    async with Following(world, nobody) as following:
        (ticket,) = await tickets(world, lambda found: len(found) == 1)
    assert (ticket.labels["alertname"], following.pauses >= TOLD_AFTER - 1) == ("ResponderMailboxUnreachable", True)
    async with Following(world, back):
        (ticket,) = await tickets(world, lambda found: found[0].signal == "cleared")
    await nobody.close()
    await back.close()
