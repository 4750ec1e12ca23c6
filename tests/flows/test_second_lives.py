"""Runs that wait, tickets that come back, policies that change: nobody is forgotten, nothing acts twice."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from responder.flows.first_aid import continue_run
from responder.flows.receive import MOST_REFUSED_PER_HOUR, quarantine
from responder.flows.watch import forget
from responder.store.database import Database
from responder.store.jobs import Job
from responder.store.reports import Body
from tests.world import POLICY, RUNBOOK, World, alert, resolved, texts

WAITING = RUNBOOK.replace("steps:", "steps:\n  - wait: {for: 1h}").replace("cooldown: 15m", "cooldown: 0s\ntimeout: 9h")


async def test_a_trouble_that_comes_back_while_its_old_run_waits_is_not_forgotten(
    tmp_path: Path, database: Database
) -> None:
    world = World(tmp_path, database, runbook=WAITING)
    await world.post(alert())
    await world.work()
    await world.post(resolved())
    await world.advance(timedelta(minutes=10))
    await world.post(alert())
    await world.work()
    await world.advance(timedelta(hours=1))
    await world.advance(timedelta(hours=1))

    ticket = await world.ticket()
    assert [run["outcome"] for run in ticket["runs"]] == ["cancelled", "helped"]
    assert ticket["status"] == "restored"


async def test_of_two_jobs_that_would_go_on_with_a_run_only_one_does(tmp_path: Path, database: Database) -> None:
    world = World(tmp_path, database, runbook=WAITING)
    await world.post(alert())
    await world.work()
    world.clock.advance(timedelta(hours=1))
    outdated = Job(kind="run", args={"ticket": 1, "run": 1, "leg": 0}, due_at=world.clock.now())
    await continue_run(world.desk, outdated)
    assert world.fleet.commands == []
    await world.work()
    assert world.fleet.restarts() == ["web-1"]


async def test_a_correlated_trouble_that_comes_back_elsewhere_is_cured_there_and_graded_anew(
    tmp_path: Path, database: Database
) -> None:
    policy = POLICY + "correlation: [{name: service, when: ['alertname=\"ServiceDown\"'], by: [alertname]}]\n"
    world = World(tmp_path, database, policy=policy, runbook=RUNBOOK.replace("cooldown: 15m", "cooldown: 0s"))
    await world.post(alert(severity="info"))
    await world.work()
    await world.post(resolved(severity="info"))
    await world.advance(timedelta(minutes=5))
    await world.post(alert(instance="web-2:9100"))
    await world.work()

    ticket = await world.ticket()
    assert (ticket["grade"], ticket["labels"]["instance"], ticket["episode"]) == ("P1", "web-2:9100", 2)
    assert world.fleet.restarts() == ["web-1", "web-2"]


async def test_a_worse_alert_of_the_same_trouble_raises_its_grade_and_tells_more_people(
    tmp_path: Path, database: Database
) -> None:
    policy = "extends: p1-p4\ncorrelation: [{name: disk, when: ['alertname=\"DiskFull\"'], by: [alertname]}]\n"
    world = World(tmp_path, database, policy=policy)
    await world.post(alert("DiskFull", severity="warning"))
    await world.work()
    assert world.sender.people() == ["mei"]
    await world.post(alert("DiskFull", instance="web-2:9100"))
    await world.work()

    assert "Raised from P3 to P1" in texts(await world.ticket())
    assert sorted(world.sender.people()) == ["lars", "mei", "mei"]


async def test_a_grade_that_a_reload_took_away_is_treated_by_the_default_grade(
    tmp_path: Path, database: Database
) -> None:
    world = World(tmp_path, database)
    await world.post(alert("DiskFull"))
    own = "name: own\ndefault_grade: P3\ngrades: {P3: {targets: {respond: 1h}, quiet: 1m}}\n"
    (tmp_path / "policy.yml").write_text(own)
    world.desk = world.another_desk()
    await world.work()
    assert world.sender.people() == ["mei"]
    await world.post(resolved("DiskFull"))
    await world.advance(timedelta(minutes=1))
    assert (await world.ticket())["status"] == "resolved"


async def test_strangers_and_old_reports_leave_no_rows_behind(tmp_path: Path, database: Database) -> None:
    world = World(tmp_path, database)
    for number in range(MOST_REFUSED_PER_HOUR + 30):
        body = Body(
            id=f"b{number}", source="unknown", received_at=world.clock.now(), body=b"x", quarantined_because="401: no"
        )
        await quarantine(world.desk, body, limited=True)
    await world.post(alert("DiskFull"))
    kept = await world.read(lambda tx: tx.reports.of_ticket(1))
    assert sum(row[1] for row in kept) == MOST_REFUSED_PER_HOUR
    world.clock.advance(timedelta(days=31))
    assert await forget(world.desk) > 0
    assert await forget(world.desk) == 0
    assert await world.read(lambda tx: tx.reports.of_ticket(1)) == []


@pytest.mark.parametrize("kind", ["first_aid", "run"])
async def test_a_run_that_is_given_up_frees_its_host(tmp_path: Path, database: Database, kind: str) -> None:
    from responder.flows.set_aside import set_aside

    world = World(tmp_path, database, runbook=WAITING)
    await world.post(alert())
    await world.work()
    await set_aside(world.desk, Job(kind=kind, args={"ticket": 1}, due_at=world.clock.now()), "a mistake")
    assert (await world.ticket())["runs"][0]["outcome"] == "unknown"
    assert await world.read(lambda tx: tx.runs.busy_with("web-1")) == ""
