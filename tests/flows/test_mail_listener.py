"""Mails handed in by a mail server: each a ticket once, whatever the store does; the envelope leads to the ticket."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from responder.adapters.mail_listener import MailListener
from responder.adapters.mail_names import MailNames
from responder.adapters.mail_servers import MailDoor
from responder.errors import StoreUnavailable
from responder.flows.mail_listener import TOLD_AFTER, HandedIn, follow_listener
from responder.store.database import Database
from tests.flows.reports import Reports
from tests.flows.test_mail_in import REPORTER, bounce, mail
from tests.world import MAIN, texts

DESK = "help@desk.test"
MAIL = """
mail:
  address: help@desk.test
  aliases: [support+eu@desk.test]
  listener: {listen: "127.0.0.1:2424"}
"""
DOOR = MailDoor(name="desk.test")


class Away:
    """A store that is away until it is back."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.is_away = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def write(self, body: Callable[..., Any]) -> Any:
        if self.is_away:
            raise StoreUnavailable("The database cannot be reached.")
        return await self._store.write(body)


class HandingIn(Reports):
    """A world with a door for mail servers."""

    def __init__(self, folder: Path, database: Database) -> None:
        super().__init__(folder, database, main=MAIN + "reporters: {url_file: reporters-url}\n" + MAIL)
        self.listener = MailListener(DOOR, HandedIn(self.desk, DOOR))

    async def hand_in(self, content: bytes, to: str = DESK, sender: str = REPORTER) -> None:
        """As a mail server does. Raises what it says instead of taking the mail."""
        await asyncio.to_thread(self._hand_in, content, to, sender)
        await self.work()

    def _hand_in(self, content: bytes, to: str, sender: str) -> None:
        with smtplib.LMTP("127.0.0.1", self.listener.port) as client:
            client.sendmail(sender, to, content)

    def tag(self, ticket_id: int) -> str:
        return f"help+{MailNames(self.desk.configuration.secret).tag(ticket_id)}@desk.test"

    async def count(self) -> int:
        return len(await self.read(lambda tx: tx.tickets.listed()))


@pytest.fixture
async def world(tmp_path: Path, database: Database) -> AsyncIterator[HandingIn]:
    made = HandingIn(tmp_path, database)
    await made.listener.open()
    yield made
    await made.listener.close()


async def test_a_mail_handed_in_is_a_ticket_that_is_answered(world: HandingIn) -> None:
    await world.hand_in(mail())
    ticket = await world.ticket()
    assert (ticket["title"], (await world.reporter()).contact) == ("The printer is dead", REPORTER)
    assert len(await world.letters()) == 1


async def test_a_mail_that_comes_while_the_store_is_away_is_put_off_and_then_one_ticket(world: HandingIn) -> None:
    store = Away(world.desk.store)
    world.desk.store = store  # type: ignore[assignment]
    with pytest.raises(smtplib.SMTPDataError) as told:
        await world.hand_in(mail())
    assert told.value.smtp_code == 451
    store.is_away = False
    await world.hand_in(mail())
    await world.hand_in(mail())
    assert await world.count() == 1


async def test_the_address_of_a_ticket_in_the_envelope_alone_leads_to_it(world: HandingIn) -> None:
    await world.hand_in(mail())
    await world.restored()
    await world.hand_in(mail("not solved", To="undisclosed-recipients:;"), to=world.tag(1))
    assert ((await world.ticket())["status"], await world.count()) == ("handed_over", 1)


async def test_the_envelope_counts_more_than_what_the_mail_says(world: HandingIn) -> None:
    await world.hand_in(mail())
    await world.hand_in(mail("Another one."))
    await world.hand_in(mail("It smells.", To=world.tag(1)), to=world.tag(2))
    assert "It smells." in texts(await world.ticket(2))
    assert "It smells." not in texts(await world.ticket(1))


async def test_a_bounce_of_our_letter_is_told_by_hand(world: HandingIn) -> None:
    await world.hand_in(mail())
    letter = (await world.letters())[0]
    about = f"<{MailNames(world.desk.configuration.secret).message_id(letter.id, 'responder.desk.test')}>"
    # Only the envelope says that it has no sender.
    await world.hand_in(bounce(about, "5.1.1", "failed").replace(b"Return-Path: <>\r\n", b""), sender="")
    assert (await world.letters())[0].state == "by_hand"
    found = await world.read(lambda tx: tx.mails.refused(REPORTER))
    assert found.is_permanent


async def test_the_null_sender_is_kept_so_that_nobody_answers_it(world: HandingIn) -> None:
    await world.hand_in(mail(), sender="")
    assert await world.letters() == []


@pytest.mark.parametrize("to", [DESK, "HELP@Desk.Test", "help+anything@desk.test", "support+eu@desk.test"])
async def test_the_desk_is_known_by_all_its_addresses(world: HandingIn, to: str) -> None:
    await world.hand_in(mail(), to=to)
    assert await world.count() == 1


@pytest.mark.parametrize(
    "to", ["mei@desk.test", "help@example.org", "support@desk.test", "help", "help@desk.test@x.org"]
)
async def test_any_other_address_is_refused_for_good(world: HandingIn, to: str) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused) as told:
        await world.hand_in(mail(), to=to)
    assert {code // 100 for code, _ in told.value.recipients.values()} == {5}
    assert await world.count() == 0


async def test_without_settings_of_mail_it_is_put_off(world: HandingIn) -> None:
    world.path.write_text(world.path.read_text().replace(MAIL, ""))
    world.desk.take_over(world.another_desk().configuration)
    with pytest.raises(smtplib.SMTPDataError) as told:
        await world.hand_in(mail(), to="anybody@example.org")
    assert told.value.smtp_code == 451


async def test_two_services_on_one_database_take_a_mail_once(world: HandingIn) -> None:
    other = MailListener(DOOR, HandedIn(world.another_desk(), DOOR))
    await other.open()
    first, mine = world.listener, mail()
    for world.listener in (first, other) * 3:
        await world.hand_in(mine)
    world.listener = first
    await other.close()
    assert await world.count() == 1


# --- a listener that fails --------------------------------------------------------------------------------------


class Looks:
    """What some looks find; the last one stays."""

    def __init__(self, *found: str) -> None:
        self._found = list(found)
        self.count = 0

    async def look(self) -> str:
        self.count += 1
        return self._found.pop(0) if len(self._found) > 1 else self._found[0]


async def followed(world: HandingIn, looks: Looks, rounds: int) -> None:
    """As many looks as asked for."""
    done = asyncio.Event()

    async def pause(_: timedelta) -> None:
        if looks.count >= rounds:
            done.set()
            await asyncio.Event().wait()

    following = asyncio.ensure_future(follow_listener(world.desk, looks, "127.0.0.1:2424", pause))
    async with asyncio.timeout(10):
        await done.wait()
    following.cancel()
    await asyncio.wait([following])


async def test_a_listener_that_fails_is_a_ticket_which_clears_when_mails_can_be_handed_in_again(
    world: HandingIn,
) -> None:
    await followed(world, Looks("it is full"), TOLD_AFTER - 1)
    assert await world.count() == 0
    await followed(world, Looks("it is full"), TOLD_AFTER + 2)
    ticket = await world.ticket()
    assert (ticket["labels"]["alertname"], ticket["signal"]) == ("ResponderMailListenerUnreachable", "firing")
    assert "127.0.0.1:2424: it is full" in str(ticket["annotations"])
    await followed(world, Looks(""), 2)
    assert ((await world.ticket())["signal"], await world.count()) == ("cleared", 1)


async def test_what_could_not_be_written_down_is_told_at_the_next_look(world: HandingIn) -> None:
    store = Away(world.desk.store)
    world.desk.store = store  # type: ignore[assignment]

    class BackLater(Looks):
        async def look(self) -> str:
            store.is_away = self.count < TOLD_AFTER
            return await super().look()

    await followed(world, BackLater("it is full"), TOLD_AFTER + 1)
    assert await world.count() == 1
