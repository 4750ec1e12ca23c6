"""The event stream: who listens hears of each commit, of what was missed, and of the end."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import orjson
import pytest
from aiohttp import ClientResponse

from responder.domain.access import Role
from responder.domain.topics import EVERYTHING, is_topic
from responder.flows.accounts import Wanted, change_account, end_sessions
from responder.web.changes import HUB, Full, FullForOne, Hub
from responder.web.rendering import TEMPLATES
from tests.web.conftest import Client, cookie, header
from tests.world import World

ALERT = {
    "status": "firing",
    "labels": {"alertname": "DiskFull", "instance": "web-1"},
    "startsAt": "2026-01-01T00:00:00Z",
}


@dataclass(kw_only=True)
class Event:
    name: str = ""
    number: str = ""
    content: dict[str, Any] = field(default_factory=dict)

    @property
    def topics(self) -> set[str]:
        return set(self.content["topics"])


async def _next(answer: ClientResponse) -> Event:
    """The next event; one without a name when there are no more."""
    event = Event()
    async with asyncio.timeout(10):
        while line := (await answer.content.readline()).decode():
            name, _, value = line.rstrip("\n").partition(": ")
            if name == "event":
                event.name = value
            elif name == "id":
                event.number = value
            elif name == "data":
                event.content = orjson.loads(value)
            elif not name and event.name:
                return event
    return Event()


@asynccontextmanager
async def _listening(
    client: Client, reader: dict[str, str], query: str = "", **more: str
) -> AsyncIterator[ClientResponse]:
    async with client.get(f"/api/v1/events{query}", headers={**reader, **more}) as answer:
        assert answer.status == 200, await answer.text()
        assert (await _next(answer)).name == "ready"
        yield answer


@pytest.fixture
async def reader(world: World) -> dict[str, str]:
    return await header(world, "read")


def _hub(client: Client) -> Hub:
    return client.app[HUB]


async def _moved_on(hub: Hub, position: str) -> None:
    """Waits until the hub has told of something."""
    async with asyncio.timeout(10):
        while hub.position == position:
            await asyncio.sleep(0)


async def test_a_commit_is_told_to_who_listens(client: Client, world: World, reader: dict[str, str]) -> None:
    async with _listening(client, reader) as answer:
        await world.post(ALERT)
        event = await _next(answer)
    assert event.name == "changed"
    assert {"tickets", "ticket:1"} <= event.topics
    assert event.content["at"] == world.clock.now().isoformat().replace("+00:00", "Z")
    assert answer.content_type == "text/event-stream"
    assert (answer.headers["Cache-Control"], answer.headers["X-Accel-Buffering"]) == ("no-store", "no")


async def test_only_the_topics_that_were_asked_for_are_told(
    client: Client, world: World, reader: dict[str, str]
) -> None:
    async with _listening(client, reader, "?topics=ticket:2,ticket:7") as answer:
        await world.post(ALERT)
        await world.post({**ALERT, "labels": {"alertname": "DiskFull", "instance": "web-2"}})
        event = await _next(answer)
    assert event.topics == {"ticket:2"}


@pytest.mark.parametrize("topics", ["cats", "ticket:x", "everything", ",".join(f"ticket:{one}" for one in range(101))])
async def test_what_is_no_topic_is_refused_by_name(client: Client, reader: dict[str, str], topics: str) -> None:
    answer = await client.get("/api/v1/events", params={"topics": topics}, headers=reader)
    assert answer.status == 422
    assert "topic" in (await answer.json())["detail"]


async def test_nobody_waits_for_the_head_of_what_never_ends(client: Client, reader: dict[str, str]) -> None:
    assert (await client.head("/api/v1/events", headers=reader)).status == 405


async def test_nobody_listens_without_a_credential(client: Client, world: World) -> None:
    assert (await client.get("/api/v1/events")).status == 401
    assert (await client.get("/api/v1/events", headers=await header(world, "ingest"))).status in (401, 403)


async def test_who_comes_back_is_told_what_it_missed(client: Client, world: World, reader: dict[str, str]) -> None:
    async with _listening(client, reader) as answer:
        await world.post(ALERT)
        seen = await _next(answer)
    await world.post({**ALERT, "labels": {"alertname": "DiskFull", "instance": "web-2"}})
    await _moved_on(_hub(client), seen.number)
    async with _listening(client, reader, **{"Last-Event-ID": seen.number}) as answer:
        missed = await _next(answer)
    assert {"ticket:2", "tickets"} <= missed.topics
    assert "ticket:1" not in missed.topics
    async with _listening(client, reader, f"?after={missed.number}") as answer:
        await world.post({**ALERT, "labels": {"alertname": "DiskFull", "instance": "web-3"}})
        assert "ticket:3" in (await _next(answer)).topics


@pytest.mark.parametrize("seen", ["00000000-0", "another process", "-", "x-٣", "x-99999999999999999999"])
async def test_who_comes_from_before_a_restart_is_told_that_everything_may_have_changed(
    client: Client, world: World, reader: dict[str, str], seen: str
) -> None:
    async with _listening(
        client, reader, "?topics=rotas", **{"Last-Event-ID": seen.encode().decode("latin-1")}
    ) as answer:
        assert (await _next(answer)).topics == {EVERYTHING}


async def test_a_position_that_is_not_ours_is_not_said_again(client: Client, reader: dict[str, str]) -> None:
    hub = _hub(client)
    for seen in ("x\nevent: changed\ndata: {}", f"{hub.position.rpartition('-')[0]}-x"):
        async with client.get("/api/v1/events", params={"after": seen}, headers=reader) as answer:
            assert (await _next(answer)).number == hub.position


async def test_who_was_away_for_very_many_changes_is_told_that_everything_may_have_changed(
    client: Client, reader: dict[str, str]
) -> None:
    hub = _hub(client)
    hub.hear(frozenset({"rotas"}))
    hub._tell()
    first, seen = f"{hub.position.rpartition('-')[0]}-0", hub.position
    for number in range(256):
        hub.hear(frozenset({f"ticket:{number}"}))
        hub._tell()
    async with _listening(client, reader, f"?topics=rotas,ticket:200&after={seen}") as answer:
        assert (await _next(answer)).topics == {"ticket:200"}
    async with _listening(client, reader, f"?topics=rotas,ticket:200&after={first}") as answer:
        assert (await _next(answer)).topics == {EVERYTHING}


async def test_who_does_not_read_is_told_in_the_end_that_everything_may_have_changed(
    client: Client, reader: dict[str, str]
) -> None:
    hub = _hub(client)
    async with _listening(client, reader, "?topics=ticket:*") as answer:
        # All in one turn of the loop, so that nobody can read between them.
        for number in range(40):
            hub.hear(frozenset({f"ticket:{number}"}))
            hub._tell()
        (listener,) = hub._listeners
        assert len(listener._waiting) <= 32
        assert (await _next(answer)).topics == {EVERYTHING}


async def test_changes_that_follow_at_once_are_told_together(client: Client, reader: dict[str, str]) -> None:
    hub = _hub(client)
    hub.apart = timedelta(hours=1)
    async with _listening(client, reader) as answer:
        hub.hear(frozenset({"tickets"}))
        assert (await _next(answer)).topics == {"tickets"}
        position = hub.position
        for number in range(500):
            hub.hear(frozenset({f"run:{number}", "runs"}))
            await asyncio.sleep(0)
        assert hub.position == position
        hub._tell()
        assert (await _next(answer)).topics == {"run:*", "runs"}


async def test_the_gathered_changes_are_told_by_themselves(client: Client, reader: dict[str, str]) -> None:
    hub = _hub(client)
    async with _listening(client, reader) as answer:
        hub.hear(frozenset({"tickets"}))
        assert (await _next(answer)).topics == {"tickets"}
        hub.hear(frozenset({"runs"}))
        assert (await _next(answer)).topics == {"runs"}


async def test_no_more_than_so_many_listen(client: Client, reader: dict[str, str]) -> None:
    _hub(client).most = 1
    async with _listening(client, reader):
        refused = await client.get("/api/v1/events", headers=reader)
        assert refused.status == 503
        assert refused.headers["Retry-After"] == "30"
        assert "listen already" in (await refused.json())["detail"]


async def test_nobody_takes_the_places_of_all(client: Client, world: World, reader: dict[str, str]) -> None:
    vi, mei = await cookie(world, "viewer", "vi"), await cookie(world, "viewer", "mei")
    hub = _hub(client)
    hub.most, hub.most_of_one = 4, 2
    async with _listening(client, vi), _listening(client, vi):
        refused = await client.get("/api/v1/events", headers=vi)
        assert (refused.status, refused.headers["Retry-After"]) == (429, "30")
        assert "vi listens 2 times already" in (await refused.json())["detail"]
        async with _listening(client, mei), _listening(client, reader):
            assert (await client.get("/api/v1/events", headers=mei)).status == 503


async def test_a_place_of_somebody_is_free_again_once_they_have_gone(client: Client) -> None:
    hub = _hub(client)
    hub.most_of_one = 1
    gone = hub.listen((), "", whose="vi", is_connected=lambda: False, drop=lambda: None)
    again = hub.listen((), "", whose="vi", is_connected=lambda: True, drop=lambda: None)
    assert gone.is_ended
    with pytest.raises(FullForOne):
        hub.listen((), "", whose="vi", is_connected=lambda: True, drop=lambda: None)
    hub.leave(again)
    hub.listen((), "", whose="vi", is_connected=lambda: True, drop=lambda: None)


async def test_a_token_called_like_somebody_takes_none_of_their_places(
    client: Client, world: World, reader: dict[str, str]
) -> None:
    _hub(client).most_of_one = 1
    theirs = await cookie(world, "viewer", "read-token")
    async with _listening(client, reader), _listening(client, theirs):
        assert (await client.get("/api/v1/events", headers=reader)).status == 429


async def test_who_has_gone_takes_no_place(client: Client) -> None:
    # Nothing is written for a while by which the server would notice it by itself.
    hub = _hub(client)
    hub.most = 1
    gone = hub.listen((), "", is_connected=lambda: False, drop=lambda: None)
    hub.listen((), "", is_connected=lambda: True, drop=lambda: None)
    assert gone.is_ended
    with pytest.raises(Full):
        hub.listen((), "", is_connected=lambda: True, drop=lambda: None)


async def test_the_stream_ends_when_its_token_is_gone(client: Client, world: World, reader: dict[str, str]) -> None:
    _hub(client).beat = timedelta(milliseconds=20)
    async with _listening(client, reader) as answer:
        assert (await _next(answer)).name == "beat"
        await world.database.write(lambda tx: tx.switchboard.remove_token("read-token"))
        events = [await _next(answer)]
        while events[-1].name:
            events.append(await _next(answer))
    assert [one.name for one in events[-2:]] == ["ended", ""]
    assert not _hub(client)._listeners


async def test_the_stream_ends_with_the_session_of_who_opened_it(client: Client, world: World) -> None:
    _hub(client).beat = timedelta(milliseconds=20)
    async with _listening(client, await cookie(world, "viewer", "mei")) as answer:
        assert (await _next(answer)).name == "beat"
        mei = await world.database.read(lambda tx: tx.accounts.named("mei"))
        assert mei is not None
        await world.database.write(lambda tx: tx.accounts.end_all(mei.id))
        events = [await _next(answer)]
        while events[-1].name:
            events.append(await _next(answer))
    assert [one.name for one in events[-2:]] == ["ended", ""]


@pytest.mark.parametrize("wanted", [Wanted(is_disabled=True), Wanted(role=Role.REPORTER)])
async def test_who_may_read_no_more_is_told_nothing_more_at_once(client: Client, world: World, wanted: Wanted) -> None:
    _hub(client).beat = timedelta(hours=1)
    async with _listening(client, await cookie(world, "responder", "mei"), "?topics=rotas") as answer:
        await change_account(world.desk, "mei", wanted)
        assert (await _next(answer)).name == "ended"


async def test_a_stream_ends_at_once_with_its_token_or_its_session(
    client: Client, world: World, reader: dict[str, str]
) -> None:
    _hub(client).beat = timedelta(hours=1)
    mei = await cookie(world, "responder", "mei")
    async with _listening(client, reader) as program, _listening(client, mei) as browser:
        await end_sessions(world.desk, "mei")
        assert (await _next(browser)).name == "ended"
        await world.post(ALERT)
        assert (await _next(program)).name == "changed"
        await world.database.write(lambda tx: tx.switchboard.remove_token("read-token"))
        assert (await _next(program)).name == "ended"


async def test_nobody_is_told_that_accounts_have_changed(client: Client, world: World, reader: dict[str, str]) -> None:
    async with _listening(client, reader) as answer:
        await cookie(world, "responder", "mei")
        await change_account(world.desk, "mei", Wanted(role=Role.VIEWER))
        await world.post(ALERT)
        event = await _next(answer)
    assert (event.name, "accounts" in event.topics) == ("changed", False)


async def test_the_credential_is_looked_at_also_while_much_changes(
    client: Client, world: World, reader: dict[str, str]
) -> None:
    hub = _hub(client)
    hub.beat = timedelta(milliseconds=20)
    names = set()
    async with _listening(client, reader) as answer:
        await world.database.write(lambda tx: tx.switchboard.remove_token("read-token"))
        while event := await _next(answer):
            names.add(event.name)
            hub.hear(frozenset({"tickets"}))
            hub._tell()
            if not event.name:
                break
    assert "ended" in names


async def test_a_stop_sends_listeners_away_at_once(client: Client, reader: dict[str, str]) -> None:
    async with _listening(client, reader) as answer:
        began = asyncio.get_running_loop().time()
        await client.server.close()
        assert (await _next(answer)).name == ""
        assert asyncio.get_running_loop().time() - began < 3


async def test_a_stop_does_not_wait_for_who_takes_nothing(client: Client, reader: dict[str, str]) -> None:
    hub = _hub(client)
    _, writer = await asyncio.open_connection("127.0.0.1", client.server.port, limit=1)
    sock: socket.socket = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    writer.write(f"GET /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: {reader['Authorization']}\r\n\r\n".encode())
    async with asyncio.timeout(10):
        while not any(one.is_sending for one in hub._listeners):
            hub.hear(frozenset(f"ticket:{number}" for number in range(10**15, 10**15 + 50)))
            hub._tell()
            await asyncio.sleep(0)
    began = asyncio.get_running_loop().time()
    await client.server.close()
    assert asyncio.get_running_loop().time() - began < 3
    writer.close()


async def test_the_history_of_a_ticket_is_read_on_from_where_one_was(
    client: Client, world: World, reader: dict[str, str]
) -> None:
    await world.post(ALERT)
    await world.work()
    whole = await (await client.get("/api/v1/tickets/1", headers=reader)).json()
    first = await (await client.get("/api/v1/tickets/1/events?limit=1", headers=reader)).json()
    rest = await (await client.get(f"/api/v1/tickets/1/events?after={first['after']}", headers=reader)).json()
    told = [{name: value for name, value in one.items() if name != "id"} for one in first["events"] + rest["events"]]
    assert len(first["events"]) == 1
    assert told == whole["events"]
    nothing = await (await client.get(f"/api/v1/tickets/1/events?after={rest['after']}", headers=reader)).json()
    assert nothing == {"events": [], "after": rest["after"], "next": None}
    assert (await client.get("/api/v1/tickets/99/events", headers=reader)).status == 404


def test_the_pages_wait_for_topics_that_there_are() -> None:
    found = [
        re.sub(r"{%.*?%}", " ", re.sub(r"{{.*?}}", "7", one))
        for path in sorted(TEMPLATES.rglob("*.html"))
        for one in re.findall(r'data-topics="([^"]*)"', path.read_text())
    ]
    assert found
    assert [topic for one in found for topic in one.split() if not is_topic(topic)] == []
