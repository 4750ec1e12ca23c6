"""What reporters and their mails say of who they are is for those who act, not for everybody who reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from responder.store.audit_log import AuditFilter
from responder.store.database import Database
from tests.web.conftest import GUARDED, Client, cookie, header
from tests.web.test_mails import MAIL, PEOPLE, sent
from tests.world import World

NOBODY = b"Subject: Li Wei li.wei@example.org\r\nMessage-ID: <9@example.org>\r\n\r\nI am Li Wei, phone 555-1234"
FORWARDED = (
    b"From: Li Wei <li.wei@example.org>\r\nTo: desk@example.org\r\nSubject: The printer is dead\r\n"
    b"Message-ID: <1@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b1\r\n\r\n"
    b"--b1\r\nContent-Type: text/plain\r\n\r\nIt prints nothing.\r\n"
    b"--b1\r\nContent-Type: message/rfc822\r\n\r\nFrom: Li Wei <li.wei@example.org>\r\nSubject: x\r\n\r\n"
    b"inner\r\n--b1--\r\n"
)


@pytest.fixture
def world(tmp_path: Path, database: Database) -> World:
    return World(tmp_path, database, main=GUARDED + MAIL, people=PEOPLE)


async def test_a_mail_that_was_set_aside_is_read_by_those_who_act(client: Client, world: World) -> None:
    await sent(client, world, await header(world, "ingest"), NOBODY)
    for headers, is_shown in ((await cookie(world, "viewer"), False), (await cookie(world, "responder"), True)):
        [line] = (await (await client.get("/api/v1/quarantine", headers=headers)).json())["quarantine"]
        assert (line["source"], "555-1234" in line["body"]) == ("mail-api", is_shown)
        assert line["reason"]


async def test_everybody_who_reads_sees_an_alert_that_was_not_understood(client: Client, world: World) -> None:
    await client.post("/webhooks/alertmanager/main", data=b"{nothing", headers={"Authorization": "Bearer main-token"})
    answer = await client.get("/api/v1/quarantine", headers=await cookie(world, "viewer"))
    [line] = (await answer.json())["quarantine"]
    assert line["body"] == "{nothing"


async def test_a_file_of_a_mail_is_for_those_who_act(client: Client, world: World) -> None:
    await sent(client, world, await header(world, "ingest"), FORWARDED)
    [kept] = (await world.ticket())["attachments"]
    path, viewer = f"/api/v1/attachments/{kept['id']}", await cookie(world, "viewer")
    answer = await client.get(path, headers=viewer)
    assert answer.status == 403
    assert "li.wei" not in await answer.text()
    assert path not in await (await client.get("/tickets/1", headers=viewer)).text()

    responder = await cookie(world, "responder")
    assert b"li.wei" in await (await client.get(path, headers=responder)).read()
    assert path in await (await client.get("/tickets/1", headers=responder)).text()
    [entry] = await world.read(lambda tx: tx.audit_log.listed(AuditFilter(outcome="refused"), 5))
    assert (entry.actor, entry.status, entry.object) == ("viewer", 403, str(kept["id"]))


async def test_a_file_of_a_colleague_is_for_everybody_who_reads(
    client: Client, world: World, act: dict[str, str]
) -> None:
    await sent(client, world, await header(world, "ingest"), FORWARDED)
    added = {"name": "df.txt", "content": "full"}
    assert (await client.post("/api/v1/tickets/1/attach", json=added, headers=act)).status == 200
    kept = (await world.ticket())["attachments"][-1]
    answer = await client.get(f"/api/v1/attachments/{kept['id']}", headers=await cookie(world, "viewer"))
    assert (answer.status, await answer.read()) == (200, b"full")
