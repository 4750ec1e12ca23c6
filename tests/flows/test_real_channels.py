"""Pages through real providers, of which one is broken in every way that they break: the others get through in time."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from responder.adapters.notifier import Notifier
from responder.app import work_for
from responder.flows import handle
from responder.flows.deliver import deliver
from responder.store.database import Database
from responder.store.jobs import Job
from responder.worker.local import LocalWorker
from tests.servers.mail import MailSink
from tests.servers.ports import free_port
from tests.world import World, alert, texts

BROKEN = ("slow", "answers 500", "answers 404", "drops", "hangs", "is not there", "hears it twice")
_PATIENCE = 25.0


class Provider:
    """An HTTP provider on a port of its own that behaves as `how` says."""

    def __init__(self, how: str = "well") -> None:
        self.how = how
        self.heard: list[str] = []
        self.over = threading.Event()
        self.asked = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._server.block_on_close = False
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def address(self, name: str) -> str:
        port = free_port() if self.how == "is not there" else self._server.server_address[1]
        return f"json://127.0.0.1:{port}/pages/{name}?cto=2&rto=2"

    def close(self) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()


def _handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            provider.asked.set()
            if provider.how == "hangs":
                provider.over.wait()
            elif provider.how == "drops":
                self.connection.shutdown(socket.SHUT_RDWR)
            else:
                self._answer(content["title"])

        def _answer(self, title: str) -> None:
            status = {"answers 500": 500, "answers 404": 404}.get(provider.how, 200)
            if provider.how == "slow":
                provider.over.wait(1)
            if status == 200:
                provider.heard += [title] * (2 if provider.how == "hears it twice" else 1)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 named by the base class
            """What was heard is told by whoever looks."""

    return Handler


@pytest.fixture
def good() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.close()


def real(tmp_path: Path, database: Database, people: str) -> World:
    world = World(tmp_path, database, people=people)
    world.desk.notifier = Notifier()
    return world


async def until_heard(world: World, heard: list[str], count: int = 1) -> None:
    """Works until so many messages have arrived, whatever else hangs meanwhile."""
    worker = LocalWorker(world.database, work_for(world.desk), world.clock, patience=timedelta())
    await worker.start()
    started = time.monotonic()
    while len(heard) < count:
        assert time.monotonic() - started < _PATIENCE, f"only {len(heard)} arrived"
        await world.read(lambda tx: tx.jobs.waiting(world.clock.now()))
    await worker.stop()


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """Threads and sockets are what is proved here: one kind of database is enough."""
    return f"sqlite:///{tmp_path / 'responder.db'}"


@pytest.mark.parametrize("how", BROKEN)
async def test_with_any_one_provider_broken_the_page_gets_out_on_the_others(
    tmp_path: Path, database: Database, good: Provider, how: str
) -> None:
    bad = Provider(how)
    people = f"""
people:
  - name: mei
    channels: [{{name: bad, url: "{bad.address("mei")}"}}, {{name: good, url: "{good.address("mei")}"}}]
teams: [{{name: ops, tiers: {{1: [mei]}}}}]
"""
    world = real(tmp_path, database, people)
    await world.post(*(alert("DiskFull", severity="warning", instance=f"n{n}") for n in range(5)))
    await until_heard(world, good.heard, 5)
    world.desk.notifier.close()
    bad.close()
    assert len(set(good.heard)) == 5


async def test_forty_pages_that_hang_hold_up_no_page_of_another_provider(
    tmp_path: Path, database: Database, good: Provider
) -> None:
    bad = Provider("hangs")
    channels = ", ".join(f'{{name: bad-{n}, url: "{bad.address(str(n))}"}}' for n in range(20))
    people = f"""
people:
  - {{name: mei, channels: [{channels}]}}
  - {{name: lars, channels: [{{name: good, url: "{good.address("lars")}"}}]}}
teams: [{{name: ops, tiers: {{1: [mei], 2: [lars]}}}}]
"""
    world = real(tmp_path, database, people)
    await world.post(alert("DiskFull", severity="error"), alert("DiskFull", severity="error", instance="n2"))
    await until_heard(world, good.heard, 2)
    world.desk.notifier.close()
    bad.close()


async def test_a_mail_server_that_refuses_brings_the_next_channel_at_once(
    tmp_path: Path, database: Database, good: Provider
) -> None:
    with MailSink() as mail:
        mail.answer = b"550 5.1.1 no such user"
        people = f"""
people:
  - name: mei
    channels: [{{name: mail, url: "{mail.address}"}}, {{name: phone, url: "{good.address("mei")}"}}]
    contact: [{{channels: [mail]}}, {{after: 1h, channels: [phone]}}]
teams: [{{name: ops, tiers: {{1: [mei]}}}}]
"""
        world = real(tmp_path, database, people)
        await world.post(alert("DiskFull", severity="warning"))
        await world.work()
    assert len(good.heard) == 1
    assert "Could not tell mei by mail: mailto did not take the message: the mail server answered 550." in texts(
        await world.ticket()
    )
    world.desk.notifier.close()


async def test_an_orderly_stop_in_the_middle_of_a_send_does_not_page_twice(tmp_path: Path, database: Database) -> None:
    slow = Provider("slow")
    people = f"""
people: [{{name: mei, channels: [{{name: phone, url: "{slow.address("mei")}"}}]}}]
teams: [{{name: ops, tiers: {{1: [mei]}}}}]
"""
    world = real(tmp_path, database, people)
    await world.post(alert("DiskFull", severity="warning"))
    worker = LocalWorker(database, work_for(world.desk), world.clock)
    await worker.start()
    assert await asyncio.to_thread(slow.asked.wait, _PATIENCE)
    await worker.stop()
    await world.work()
    assert len(slow.heard) == 1
    assert (await world.ticket())["messages"][0]["state"] == "sent"
    world.desk.notifier.close()
    slow.close()


async def test_no_page_leaves_after_an_acknowledgement_that_was_committed_before(
    tmp_path: Path, database: Database, good: Provider
) -> None:
    people = f"""
people: [{{name: mei, channels: [{{name: phone, url: "{good.address("mei")}"}}]}}]
teams: [{{name: ops, tiers: {{1: [mei]}}}}]
"""
    world = real(tmp_path, database, people)
    await world.post(alert("DiskFull", severity="warning"))

    async def not_before_it_is_acknowledged(job: Job) -> None:
        await handle.acknowledge(world.desk, "1", "mei")
        await deliver(world.desk, job)

    await world.work(deliver=not_before_it_is_acknowledged)
    assert good.heard == []
    assert (await world.ticket())["messages"][0]["state"] == "overtaken"
    world.desk.notifier.close()
