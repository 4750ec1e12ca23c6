"""Nothing in a mailbox, and nothing that its server does, stops the intake, loses a mail or takes one twice."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from responder.adapters.mail_servers import ImapAccount
from responder.adapters.mailbox import Mailbox
from responder.adapters.notifier import Secret
from responder.domain.mail_rule import MailRule
from responder.errors import StoreUnavailable
from responder.flows.desk import Desk
from responder.flows.mailbox import AT_ONCE, follow_mailbox
from responder.metrics import REGISTRY
from responder.store.database import Database
from tests.flows.reports import Reports
from tests.servers.cutting_proxy import CuttingProxy
from tests.servers.dovecot import PASSWORD, USER, Dovecot
from tests.servers.scripted_imap import Answer, ScriptedImap
from tests.world import MAIN, alert

REAL = pytest.mark.needs("/usr/lib/dovecot/imap")
MAIL = """
mail:
  address: desk@desk.test
  imap: {host: 127.0.0.1, security: none, user: desk, password_file: mail-password}
"""
UNREACHABLE, STUCK = "ResponderMailboxUnreachable", "ResponderMailsStuck"
SOON = timedelta(milliseconds=30)


@pytest.fixture
def world(tmp_path: Path, database: Database) -> Reports:
    (tmp_path / "mail-password").write_text(f"{PASSWORD}\n")
    return Reports(tmp_path, database, main=MAIN + "reporters: {url_file: reporters-url}\n" + MAIL)


@pytest.fixture
def dovecot() -> Iterator[Dovecot]:
    with Dovecot() as server:
        yield server


def account(port: int, **changes: Any) -> ImapAccount:
    plain = ImapAccount(
        host="127.0.0.1", port=port, user=USER, password=Secret(PASSWORD), security="none",
        timeout=timedelta(seconds=5), done_folder="Taken",
    )  # fmt: skip
    return replace(plain, **changes)


def letter(name: str, text: str = "It prints nothing.") -> bytes:
    head = f"From: Li Wei <li.wei@example.org>\r\nTo: desk@desk.test\r\nMessage-ID: <{name}@example.org>"
    return f"{head}\r\nSubject: {name}\r\n\r\n{text}\r\n".encode()


class Following:
    """The mailbox is followed while this is entered. A pause moves the clock, and lasts as long as somebody looks."""

    def __init__(self, world: Reports, account: ImapAccount, desk: Desk | None = None) -> None:
        self.pauses: list[timedelta] = []
        self.lasts: asyncio.Event | None = None
        self.mailbox = Mailbox(account)
        self._clock = world.clock
        self._task = asyncio.ensure_future(follow_mailbox(desk or world.desk, self.mailbox, self._pause))

    async def __aenter__(self) -> Following:
        return self

    async def __aexit__(self, *_: object) -> None:
        assert not self._task.done()
        self._task.cancel()
        await asyncio.wait([self._task])
        await self.mailbox.close()

    async def _pause(self, wait: timedelta) -> None:
        self.pauses.append(wait)
        self._clock.advance(wait)
        await (self.lasts.wait() if self.lasts else asyncio.sleep(0.01))


class Moody(Database):
    """Cannot be written to while it is away."""

    def __init__(self, real: Database) -> None:
        self._real = real
        self.is_away = True
        self.writes = 0

    async def write(self, body: Any, *, urgent: bool = False) -> Any:
        if self.is_away:
            raise StoreUnavailable("The database cannot be used now: disk full")
        return await self._real.write(body, urgent=urgent)

    async def read(self, body: Any) -> Any:
        return await self._real.read(body)


async def until(world: Reports, holds: Any, *, tick: timedelta = timedelta()) -> list[Any]:
    """The tickets as soon as it holds of them; the clock moves by `tick` with each look."""
    async with asyncio.timeout(60):
        while not holds(found := list(await world.read(lambda tx: tx.tickets.listed(limit=999)))):
            world.clock.advance(tick)
            await asyncio.sleep(0.02)
    return found


async def put_away(server: ScriptedImap, count: int) -> None:
    """The move follows the ticket: returns once so many mails were moved."""
    async with asyncio.timeout(60):
        while len(server.moved) < count:
            await asyncio.sleep(0.02)


def named(found: Iterable[Any], name: str) -> list[Any]:
    return [one for one in found if one.labels.get("alertname") == name]


def titles(found: Iterable[Any]) -> list[str]:
    """Of the mails' tickets."""
    return sorted(one.title for one in found if one.source == "mail")


def has(*wanted: str) -> Any:
    return lambda found: titles(found) == sorted(wanted)


def fires(name: str) -> Any:
    return lambda found: any(one.signal == "firing" for one in named(found, name))


def clears(name: str) -> Any:
    return lambda found: all(one.signal == "cleared" for one in named(found, name)) and named(found, name)


def always(answer: bytes) -> Answer:
    return lambda _: answer


# --- a line that is cut -----------------------------------------------------------------------------------------


@REAL
@pytest.mark.parametrize("when", ["in a mail", "while it waits", "before the move", "behind the move"])
async def test_wherever_the_line_is_cut_each_mail_is_one_ticket(world: Reports, dovecot: Dovecot, when: str) -> None:
    long = "It prints nothing at all, again.\r\n" * 6000
    for name in ("a", "b", "c"):
        dovecot.deliver(letter(name, long))
    with CuttingProxy(dovecot.port) as proxy:
        match when:
            case "in a mail":
                proxy.cut_after = 100_000
            case "before the move":
                proxy.cut_before = b"MOVE"
            case "behind the move":
                proxy.cut_behind = b"MOVE"
        async with Following(world, account(proxy.port)) as following:
            await until(world, has("a", "b", "c"))
            assert await asyncio.to_thread(proxy.wait_for, b"IDLE\r\n")
            if when == "while it waits":
                proxy.cut()
            await asyncio.to_thread(dovecot.deliver, letter("d"))
            found = await until(world, has("a", "b", "c", "d"))
            assert await asyncio.to_thread(proxy.wait_for, b"IDLE\r\n", times=2)
    assert (len(found), dovecot.letters(), dovecot.letters("Taken"), len(following.pauses)) == (4, 0, 4, 1)


@REAL
async def test_a_server_that_is_down_for_long_and_has_new_numbers_afterwards_gives_each_mail_once(
    world: Reports, dovecot: Dovecot
) -> None:
    dovecot.deliver(letter("a"))
    async with Following(world, account(dovecot.port, done_folder="", poll=SOON)) as following:
        await until(world, has("a"))
        await asyncio.to_thread(dovecot.restart_with_new_numbers)
        await asyncio.to_thread(dovecot.deliver, letter("b"))
        await until(world, has("a", "b"))
        while not following.pauses:
            await asyncio.sleep(0.02)
    assert len(await world.read(lambda tx: tx.mails.listed(9))) == 2


# --- a server that is no help -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("greeting", "says"),
    [
        (b"", "timed out"),
        (b"* BYE too many connections\r\n", "too many connections"),
        (b"\x16\x03\x01\x00\r\n", "unexpected response"),
        (b"* OK ready\r\n* 1 FETCH (BODY[] {999999999999}\r\n", "bytes where at most"),
    ],
    ids=["black hole", "bye", "garbage", "huge literal"],
)
async def test_a_server_that_is_no_help_is_a_ticket_that_says_why_and_clears(
    world: Reports, greeting: bytes, says: str
) -> None:
    with ScriptedImap(letter("a")) as server:
        server.greeting = greeting
        async with Following(world, account(server.port, timeout=timedelta(milliseconds=200))) as following:
            (ticket,) = await until(world, fires(UNREACHABLE))
            assert says in ticket.annotations["summary"]
            assert following.pauses[:4] == [timedelta(seconds=one) for one in (1, 2, 4, 8)]
            server.greeting = b"* OK ready\r\n"
            await until(world, clears(UNREACHABLE))
            found = await until(world, has("a"))
            await put_away(server, 1)
    assert (titles(found), list(server.moved)) == (["a"], [1])


async def test_a_wrong_password_is_a_ticket_soon_is_tried_rarely_and_clears_after_a_reload(world: Reports) -> None:
    with ScriptedImap(letter("a")) as server:
        server.instead["LOGIN"] = lambda rest: None if "right" in rest else b"TAG NO [AUTHENTICATIONFAILED] No.\r\n"
        old = account(server.port, password=Secret("wrong"))
        setup = world.desk.configuration.mail
        assert setup is not None
        world.desk.take_over(replace(world.desk.configuration, mail=replace(setup, mailbox=old)))
        async with Following(world, old) as following:
            (ticket,) = await until(world, fires(UNREACHABLE))
            assert "does not let us in: [AUTHENTICATIONFAILED] No." in ticket.annotations["summary"]
            assert following.pauses[0] == timedelta(seconds=64)
            new = replace(old, password=Secret("right"))
            world.desk.take_over(replace(world.desk.configuration, mail=replace(setup, mailbox=new)))
            found = await until(world, clears(UNREACHABLE))
    assert titles(found) == ["a"]


async def test_a_new_password_is_tried_at_once_after_the_reload(world: Reports) -> None:
    with ScriptedImap(letter("a")) as server:
        server.instead["LOGIN"] = lambda rest: None if "right" in rest else b"TAG NO [AUTHENTICATIONFAILED] No.\r\n"
        old = account(server.port, password=Secret("wrong"))
        setup = world.desk.configuration.mail
        assert setup is not None
        world.desk.take_over(replace(world.desk.configuration, mail=replace(setup, mailbox=old)))
        async with Following(world, old) as following:
            following.lasts = asyncio.Event()
            await until(world, lambda _: following.pauses)
            new = replace(old, password=Secret("right"))
            world.desk.take_over(replace(world.desk.configuration, mail=replace(setup, mailbox=new)))
            await until(world, has("a"))


async def test_a_mailbox_that_fails_for_another_reason_than_before_says_the_new_one(world: Reports) -> None:
    with ScriptedImap(letter("a")) as server:
        server.instead["LOGIN"] = always(b"TAG NO [AUTHENTICATIONFAILED] No.\r\n")
        async with Following(world, account(server.port)):
            await until(world, fires(UNREACHABLE))
            del server.instead["LOGIN"]
            await until(world, clears(UNREACHABLE))
            server.instead["SELECT"] = always(b"TAG NO Down for repairs\r\n")
            for line in server.lines:
                with suppress(OSError):
                    line.shutdown(socket.SHUT_RDWR)
            found = await until(world, fires(UNREACHABLE))
    (ticket,) = named(found, UNREACHABLE)
    assert ("Down for repairs" in ticket.title, "AUTHENTICATIONFAILED" in ticket.title) == (True, False)


@REAL
async def test_an_expired_certificate_is_a_ticket_that_says_so(world: Reports, dovecot: Dovecot) -> None:
    await asyncio.to_thread(dovecot.stop_only)
    expired(dovecot.folder)
    await asyncio.to_thread(dovecot.start)
    given = account(dovecot.tls_port, host="localhost", security="tls", ca_file=dovecot.certificate)
    async with Following(world, given):
        (ticket,) = await until(world, fires(UNREACHABLE))
    assert "certificate has expired" in ticket.annotations["summary"]


def expired(folder: Path) -> None:
    """Writes a certificate of yesterday."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .serial_number(7).not_valid_before(now - timedelta(days=9)).not_valid_after(now - timedelta(days=1))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(private)


async def test_a_ticket_about_the_mailbox_that_could_not_be_written_is_written_later(world: Reports) -> None:
    store = Moody(world.database)
    with ScriptedImap() as server:
        server.greeting = b"* BYE\r\n"
        async with Following(world, account(server.port), desk=replace(world.desk, store=store)) as following:
            async with asyncio.timeout(20):
                while len(following.pauses) < 7:
                    await asyncio.sleep(0.01)
            store.is_away = False
            await until(world, fires(UNREACHABLE))


async def test_a_mistake_of_ours_does_not_end_the_following(world: Reports) -> None:
    class Mistaken(Moody):
        async def write(self, body: Any, *, urgent: bool = False) -> Any:
            if self.is_away:
                self.is_away = False
                raise KeyError("a mistake")
            return await super().write(body, urgent=urgent)

    with ScriptedImap() as server:
        server.greeting = b"* BYE\r\n"
        desk = replace(world.desk, store=Mistaken(world.database))
        async with Following(world, account(server.port), desk=desk) as following:
            await until(world, fires(UNREACHABLE))
            assert len(following.pauses) > 4


# --- one mail that is no good -----------------------------------------------------------------------------------


async def test_a_mail_that_is_never_given_blocks_nobody_and_is_a_ticket(world: Reports) -> None:
    with ScriptedImap(*map(letter, "abc")) as server:
        server.instead["FETCH"] = lambda rest: b"TAG NO Internal error\r\n" if rest.startswith("1 ") else None
        async with Following(world, account(server.port, poll=SOON)):
            await until(world, has("b", "c"))
            found = await until(world, fires(STUCK), tick=timedelta(seconds=10))
            (ticket,) = named(found, STUCK)
            assert ticket.annotations["summary"] == (
                "Mails stay in the mailbox. The mail with the UID 1 cannot be taken in: "
                "The server refuses to give it: Internal error."
            )
            asked = server.count("FETCH 1 ")
            server.mails[4] = letter("d")
            await until(world, has("b", "c", "d"))
            assert server.count("FETCH 1 ") == asked
            server.instead.clear()
            await until(world, clears(STUCK), tick=timedelta(minutes=1))
    assert titles(await until(world, has("a", "b", "c", "d"))) == ["a", "b", "c", "d"]


async def test_a_mail_that_ends_every_connection_blocks_nobody(world: Reports) -> None:
    with ScriptedImap(*map(letter, "abc")) as server:
        server.instead["FETCH"] = lambda rest: b"* BYE sorry\r\n" if rest.startswith("1 ") else None
        async with Following(world, account(server.port, poll=SOON)):
            await until(world, has("b", "c"))
            found = await until(world, fires(STUCK), tick=timedelta(seconds=10))
    assert named(found, UNREACHABLE) == []


async def test_a_mail_that_another_client_takes_away_in_between_is_no_trouble(world: Reports) -> None:
    with ScriptedImap(*map(letter, "ab")) as server:

        def vanishes(rest: str) -> bytes | None:
            if rest.startswith("1 "):
                server.mails.pop(1, None)
            return None

        server.instead["FETCH"] = vanishes
        async with Following(world, account(server.port, poll=SOON)):
            await until(world, has("b"))
            looks = server.count("SEARCH")
            assert await asyncio.to_thread(server.wait_for, "SEARCH", times=looks + 3)
            assert server.count("FETCH 1 ") == 1


@pytest.mark.parametrize("why", ["[OVERQUOTA] Quota exceeded", "[READ-ONLY] not here"])
async def test_a_mail_that_cannot_be_put_away_is_taken_once_and_blocks_nobody(world: Reports, why: str) -> None:
    with ScriptedImap(*map(letter, "ab")) as server:
        server.instead = {name: always(f"TAG NO {why}\r\n".encode()) for name in ("MOVE", "CREATE")}
        async with Following(world, account(server.port, poll=SOON)):
            found = await until(world, fires(STUCK), tick=timedelta(seconds=10))
            (ticket,) = named(found, STUCK)
            assert (
                f"The mail with the UID 1 is stored, and cannot be put away: The server refuses it: {why}."
                in ticket.annotations["summary"]
            )
            server.mails[3] = letter("c")
            await until(world, has("a", "b", "c"))
            server.instead.clear()
            await until(world, clears(STUCK), tick=timedelta(minutes=1))
        assert [server.count(f"FETCH {uid} ") for uid in (1, 2, 3)] == [1, 1, 1]
        assert sorted(server.moved) == [1, 2, 3]


@pytest.mark.parametrize("answer", [b"TAG NO not this one\r\n", b"* BYE not this one\r\n"])
async def test_one_mail_that_cannot_be_moved_does_not_keep_the_others_from_it(world: Reports, answer: bytes) -> None:
    with ScriptedImap(*map(letter, "abc")) as server:
        server.instead["MOVE"] = lambda rest: answer if "2" in rest.partition(" ")[0].split(",") else None
        server.instead["CREATE"] = always(b"TAG NO it exists\r\n")
        async with Following(world, account(server.port, poll=SOON)):
            found = await until(world, fires(STUCK), tick=timedelta(seconds=10))
        assert (sorted(server.moved), titles(found)) == ([1, 3], ["a", "b", "c"])
        assert "The mail with the UID 2 is stored, and cannot be put away: " in str(named(found, STUCK)[0].annotations)
        assert server.count("FETCH ") == 3


async def test_a_mail_on_which_the_decision_fails_is_set_aside_and_the_next_is_taken(world: Reports) -> None:
    asked = []

    class BrokenOnce(tuple[MailRule, ...]):
        def __iter__(self) -> Iterator[MailRule]:
            asked.append(1)
            if len(asked) == 1:
                raise ZeroDivisionError("broken")
            return super().__iter__()

    setup = world.desk.configuration.mail
    assert setup is not None
    world.desk.take_over(replace(world.desk.configuration, mail=replace(setup, rules=BrokenOnce())))
    with ScriptedImap(*map(letter, "ab")) as server:
        async with Following(world, account(server.port, poll=SOON)):
            found = await until(world, has("b"))
            await put_away(server, 2)
        assert sorted(server.moved) == [1, 2]
    assert len(named(found, "ResponderBodyNotUnderstood")) == 1
    (kept,) = await world.read(lambda tx: tx.reports.quarantined())
    assert kept.body == letter("a")


async def test_a_mail_that_cannot_even_be_set_aside_stays_and_blocks_nobody(world: Reports) -> None:
    class Picky(Moody):
        async def write(self, body: Any, *, urgent: bool = False) -> Any:
            self.writes += 1
            if self.writes <= 2:
                raise KeyError("no way to keep it")
            return await self._real.write(body, urgent=urgent)

    with ScriptedImap(*map(letter, "ab")) as server:
        desk = replace(world.desk, store=Picky(world.database))
        async with Following(world, account(server.port, poll=SOON), desk=desk) as following:
            await until(world, has("a", "b"))
            await put_away(server, 2)
        assert (list(server.moved), following.pauses) == ([2, 1], [])


async def test_zeros_in_a_mail_stop_nothing(world: Reports) -> None:
    odd = letter("a").replace(b"Li Wei", b"Li\x00Wei").replace(b"<a@", b"<\x00a@").replace(b"prints", b"pr\x00ints")
    with ScriptedImap(odd, letter("b")) as server:
        async with Following(world, account(server.port, poll=SOON)):
            await until(world, has("a", "b"))
            await put_away(server, 2)
        assert sorted(server.moved) == [1, 2]


async def test_a_mail_of_no_bytes_is_a_ticket_about_itself_and_is_put_away(world: Reports) -> None:
    with ScriptedImap(b"", letter("b")) as server:
        async with Following(world, account(server.port, poll=SOON)):
            found = await until(world, has("b"))
            await put_away(server, 2)
        assert sorted(server.moved) == [1, 2]
    assert len(named(found, "ResponderBodyNotUnderstood")) == 1


# --- many, and for long -----------------------------------------------------------------------------------------


async def test_a_mailbox_that_has_grown_is_taken_in_from_the_oldest_while_other_work_goes_on(world: Reports) -> None:
    names = [f"mail-{number:03}" for number in range(505)]
    persons = [*names[:4], *names[-4:]]
    mails = [
        letter(one) if one in persons else letter(one).replace(b"li.wei@example.org", b"desk@desk.test")
        for one in names
    ]
    assert len(mails) > AT_ONCE
    with ScriptedImap(*mails) as server:
        async with Following(world, account(server.port, poll=timedelta(hours=1))):
            await until(world, lambda found: len(titles(found)) > 3)
            await world.post(alert())
            found = await until(world, lambda found: any(one.source == "main" for one in found))
            assert len(titles(found)) < len(persons)
            await until(world, lambda found: len(titles(found)) == len(persons))
            assert await asyncio.to_thread(server.wait_for, "IDLE")
        assert (server.count("SEARCH"), server.count("MOVE")) == (2, 11)
        assert list(server.moved) == list(range(1, len(mails) + 1))
    found = await world.read(lambda tx: tx.tickets.listed(limit=999))
    assert [one.title for one in sorted(found, key=lambda one: one.id) if one.source == "mail"] == persons


async def test_while_the_database_is_away_mails_stay_and_then_come_at_once(world: Reports) -> None:
    store = Moody(world.database)
    with ScriptedImap(*map(letter, "abc")) as server:
        given = account(server.port, poll=timedelta(hours=1))
        async with Following(world, given, desk=replace(world.desk, store=store)) as following:
            async with asyncio.timeout(20):
                while len(following.pauses) < 5:
                    await asyncio.sleep(0.01)
            assert (list(server.mails), server.moved) == ([1, 2, 3], {})
            # One is fetched in each round: it is the database that is away, not the mails that are wrong.
            assert server.count("FETCH 2 ") == 0
            assert following.pauses[:5] == [timedelta(seconds=one) for one in (1, 2, 4, 8, 16)]
            store.is_away = False
            found = await until(world, has("a", "b", "c"))
            await put_away(server, 3)
    assert (len(found), sorted(server.moved)) == (3, [1, 2, 3])


# --- the folder, and who else follows it -------------------------------------------------------------------------


@REAL
@pytest.mark.parametrize("happens", ["deleted", "renamed"])
async def test_a_followed_folder_that_goes_away_is_a_ticket_and_clears_when_it_is_back(
    world: Reports, dovecot: Dovecot, happens: str
) -> None:
    with dovecot.client() as other:
        other.create("Desk")
    async with Following(world, account(dovecot.port, folder="Desk", poll=SOON)):
        with dovecot.client() as other:
            other.append("Desk", "", "", letter("a"))
            await until(world, has("a"))
            (other.delete if happens == "deleted" else lambda name: other.rename(name, "Elsewhere"))("Desk")
            found = await until(world, fires(UNREACHABLE))
            assert "Mailbox doesn't exist: Desk" in named(found, UNREACHABLE)[0].annotations["summary"]
            other.create("Desk")
            other.append("Desk", "", "", letter("b"))
        await until(world, clears(UNREACHABLE))
        await until(world, has("a", "b"))


@REAL
async def test_a_chinese_folder_is_followed_and_another_is_made_for_what_was_taken(
    world: Reports, dovecot: Dovecot
) -> None:
    with dovecot.client() as other:
        other.create("&XeVTVQ-")
        other.append("&XeVTVQ-", "", "", letter("a"))
    async with Following(world, account(dovecot.port, folder="工单", done_folder="已处理", poll=SOON)):
        await until(world, has("a"))
        async with asyncio.timeout(10):
            while dovecot.letters("&XfJZBHQG-") != 1:
                await asyncio.sleep(0.02)
    assert dovecot.letters("&XeVTVQ-") == 0


@REAL
async def test_two_replicas_that_follow_one_mailbox_make_one_ticket_of_each_mail(
    world: Reports, dovecot: Dovecot
) -> None:
    names = [f"mail-{number}" for number in range(12)]
    for name in names:
        dovecot.deliver(letter(name))
    with ExitStack() as stack:
        first, second = (stack.enter_context(CuttingProxy(dovecot.port)) for _ in range(2))
        async with (
            Following(world, account(first.port, poll=SOON)) as one,
            Following(world, account(second.port, poll=SOON), desk=world.another_desk()) as two,
        ):
            found = await until(world, has(*names))
            async with asyncio.timeout(30):
                while await asyncio.to_thread(dovecot.letters):
                    await asyncio.sleep(0.02)
    assert [one.title for one in found if one.source != "mail"] == []
    assert (one.pauses, two.pauses) == ([], [])
    assert (dovecot.letters(), dovecot.letters("Taken")) == (0, len(names))
    assert len(await world.read(lambda tx: tx.mails.listed(99))) == len(names)


async def test_a_mail_that_somebody_stored_and_did_not_put_away_is_put_away_a_minute_later(world: Reports) -> None:
    with ScriptedImap(letter("a")) as server:
        server.instead["MOVE"] = always(b"* BYE sorry\r\n")
        async with Following(world, account(server.port, poll=SOON)):
            await until(world, has("a"))
            assert await asyncio.to_thread(server.wait_for, "MOVE")
        server.instead.clear()
        tried = server.count("MOVE")
        async with Following(world, account(server.port, poll=SOON)):
            assert await asyncio.to_thread(server.wait_for, "IDLE", times=3)
            assert (server.count("MOVE"), server.moved) == (tried, {})
            world.clock.advance(timedelta(minutes=1))
            assert await asyncio.to_thread(server.wait_for, "MOVE", times=tried + 1)
            await put_away(server, 1)
    assert (len(await until(world, has("a"))), list(server.moved)) == (1, [1])


async def test_the_second_move_of_a_mail_is_no_trouble(world: Reports) -> None:
    with ScriptedImap(letter("a")) as server:

        def too_late(_: str) -> bytes:
            server.mails.pop(1, None)
            return b"TAG NO No such message\r\n"

        server.instead["MOVE"] = too_late
        async with Following(world, account(server.port, poll=SOON)) as following:
            found = await until(world, has("a"))
            looks = server.count("SEARCH")
            assert await asyncio.to_thread(server.wait_for, "SEARCH", times=looks + 3)
    assert (len(found), following.pauses, server.connections) == (1, [], 1)


# --- what is measured -------------------------------------------------------------------------------------------


def last_look() -> float | None:
    return REGISTRY.get_sample_value("responder_mailbox_last_look_timestamp_seconds")


async def test_mails_are_counted_by_what_became_of_them_and_looks_leave_their_time(world: Reports) -> None:
    with ScriptedImap(letter("a"), letter("b"), b"") as server:
        async with Following(world, account(server.port, poll=SOON)):
            await until(world, has("a", "b"))
            assert await asyncio.to_thread(server.wait_for, "IDLE")
            looked_at = world.clock.now().timestamp()
            assert last_look() == looked_at
            server.instead["SEARCH"] = always(b"TAG NO not now\r\n")
            world.clock.advance(timedelta(minutes=1))
            assert await asyncio.to_thread(server.wait_for, "SEARCH", times=server.count("SEARCH") + 2)
            assert last_look() == looked_at
    counted = await world.sums("mails_total")
    assert counted == {
        (("taken", "report"), ("way", "imap")): 2,
        (("taken", "quarantined"), ("way", "imap")): 1,
    }
