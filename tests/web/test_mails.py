"""Mails that a mail server hands in: stored before they are taken, once, and never more of one than is wanted."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from responder.adapters.mail_names import MailNames
from responder.config.configuration import read
from responder.domain.mail_record import MailRecord, Taken
from responder.errors import ConfigError
from responder.flows.watch import forget
from responder.store.database import Database
from tests.web.conftest import GUARDED, Client, header
from tests.world import World, texts, write_files

MAIL = """
mail:
  address: desk@example.org
  trusted_authserv_ids: [mx.example.org]
  limits: {size: 65536}
"""
PEOPLE = """
people:
  - {name: mei, mails: [mei@example.org], channels: [{name: pager, url: "json://127.0.0.1:9/mei"}]}
teams:
  - {name: ops, tiers: {1: [mei]}}
"""
PLAIN = (
    b"From: Li Wei <li.wei@example.org>\r\nTo: desk@example.org\r\nSubject: The printer is dead\r\n"
    b"Message-ID: <1@example.org>\r\n\r\nIt prints nothing.\r\n"
)
NAGIOS = (
    b"From: nagios@mon.example.org\r\nTo: desk@example.org\r\n"
    b"Subject: ** PROBLEM Service Alert: db-1/Disk is CRITICAL **\r\nMessage-ID: <2@mon>\r\n\r\n"
    b"***** Nagios *****\r\n\r\nNotification Type: PROBLEM\r\n\r\nService: Disk\r\nHost: db-1\r\nAddress: 192.0.2.7\r\n"
    b"State: CRITICAL\r\n\r\nDate/Time: Sat Nov 21 12:00:00 UTC 2026\r\n\r\nAdditional Info:\r\n\r\nDISK CRITICAL\r\n"
)


@pytest.fixture
def world(tmp_path: Path, database: Database) -> World:
    return World(tmp_path, database, main=GUARDED + MAIL, people=PEOPLE)


@pytest.fixture
async def ingest(world: World) -> dict[str, str]:
    return await header(world, "ingest")


async def sent(client: Client, world: World, ingest: dict[str, str], content: bytes, query: str = "") -> dict[str, str]:
    answer = await client.post(f"/api/v1/mail{query}", data=content, headers=ingest)
    assert answer.status == 200, await answer.text()
    found: dict[str, str] = await answer.json()
    await world.work()
    return found


async def test_a_mail_of_a_person_is_a_ticket(client: Client, world: World, ingest: dict[str, str]) -> None:
    found = await sent(client, world, ingest, PLAIN)
    assert (found["taken"], found["number"]) == ("report", (await world.ticket())["number"])


async def test_the_same_mail_many_times_at_once_is_one_ticket(
    client: Client, world: World, ingest: dict[str, str]
) -> None:
    answers = await asyncio.gather(*(client.post("/api/v1/mail", data=PLAIN, headers=ingest) for _ in range(20)))
    assert len({(await answer.json())["receipt"] for answer in answers}) == 1
    assert len(await world.read(lambda tx: tx.tickets.listed())) == 1


async def test_a_mail_of_the_monitoring_is_an_alert_and_its_recovery_clears_it(
    client: Client, world: World, ingest: dict[str, str]
) -> None:
    assert (await sent(client, world, ingest, NAGIOS))["taken"] == "alert"
    recovered = NAGIOS.replace(b"PROBLEM", b"RECOVERY").replace(b"CRITICAL", b"OK").replace(b"<2@", b"<3@")
    await sent(client, world, ingest, recovered)
    assert (await world.ticket())["signal"] == "cleared"


async def test_a_mail_that_is_too_large_is_cut_and_says_so(
    client: Client, world: World, ingest: dict[str, str]
) -> None:
    await sent(client, world, ingest, PLAIN + b"And so on. " * 10_000)
    assert "only its beginning was read" in texts(await world.ticket())


async def test_a_mail_without_end_is_refused(client: Client, world: World, ingest: dict[str, str]) -> None:
    answer = await client.post("/api/v1/mail", data=b"x" * 400_000, headers=ingest)
    assert answer.status == 413


async def test_a_mail_of_the_null_sender_is_answered_to_nobody(
    client: Client, world: World, ingest: dict[str, str]
) -> None:
    await sent(client, world, ingest, PLAIN, "?from=")
    (record,) = await world.read(lambda tx: tx.mails.listed(10))
    assert not record.answered


async def test_the_recipient_of_the_envelope_leads_to_its_ticket(
    client: Client, world: World, ingest: dict[str, str]
) -> None:
    number = (await sent(client, world, ingest, PLAIN))["number"]
    tag = MailNames(world.desk.configuration.secret).tag(1)
    hidden = PLAIN.replace(b"<1@", b"<2@").replace(b"To: desk@example.org", b"To: friends:;")
    found = await sent(client, world, ingest, hidden, f"?to=other@example.org&to=desk%2B{tag}@example.org")
    assert (found["taken"], found["number"]) == ("answer", number)


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer guessed"}], ids=["no token", "a guess"])
async def test_nobody_without_a_token_hands_in_a_mail(client: Client, world: World, headers: dict[str, str]) -> None:
    assert (await client.post("/api/v1/mail", data=PLAIN, headers=headers)).status == 401
    assert await world.read(lambda tx: tx.tickets.listed()) == []


async def test_where_no_mail_is_wanted_it_is_refused_in_a_sentence(
    tmp_path: Path, database: Database, client: Client, world: World, ingest: dict[str, str]
) -> None:
    world.desk.take_over(World(tmp_path, database, main=GUARDED, people=PEOPLE).desk.configuration)
    answer = await client.post("/api/v1/mail", data=PLAIN, headers=ingest)
    assert answer.status == 409
    assert "responder.yml has no mail:" in await answer.text()


def test_an_address_that_two_people_write_from_is_refused(tmp_path: Path) -> None:
    two = PEOPLE.replace("teams:", "  - {name: otto, mails: [otto@example.org, MEI@example.org]}\nteams:")
    with pytest.raises(ConfigError, match=r"people.yml:4:\d+: MEI@example.org is already an address of mei"):
        read(write_files(tmp_path, main=GUARDED + MAIL, people=two))


# --- what became of them --------------------------------------------------------------------------------------

NOBODY = b"Subject: no sender\r\nMessage-ID: <9@example.org>\r\n\r\nhello"


async def listed(client: Client, headers: dict[str, str], query: str = "") -> dict[str, Any]:
    answer = await client.get(f"/api/v1/mails{query}", headers=headers)
    assert answer.status == 200, await answer.text()
    found: dict[str, Any] = await answer.json()
    return found


async def test_what_came_is_listed_page_by_page_newest_first_without_what_it_says(
    client: Client, world: World, ingest: dict[str, str], act: dict[str, str]
) -> None:
    for content in (PLAIN, NAGIOS, NOBODY):
        await sent(client, world, ingest, content)
    first = await listed(client, act, "?limit=2")
    assert [(one["taken"], one["sender"]) for one in first["mails"]] == [
        ("quarantined", ""),
        ("alert", "nagios@mon.example.org"),
    ]
    last = await listed(client, act, f"?limit=2&before={first['before']}")
    assert [one["taken"] for one in last["mails"]] == ["report"]
    assert (last["before"], last["mails"][0]["number"]) == (None, (await world.ticket(1))["number"])
    assert "It prints nothing" not in str(last)


@pytest.mark.parametrize(
    ("query", "taken"),
    [
        ("?taken=alert", ["alert"]),
        ("?sender=Li.Wei@example.org", ["report"]),
        ("?ticket=1", ["report"]),
        ("?since=1h", ["quarantined", "alert"]),
        ("?since=1d&taken=report", ["report"]),
        ("?taken=bounce", []),
    ],
)
async def test_the_list_is_narrowed_down(
    client: Client, world: World, ingest: dict[str, str], act: dict[str, str], query: str, taken: list[str]
) -> None:
    await sent(client, world, ingest, PLAIN)
    await world.advance(timedelta(hours=2))
    await sent(client, world, ingest, NAGIOS)
    await sent(client, world, ingest, NOBODY)
    assert [one["taken"] for one in (await listed(client, act, query))["mails"]] == taken


@pytest.mark.parametrize(
    ("query", "status"),
    [("?taken=nonsense", 422), ("?ticket=none", 404), ("?since=soon", 422), ("?limit=x", 422), ("/77", 404)],
)
async def test_an_odd_question_is_answered_with_a_sentence(
    client: Client, act: dict[str, str], query: str, status: int
) -> None:
    answer = await client.get(f"/api/v1/mails{query}", headers=act)
    assert (answer.status, bool((await answer.json())["detail"])) == (status, True)


async def test_who_may_only_read_sees_no_sender_and_no_bytes(
    client: Client, world: World, ingest: dict[str, str], act: dict[str, str]
) -> None:
    await sent(client, world, ingest, PLAIN)
    read_only = await header(world, "read")
    (seen,) = (await listed(client, read_only))["mails"]
    assert (seen["sender"], seen["taken"]) == ("", "report")
    one = await (await client.get("/api/v1/mails/1", headers=read_only)).json()
    assert (one["sender"], one["size"]) == ("", len(PLAIN))
    assert (await client.get("/api/v1/mails?sender=li.wei@example.org", headers=read_only)).status == 403
    assert (await client.get("/api/v1/mails/1/content", headers=read_only)).status == 403
    assert (await client.post("/api/v1/mails/1/again", headers=read_only)).status == 403
    assert (await client.get("/api/v1/mails")).status == 401


async def test_the_bytes_are_only_ever_a_download(
    client: Client, world: World, ingest: dict[str, str], act: dict[str, str]
) -> None:
    page = PLAIN.replace(b"\r\n\r\n", b"\r\nContent-Type: text/html\r\n\r\n<script>alert(1)</script>")
    await sent(client, world, ingest, page)
    answer = await client.get("/api/v1/mails/1/content", headers=act)
    assert (await answer.read(), answer.headers["Content-Type"]) == (page, "message/rfc822")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="mail-1.eml"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert (await client.get("/api/v1/mails/2/content", headers=act)).status == 404


async def test_bytes_whose_retention_is_over_are_said_to_be_gone(
    client: Client, world: World, ingest: dict[str, str], act: dict[str, str]
) -> None:
    await sent(client, world, ingest, PLAIN)
    await world.advance(timedelta(days=31))
    await forget(world.desk)
    assert (await (await client.get("/api/v1/mails/1", headers=act)).json())["size"] is None
    answer = await client.get("/api/v1/mails/1/content", headers=act)
    assert (answer.status, "not kept any more" in await answer.text()) == (404, True)


async def test_a_mail_is_dropped_by_who_may_act_and_says_why(
    client: Client, world: World, ingest: dict[str, str], act: dict[str, str]
) -> None:
    await sent(client, world, ingest, NOBODY)
    for headers in ({}, ingest):
        answer = await client.post("/api/v1/mails/1/drop", json={"reason": "rubbish"}, headers=headers)
        assert answer.status in (401, 403)
    silent = await client.post("/api/v1/mails/1/drop", json={"reason": " "}, headers=act)
    assert (silent.status, "“reason” is missing" in await silent.text()) == (422, True)
    done = await client.post("/api/v1/mails/1/drop", json={"reason": "rubbish", "actor": "mei"}, headers=act)
    assert (done.status, (await done.json())["why"]) == (200, "It names no sender. Dropped by mei: rubbish")
    again = await client.post("/api/v1/mails/1/drop", json={"reason": "rubbish"}, headers=act)
    assert (again.status, "was taken as left" in await again.text()) == (409, True)


async def test_a_mail_that_cannot_be_taken_again_is_refused_in_a_sentence(
    client: Client, world: World, ingest: dict[str, str], act: dict[str, str]
) -> None:
    await sent(client, world, ingest, PLAIN)
    await sent(client, world, ingest, NOBODY)
    taken = await client.post("/api/v1/mails/1/again", headers=act)
    assert (taken.status, "was taken as report" in await taken.text()) == (409, True)
    still = await client.post("/api/v1/mails/2/again", json={"actor": "mei"}, headers=act)
    assert (still.status, "still cannot be taken" in await still.text()) == (409, True)


async def test_why_a_mail_became_what_it_is_names_no_address_to_those_who_only_read(
    client: Client, world: World
) -> None:
    await world.database.write(
        lambda tx: tx.mails.add(
            MailRecord(
                identity="i",
                message_id="1@example.org",
                way="imap",
                receipt="r",
                sender="li.wei@example.org",
                taken=Taken.LEFT,
                why="Left: LI.WEI@example.org writes for bob@example.org.",
                received_at=world.clock.now(),
            )
        )
    )
    for scope, seen in (("read", False), ("act", True)):
        answer = await client.get("/api/v1/mails", headers=await header(world, scope))
        (found,) = (await answer.json())["mails"]
        assert ("bob@" in found["why"], "wei" in found["why"].lower()) == (seen, seen)
