"""The door for mail servers, as mail servers, strangers and attackers meet it: over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import smtplib
import socket
import stat
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from responder.adapters.mail_ending import Arriving
from responder.adapters.mail_listener import MailListener
from responder.adapters.mail_servers import MailDoor
from responder.adapters.mail_session import Handed
from responder.errors import ListenFailed, StoreUnavailable
from responder.metrics import REGISTRY

# The hook that is to take its place holds for a whole folder.
pytestmark = pytest.mark.filterwarnings("ignore:Overriding the .event_loop_policy. fixture:DeprecationWarning")
DESK = "desk@desk.test"
LETTER = b"From: li.wei@example.org\r\nTo: desk@desk.test\r\nSubject: It is dead\r\n\r\nIt prints nothing.\r\n"
DOOR = MailDoor(name="desk.test", timeout=timedelta(seconds=20))


@dataclass
class FakeIntake:
    """Keeps what is handed in, unless it fails; waits while its gate is shut."""

    largest: int = 100_000
    mails: list[Handed] = field(default_factory=list)
    fails: list[Exception] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    waits: asyncio.Event = field(default_factory=asyncio.Event)

    def objection_to(self, recipient: str) -> str:
        return "" if recipient.endswith("@desk.test") else "No such address."

    async def take(self, handed: Handed) -> str:
        self.waits.set()
        await self.gate.wait()
        if self.fails:
            raise self.fails.pop()
        self.mails.append(handed)
        return "Taken as 4711"


@pytest.fixture(params=[asyncio.DefaultEventLoopPolicy, uvloop.EventLoopPolicy], ids=["asyncio", "uvloop"])
def event_loop_policy(request: pytest.FixtureRequest) -> asyncio.AbstractEventLoopPolicy:
    """Both: the service runs on uvloop where it is installed, and closes connections in another way there."""
    policy: asyncio.AbstractEventLoopPolicy = request.param()
    return policy


@pytest.fixture
def intake() -> FakeIntake:
    made = FakeIntake()
    made.gate.set()
    return made


@asynccontextmanager
async def listening(intake: FakeIntake, door: MailDoor = DOOR) -> AsyncIterator[MailListener]:
    listener = MailListener(door, intake)
    await listener.open()
    try:
        yield listener
    finally:
        await listener.close()


class Client:
    """Speaks byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def say(self, text: str | bytes) -> str:
        """The answer to some bytes."""
        self.send(text)
        return await self.hear()

    def send(self, text: str | bytes) -> None:
        self._writer.write(text if isinstance(text, bytes) else text.encode() + b"\r\n")

    async def hear(self) -> str:
        """One answer, of one line or several; empty when the connection has ended."""
        lines: list[str] = []
        # Who still speaks when the other side closes is cut off, and may miss its last words.
        async with asyncio.timeout(10):
            with contextlib.suppress(ConnectionError):
                return await self._line_by_line(lines)
        return "\n".join(lines)

    async def _line_by_line(self, lines: list[str]) -> str:
        while line := (await self._reader.readline()).decode():
            lines.append(line.rstrip())
            if line[3:4] != "-":
                break
        return "\n".join(lines)

    async def begin(self, *recipients: str, sender: str = "a@example.org", hello: str = "LHLO") -> None:
        """Until the content of a mail is awaited."""
        await self.say(f"{hello} mx.example.org")
        await self.say(f"MAIL FROM:<{sender}>")
        for recipient in recipients or (DESK,):
            await self.say(f"RCPT TO:<{recipient}>")
        assert (await self.say("DATA")).startswith("354")

    def end(self) -> None:
        """Says that nothing more comes, and goes on listening."""
        self._writer.write_eof()

    async def sent(self) -> None:
        """Returns when what was said is on its way."""
        await self._writer.drain()

    def abort(self) -> None:
        """Is gone, without the end that a connection has."""
        at_once = struct.pack("ii", 1, 0)
        self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
        self._writer.transport.abort()

    def close(self) -> None:
        self._writer.close()


@asynccontextmanager
async def connected(listener: MailListener) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    client = Client(reader, writer)
    try:
        yield client
    finally:
        client.close()


@asynccontextmanager
async def greeted(listener: MailListener) -> AsyncIterator[Client]:
    async with connected(listener) as client:
        assert (await client.hear()).startswith("220 desk.test")
        yield client


# --- mails ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["lmtp", "smtp"])
async def test_a_mail_is_taken_with_its_envelope(intake: FakeIntake, protocol: Any) -> None:
    # Python's own client reads one answer to a mail, however many recipients it has.
    client, to = (smtplib.LMTP, [DESK]) if protocol == "lmtp" else (smtplib.SMTP, [DESK, "desk+tag@desk.test"])

    def hand_in(port: int) -> None:
        with client("127.0.0.1", port) as server:
            server.sendmail("a@example.org", to, LETTER)

    async with listening(intake, replace(DOOR, protocol=protocol)) as listener:
        await asyncio.to_thread(hand_in, listener.port)
    assert intake.mails == [Handed(content=LETTER, sender="a@example.org", recipients=tuple(to))]


async def test_by_lmtp_each_recipient_gets_an_answer(intake: FakeIntake) -> None:
    intake.fails.append(StoreUnavailable("away"))
    async with listening(intake) as listener, greeted(listener) as client:
        for answer in ("451 4.3.0", "250 2.0.0 Taken as 4711"):
            await client.begin(DESK, "desk+a@desk.test", "desk+b@desk.test")
            assert (await client.say(LETTER + b".\r\n")).startswith(answer)
            assert [(await client.hear())[:9] for _ in range(2)] == [answer[:9]] * 2
        assert (await client.say("NOOP")).startswith("250")
    assert len(intake.mails) == 1


async def test_by_smtp_a_mail_gets_one_answer(intake: FakeIntake) -> None:
    async with listening(intake, replace(DOOR, protocol="smtp")) as listener, greeted(listener) as client:
        await client.begin(DESK, "desk+a@desk.test", hello="EHLO")
        assert (await client.say(LETTER + b".\r\n")).startswith("250 ")
        assert (await client.say("QUIT")).startswith("221")


async def test_the_sender_of_a_bounce_is_empty(intake: FakeIntake) -> None:
    async with listening(intake) as listener, greeted(listener) as client:
        await client.begin(sender="")
        await client.say(LETTER + b".\r\n")
    assert intake.mails[0].sender == ""


async def test_commands_may_come_at_once(intake: FakeIntake) -> None:
    mail = f"MAIL FROM:<a@example.org>\r\nRCPT TO:<{DESK}>\r\nDATA\r\n".encode()
    async with listening(intake) as listener, greeted(listener) as client:
        assert "250-PIPELINING" in (await client.say("LHLO mx.example.org")).splitlines()
        client.send(mail + LETTER + b".\r\n" + mail + LETTER + b"2\r\n.\r\nQUIT\r\n")
        answers = [(await client.hear())[:3] for _ in range(9)]
    assert answers == ["250", "250", "354", "250", "250", "250", "354", "250", "221"]
    assert [one.content for one in intake.mails] == [LETTER, LETTER + b"2\r\n"]


async def test_names_and_texts_may_be_of_any_language(intake: FakeIntake) -> None:
    async with listening(intake) as listener, greeted(listener) as client:
        hello = await client.say("LHLO mx.example.org")
        assert {"250-8BITMIME", "250-SMTPUTF8"} <= set(hello.splitlines())
        await client.say("MAIL FROM:<王@例子.test> BODY=8BITMIME SMTPUTF8")
        await client.say(f"RCPT TO:<{DESK}>")
        await client.say("DATA")
        await client.say("Subject: 打印机\r\n\r\n坏了\r\n.")
    assert (intake.mails[0].sender, intake.mails[0].content.decode()) == (
        "王@例子.test",
        "Subject: 打印机\r\n\r\n坏了\r\n",
    )


async def test_null_bytes_long_lines_and_dots_come_as_they_are(intake: FakeIntake) -> None:
    content = b"a\x00b\r\n" + b"x" * 70_000 + b"\r\n..\r\n.. dots\r\n.\x00\r\nalone\r\n"
    async with listening(intake) as listener, greeted(listener) as client:
        await client.begin()
        client.send(b"a\x00b\r\n" + b"x" * 70_000 + b"\r\n...\r\n... dots\r\n..\x00\r\n.alone\r\n.\r\n")
        assert (await client.hear()).startswith("250")
        await client.begin()
        assert (await client.say(b".\r\n")).startswith("250")
    assert [one.content for one in intake.mails] == [content, b""]


# --- the end of a mail ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n", b"\r\n\x00.\r\n"])
async def test_nothing_but_the_right_end_ends_a_mail(intake: FakeIntake, end: bytes) -> None:
    within = f"MAIL FROM:<root@desk.test>\r\nRCPT TO:<{DESK}>\r\nDATA\r\nSubject: smuggled\r\n\r\nEvil\r\n".encode()
    async with listening(intake) as listener, greeted(listener) as client:
        await client.begin()
        client.send(b"Subject: first\r\n\r\nHello" + end + within + b".\r\n")
        assert (await client.hear()).startswith("250")
        assert (await client.say("QUIT")).startswith("221")
    (mail,) = intake.mails
    assert mail.sender == "a@example.org"
    assert mail.content.endswith(b"Evil\r\n")


@given(st.lists(st.sampled_from([b"\r", b"\n", b".", b"a", b"\r\n"]), max_size=40), st.data())
def test_a_mail_ends_at_the_same_place_however_it_is_cut_into_pieces(parts: list[bytes], data: st.DataObject) -> None:
    mail = b"".join(parts)
    stuffed = (b"\r\n" + mail).replace(b"\r\n.", b"\r\n..")[2:]
    whole = stuffed + (b"" if mail.endswith(b"\r\n") or not mail else b"\r\n") + b".\r\nRSET\r\n"
    arriving, at, rest = Arriving(), 0, None
    while rest is None:
        size = data.draw(st.integers(1, 7))
        rest = arriving.add(whole[at : at + size])
        at += size
    assert rest + whole[at:] == b"RSET\r\n"
    assert arriving.mail().removesuffix(b"\r\n") == mail.removesuffix(b"\r\n")


# --- what is refused --------------------------------------------------------------------------------------------


async def test_only_our_addresses_are_taken_and_nothing_is_passed_on(intake: FakeIntake) -> None:
    async with listening(intake, replace(DOOR, protocol="smtp")) as listener, greeted(listener) as client:
        await client.say("EHLO mx.example.org")
        await client.say("MAIL FROM:<a@example.org>")
        assert (await client.say("RCPT TO:<somebody@example.org>")).startswith("550 5.1.1 No such address.")
        assert (await client.say("RCPT TO:<somebody%example.org@other.test>")).startswith("550")
        assert (await client.say("DATA")).startswith("503")
    assert intake.mails == []


async def test_a_mail_that_is_too_large_is_refused_as_soon_as_that_is_known(intake: FakeIntake) -> None:
    async with listening(intake) as listener, greeted(listener) as client:
        assert "250-SIZE 100000" in (await client.say("LHLO mx.example.org")).splitlines()
        assert (await client.say("MAIL FROM:<a@example.org> SIZE=100001")).startswith("552")
        await client.begin(DESK, "desk+a@desk.test")
        client.send(b"x" * 60_000 + b"\r\n")
        client.send(b"x" * 60_000 + b"\r\n.\r\n")
        assert [(await client.hear())[:9] for _ in range(2)] == ["552 5.3.4"] * 2
        await client.begin()
        assert (await client.say(LETTER + b".\r\n")).startswith("250")
    assert len(intake.mails) == 1


async def test_too_many_mails_in_memory_are_put_off(intake: FakeIntake) -> None:
    async with listening(intake) as listener, greeted(listener) as client:
        listener.room.used = 4 * intake.largest
        await client.begin()
        assert (await client.say(LETTER + b".\r\n")).startswith("452 4.3.1")
        listener.room.used -= 4 * intake.largest
        await client.begin()
        assert (await client.say(LETTER + b".\r\n")).startswith("250")
        assert listener.room.used == 0


async def test_a_mail_that_is_too_large_takes_no_room_from_others(intake: FakeIntake) -> None:
    async with listening(intake) as listener, greeted(listener) as large, greeted(listener) as other:
        await large.begin()
        for _ in range(5):
            large.send(b"x" * intake.largest)
            await large.sent()
        await other.begin()
        assert (await other.say(LETTER + b".\r\n")).startswith("250")
        assert listener.room.used == 0
        assert (await large.say("\r\n.")).startswith("552")


async def test_a_long_address_is_taken_whoever_else_connects(intake: FakeIntake) -> None:
    async with listening(intake) as listener, greeted(listener) as client:
        await client.say("LHLO mx.example.org")
        async with greeted(listener):
            assert (await client.say(f"MAIL FROM:<{'a' * 600}@example.org>")).startswith("250")


async def test_more_recipients_than_may_be_come_with_another_mail(intake: FakeIntake) -> None:
    async with listening(intake, replace(DOOR, recipients=2)) as listener, greeted(listener) as client:
        await client.say("LHLO mx.example.org")
        await client.say("MAIL FROM:<a@example.org>")
        answers = [(await client.say(f"RCPT TO:<desk+{one}@desk.test>"))[:3] for one in range(3)]
    assert answers == ["250", "250", "452"]


async def test_what_we_trip_over_is_no_reason_to_refuse_a_mail(intake: FakeIntake) -> None:
    intake.fails.append(ZeroDivisionError("ours"))
    async with listening(intake) as listener, greeted(listener) as client:
        await client.begin()
        assert (await client.say(LETTER + b".\r\n")).startswith("451 4.3.0")
        assert (await client.say("RCPT TO:<" + "(" * 1900))[:1] in ("4", "5")
        assert (await client.say("NOOP")).startswith("250")


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\xff\xfe\x00\r\n",
        b"\r\n",
        b"MAIL\r\n",
        b"x" * 300_000 + b"\r\n",
        b"MAIL FROM:<\xff@\x00>\r\n",
        b"RCPT TO:<\r\n",
    ],
)
async def test_nonsense_is_answered_a_hundred_times_and_then_cut(intake: FakeIntake, nonsense: bytes) -> None:
    async with listening(intake) as listener, greeted(listener) as client:
        for _ in range(200):
            answer = await client.say(nonsense)
            if not answer or answer.startswith("421"):
                break
            assert answer[:3] in ("500", "501", "502", "503", "553")
        else:
            pytest.fail("it goes on for ever")
        async with greeted(listener) as other:
            await other.begin()
            assert (await other.say(LETTER + b".\r\n")).startswith("250")


# --- who may come -----------------------------------------------------------------------------------------------


async def test_too_many_connections_are_put_off_until_one_ends(intake: FakeIntake) -> None:
    async with listening(intake, replace(DOOR, connections=1)) as listener:
        async with greeted(listener), connected(listener) as second:
            assert (await second.hear()).startswith("421 4.3.2 Too many connections")
            assert "Too many connections" in await listener.look()
        async with asyncio.timeout(5):
            while await listener.look():
                await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("peer", "may"),
    [("10.1.2.3", True), ("::ffff:10.1.2.3", True), ("10.2.0.1", False), ("127.0.0.1", True), ("fe80::1%eth0", False)],
)
def test_only_named_networks_and_this_machine_may_come(intake: FakeIntake, peer: str, may: bool) -> None:
    door = replace(DOOR, host="0.0.0.0", networks=(ip_network("10.1.0.0/16"),))
    said = MailListener(door, intake).lets_in(Any, (peer, 4711))  # type: ignore[arg-type]
    assert said == ("" if may else "You may not hand in mails here.")


# --- slow ones --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", ["greeting", "command", "content"])
async def test_a_slow_client_is_cut_while_others_go_on(intake: FakeIntake, phase: str) -> None:
    door, before = replace(DOOR, timeout=timedelta(seconds=1)), refused("slow")
    async with listening(intake, door) as listener, greeted(listener) as slow:
        if phase == "content":
            await slow.begin()
        drop = asyncio.ensure_future(drip(slow)) if phase != "greeting" else None
        async with greeted(listener) as other:
            await other.begin()
            assert (await other.say(LETTER + b".\r\n")).startswith("250")
        assert (await slow.hear())[:9] in (["421 4.4.2", ""] if drop else ["421 4.4.2"])
        assert (await slow.hear(), refused("slow")) == ("", before + 1)
        if drop:
            drop.cancel()
    assert len(intake.mails) == 1


async def drip(client: Client) -> None:
    """A byte now and then, for ever."""
    while True:
        client.send(b"x")
        await asyncio.sleep(0.05)


async def test_who_does_not_read_our_answers_is_cut_as_well(intake: FakeIntake) -> None:
    async with listening(intake, replace(DOOR, timeout=timedelta(seconds=1))) as listener:
        assert listener._server is not None
        # The system itself would keep all of it for us.
        listener._server.sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
        deaf = socket.socket()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        deaf.setblocking(False)
        loop, slow = asyncio.get_running_loop(), refused("slow")
        await loop.sock_connect(deaf, ("127.0.0.1", listener.port))
        await loop.sock_sendall(deaf, b"HELP\r\n" * 1900)
        async with asyncio.timeout(10):
            while refused("slow") == slow or await is_open(deaf):
                await asyncio.sleep(0.02)
        deaf.close()


async def is_open(deaf: socket.socket) -> bool:
    try:
        await asyncio.get_running_loop().sock_sendall(deaf, b"\r\n")
    except ConnectionError:
        return False
    return True


def refused(reason: str) -> float:
    return REGISTRY.get_sample_value("responder_mail_refused_total", {"reason": reason}) or 0


async def test_the_time_of_the_store_is_not_the_clients(intake: FakeIntake) -> None:
    intake.gate.clear()
    async with listening(intake, replace(DOOR, timeout=timedelta(seconds=1))) as listener, greeted(listener) as client:
        await client.begin()
        client.send(LETTER + b".\r\n")
        await intake.waits.wait()
        async with greeted(listener) as idle:
            # Whoever came later and says nothing is cut first, so the time of the one who waits is over, too.
            assert (await idle.hear())[:9] == "421 4.4.2"
        intake.gate.set()
        assert (await client.hear()).startswith("250")


# --- the end of the service -------------------------------------------------------------------------------------


async def test_a_stop_ends_the_mail_in_hand_and_says_goodbye_to_the_others(intake: FakeIntake) -> None:
    intake.gate.clear()
    listener = MailListener(DOOR, intake)
    await listener.open()
    async with greeted(listener) as busy, greeted(listener) as idle:
        await busy.begin()
        busy.send(LETTER + b".\r\n")
        await intake.waits.wait()
        closing = asyncio.ensure_future(listener.close())
        assert (await idle.hear()).startswith("421 4.3.2")
        intake.gate.set()
        assert (await busy.hear()).startswith("250")
        await closing
        assert not (await busy.hear()).startswith("2")
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", listener.port)
    assert len(intake.mails) == 1


async def test_who_goes_away_before_the_answer_leaves_the_mail_with_us(intake: FakeIntake) -> None:
    intake.gate.clear()
    listener = MailListener(DOOR, intake)
    await listener.open()
    async with connected(listener) as client:
        await client.hear()
        await client.begin()
        client.send(LETTER + b".\r\n")
        await intake.waits.wait()
        client.abort()
    closing = asyncio.ensure_future(listener.close())
    done, _ = await asyncio.wait([closing], timeout=0.5)
    assert not done
    intake.gate.set()
    await closing
    assert len(intake.mails) == 1


async def test_who_has_said_all_and_only_listens_gets_the_answer(intake: FakeIntake) -> None:
    async with listening(intake, replace(DOOR, protocol="smtp")) as listener, greeted(listener) as client:
        await client.begin(hello="EHLO")
        client.send(LETTER + b".\r\nQUIT\r\n")
        client.end()
        assert [(await client.hear())[:3] for _ in range(3)] == ["250", "221", ""]
    assert len(intake.mails) == 1


@pytest.mark.parametrize("last", [b"", b"NOO", b"x" * 200_000, b"DATA\r\nhalf a mail"])
async def test_who_ends_in_the_middle_is_gone(intake: FakeIntake, last: bytes) -> None:
    async with listening(intake) as listener, greeted(listener) as client:
        await client.say("LHLO mx.example.org")
        await client.say("MAIL FROM:<a@example.org>")
        await client.say(f"RCPT TO:<{DESK}>")
        client.send(last)
        client.end()
        assert await client.hear() in ("", "354 End the mail with <CR><LF>.<CR><LF>")
        assert await client.hear() == ""
    assert (intake.mails, listener.room.used) == ([], 0)


async def test_half_a_mail_is_none(intake: FakeIntake) -> None:
    async with listening(intake) as listener:
        async with greeted(listener) as client:
            await client.begin()
            client.send(LETTER)
        async with greeted(listener) as client:
            await client.say("LHLO mx.example.org")
    assert (intake.mails, listener.room.used) == ([], 0)


# --- where it listens -------------------------------------------------------------------------------------------


async def test_a_port_that_is_taken_is_told(intake: FakeIntake) -> None:
    async with listening(intake) as first:
        with pytest.raises(ListenFailed, match="another service listens there"):
            await MailListener(replace(DOOR, port=first.port), intake).open()


@pytest.fixture
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a short name, as the names of sockets are."""
    return tmp_path_factory.mktemp("s")


async def test_a_socket_file_has_its_mode_and_goes_with_the_service(intake: FakeIntake, short: Path) -> None:
    path = short / "lmtp"
    door = replace(DOOR, socket=path, mode=0o620)
    async with listening(intake, door):
        assert stat.S_IMODE(path.stat().st_mode) == 0o620
        with pytest.raises(ListenFailed, match="another service listens there"):
            await MailListener(door, intake).open()
        await asyncio.to_thread(lambda: smtplib.LMTP(str(path)).sendmail("a@example.org", [DESK], LETTER))
    assert (len(intake.mails), path.exists()) == (1, False)


async def test_a_socket_file_left_by_a_crash_is_replaced_and_another_file_is_not(
    intake: FakeIntake, short: Path
) -> None:
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(short / "lmtp"))
    left.close()
    async with listening(intake, replace(DOOR, socket=short / "lmtp")) as listener:
        assert await listener.look() == ""
    (short / "file").write_text("precious")
    with pytest.raises(ListenFailed, match="a file is in the way"):
        await MailListener(replace(DOOR, socket=short / "file"), intake).open()
    assert (short / "file").read_text() == "precious"
    with pytest.raises(ListenFailed, match="its folder is not there"):
        await MailListener(replace(DOOR, socket=short / "none" / "lmtp"), intake).open()


async def test_a_socket_file_that_somebody_removes_is_there_again_after_the_next_look(
    intake: FakeIntake, short: Path
) -> None:
    path = short / "lmtp"
    async with listening(intake, replace(DOOR, socket=path)) as listener:
        path.unlink()
        assert await listener.look() == ""
        await asyncio.to_thread(lambda: smtplib.LMTP(str(path)).sendmail("a@example.org", [DESK], LETTER))
        path.unlink()
        path.write_text("in the way")
        assert "a file is in the way" in await listener.look()
    assert path.read_text() == "in the way"
