"""Requests that are sent twice under one Idempotency-Key act once."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from responder.errors import StoreUnavailable
from responder.flows.watch import forget
from responder.store.audit_log import AuditFilter
from responder.store.database import Database
from tests.web.conftest import Client, cookie, header
from tests.world import World, alert

CALENDAR = b"""\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:x
BEGIN:VEVENT
UID:1
DTSTART;VALUE=DATE:20300105
DTEND;VALUE=DATE:20300107
SUMMARY:away
END:VEVENT
END:VCALENDAR
"""
NOTE = "/api/v1/tickets/1/note"


@pytest.fixture
async def keyed(world: World, act: dict[str, str]) -> dict[str, str]:
    await world.post(alert("DiskFull"))
    return {**act, "Idempotency-Key": "8e03978e"}


async def notes(world: World) -> list[str]:
    return [one["text"] for one in (await world.ticket())["events"] if one["kind"] == "note" and one["text"] != ""]


async def test_the_same_again_is_answered_as_the_first_time(
    client: Client, world: World, keyed: dict[str, str]
) -> None:
    before = len(await notes(world))
    first = await client.post(NOTE, json={"text": "a"}, headers=keyed)
    again = await client.post(NOTE, json={"text": "a"}, headers=keyed)
    assert (first.status, again.status, await again.json()) == (200, 200, await first.json())
    assert ("Idempotent-Replayed" in first.headers, again.headers["Idempotent-Replayed"]) == (False, "true")
    assert len(await notes(world)) == before + 1


async def test_twenty_at_once_act_once(client: Client, world: World, keyed: dict[str, str]) -> None:
    before = len(await notes(world))
    sent = await asyncio.gather(*(client.post(NOTE, json={"text": "a"}, headers=keyed) for _ in range(20)))
    assert {one.status for one in sent} <= {200, 409}
    assert 200 in {one.status for one in sent}
    assert len(await notes(world)) == before + 1


async def test_a_key_of_another_request_is_refused(client: Client, world: World, keyed: dict[str, str]) -> None:
    await client.post(NOTE, json={"text": "a"}, headers=keyed)
    other = await client.post(NOTE, json={"text": "b"}, headers=keyed)
    assert (other.status, "needs a new key" in (await other.json())["detail"]) == (422, True)
    assert "b" not in await notes(world)


async def test_a_key_is_of_whoever_uses_it_and_of_one_address(
    client: Client, world: World, keyed: dict[str, str]
) -> None:
    await client.post(NOTE, json={"text": "a"}, headers=keyed)
    theirs = {**await header(world, "admin"), "Idempotency-Key": keyed["Idempotency-Key"]}
    assert (await client.post(NOTE, json={"text": "b"}, headers=theirs)).status == 200
    assert (await client.post("/api/v1/tickets/1/acknowledge", json={}, headers=keyed)).status == 200


async def test_a_key_of_a_token_called_like_somebody_is_another_key(
    client: Client, world: World, keyed: dict[str, str]
) -> None:
    before, key = len(await notes(world)), {"Idempotency-Key": keyed["Idempotency-Key"]}
    theirs = {**await cookie(world, "responder", "act-token"), **key}
    for headers, replayed in ((keyed, False), (theirs, False), (theirs, True), (keyed, True)):
        answer = await client.post(NOTE, json={"text": "a"}, headers=headers)
        assert (answer.status, "Idempotent-Replayed" in answer.headers) == (200, replayed)
    assert len(await notes(world)) == before + 2


async def test_what_is_refused_uses_no_key_up(client: Client, world: World, keyed: dict[str, str]) -> None:
    assert (await client.post(NOTE, json={"text": " "}, headers=keyed)).status == 422
    resume = "/api/v1/tickets/1/resume"
    assert (await client.post(resume, json={"reason": "x"}, headers=keyed)).status == 409
    assert (await client.post(resume, json={"reason": "y"}, headers=keyed)).status == 409
    assert (await client.post(NOTE, json={"text": "a"}, headers=keyed)).status == 200


async def test_an_answer_that_was_lost_in_a_crash_is_said_and_nothing_is_done_twice(
    client: Client, world: World, keyed: dict[str, str]
) -> None:
    await client.post(NOTE, json={"text": "a"}, headers=keyed)
    before = len(await notes(world))
    # As a crash between the commit and the answer leaves it.
    lost = text("UPDATE answers SET status = 0, kind = '', body = ''")
    await world.database.write(lambda tx: tx.connection.execute(lost))
    answer = await client.post(NOTE, json={"text": "a"}, headers=keyed)
    assert (answer.status, "its answer is lost" in (await answer.json())["detail"]) == (409, True)
    assert len(await notes(world)) == before


@pytest.mark.parametrize(
    ("method", "path", "content", "kind"),
    [
        ("PUT", "kill-switch", b'{"reason": "storm"}', "application/json"),
        ("DELETE", "kill-switch", b"", "application/json"),
        ("PATCH", "parts/D4", b'{"place": "shelf 3"}', "application/json"),
        ("PUT", "tickets/1/reporter", b'{"reporter": {"name": "Li", "contact": "li@example.org"}}', "application/json"),
        ("PUT", "absences/mei", CALENDAR, "text/calendar"),
    ],
)
async def test_whatever_the_method_the_same_again_is_answered_as_the_first_time(
    client: Client, act: dict[str, str], keyed: dict[str, str], method: str, path: str, content: bytes, kind: str
) -> None:
    await client.put("/api/v1/kill-switch", json={"reason": "before"}, headers=act)
    await client.post("/api/v1/parts", json={"number": "D4", "name": "disk"}, headers=act)
    headers, seen = {**keyed, "Content-Type": kind}, []
    for _ in range(2):
        answer = await client.request(method, f"/api/v1/{path}", data=content, headers=headers)
        seen.append((answer.status, "Idempotent-Replayed" in answer.headers, await answer.read()))
    assert [one[:2] for one in seen] == [(200, False), (200, True)], seen
    assert seen[0][2] == seen[1][2]


async def test_a_key_is_forgotten_after_three_days(client: Client, world: World, keyed: dict[str, str]) -> None:
    await client.post(NOTE, json={"text": "a"}, headers=keyed)
    world.clock.advance(timedelta(hours=71))
    await forget(world.desk)
    assert (await client.post(NOTE, json={"text": "b"}, headers=keyed)).status == 422
    world.clock.advance(timedelta(hours=2))
    await forget(world.desk)
    assert (await client.post(NOTE, json={"text": "b"}, headers=keyed)).status == 200


async def test_a_key_that_is_too_long_is_refused(client: Client, keyed: dict[str, str]) -> None:
    answer = await client.post(NOTE, json={"text": "a"}, headers={**keyed, "Idempotency-Key": "x" * 201})
    assert answer.status == 400


async def test_what_is_sent_again_is_one_entry_of_the_audit_log(
    client: Client, world: World, keyed: dict[str, str]
) -> None:
    for _ in range(3):
        await client.post(NOTE, json={"text": "a"}, headers=keyed)
    await asyncio.gather(
        *(client.post(NOTE, json={"text": "b"}, headers=keyed | {"Idempotency-Key": "b"}) for _ in range(3))
    )
    done = await world.read(lambda tx: tx.audit_log.listed(AuditFilter(outcome="done"), 10))
    assert [(one.action, one.status) for one in done if "note" in one.action] == [
        ("POST /api/v1/tickets/{key}/note", 0),
        ("POST /api/v1/tickets/{key}/note", 0),
    ]


async def test_a_key_of_another_request_is_a_refusal_in_the_audit_log(
    client: Client, world: World, keyed: dict[str, str]
) -> None:
    for words in ("a", "other"):
        await client.post(NOTE, json={"text": words}, headers=keyed)
    refused = await world.read(lambda tx: tx.audit_log.listed(AuditFilter(outcome="refused"), 10))
    assert [(one.status, "used for another request" in one.text) for one in refused] == [(422, True)]


async def test_what_was_done_is_not_done_again_where_only_the_answer_was_lost(
    client: Client, world: World, act: dict[str, str]
) -> None:
    world.desk.store = store = AwayAfterWriting(world.database)
    keyed, path = {**act, "Idempotency-Key": "5c1"}, "/api/v1/maintenance/windows"
    wish = {"match": ['job="db"'], "for": "1h", "reason": "disks"}
    store.is_blinking = True
    assert (await client.post(path, json=wish, headers=keyed)).status == 503
    store.is_blinking = False
    again = await client.post(path, json=wish, headers=keyed)
    assert (again.status, "its answer is lost" in (await again.json())["detail"]) == (409, True)
    assert len((await (await client.get(path, headers=act)).json())["windows"]) == 1


class AwayAfterWriting:
    """A store that cannot be read once something was written."""

    first_grades: Collection[str] = ()

    def __init__(self, database: Database) -> None:
        self._database, self.is_blinking, self._has_written = database, False, False

    async def write(self, body: Any, *, urgent: bool = False) -> Any:
        made = await self._database.write(body, urgent=urgent)
        self._has_written = True
        return made

    async def read(self, body: Any) -> Any:
        if self.is_blinking and self._has_written:
            raise StoreUnavailable("The database cannot be used now: it blinks")
        return await self._database.read(body)
