"""Servers as they should not be: what they do is a sentence, and takes a bounded time and room."""

from __future__ import annotations

import asyncio
import random
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from responder.adapters.mail_servers import ImapAccount
from responder.adapters.mailbox import Fetched, Mailbox, NotGiven
from responder.adapters.notifier import Secret
from responder.domain.stuck_mails import MailPlace
from responder.errors import MailboxFailed, MailboxRefused
from tests.servers.scripted_imap import BASIC, Answer, ScriptedImap

MAIL = b"Subject: a\r\n\r\nIt hurts.\r\n"
FIRST = MailPlace(validity=1, uid=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def server() -> Iterator[ScriptedImap]:
    with ScriptedImap(MAIL) as made:
        yield made


def account(port: int, **changes: object) -> ImapAccount:
    plain = ImapAccount(
        host="127.0.0.1", port=port, user="desk", password=Secret("pass-word"), security="none",
        timeout=timedelta(seconds=5), done_folder="Taken", poll=HOUR,
    )  # fmt: skip
    return replace(plain, **changes)  # type: ignore[arg-type]


@asynccontextmanager
async def opened(
    port: int, *, patience: timedelta = timedelta(seconds=20), **changes: object
) -> AsyncIterator[Mailbox]:
    made = Mailbox(account(port, **changes), patience=patience)
    try:
        yield made
    finally:
        await asyncio.wait_for(made.close(), 10)


def always(answer: bytes) -> Answer:
    return lambda _: answer


async def content(mailbox: Mailbox, place: MailPlace = FIRST) -> bytes:
    found = await mailbox.fetch(place)
    assert isinstance(found, Fetched)
    return found.raw


# --- what has come, and how it is heard ------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [b"+ idling\r\n* 2 EXISTS\r\n", b"* 2 EXISTS\r\n+ idling\r\n"])
async def test_a_mail_that_comes_together_with_the_consent_to_idle_is_heard(
    server: ScriptedImap, answer: bytes
) -> None:
    server.instead["IDLE"] = always(answer)
    async with opened(server.port) as mailbox:
        await mailbox.waiting()
        await asyncio.wait_for(mailbox.news(), 5)


async def test_a_server_that_can_idle_and_never_tells_is_asked_every_poll(server: ScriptedImap) -> None:
    async with opened(server.port, poll=timedelta(milliseconds=50), idle=HOUR) as mailbox:
        for _ in range(3):
            await mailbox.waiting()
            await asyncio.wait_for(mailbox.news(), 5)
        assert server.count("IDLE") == 3


async def test_a_server_that_has_told_is_trusted_until_it_forgets_to(server: ScriptedImap) -> None:
    server.instead["IDLE"] = always(b"+ idling\r\n* 2 EXISTS\r\n")
    async with opened(server.port, poll=timedelta(milliseconds=50), idle=timedelta(seconds=1)) as mailbox:
        loop = asyncio.get_running_loop()
        await mailbox.waiting()
        await mailbox.news()
        del server.instead["IDLE"]
        await mailbox.waiting()
        begun = loop.time()
        await mailbox.news()
        trusted = loop.time() - begun
        server.mails[2] = MAIL
        assert len(await mailbox.waiting()) == 2
        begun = loop.time()
        await mailbox.news()
        assert (trusted >= 0.9, loop.time() - begun < 0.9) == (True, True)


async def test_a_server_that_refuses_to_idle_is_asked_now_and_then(server: ScriptedImap) -> None:
    server.instead["IDLE"] = always(b"TAG NO not today\r\n")
    async with opened(server.port, poll=timedelta(milliseconds=20)) as mailbox:
        await mailbox.waiting()
        await asyncio.wait_for(mailbox.news(), 5)
        await asyncio.wait_for(mailbox.news(), 5)
        assert (server.count("IDLE"), server.connections) == (1, 1)


async def test_news_are_waited_for_no_longer_than_the_caller_wants(server: ScriptedImap) -> None:
    async with opened(server.port) as mailbox:
        await asyncio.wait_for(mailbox.news(timedelta(milliseconds=20)), 5)


# --- which mails wait --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("flag", "is_offered"), [("\\Seen", True), ("\\Draft", False), ("\\Deleted", False)])
async def test_what_somebody_has_read_is_offered_but_no_drafts_and_nothing_deleted(
    server: ScriptedImap, flag: str, is_offered: bool
) -> None:
    server.flags[1] = {flag}
    async with opened(server.port) as mailbox:
        assert bool(await mailbox.waiting()) is is_offered


async def test_numbers_above_two_to_the_31_are_numbers_like_any_other(server: ScriptedImap) -> None:
    server.mails = {4294967295: MAIL, 2147483648: MAIL}
    async with opened(server.port) as mailbox:
        places = await mailbox.waiting()
        assert [one.uid for one in places] == [2147483648, 4294967295]
        assert await content(mailbox, places[1]) == MAIL
        assert await mailbox.put_away(places[1]) == ""
        assert list(server.moved) == [4294967295]


async def test_new_numbers_are_seen_at_the_next_look_without_a_new_connection(server: ScriptedImap) -> None:
    async with opened(server.port) as mailbox:
        (before,) = await mailbox.waiting()
        server.validity = 2
        (after,) = await mailbox.waiting()
        assert (before.validity, after.validity, server.connections) == (1, 2, 1)


async def test_a_search_in_several_lines_is_read_whole(server: ScriptedImap) -> None:
    server.instead["SEARCH"] = always(b"* SEARCH 3 1\r\n* SEARCH 2 (MODSEQ x)\r\nTAG OK done\r\n")
    async with opened(server.port) as mailbox:
        assert [one.uid for one in await mailbox.waiting()] == [1, 2, 3]


# --- one mail ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [b'""', b"{0}\r\n"])
async def test_a_mail_without_a_byte_is_a_mail(server: ScriptedImap, answer: bytes) -> None:
    server.instead["FETCH"] = always(b"* 1 FETCH (UID 1 BODY[]<0> %b)\r\nTAG OK done\r\n" % answer)
    async with opened(server.port) as mailbox:
        assert await content(mailbox) == b""


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (
            b"TAG NO [SERVERBUG] Internal error occurred.\r\n",
            "The server refuses to give it: [SERVERBUG] Internal error",
        ),
        (b"TAG BAD Error in IMAP command\r\n", "The server refuses to give it: UID command error"),
        (b"TAG OK done\r\n", "The server lists it and gives nothing for it."),
        (b"* 1 FETCH (UID 1 BODY[]<0> NIL)\r\nTAG OK done\r\n", "The server lists it and gives nothing for it."),
        (b"* 1 FETCH (UID 1 FLAGS (\\Seen))\r\nTAG OK done\r\n", "The server lists it and gives nothing for it."),
    ],
)
async def test_a_mail_that_the_server_does_not_give_is_a_sentence_and_the_line_stays(
    server: ScriptedImap, answer: bytes, why: str
) -> None:
    server.instead["FETCH"] = always(answer)
    async with opened(server.port) as mailbox:
        found = await mailbox.fetch(FIRST)
        assert isinstance(found, NotGiven)
        assert found.why.startswith(why)
        await mailbox.waiting()
        assert server.connections == 1


@pytest.mark.parametrize("capability", ["IMAP4rev1 MOVE", BASIC])
async def test_what_cannot_be_put_away_is_a_sentence_and_the_line_stays(server: ScriptedImap, capability: str) -> None:
    server.capability = capability
    for name in ("MOVE", "COPY", "CREATE"):
        server.instead[name] = always(b"TAG NO [OVERQUOTA] Quota exceeded\r\n")
    async with opened(server.port) as mailbox:
        assert await mailbox.put_away(FIRST) == "The server refuses it: [OVERQUOTA] Quota exceeded."
        await mailbox.waiting()
        assert (server.connections, server.count("STORE")) == (1, 0)


async def test_a_folder_that_may_only_be_read_is_read(server: ScriptedImap) -> None:
    server.instead["SELECT"] = always(b"* 1 EXISTS\r\n* OK [UIDVALIDITY 1] fine\r\nTAG OK [READ-ONLY] fine\r\n")
    server.instead["MOVE"] = always(b"TAG NO [READ-ONLY] not here\r\n")
    server.instead["CREATE"] = always(b"TAG NO exists\r\n")
    async with opened(server.port) as mailbox:
        assert await mailbox.waiting() == [FIRST]
        assert await content(mailbox) == MAIL
        assert await mailbox.put_away(FIRST) == "The server refuses it: [READ-ONLY] not here."
        assert await mailbox.waiting() == [FIRST]
        assert server.connections == 1


async def test_a_chinese_folder_is_written_as_servers_want_it(server: ScriptedImap) -> None:
    async with opened(server.port, folder="工单 & more", done_folder='已处理 "x"') as mailbox:
        await mailbox.waiting()
        await mailbox.put_away(FIRST)
        assert server.count('SELECT "&XeVTVQ- &- more"') == 1
        assert server.count('MOVE 1 "&XfJZBHQG- \\"x\\""') == 1


# --- what large providers want ---------------------------------------------------------------------------------


async def test_a_server_that_lets_only_those_in_who_say_who_they_are_is_told(server: ScriptedImap) -> None:
    unsafe = b"TAG NO SELECT Unsafe Login. Please contact kefu@188.com for help\r\n"
    server.instead["SELECT"] = lambda _: None if server.count('ID ("name"') else unsafe
    async with opened(server.port) as mailbox:
        assert await mailbox.waiting() == [FIRST]
    server.capability, server.said = "IMAP4rev1 MOVE", []
    async with opened(server.port) as mailbox:
        with pytest.raises(MailboxFailed, match="Unsafe Login"):
            await mailbox.waiting()


async def test_a_server_that_does_not_understand_who_we_are_is_no_worse(server: ScriptedImap) -> None:
    server.instead["ID"] = always(b"TAG BAD what?\r\n")
    async with opened(server.port) as mailbox:
        assert await mailbox.waiting() == [FIRST]


async def test_a_server_that_shows_the_password_in_its_refusal_does_not_show_it_here(server: ScriptedImap) -> None:
    server.instead["LOGIN"] = lambda rest: b"TAG NO I do not like " + rest.encode() + b"\r\n"
    async with opened(server.port) as mailbox:
        with pytest.raises(MailboxRefused, match="does not let us in: I do not like") as refused:
            await mailbox.waiting()
        assert "pass-word" not in str(refused.value)


# --- what is no answer -----------------------------------------------------------------------------------------

WRONG = {
    "literal without end": b"* 1 FETCH (UID 1 BODY[]<0> {99999999999}\r\nx",
    "literal beyond numbers": b"* 1 FETCH (UID 1 BODY[]<0> {" + b"9" * 5000 + b"}\r\nx",
    "literal too short": b"* 1 FETCH (UID 1 BODY[]<0> {3}\r\nlonger than that)\r\nTAG OK done\r\n",
    "literal too long": b"* 1 FETCH (UID 1 BODY[]<0> {900}\r\nshort)\r\nTAG OK done\r\n",
    "bye": b"* BYE shutting down\r\n",
    "another tag": b"XYZ1 OK done\r\n",
    "web page": b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
    "zeros": bytes(5000) + b"\r\n",
    "line without end": b"* " + b"x" * 100_000,
    "silence": b"",
}


@pytest.mark.parametrize("name", WRONG)
async def test_what_is_no_answer_is_a_failure_in_bounded_time_and_the_next_call_begins_anew(
    server: ScriptedImap, name: str
) -> None:
    server.instead["FETCH"] = always(WRONG[name])
    async with opened(server.port, timeout=timedelta(seconds=1)) as mailbox:
        with pytest.raises(MailboxFailed, match=r"The mailbox desk at 127\.0\.0\.1 failed: \S"):
            await asyncio.wait_for(mailbox.fetch(FIRST), 10)
        del server.instead["FETCH"]
        assert await content(mailbox) == MAIL


async def test_a_server_that_never_stops_talking_fills_no_memory(server: ScriptedImap) -> None:
    server.instead["SEARCH"] = always((b"* OK " + b"x" * 10_000 + b"\r\n") * 4000)
    async with opened(server.port, largest=100_000) as mailbox:
        with pytest.raises(MailboxFailed, match="bytes where at most"):
            await mailbox.waiting()


async def test_a_server_that_answers_byte_by_byte_has_an_end(server: ScriptedImap) -> None:
    done = threading.Event()

    def drips(_: str) -> bytes:
        line = server.lines[-1]
        with suppress(OSError):
            while not done.wait(0.05):
                line.sendall(b"*")
        return b""

    server.instead["SEARCH"] = drips
    async with opened(server.port, patience=timedelta(seconds=1)) as mailbox:
        with pytest.raises(MailboxFailed, match="its answer does not come to an end within 1 seconds"):
            await asyncio.wait_for(mailbox.waiting(), 10)
        done.set()
        del server.instead["SEARCH"]
        assert await mailbox.waiting() == [FIRST]


@pytest.mark.parametrize(
    "greeting", [b"", b"* BYE too many connections\r\n", b"220 mail.example.org ESMTP\r\n", b"\xff\r\n"]
)
async def test_a_server_that_greets_wrongly_or_not_at_all_is_a_failure(server: ScriptedImap, greeting: bytes) -> None:
    server.greeting = greeting
    async with opened(server.port, timeout=timedelta(seconds=1)) as mailbox:
        with pytest.raises(MailboxFailed):
            await asyncio.wait_for(mailbox.waiting(), 10)


async def test_closing_does_not_wait_for_a_server_that_never_greets(server: ScriptedImap) -> None:
    server.greeting = b""
    mailbox = Mailbox(account(server.port, timeout=timedelta(minutes=5)))
    waiting = asyncio.create_task(mailbox.waiting())
    while not server.connections:
        await asyncio.sleep(0.01)
    await asyncio.wait_for(mailbox.close(), 5)
    with pytest.raises(MailboxFailed):
        await waiting


async def test_a_server_that_speaks_no_tls_is_a_failure(server: ScriptedImap) -> None:
    async with opened(server.port, security="tls") as mailbox:
        with pytest.raises(MailboxFailed, match="SSL"):
            await mailbox.waiting()
    async with opened(server.port, security="starttls") as mailbox:
        with pytest.raises(MailboxFailed, match="TLS not supported"):
            await mailbox.waiting()
    assert server.count("LOGIN") == 0


async def test_nobody_at_the_port_is_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    async with opened(port) as mailbox:
        with pytest.raises(MailboxFailed, match="Connection refused"):
            await mailbox.waiting()


async def test_whatever_a_server_says_nothing_but_a_failure_comes_of_it(server: ScriptedImap) -> None:
    chance = random.Random(4)
    pieces = [*b"* |TAG |OK |NO |BYE |FETCH (|{5}\r\n|{99}\r\n|UID 1 |BODY[]<0> |\"|)|\r\n|SEARCH 1 ".split(b"|"),
              *b"+ |[UIDVALIDITY x] |NIL |((((((((((((|EXISTS|\xff\xfe".split(b"|")]  # fmt: skip
    for _ in range(120):
        name = chance.choice(["CAPABILITY", "LOGIN", "ID", "SELECT", "SEARCH", "FETCH", "MOVE", "CREATE", "IDLE"])
        junk = b"".join(chance.choices(pieces, k=chance.randrange(1, 12))) + b"\r\nTAG OK done\r\n* BYE\r\n"
        server.instead = {name: always(junk)}
        async with opened(server.port, timeout=timedelta(seconds=1)) as mailbox:
            with suppress(MailboxFailed):
                await mailbox.waiting()
                await mailbox.fetch(FIRST)
                await mailbox.put_away(FIRST)
                await mailbox.news(timedelta(milliseconds=10))
        server.mails = {1: MAIL}
