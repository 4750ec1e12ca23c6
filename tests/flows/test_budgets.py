"""Automation stays inside its budget: failure domains, shares, storms and maintenance, on either database."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from responder.domain.guards import Situation
from responder.domain.runbook import Run
from responder.flows.maintenance import end_maintenance, start_maintenance
from responder.flows.situation import budgets_left, situation
from responder.store.database import Database
from responder.store.transaction import Transaction
from tests.servers.postgres import Postgres
from tests.world import HOST_KEY, POLICY, World, alert, resolved, texts

MINUTE = timedelta(minutes=1)
RACKS = "targets:\n" + "".join(
    f"  - {{name: {name}, key_file: key, host_key: {HOST_KEY}, groups: [web], failure_domain: {rack}}}\n"
    for name, rack in (("web-1", "r1"), ("web-2", "r1"), ("web-3", "r2"), ("web-4", "r2"))
)
PER_RACK = POLICY + "budgets:\n  - {name: one per rack, max: 1, per: failure_domain, within: 30m}\n"
EVERYWHERE = """
runbook: restart-app
summary: Restart the app everywhere
steps:
  - foreach:
      group: web
      steps:
        - service_restart:
            manager: commands
            status: [svc, status, app]
            restart: [svc, restart, app]
            grace: 0s
            stable_for: 0s
"""

Made = Callable[..., World]


@pytest.fixture
def made(tmp_path: Path, database: Database) -> Made:
    return lambda **changed: World(tmp_path, database, **{"inventory": RACKS, **changed})


async def test_the_second_run_on_one_rack_is_refused_with_the_sentence(made: Made) -> None:
    world = made(policy=PER_RACK)
    await world.post(alert())
    await world.work()
    began = world.clock.now()
    world.clock.advance(5 * MINUTE)
    await world.post(alert(instance="web-2:9100"), alert(instance="web-3:9100"))
    await world.work()

    assert sorted(world.fleet.restarts()) == ["web-1", "web-3"]
    refused = await world.ticket(2)
    at = f"{began:%H:%M} UTC" if began.date() == world.clock.now().date() else f"{began:%Y-%m-%d %H:%M} UTC"
    assert f"one per rack: r1 has 1 of 1 (web-1 at {at}); web-2 would be the 2nd." in texts(refused)
    assert refused["status"] == "handed_over"


async def test_after_its_time_the_rack_may_be_touched_again(made: Made) -> None:
    world = made(policy=PER_RACK)
    await world.post(alert())
    await world.work()
    await world.post(resolved())
    world.clock.advance(30 * MINUTE)
    await world.post(alert(instance="web-2:9100"))
    await world.work()
    assert world.fleet.restarts() == ["web-1", "web-2"]


async def test_a_run_that_is_still_at_work_counts_however_long_ago_it_began(made: Made) -> None:
    world = made(policy=PER_RACK)
    await world.post(alert("Other"))
    long_ago = world.clock.now() - timedelta(hours=9)
    other = Run(id=0, ticket_id=1, runbook="restart-app", target="web-1", started_at=long_ago)
    await world.database.write(lambda tx: tx.runs.start(other, [other.target]))
    await world.post(alert(instance="web-2:9100"))
    await world.work()
    assert "web-2 would be the 2nd." in texts(await world.ticket(2))
    assert world.fleet.commands == []


async def test_a_share_of_a_group_is_rounded_down(made: Made) -> None:
    policy = POLICY + 'budgets:\n  - {name: half of web, max: "50%", of: web, within: 1h}\n'
    world = made(policy=policy)
    for number in (1, 2, 3):
        await world.post(alert(instance=f"web-{number}:9100"))
        await world.work()
    assert world.fleet.restarts() == ["web-1", "web-2"]
    assert "half of web: web has 2 of 2 (web-1 at " in texts(await world.ticket(3))


async def test_a_share_of_less_than_one_target_never_lets_it_run(made: Made) -> None:
    world = made(policy=POLICY + 'budgets:\n  - {name: a fifth, max: "20%", of: web, within: 1h}\n')
    await world.post(alert())
    await world.work()
    assert "a fifth: 20% of 4 in web is less than one target; web-1 would be one." in texts(await world.ticket())
    assert world.fleet.commands == []


async def test_a_run_over_a_group_counts_each_host_and_names_the_one_that_is_too_many(made: Made) -> None:
    world = made(policy=PER_RACK, runbook=EVERYWHERE)
    await world.post(alert(instance="web-3:9100"))
    await world.work()
    assert "one per rack: r1 has 0 of 1; with web-1 web-2 would be the 2nd." in texts(await world.ticket())
    assert world.fleet.commands == []


async def test_what_is_left_is_shown_on_the_ticket_and_in_the_sums(made: Made) -> None:
    world = made(policy=PER_RACK)
    await world.post(alert())
    await world.work()
    ticket = await world.ticket()
    assert "Left in the budgets: restart-app 3 of 4 runs this hour; one per rack r1 0 of 1." in texts(ticket)

    left = await world.read(lambda tx: budgets_left(world.desk, tx, world.clock.now()))
    assert {(one.name, one.scope): (one.remaining, one.limit) for one in left} == {
        ("runs per hour", "restart-app"): (3, 4),
        ("one per rack", "r1"): (0, 1),
        ("one per rack", "r2"): (1, 1),
    }


# --- storm -----------------------------------------------------------------------------------------


async def test_in_a_storm_nothing_starts_and_people_get_it(made: Made) -> None:
    world = made(policy=POLICY + "storm: {tickets: 4, within: 5m}\n")
    await world.post(*(alert("Noise", severity="info", instance=f"n{number}") for number in range(3)))
    await world.post(alert())
    await world.work()
    ticket = await world.ticket(4)
    assert "Storm: 4 tickets in 5m; automation keeps its hands off." in texts(ticket)
    assert ticket["status"] == "handed_over"
    assert world.fleet.commands == []


async def test_a_storm_passes(made: Made) -> None:
    world = made(policy=POLICY + "storm: {tickets: 4, within: 5m}\n")
    await world.post(*(alert("Noise", severity="info", instance=f"n{number}") for number in range(9)))
    world.clock.advance(5 * MINUTE)
    await world.post(alert())
    await world.work()
    assert world.fleet.restarts() == ["web-1"]


@pytest.mark.parametrize(("policy", "storms"), [(POLICY, True), (POLICY + "storm: null\n", False)])
async def test_fifty_tickets_in_five_minutes_are_a_storm_unless_the_policy_says_otherwise(
    made: Made, policy: str, storms: bool
) -> None:
    world = made(policy=policy)
    await world.post(*(alert("Noise", severity="info", instance=f"n{number}") for number in range(49)))
    await world.post(alert())
    await world.work()
    assert (world.fleet.restarts() == []) is storms


# --- maintenance -----------------------------------------------------------------------------------


async def test_the_alerts_of_a_host_in_maintenance_wait_until_it_ends_by_itself(made: Made) -> None:
    world = made()
    await start_maintenance(world.desk, ["web-1"], "new kernel", "mei", lasting=timedelta(hours=2))
    until = world.clock.now() + timedelta(hours=2)
    await world.post(alert(), alert(instance="web-2:9100"))
    await world.work()
    assert f"In maintenance until {until:%Y-%m-%d %H:%M} UTC (web-1 by mei: new kernel)" in texts(await world.ticket(1))
    assert world.fleet.restarts() == ["web-2"]

    world.clock.advance(timedelta(hours=2))
    await world.post(alert("ServiceDown", app="other"))
    await world.work()
    assert world.fleet.restarts() == ["web-2", "web-1"]


async def test_maintenance_of_one_host_refuses_the_run_over_its_group(made: Made) -> None:
    world = made(runbook=EVERYWHERE)
    await start_maintenance(world.desk, ["web-3"], "new kernel", "mei", lasting=timedelta(hours=2))
    await world.post(alert())
    await world.work()
    assert "web-3 is in maintenance until" in texts(await world.ticket())
    assert world.fleet.commands == []


async def test_maintenance_that_is_ended_early_is_over(made: Made) -> None:
    world = made()
    await start_maintenance(world.desk, ["web-1", "web-2"], "x", "mei", lasting=timedelta(hours=2))
    await end_maintenance(world.desk, ["web-1"])
    await world.post(alert())
    await world.work()
    assert world.fleet.restarts() == ["web-1"]


async def test_who_starts_maintenance_is_told_of_the_run_that_is_at_work_there(made: Made) -> None:
    world = made()
    await world.post(alert("Other"))
    other = Run(id=0, ticket_id=1, runbook="restart-app", target="web-1", started_at=world.clock.now())
    await world.database.write(lambda tx: tx.runs.start(other, [other.target]))
    at_work = await start_maintenance(world.desk, ["web-1", "web-2"], "x", "mei", lasting=MINUTE)
    number = (await world.ticket())["number"]
    assert at_work == [f"restart-app for {number} is at work on web-1"]


# --- replicas -----------------------------------------------------------------------------------------


@pytest.mark.needs("postgresql")
async def test_two_starts_on_two_replicas_do_not_spend_one_budget_twice(tmp_path: Path, postgres: Postgres) -> None:
    url = postgres.url(postgres.create(template="template_of_ours"))
    first, second = Database(url), Database(url)
    world = World(tmp_path, first, inventory=RACKS, policy=PER_RACK)
    await world.post(alert("Other"))
    looked, go_on = Event(), Event()

    def look(tx: Transaction, target: str) -> Situation:
        runbook = world.desk.configuration.runbooks["restart-app"]
        return situation(world.desk, tx, runbook, target=target, hosts=[target], now=world.clock.now())

    def start(tx: Transaction) -> None:
        look(tx, "web-1")
        looked.set()
        assert go_on.wait(4)
        tx.runs.start(Run(id=0, ticket_id=1, runbook="other", target="web-1", started_at=world.clock.now()), ["web-1"])

    with ThreadPoolExecutor(2) as threads:
        one: Future[Any] = threads.submit(first.write_now, start)
        assert looked.wait(10)
        other: Future[Situation] = threads.submit(second.write_now, lambda tx: look(tx, "web-2"))
        with pytest.raises(TimeoutError):
            other.result(0.3)
        go_on.set()
        one.result(10)
        (rack,) = other.result(10).accounts
    assert list(rack.touched) == ["web-1"]
    first.close()
    second.close()
