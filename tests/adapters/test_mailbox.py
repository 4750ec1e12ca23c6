"""A real dovecot, and a line that is cut when it hurts most."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from responder.adapters.mail_servers import ImapAccount
from responder.adapters.mailbox import Fetched, Mailbox, NotGiven, backoff
from responder.adapters.notifier import Secret
from responder.errors import MailboxFailed, MailboxRefused
from tests.servers.cutting_proxy import CuttingProxy
from tests.servers.dovecot import PASSWORD, USER, Dovecot

pytestmark = pytest.mark.needs("/usr/lib/dovecot/imap")
LETTER = b"Subject: %b\r\nMessage-ID: <%b@example.org>\r\n\r\nIt hurts.\r\n"
BASIC = "IMAP4rev1 ID NAMESPACE CHILDREN"
"""What some large providers can do: neither IDLE nor MOVE nor UIDPLUS."""


def letter(name: str, padding: int = 0) -> bytes:
    return LETTER % (name.encode(), name.encode()) + (b"x" * 70 + b"\r\n") * (padding // 72)


def account(server: Dovecot, port: int = 0, **changes: object) -> ImapAccount:
    plain = ImapAccount(
        host="127.0.0.1", port=port or server.port, user=USER, password=Secret(PASSWORD), security="none",
        timeout=timedelta(seconds=5), done_folder="Taken",
    )  # fmt: skip
    return replace(plain, **changes)  # type: ignore[arg-type]


@pytest.fixture
def dovecot() -> Iterator[Dovecot]:
    with Dovecot() as server:
        yield server


@pytest.fixture
async def mailbox(dovecot: Dovecot) -> AsyncIterator[Mailbox]:
    made = Mailbox(account(dovecot))
    yield made
    await made.close()


@pytest.fixture
def proxy(dovecot: Dovecot) -> Iterator[CuttingProxy]:
    with CuttingProxy(dovecot.port) as made:
        yield made


class Desk:
    """Takes mails, and knows which."""

    def __init__(self, *, is_safe: bool = True) -> None:
        self.taken: list[bytes] = []
        self.is_safe = is_safe
        self.changed = asyncio.Event()
        self.complaints: list[str] = []

    async def take(self, fetched: Fetched) -> bool:
        self.taken.append(fetched.raw)
        self.changed.set()
        return self.is_safe

    async def has(self, count: int) -> None:
        while len(self.taken) < count:
            self.changed.clear()
            await asyncio.wait_for(self.changed.wait(), 15)


async def round_of(mailbox: Mailbox, take: Callable[[Fetched], Awaitable[bool]]) -> int:
    """Offers every waiting mail, and puts away what was taken; gives how many those are."""
    taken = 0
    for place in await mailbox.waiting():
        fetched = await mailbox.fetch(place)
        assert isinstance(fetched, Fetched)
        if await take(fetched):
            assert await mailbox.put_away(place) == ""
            taken += 1
    return taken


async def follow(mailbox: Mailbox, desk: Desk) -> None:
    while True:
        try:
            await round_of(mailbox, desk.take)
            await mailbox.news()
        except MailboxFailed as error:
            desk.complaints.append(str(error))


async def test_what_is_safe_is_moved_and_nothing_else(dovecot: Dovecot, mailbox: Mailbox) -> None:
    dovecot.deliver(letter("a"))
    dovecot.deliver(letter("b"))
    unsafe = Desk(is_safe=False)
    assert await round_of(mailbox, unsafe.take) == 0
    assert (dovecot.letters(), dovecot.letters("Taken"), dovecot.letters(criteria="SEEN")) == (2, 0, 0)
    safe = Desk()
    assert await round_of(mailbox, safe.take) == 2
    assert safe.taken == [letter("a"), letter("b")]
    assert (dovecot.letters(), dovecot.letters("Taken")) == (0, 2)


async def test_without_a_folder_what_is_safe_is_marked_and_not_offered_again(dovecot: Dovecot) -> None:
    mailbox = Mailbox(account(dovecot, done_folder=""))
    dovecot.deliver(letter("a"))
    desk = Desk()
    assert [await round_of(mailbox, desk.take), await round_of(mailbox, desk.take)] == [1, 0]
    assert dovecot.letters() == 1
    await mailbox.close()


async def test_a_mail_that_is_too_large_is_fetched_only_in_part(dovecot: Dovecot, proxy: CuttingProxy) -> None:
    mailbox = Mailbox(account(dovecot, proxy.port, largest=10_000))
    dovecot.deliver(letter("big", 500_000))
    dovecot.deliver(letter("small"))
    fetched = [await mailbox.fetch(place) for place in await mailbox.waiting()]
    found = [(len(one.raw), one.is_cut) for one in fetched if isinstance(one, Fetched)]
    assert found == [(10_000, True), (len(letter("small")), False)]
    await mailbox.close()


async def test_a_line_that_is_cut_in_the_middle_of_a_mail_loses_nothing(dovecot: Dovecot, proxy: CuttingProxy) -> None:
    mailbox, whole, desk = Mailbox(account(dovecot, proxy.port)), letter("big", 300_000), Desk()
    dovecot.deliver(whole)
    (place,) = await mailbox.waiting()
    proxy.cut_after = 100_000
    with pytest.raises(MailboxFailed, match=r"The mailbox desk at 127\.0\.0\.1 failed: "):
        await mailbox.fetch(place)
    assert dovecot.letters() == 1
    assert await round_of(mailbox, desk.take) == 1
    assert (desk.taken, dovecot.letters(), proxy.connections) == ([whole], 0, 2)
    await mailbox.close()


async def test_a_mail_that_comes_while_it_idles_is_taken_at_once_also_after_a_cut(
    dovecot: Dovecot, proxy: CuttingProxy
) -> None:
    mailbox, desk = Mailbox(account(dovecot, proxy.port)), Desk()
    following = asyncio.create_task(follow(mailbox, desk))
    assert await asyncio.to_thread(proxy.wait_for, b"IDLE\r\n")
    await asyncio.to_thread(dovecot.deliver, letter("a"))
    await desk.has(1)
    assert await asyncio.to_thread(proxy.wait_for, b"IDLE\r\n", times=2)
    proxy.cut()
    assert await asyncio.to_thread(proxy.wait_for, b"IDLE\r\n", times=3)
    await asyncio.to_thread(dovecot.deliver, letter("b"))
    await desk.has(2)
    assert desk.taken == [letter("a"), letter("b")]
    assert len(desk.complaints) == 1
    following.cancel()
    await mailbox.close()


async def test_a_mail_that_comes_while_another_is_taken_does_not_wait_for_the_end_of_idling(
    dovecot: Dovecot, mailbox: Mailbox
) -> None:
    dovecot.deliver(letter("a"))
    desk = Desk()

    async def take(fetched: Fetched) -> bool:
        if not desk.taken:
            await asyncio.to_thread(dovecot.deliver, letter("b"))
        return await desk.take(fetched)

    await round_of(mailbox, take)
    await asyncio.wait_for(mailbox.news(), 10)
    await round_of(mailbox, take)
    assert desk.taken == [letter("a"), letter("b")]


async def test_a_server_with_neither_idle_nor_move_is_asked_now_and_then_and_keeps_what_others_deleted() -> None:
    with Dovecot(capability=BASIC) as server, CuttingProxy(server.port) as proxy:
        mailbox, desk = Mailbox(account(server, proxy.port, poll=timedelta(milliseconds=20))), Desk()
        for name in ("a", "b"):
            server.deliver(letter(name))
        with server.client() as other:
            other.select()
            other.store("1", "+FLAGS", "(\\Deleted)")
        following = asyncio.create_task(follow(mailbox, desk))
        await desk.has(1)
        assert await asyncio.to_thread(proxy.wait_for, b"STORE")
        await asyncio.to_thread(server.deliver, letter("c"))
        await desk.has(2)
        assert await asyncio.to_thread(proxy.wait_for, b"STORE", times=2)
        assert await asyncio.to_thread(proxy.wait_for, b"SEARCH", times=4)
        said = b"".join(proxy.said)
        assert not [word for word in (b"IDLE", b"MOVE", b"EXPUNGE") if word in said]
        assert (desk.taken, desk.complaints) == ([letter("b"), letter("c")], [])
        assert (server.letters("Taken"), server.letters(criteria="DELETED")) == (2, 3)
        following.cancel()
        await mailbox.close()


async def test_it_says_who_it_is_before_it_opens_a_folder(dovecot: Dovecot, proxy: CuttingProxy) -> None:
    mailbox = Mailbox(account(dovecot, proxy.port))
    await mailbox.waiting()
    said = b"".join(proxy.said)
    assert -1 < said.find(b' ID ("name" "responder"') < said.find(b" SELECT ")
    await mailbox.close()


async def test_numbers_of_another_validity_put_nothing_away(dovecot: Dovecot, mailbox: Mailbox) -> None:
    dovecot.deliver(letter("a"))
    (place,) = await mailbox.waiting()
    await asyncio.to_thread(dovecot.restart_with_new_numbers)
    with pytest.raises(MailboxFailed):
        await mailbox.waiting()
    assert await mailbox.fetch(place) == NotGiven(why="The mailbox has numbered its mails anew.")
    assert "numbered its mails anew" in await mailbox.put_away(place)
    assert dovecot.letters() == 1
    assert [one.validity for one in await mailbox.waiting()] == [4242]


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_a_certificate_that_nobody_vouches_for_is_refused(dovecot: Dovecot, security: str) -> None:
    port = dovecot.tls_port if security == "tls" else dovecot.port
    trusting = Mailbox(account(dovecot, port, security=security, ca_file=dovecot.certificate))
    dovecot.deliver(letter("a"))
    assert len(await trusting.waiting()) == 1
    await trusting.close()
    wary = Mailbox(account(dovecot, port, security=security))
    with pytest.raises(MailboxFailed, match="certificate verify failed"):
        await wary.waiting()
    await wary.close()


async def test_a_wrong_password_is_said_without_showing_it(dovecot: Dovecot) -> None:
    mailbox = Mailbox(account(dovecot, password=Secret("wrong-one")))
    with pytest.raises(MailboxRefused, match="does not let us in") as refused:
        await mailbox.waiting()
    assert "wrong-one" not in str(refused.value)
    await mailbox.close()


async def test_closing_ends_a_wait_for_the_server(dovecot: Dovecot, proxy: CuttingProxy) -> None:
    mailbox = Mailbox(account(dovecot, proxy.port))
    await mailbox.waiting()
    waiting = asyncio.create_task(mailbox.news())
    assert await asyncio.to_thread(proxy.wait_for, b"IDLE\r\n")
    await asyncio.wait_for(mailbox.close(), 5)
    with pytest.raises(MailboxFailed):
        await waiting
    with pytest.raises(MailboxFailed, match="was closed"):
        await mailbox.waiting()


def test_pauses_grow_and_end_at_five_minutes() -> None:
    assert [backoff(count).total_seconds() for count in (0, 1, 2, 3, 9, 10, 1000)] == [1, 1, 2, 4, 256, 300, 300]
