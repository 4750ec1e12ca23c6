"""How responder itself is: the page, the API, and that both say what /metrics says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from responder.domain.vitals import Process, Seen, State, Vital, vitals, worst
from responder.errors import SendFailed
from responder.store.jobs import Job
from tests.web.conftest import Client, header
from tests.world import World, alert

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
PROCESS = Process(started_at=NOW - timedelta(days=3), loops={"watch": True}, may_listen=200)
WELL = Seen(
    answered_in=timedelta(milliseconds=2),
    revision="0004",
    newest_revision="0004",
    beat_every=timedelta(minutes=1),
    beat_at=NOW,
    pages_at=NOW,
)


def one(name: str, process: Process = PROCESS, seen: Seen = WELL) -> Vital:
    return next(vital for vital in vitals(process, seen, NOW) if vital.name == name)


def test_where_all_is_well_nothing_is_to_be_done() -> None:
    found = vitals(PROCESS, WELL, NOW)
    assert {vital.state for vital in found} == {State.GOOD}
    assert [vital.next for vital in found if vital.next] == []


@pytest.mark.parametrize(
    ("name", "process", "seen", "state"),
    [
        ("readiness", {"why_not": "The database is away."}, {}, State.BAD),
        ("loops", {"loops": {"watch": False}}, {}, State.BAD),
        ("loops", {"watch_failures": {"storm": 2.0}}, {}, State.ODD),
        ("reload", {"reload_problems": "policy.yml:3:1: no"}, {}, State.BAD),
        ("listeners", {"listening": 180}, {}, State.ODD),
        ("listeners", {"listening": 179}, {}, State.GOOD),
        ("database", {}, {"revision": "0003"}, State.BAD),
        ("database", {}, {"answered_in": timedelta(seconds=1)}, State.ODD),
        ("jobs", {}, {"oldest_jobs": {"run": NOW - timedelta(seconds=60)}}, State.GOOD),
        ("jobs", {}, {"oldest_jobs": {"run": NOW - timedelta(seconds=61)}}, State.ODD),
        ("jobs", {}, {"oldest_jobs": {"run": NOW - timedelta(minutes=6)}}, State.BAD),
        ("messages", {}, {"oldest_message_at": NOW - timedelta(minutes=3), "messages_waiting": 2}, State.ODD),
        ("messages", {}, {"failing_channels": ["pager"]}, State.ODD),
        ("mailbox", {}, {"has_mailbox": True, "mailbox_seen_at": NOW - timedelta(minutes=16)}, State.ODD),
        ("mailbox", {}, {"has_mailbox": True, "mailbox_seen_at": NOW - timedelta(hours=2)}, State.BAD),
        ("mailbox", {}, {"has_mailbox": True}, State.GOOD),
        ("audit of pages", {}, {"differences": 1}, State.BAD),
        ("audit of pages", {}, {"pages_at": None}, State.ODD),
        ("audit of pages", {}, {"pages_at": NOW - timedelta(hours=1)}, State.BAD),
        ("dead man's switch", {}, {"beat_every": None}, State.ODD),
        ("dead man's switch", {}, {"beat_objection": "The last beat was failed: 500"}, State.BAD),
        ("dead man's switch", {}, {"beat_at": NOW - timedelta(minutes=4)}, State.BAD),
        ("dead man's switch", {}, {"beat_at": None}, State.ODD),
        ("sources", {}, {"silent_sources": ["Watchdog (main)"]}, State.BAD),
        ("sources", {}, {"unheard_sources": ["Watchdog (main)"]}, State.ODD),
        ("cron jobs", {}, {"cron_jobs_in_trouble": ["backup"]}, State.BAD),
    ],
)
def test_what_is_not_well_says_what_to_do_next(
    name: str, process: dict[str, Any], seen: dict[str, Any], state: State
) -> None:
    made_process, made_seen = replace(PROCESS, **process), replace(WELL, **seen)
    found = one(name, made_process, made_seen)
    assert (found.state, bool(found.next)) == (state, state is not State.GOOD)
    everything = vitals(made_process, made_seen, NOW)
    assert (everything[0].state, worst(everything)) == (state, state)


LOST = "INC-1: no message has reached anybody (mei by pager)."


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"unreached": [LOST]}, f"Every call was made, and yet nobody was reached. {LOST}"),
        ({"differences": 2}, "2 things differ between who should have been told and what is stored."),
    ],
)
def test_what_the_last_audit_found_long_ago_is_not_said_as_if_of_now(found: dict[str, Any], said: str) -> None:
    now, old = replace(WELL, **found), replace(WELL, **found, pages_at=NOW - timedelta(hours=2))
    fresh, stale = (one("audit of pages", seen=seen) for seen in (now, old))
    assert (fresh.state, fresh.said) == (State.BAD, said)
    assert (stale.state, stale.said) == (State.BAD, f"As of 2h ago: {said}")
    assert stale.next == f"One is made every minute: see whether responder serve or a worker runs. {fresh.next}"


async def test_the_numbers_are_those_of_the_metrics(client: Client, world: World) -> None:
    await world.post(alert("DiskFull"))
    await world.database.write(lambda tx: tx.promise([Job(kind="drill", args={}, due_at=world.clock.now())]))
    world.clock.advance(timedelta(minutes=2))
    read = await header(world, "read")
    told = await (await client.get("/api/v1/health", headers=read)).json()
    text = await (await client.get("/metrics", headers=read)).text()
    samples = [one for family in text_string_to_metric_families(text) for one in family.samples]
    jobs = {one.labels["kind"]: one.value for one in samples if one.name == "responder_jobs_waiting"}
    waiting = [one.value for one in samples if one.name == "responder_messages_waiting"]
    assert {line["kind"]: line["waiting"] for line in told["jobs"]} == jobs
    assert ("drill" in jobs, all(line["oldest_at"] for line in told["jobs"])) == (True, True)
    assert [told["messages"]["waiting"]] == waiting
    assert sum(line["waiting"] for line in told["messages"]["channels"]) == waiting[0]


async def test_messages_that_fail_are_told_by_channel_and_agree_with_their_sum(client: Client, world: World) -> None:
    world.sender.failures.extend(SendFailed("no answer") for _ in range(9))
    await world.post(alert("DiskFull"))
    await world.work()
    told = await (await client.get("/api/v1/health", headers=await header(world, "read"))).json()
    channels = {one["channel"]: (one["waiting"], one["failing"]) for one in told["messages"]["channels"]}
    assert (channels, told["messages"]["waiting"]) == ({"pager": (1, 1), "phone": (1, 1)}, 2)
    (vital,) = [one for one in told["vitals"] if one["name"] == "messages"]
    assert (vital["state"], vital["said"]) == ("odd", "Messages by pager, phone fail, and are tried again.")


async def test_the_page_shows_what_is_not_well_first_and_where_to_go(client: Client, world: World) -> None:
    read = await header(world, "read")
    text = await (await client.get("/health", headers=read)).text()
    lines = text.split("<tbody>")[1].split("</tbody>")[0].split("</tr>")
    assert "There is none." in text
    assert 'class="state odd"' in lines[0]
    assert 'class="state good"' in lines[-2]
    assert ("→ Without one nobody notices" in text, "/api/v1/health-checks" in text) == (True, True)
    assert "<form" not in text.replace('<form method="dialog">', "")


async def test_without_a_credential_nothing_is_told(client: Client) -> None:
    for path in ("/api/v1/health", "/health"):
        assert (await client.get(path)).status == 401
