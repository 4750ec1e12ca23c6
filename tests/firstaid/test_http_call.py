"""`http`: expected values in JSON, and calls that change something."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import ValidationError

from responder.adapters.http_client import HttpClient
from responder.domain.acts import Command, Fetch, Page, Query, Request
from responder.domain.runbook import RunOutcome, StepSpec
from responder.domain.target import Target
from responder.errors import HostUnreachable, QueryFailed
from responder.firstaid.engine import Engine
from responder.firstaid.plan import from_snapshot, snapshot
from responder.firstaid.ports import Ended
from tests.fakes import (
    SECOND,
    Crash,
    CrashPlan,
    Disk,
    FakeClock,
    FakeHands,
    FakeHost,
    MemoryJournal,
    a_runbook,
)
from tests.firstaid.test_steps import a_moment, a_step, failure, plan, waits_until
from tests.servers.ports import free_port

URL, STATE = "http://lb/nodes/web-1", "http://lb/nodes/web-1/state"
CALL = a_step("http", url=URL, method="PUT", body="drain", check=STATE, json={"state": "drained"}, within="10s")
OTHER = {"status": 200, "contains": True, "wrong": 'state is "up"'}


# --- JSON ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "text", "wrong"),
    [
        ({"state": "up"}, '{"state": "up"}', ""),
        ({"state": "up"}, '{"state": "down"}', 'state is "down"'),
        ({"state": "up"}, '{"State": "up"}', "state is absent"),
        ({"nodes.1.state": "up"}, '{"nodes": [{}, {"state": "up"}]}', ""),
        ({"nodes.2.state": "up"}, '{"nodes": [{}, {"state": "up"}]}', "nodes.2.state is absent"),
        ({"ok": True}, '{"ok": true}', ""),
        ({"ok": True}, '{"ok": 1}', "ok is 1"),
        ({"ok": 1}, '{"ok": true}', "ok is true"),
        ({"ok": "true"}, '{"ok": true}', ""),
        ({"port": "8080"}, '{"port": 8080}', ""),
        ({"port": 8080}, '{"port": "8080"}', 'port is "8080"'),
        ({"lag": 0.5}, '{"lag": 0.5}', ""),
        ({"x": None}, '{"x": null}', ""),
        ({"x": None}, "{}", "x is absent"),
        ({"x": 1, "y": 2}, '{"x": 2, "y": 2}', "x is 2"),
        ({"x": 1}, "<html>", "that is no JSON"),
        ({"x": 1}, "[1]", "x is absent"),
        ({"0": 1}, "[1]", ""),
    ],
)
def test_values_are_found_at_their_paths(wanted: dict[str, object], text: str, wrong: str) -> None:
    step = a_step("http", url="http://web-1/", json=wanted)
    seen = step.read(Page(status=200, text=text))
    assert seen["wrong"] == wrong
    assert (plan(step, seen, a_moment()) == ()) is (not wrong)


def test_a_wrong_value_is_waited_for_and_then_named() -> None:
    step = a_step("http", url="http://web-1/", json={"state": "up", "n": 3}, within="10s")
    seen = step.read(Page(status=200, text='{"state": "down", "n": 3}'))
    assert waits_until(plan(step, seen, a_moment(9))) == 11
    assert failure(plan(step, seen, a_moment(10))) == (
        'expected http://web-1/ to answer 200 with state "up", n 3 within 10s, but it answered 200: state is "down"'
    )


# --- calls -----------------------------------------------------------------------------------------


def test_a_call_looks_with_its_check_and_is_made_when_that_is_not_as_wanted() -> None:
    assert CALL.look() == Fetch(url=STATE, timeout=5 * SECOND)
    assert plan(CALL, {"status": 200, "contains": True, "wrong": ""}, a_moment()) == ()
    assert plan(CALL, OTHER, a_moment()) == (
        Request(url=URL, method="PUT", body="drain", timeout=5 * SECOND, label="call"),
    )


def test_a_call_is_made_where_the_check_cannot_be_asked() -> None:
    assert isinstance(plan(CALL, {"error": "nothing answers"}, a_moment())[0], Request)


def test_after_a_call_the_check_has_its_time_from_then_on() -> None:
    assert waits_until(plan(CALL, OTHER, a_moment(15, acted=6))) == 17
    assert failure(plan(CALL, OTHER, a_moment(16, acted=6))) == (
        f'expected {STATE} to answer 200 with state "drained" within 10s, but it answered 200: state is "up"'
    )


def test_a_call_without_a_check_is_made_once() -> None:
    step = a_step("http", url=URL, method="POST", once="because", headers={"X-Why": "a"}, expect=[201])
    assert step.look() is None
    (act,) = plan(step, {}, a_moment())
    assert isinstance(act, Request)
    assert (act.headers, act.expect, act.repeatable) == ({"X-Why": "a"}, (201,), False)
    assert plan(step, {}, a_moment(1, acted=1)) == ()


def test_the_secret_is_named_and_not_written() -> None:
    step = a_step("http", url=URL, method="POST", check=STATE, credential_file="/etc/responder/lb.token")
    (act,) = plan(step, {"status": 500}, a_moment())
    assert isinstance(act, Request)
    assert act.credential_file == "/etc/responder/lb.token"
    assert step.look() == Fetch(url=STATE, timeout=5 * SECOND, credential_file="/etc/responder/lb.token")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"method": "POST"}, "give either check"),
        ({"method": "POST", "check": STATE, "once": "because"}, "give either check"),
        ({"method": "BREW", "once": "because"}, "GET"),
        ({"check": STATE}, "check: belong to a method"),
        ({"body": "x", "headers": {"A": "b"}}, "body, headers: belong to a method"),
        ({"method": "POST", "once": "because", "status": 200}, "once: has no such look"),
        ({"method": "POST", "once": "because", "json": {"a": 1}}, "once: has no such look"),
        ({"method": "POST", "once": "because", "headers": {"A": "b\r\nX: y"}}, "must be one line"),
        ({"method": "POST", "once": "because", "headers": {"A": "b\0"}}, "must be one line"),
        ({"method": "POST", "once": "because", "headers": {"A b": "c"}}, "no header that can be given"),
        ({"method": "POST", "once": "because", "headers": {"A\n": "c"}}, "no header that can be given"),
        ({"method": "POST", "once": "because", "headers": {"Content-Length": "0"}}, "no header that can be given"),
        ({"method": "POST", "once": "because", "headers": {"authorization": "x"}}, "is a secret"),
        ({"credential_file": "token"}, "a whole path"),
        ({"credential_file": "/etc/{{ name }}"}, "written out"),
        ({"url": "http://web-1/a b"}, "one word"),
        ({"url": "http://web-1/a\r\nX: y"}, "one word"),
        ({"url": "http://me:secret@web-1/"}, "holds a password"),
        ({"method": "POST", "check": "ftp://web-1/"}, "http:// or https://"),
        ({"method": "POST", "once": "because", "expect": [99]}, "greater than or equal to 100"),
    ],
)
def test_calls_that_cannot_be_made_safe_are_refused(settings: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        a_step("http", **{"url": URL, **settings})


# --- through the engine ----------------------------------------------------------------------------


def an_engine(host: Any, settings: dict[str, Any], disk: Disk, crash: CrashPlan | None = None) -> Engine:
    spec = StepSpec(name="call", kind="http", settings=settings)
    clock = FakeClock(datetime.now(UTC))
    return Engine(
        plan=from_snapshot(snapshot(a_runbook([spec]), {}, Target(name="web-1", address="192.0.2.1"))),
        target="web-1",
        hands=host if not isinstance(host, FakeHost) else FakeHands(host, crash),
        journal=MemoryJournal(clock, disk, crash),
        clock=clock,
        started_at=clock.now(),
    )


async def test_a_call_that_may_have_been_received_before_a_crash_is_not_made_again() -> None:
    host = FakeHost(pages={URL: Page(status=204)})
    settings, disk, crash = {"url": URL, "method": "POST", "once": "because"}, Disk(), CrashPlan()
    crash.at = 99
    probe = CrashPlan()
    await an_engine(FakeHost(pages=host.pages), settings, Disk(), probe).run()
    crash.at = probe.places.index("after a request is answered") + 1
    with pytest.raises(Crash):
        await an_engine(host, settings, disk, crash).run()
    ended = await an_engine(host, settings, disk).run()
    assert isinstance(ended, Ended)
    assert ended.outcome is RunOutcome.UNKNOWN
    assert len(host.requests) == 1


@dataclass
class LoadBalancer:
    """A real server with a state that a PUT changes."""

    state: str = "up"
    heard: list[tuple[str, str, str]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.text()
        self.heard.append((request.method, request.headers.get("Authorization", ""), body))
        if request.method == "PUT":
            self.state = body
            return web.Response(status=202)
        return web.json_response({"state": self.state})


@dataclass
class Web:
    """Hands without hosts."""

    client: HttpClient

    async def run(self, host: str, command: Command) -> Any:
        raise AssertionError("no command belongs to this step")

    async def query(self, query: Query) -> Any:
        return await self.client.query(query)

    async def fetch(self, fetch: Fetch) -> Page:
        return await self.client.fetch(fetch)

    async def send(self, request: Request) -> Page:
        return await self.client.send(request)


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    made = HttpClient()
    yield made
    await made.close()


async def test_a_real_server_is_called_with_the_secret_and_proves_it(client: HttpClient, tmp_path: Path) -> None:
    balancer = LoadBalancer()
    app = web.Application()
    app.router.add_route("*", "/state", balancer.answer)
    secret = tmp_path / "token"
    secret.write_text("Bearer abc\n")
    async with TestServer(app) as server:
        url = str(server.make_url("/state"))
        settings = {"url": url, "method": "PUT", "body": "drained", "check": url, "json": {"state": "drained"}}
        disk = Disk()
        ended = await an_engine(Web(client), {**settings, "credential_file": str(secret)}, disk).run()
    assert isinstance(ended, Ended)
    assert ended.outcome is RunOutcome.HELPED
    assert balancer.heard == [
        ("GET", "Bearer abc", ""),
        ("PUT", "Bearer abc", "drained"),
        ("GET", "Bearer abc", ""),
    ]
    assert "abc" not in repr(disk)


async def test_a_call_that_reached_nobody_failed_and_is_in_no_doubt(client: HttpClient) -> None:
    url = f"http://127.0.0.1:{free_port()}/"
    for body in ("", "x"):
        with pytest.raises(HostUnreachable):
            await client.send(Request(url=url, method="DELETE", body=body))
    disk = Disk()
    ended = await an_engine(Web(client), {"url": url, "method": "DELETE", "once": "because"}, disk).run()
    assert isinstance(ended, Ended)
    assert ended.outcome is RunOutcome.FAILED


async def test_a_question_that_reached_nobody_is_a_question_without_an_answer() -> None:
    port = free_port()
    client = HttpClient(f"http://127.0.0.1:{port}")
    try:
        with pytest.raises(QueryFailed, match="cannot be reached"):
            await client.query(Query(promql="up"))
        with pytest.raises(QueryFailed, match="cannot be reached"):
            await client.fetch(Fetch(url=f"http://127.0.0.1:{port}/"))
    finally:
        await client.close()
