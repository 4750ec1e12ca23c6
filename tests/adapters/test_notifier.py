"""Messages through apprise: which addresses are taken, and what becomes of a send."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from aiohttp import web

from responder.adapters.notifier import Notifier, Secret, objection_to
from responder.errors import SendFailed
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
    notifier = Notifier(timeout=timedelta(milliseconds=300), threads_per_scheme=1)
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
