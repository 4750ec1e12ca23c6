"""Messages through apprise: which addresses are taken, and what becomes of a send."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from aiohttp import web

from responder.adapters.notifier import Notifier, Secret, objection_to, provider_of
from responder.errors import SendFailed, SendRefused
from tests.servers.mail import MailSink
from tests.servers.ports import free_port


@pytest.mark.parametrize(
    "address",
    [
        "json://127.0.0.1:1/x",
        "ntfy://topic",
        "mailtos://user:password@example.org",
        "mailto://mail:1025/?from=a@example.org&to=b@example.org",
        "slack://TokenA/TokenB/TokenC/#channel",
        "tgram://123456789:abcdefg_hijklmnop/12315544/",
        "wecombot://botkey123",
        "dingtalk://accesstoken/15900000000",
    ],
)
def test_the_channels_that_people_use_are_taken(address: str) -> None:
    assert objection_to(address) == ""


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("pager", "no scheme"),
        ("carrier-pigeon://home", "knows no channel carrier-pigeon://"),
        ("tgram://bad", "does not understand the rest"),
        ("syslog://", "acts on this machine only"),
        ("gnome://", "acts on this machine only"),
    ],
)
def test_what_reaches_nobody_is_refused_without_showing_the_address(address: str, why: str) -> None:
    assert why in objection_to(address)
    assert "home" not in objection_to(address)


def test_only_the_channels_in_use_are_loaded() -> None:
    program = (
        "import sys; from responder.adapters.notifier import objection_to; assert objection_to('json://h/x') == '';"
        "print(sum(name.startswith('apprise.plugins.') for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 10


def test_a_secret_never_shows_itself() -> None:
    assert "hunter2" not in f"{Secret('hunter2')} {Secret('hunter2')!r}"


class Sink:
    """An HTTP channel that answers as a test wants."""

    def __init__(self) -> None:
        self.port = free_port()
        self.status = 200
        self.gate: asyncio.Event | None = None
        self.taken: list[dict[str, str]] = []

    async def take(self, request: web.Request) -> web.Response:
        if self.gate is not None:
            await self.gate.wait()
        self.taken.append(await request.json())
        return web.Response(status=self.status)

    def address(self, port: int | None = None) -> Secret:
        return Secret(f"json://127.0.0.1:{port or self.port}/pages?rto=5&cto=5")


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    made = Sink()
    application = web.Application()
    application.add_routes([web.post("/pages", made.take)])
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", made.port).start()
    yield made
    if made.gate is not None:
        made.gate.set()
    await runner.cleanup()


async def test_a_message_arrives_with_its_subject_and_its_text(sink: Sink) -> None:
    notifier = Notifier()
    await notifier.send(sink.address(), "[P1] 你好", "line one\nline two")
    notifier.close()
    assert (sink.taken[0]["title"], sink.taken[0]["message"]) == ("[P1] 你好", "line one\nline two")


async def test_a_channel_that_answers_500_or_is_not_there_has_failed(sink: Sink) -> None:
    notifier = Notifier()
    sink.status = 500
    with pytest.raises(SendFailed, match="did not take"):
        await notifier.send(sink.address(), "s", "b")
    with pytest.raises(SendFailed, match="did not take"):
        await notifier.send(sink.address(free_port()), "s", "b")
    notifier.close()


async def test_a_channel_that_hangs_fails_in_time_and_holds_up_no_other_scheme(sink: Sink) -> None:
    sink.gate = asyncio.Event()
    notifier = Notifier(timeout=timedelta(milliseconds=300), threads_per_provider=1)
    hanging = [asyncio.create_task(notifier.send(sink.address(), "s", "b")) for _ in range(3)]
    with pytest.raises(SendFailed):
        await notifier.send(Secret(f"form://127.0.0.1:{free_port()}/x"), "s", "b")
    answers = await asyncio.gather(*hanging, return_exceptions=True)
    assert [str(answer) for answer in answers] == [
        "json gave no answer within 0 s.",
        "json gave no answer within 0 s.",
        "json is still busy with earlier messages.",
    ]
    sink.gate.set()
    notifier.close()


@pytest.mark.parametrize(("status", "is_final"), [(404, True), (401, True), (410, True), (429, False), (408, False)])
async def test_an_answer_that_will_always_be_the_same_is_a_refusal(sink: Sink, status: int, *, is_final: bool) -> None:
    notifier = Notifier()
    sink.status = status
    with pytest.raises(SendFailed, match=f"json did not take the message: it answered {status}.") as raised:
        await notifier.send(sink.address(), "s", "b")
    assert isinstance(raised.value, SendRefused) == is_final
    notifier.close()


async def test_a_host_that_hangs_holds_up_no_other_host_of_its_scheme(sink: Sink) -> None:
    sink.gate = asyncio.Event()
    notifier = Notifier(timeout=timedelta(milliseconds=300), threads_per_provider=1)
    hanging = [asyncio.create_task(notifier.send(sink.address(), "s", "b")) for _ in range(3)]
    with pytest.raises(SendFailed, match="did not take the message"):
        await notifier.send(sink.address(free_port()), "s", "b")
    await asyncio.gather(*hanging, return_exceptions=True)
    sink.gate.set()
    notifier.close()


async def test_many_sends_that_hang_take_nothing_from_a_channel_that_works(sink: Sink) -> None:
    notifier = Notifier(timeout=timedelta(seconds=20))
    with MailSink() as first, MailSink() as second, MailSink() as third:
        for one in (first, second, third):
            one.hangs = True
        # More than twelve, so that no pool of a common size is left with a place.
        addresses = [Secret(one.address) for one in (first, second, third) for _ in range(8)]
        hanging = [asyncio.create_task(notifier.send(address, "s", "b")) for address in addresses]
        await asyncio.sleep(0)
        async with asyncio.timeout(10):
            await notifier.send(sink.address(), "s", "gets through")
    assert sink.taken[0]["message"] == "gets through"
    await asyncio.gather(*hanging, return_exceptions=True)
    notifier.close()


def threads() -> int:
    return sum(one.name.startswith("notify-json") for one in threading.enumerate())


async def test_readers_whose_contact_is_the_host_do_not_each_keep_threads() -> None:
    notifier, port = Notifier(most_providers=2), free_port()
    for reader in range(20):
        with pytest.raises(SendFailed):
            await notifier.send(Secret(f"json://127.0.0.{reader + 1}:{port}/x"), "s", "b")
    # A thread that was told to end needs a moment for it.
    for _ in range(500):
        if threads() <= 2:
            break
        await asyncio.sleep(0.01)
    assert threads() <= 2
    notifier.close()


async def test_of_too_many_providers_that_hang_the_next_has_the_threads_that_its_scheme_shares(sink: Sink) -> None:
    sink.gate = asyncio.Event()
    notifier = Notifier(most_providers=1)
    hanging = asyncio.create_task(notifier.send(sink.address(), "s", "hangs"))
    await asyncio.sleep(0)
    others = [Secret(f"json://127.0.0.{last}:{free_port()}/x") for last in range(2, 6)]
    answers = await asyncio.gather(*(notifier.send(one, "s", "b") for one in others), return_exceptions=True)
    assert [type(answer) for answer in answers] == [SendFailed] * 4
    sink.gate.set()
    await hanging
    assert [one["message"] for one in sink.taken] == ["hangs"]
    notifier.close()


@pytest.mark.parametrize(
    ("address", "provider"),
    [
        ("json://127.0.0.1:80/x?rto=5", "json://127.0.0.1:80"),
        ("mailtos://me:secret@Example.org/?to=a@b.c", "mailtos://example.org"),
        ("ntfy://topic", "ntfy://topic"),
    ],
)
def test_a_provider_is_named_without_what_is_secret(address: str, provider: str) -> None:
    assert provider_of(address) == provider


async def test_mail_arrives_and_what_the_mail_server_refuses_is_told_with_its_answer() -> None:
    notifier = Notifier()
    with MailSink() as mail:
        await notifier.send(Secret(mail.address), "[P1] 你好", "line one")
        assert "line one" in mail.letters[0]

        mail.answer = b"450 4.2.1 try again"
        with pytest.raises(SendFailed, match="the mail server answered 450") as passing:
            await notifier.send(Secret(mail.address), "s", "b")
        assert not isinstance(passing.value, SendRefused)

        mail.answer = b"550 5.1.1 no such user"
        with pytest.raises(SendRefused, match="the mail server answered 550"):
            await notifier.send(Secret(mail.address), "s", "b")
    notifier.close()


async def test_mail_that_is_accepted_and_dropped_is_taken_and_a_server_that_hangs_is_not() -> None:
    notifier = Notifier(timeout=timedelta(milliseconds=300))
    with MailSink() as mail:
        mail.hangs = True
        with pytest.raises(SendFailed, match="no answer within"):
            await notifier.send(Secret(mail.address), "s", "b")
    notifier.close()
