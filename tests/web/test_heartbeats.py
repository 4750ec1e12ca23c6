"""Heartbeats over HTTP: the words of cron jobs, their tickets, and the silence of sources."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from responder.app import Service
from responder.domain.cron_job import CronJobRule
from responder.errors import StoreUnavailable
from responder.flows.audit_pages import audit_pages
from responder.flows.cron_jobs import Pings, watch_cron_jobs
from responder.flows.watch import listen_anew, watch_heartbeats
from responder.store.database import Database
from responder.web.heartbeats import MOST_PER_MINUTE, PINGS
from responder.web.shapes import plain
from tests.fakes import FakeClock
from tests.web.conftest import GUARDED, Client, header
from tests.world import POLICY, World, alert, texts, write_files

HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
JOBS = (
    POLICY
    + """
cron_jobs:
  backup: {every: 1h, grace: 10m, longest: 30m, labels: {severity: critical, service: db}}
  report: {cron: "0 2 * * mon-fri", zone: Europe/Berlin, grace: 30m}
"""
)


@pytest.fixture
def world(tmp_path: Path, database: Database) -> World:
    return World(tmp_path, database, main=GUARDED, policy=JOBS)


def path(world: World, end: str = "", name: str = "backup") -> str:
    return world.desk.links.heartbeat(name, 1).removeprefix("https://responder.test") + end


async def watch(world: World, after: timedelta = timedelta()) -> int:
    world.clock.advance(after)
    return await watch_cron_jobs(world.desk)


async def state(client: Client, world: World, name: str = "backup") -> dict[str, Any]:
    found = await (await client.get("/api/v1/heartbeats", headers={"Authorization": "Bearer secret-read"})).json()
    (one,) = [one for one in found["cron_jobs"] if one["name"] == name]
    assert isinstance(one, dict)
    return one


def rule(world: World, **changes: Any) -> None:
    configuration = world.desk.configuration
    world.desk.take_over(replace(configuration, policy=replace(configuration.policy, **changes)))


async def test_a_job_that_falls_silent_is_a_ticket_and_its_return_the_all_clear(client: Client, world: World) -> None:
    await header(world, "read")
    assert await watch(world) == 0
    assert (await state(client, world))["state"] == "new"
    assert (await client.get(path(world))).status == 200
    assert (await state(client, world))["state"] == "up"
    assert await watch(world, HOUR + 10 * MINUTE) == 0
    assert await watch(world, SECOND) == 1
    assert await watch(world) == 0

    ticket = await world.ticket()
    assert (ticket["grade"], ticket["source"], ticket["labels"]["service"]) == ("P1", "responder", "db")
    assert "backup has not ended well for 1h 10m; its schedule is every 1h" in ticket["title"]
    assert (await client.post(path(world), data="done")).status == 200
    assert (await world.ticket())["signal"] == "cleared"
    assert (await state(client, world))["text"] == ""


async def test_a_job_whose_address_nobody_calls_is_late_too(client: Client, world: World) -> None:
    await watch(world)
    assert await watch(world, HOUR + 11 * MINUTE) == 1
    assert "backup has never been heard of" in (await world.ticket())["title"]


async def test_a_failure_is_a_ticket_at_once_with_the_last_words_masked(client: Client, world: World) -> None:
    words = "cannot log in: password=hunter22\n" + "x" * 20_000
    assert (await client.post(path(world, "/1"), data=words)).status == 200
    ticket = await world.ticket()
    assert "backup said that it failed with exit code 1." in ticket["title"]
    await header(world, "read")
    kept = (await state(client, world))["last_words"]
    assert ("hunter22" in kept, "password=***" in kept, len(kept) <= 10_000) == (False, True, True)
    assert (await client.get(path(world, "/0"))).status == 200
    assert (await world.ticket())["signal"] == "cleared"


async def test_a_run_that_began_and_does_not_end_is_a_ticket(client: Client, world: World) -> None:
    await client.get(path(world, "/start?rid=one"))
    assert await watch(world, 30 * MINUTE) == 0
    assert await watch(world, SECOND) == 1
    assert "began 30m 1s ago and has not ended" in (await world.ticket())["title"]
    await client.get(path(world, "?rid=one"))
    assert (await world.ticket())["signal"] == "cleared"


async def test_a_wrong_address_says_nothing_and_counts_for_nothing(client: Client, world: World) -> None:
    await watch(world)
    await header(world, "read")
    good = path(world)
    answers = set()
    for bad in (good + "x", good[:-1], path(world, name="other"), good + "/256", good + "/begin", good + "/-1",
                good.replace("backup", "report"), "/heartbeat/backup/%00"):  # fmt: skip
        answer = await client.post(bad, data="x")
        answers.add((answer.status, (await answer.json())["detail"]))
    assert answers == {(404, "not found")}
    assert (await state(client, world))["heard_at"] is None


async def test_one_who_calls_all_the_time_is_told_to_wait(client: Client, world: World) -> None:
    for _ in range(MOST_PER_MINUTE):
        assert (await client.get(path(world))).status == 200
    answer = await client.get(path(world))
    assert (answer.status, answer.headers["Retry-After"]) == (429, "60")
    assert (await client.get(path(world, name="report"))).status == 200


async def test_another_key_makes_the_old_address_void(client: Client, world: World) -> None:
    old = path(world)
    jobs = world.desk.policy.cron_jobs
    rule(world, cron_jobs={**jobs, "backup": replace(jobs["backup"], key=2)})
    assert (await client.get(old)).status == 404
    found = await client.get("/api/v1/heartbeats/backup/url", headers=await header(world, "act"))
    url = (await found.json())["url"].removeprefix("https://responder.test")
    assert (await client.get(url)).status == 200
    assert (await client.get("/api/v1/heartbeats/none/url", headers=await header(world, "admin"))).status == 404


async def test_the_addresses_are_not_for_those_who_may_only_read(client: Client, world: World) -> None:
    lesser = await header(world, "read")
    assert (await client.get("/api/v1/heartbeats/backup/url", headers=lesser)).status in (401, 403)
    assert (await client.get("/api/v1/heartbeats")).status in (401, 403)


async def test_while_the_database_is_away_the_job_is_asked_to_come_back_and_its_words_are_kept_for_it(
    client: Client, world: World
) -> None:
    class Away:
        """A store that fails so many times before it works."""

        first_grades: Collection[str] = ()

        def __init__(self, database: Database, failures: int) -> None:
            self.database, self.failures = database, failures

        async def write(self, body: Any, *, urgent: bool = False) -> Any:
            if self.failures:
                self.failures -= 1
                raise StoreUnavailable("gone")
            return await self.database.write(body, urgent=urgent)

        async def read(self, body: Any) -> Any:
            return await self.database.read(body)

    await header(world, "read")
    world.desk.store = Away(world.database, 3)
    client.server.app[PINGS]._again_after = 0.001  # type: ignore[attr-defined]
    first = await client.get(path(world, "/start"))
    assert (first.status, first.headers["Retry-After"]) == (503, "5")
    assert "Please send it again" in await first.text()
    # It does come back, and then goes on: what was kept comes twice.
    for end in ("/start", ""):
        await client.get(path(world, end))
    async with asyncio.timeout(20):
        while (await state(client, world))["state"] != "up":
            await asyncio.sleep(0.01)
    assert (await state(client, world))["took_seconds"] is not None
    assert isinstance(client.server.app[PINGS], Pings)  # type: ignore[attr-defined]


async def test_a_job_that_left_the_policy_leaves_no_ticket_behind(client: Client, world: World) -> None:
    await client.get(path(world, "/fail"))
    rule(world, cron_jobs={})
    assert await watch(world) == 1
    ticket = await world.ticket()
    assert ticket["signal"] == "cleared"
    assert (await client.get(path(world))).status == 404


async def test_the_all_clear_finds_its_ticket_when_the_labels_have_changed(client: Client, world: World) -> None:
    await client.get(path(world, "/fail"))
    rule(world, cron_jobs={"backup": CronJobRule(name="backup", every=HOUR, labels={"severity": "info"})})
    assert await watch(world) == 0
    await client.get(path(world))
    assert (await world.ticket())["signal"] == "cleared"


async def test_the_gauge_says_who_is_up(client: Client, world: World) -> None:
    await client.get(path(world, "/fail"))
    await client.get(path(world, name="report"))
    page = await (await client.get("/metrics")).text()
    families = {one.name: one for one in text_string_to_metric_families(page)}
    found = {one.labels["name"]: one.value for one in families["responder_heartbeat_up"].samples}
    assert found == {"backup": 0, "report": 1}


# --- sources ---------------------------------------------------------------------------------------


async def test_a_source_that_never_sent_its_heartbeat_is_silent_since_it_was_configured(world: World) -> None:
    assert await watch_heartbeats(world.desk) == 0
    world.clock.advance(10 * MINUTE)
    assert await watch_heartbeats(world.desk) == 0
    world.clock.advance(SECOND)
    assert await watch_heartbeats(world.desk) == 2
    silent = {(await world.ticket(number))["labels"]["source"] for number in (1, 2)}
    assert silent == {"main", "old"}
    said = texts(await world.ticket()) + (await world.ticket())["title"]
    assert "has not sent watchdog since the start, 10m 1s ago" in said


async def sources(client: Client) -> dict[str, dict[str, Any]]:
    found = await (await client.get("/api/v1/heartbeats", headers={"Authorization": "Bearer secret-read"})).json()
    return {one["source"]: one for one in found["sources"]}


async def ages(client: Client) -> dict[str, float]:
    page = await (await client.get("/metrics")).text()
    families = {one.name: one for one in text_string_to_metric_families(page)}
    return {one.labels["source"]: one.value for one in families["responder_heartbeat_age_seconds"].samples}


async def test_what_was_not_heard_since_the_start_is_not_said_to_be_heard(client: Client, world: World) -> None:
    read = await header(world, "read")
    await watch_heartbeats(world.desk)
    world.clock.advance(MINUTE)
    await world.post(alert("Watchdog", severity="none"))
    world.clock.advance(MINUTE)
    found = await sources(client)
    assert {name: (one["last_at"], one["not_heard_since"]) for name, one in found.items()} == {
        "main": (plain(world.clock.now() - MINUTE), None),
        "old": (None, plain(world.clock.now() - 2 * MINUTE)),
    }
    assert await ages(client) == {"main": 60}
    health = await (await client.get("/api/v1/health", headers=read)).json()
    (vital,) = [one for one in health["vitals"] if one["name"] == "sources"]
    assert (vital["state"], vital["said"]) == ("odd", "Not heard since the start: watchdog (old).")
    assert health["sources"] == list(found.values())
    page = await (await client.get("/health", headers=read)).text()
    assert (page.count(">heard</span> watchdog"), page.count(">not heard yet</span> watchdog")) == (1, 1)
    assert "not heard since the start (" in page


async def test_silence_while_nobody_listened_counts_from_the_start(client: Client, world: World) -> None:
    await header(world, "read")
    (watchdog,) = world.desk.policy.heartbeats
    rule(world, heartbeats=(replace(watchdog, sources=("main",)),))
    await world.post(alert("Watchdog", severity="none"))
    await audit_pages(world.desk)
    world.clock.advance(HOUR)
    await listen_anew(world.desk)
    assert await watch_heartbeats(world.desk) == 0
    one = (await sources(client))["main"]
    assert (one["last_at"], one["not_heard_since"]) == (plain(world.clock.now() - HOUR), plain(world.clock.now()))
    assert await ages(client) == {"main": 3600}
    world.clock.advance(10 * MINUTE + SECOND)
    assert await watch_heartbeats(world.desk) == 1
    assert "has not sent watchdog since the start, 10m 1s ago" in (await world.ticket())["title"]


async def test_a_quick_restart_and_one_beside_another_replica_do_not_lengthen_a_silence(world: World) -> None:
    (watchdog,) = world.desk.policy.heartbeats
    rule(world, heartbeats=(replace(watchdog, sources=("main",)),))
    await world.post(alert("Watchdog", severity="none"))
    for _ in range(6):
        world.clock.advance(2 * MINUTE)
        await audit_pages(world.desk)
        await listen_anew(world.desk)
    assert await watch_heartbeats(world.desk) == 1
    assert "has not sent watchdog for 12m" in (await world.ticket())["title"]


async def only_main(world: World) -> None:
    (watchdog,) = world.desk.policy.heartbeats
    rule(world, heartbeats=(replace(watchdog, sources=("main",)),))


async def test_a_source_that_is_silent_still_after_a_time_without_us_is_not_said_to_send_again(world: World) -> None:
    await only_main(world)
    await world.post(alert("Watchdog", severity="none"))
    world.clock.advance(11 * MINUTE)
    assert await watch_heartbeats(world.desk) == 1
    await audit_pages(world.desk)
    world.clock.advance(10 * MINUTE)
    await listen_anew(world.desk)
    assert await watch_heartbeats(world.desk) == 0
    assert (await world.ticket())["signal"] == "firing"
    (one,) = await world.read(lambda tx: tx.switchboard.heartbeats())
    assert one.not_heard_since is None
    await world.post(alert("Watchdog", severity="none"))
    assert await watch_heartbeats(world.desk) == 1
    assert (await world.ticket())["signal"] == "cleared"


async def test_a_longer_patience_is_no_beat(world: World) -> None:
    await only_main(world)
    await world.post(alert("Watchdog", severity="none"))
    world.clock.advance(11 * MINUTE)
    assert await watch_heartbeats(world.desk) == 1
    (watchdog,) = world.desk.policy.heartbeats
    rule(world, heartbeats=(replace(watchdog, within=HOUR),))
    assert await watch_heartbeats(world.desk) == 0
    assert (await world.ticket())["signal"] == "firing"


@pytest.mark.parametrize("heard", [True, False], ids=["heard since", "not heard since"])
@pytest.mark.parametrize("begun", [True, False], ids=["with a round", "without a round"])
async def test_a_clock_that_was_ahead_at_the_start_does_not_end_the_watch(
    world: World, heard: bool, begun: bool
) -> None:
    await only_main(world)
    world.clock.advance(timedelta(days=365))
    await listen_anew(world.desk)
    await watch_heartbeats(world.desk)
    await world.post(alert("Watchdog", severity="none"))
    if begun:
        await audit_pages(world.desk)
    world.clock.advance(-timedelta(days=365))
    await listen_anew(world.desk)
    assert await watch_heartbeats(world.desk) == 0
    if heard:
        await world.post(alert("Watchdog", severity="none"))
    world.clock.advance(10 * MINUTE + SECOND)
    assert await watch_heartbeats(world.desk) == 1


async def test_what_a_clock_that_was_ahead_took_for_silence_ends_with_the_next_beat(world: World) -> None:
    await only_main(world)
    await world.post(alert("Watchdog", severity="none"))
    world.clock.advance(timedelta(days=365))
    assert await watch_heartbeats(world.desk) == 1
    world.clock.advance(MINUTE - timedelta(days=365))
    assert await watch_heartbeats(world.desk) == 0
    await world.post(alert("Watchdog", severity="none"))
    assert await watch_heartbeats(world.desk) == 1
    (one,) = await world.read(lambda tx: tx.switchboard.heartbeats())
    assert (one.silent_since, one.counted_from) == (None, world.clock.now())


async def test_a_beat_says_by_itself_that_the_clock_was_ahead(world: World) -> None:
    await only_main(world)
    world.clock.advance(HOUR)
    await watch_heartbeats(world.desk)
    world.clock.advance(-HOUR)
    await world.post(alert("Watchdog", severity="none"))
    (one,) = await world.read(lambda tx: tx.switchboard.heartbeats())
    assert (one.counted_from, one.not_heard_since) == (world.clock.now(), None)


async def test_a_source_that_need_not_send_it_is_watched_from_its_first_on(world: World) -> None:
    (watchdog,) = world.desk.policy.heartbeats
    rule(world, heartbeats=(replace(watchdog, sources=("old",)),))
    await watch_heartbeats(world.desk)
    world.clock.advance(HOUR)
    assert await watch_heartbeats(world.desk) == 1
    assert (await world.ticket())["labels"]["source"] == "old"


async def test_a_heartbeat_that_the_policy_lets_go_of_leaves_no_ticket_behind(world: World) -> None:
    await watch_heartbeats(world.desk)
    world.clock.advance(HOUR)
    await watch_heartbeats(world.desk)
    rule(world, heartbeats=())
    assert await watch_heartbeats(world.desk) == 2
    assert [(await world.ticket(number))["signal"] for number in (1, 2)] == ["cleared", "cleared"]
    assert await watch_heartbeats(world.desk) == 0


async def test_the_start_of_the_service_listens_anew(tmp_path: Path) -> None:
    path, clock = write_files(tmp_path), FakeClock(datetime(2026, 11, 21, 3, 0, tzinfo=UTC))
    started = []
    for _ in range(2):
        service = Service(path, clock=clock, with_web=False, with_worker=False)
        await service.start()
        await watch_heartbeats(service.desk)
        beats = await service.database.read(lambda tx: tx.switchboard.heartbeats())
        started.append({one.not_heard_since for one in beats} == {clock.now()})
        await service.stop()
        clock.advance(HOUR)
    assert started == [True, True]
