"""Explain says what would hold an alert back, until when and why, and who would be told, and changes nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from responder.config.configuration import read
from responder.domain.hold_off import HoldOffRule
from responder.domain.matching import parse_matcher
from responder.domain.rota import Override
from responder.domain.storm import StormRule
from responder.flows.explain import explain
from responder.flows.explain_live import explain_live
from responder.flows.maintenance import start_maintenance
from responder.flows.maintenance_windows import begin_window
from responder.store.database import Database
from tests.flows.people import ALERTS_ONLY, HOUR, MINUTE, Team
from tests.flows.test_hold_dependency import INVENTORY
from tests.world import write_files

ROTA = """
people:
  - {name: mei, channels: [{name: pager, url: "json://127.0.0.1:9/mei"}]}
  - {name: lars, channels: [{name: phone, url: "json://127.0.0.1:9/lars"}]}
  - {name: rosa, channels: [{name: phone, url: "json://127.0.0.1:9/rosa"}]}
rotas:
  - {name: ops, zone: UTC, layers: [{people: [mei], start: 2026-01-05}]}
teams:
  - {name: ops, tiers: {1: {rota: ops}, 2: [lars]}}
"""
POLICY = (
    ALERTS_ONLY
    + """
escalation:
  - {name: urgent, grades: [P1], steps: [{tell: [tier 1]}, {after: 30m, tell: [tier 2]}]}
maintenance:
  - {name: move, when: ['job="moved"'], from: 2020-01-01 00:00, until: 2099-01-01 00:00, zone: UTC}
"""
)
DB = (parse_matcher('job="db"'),)


@pytest.fixture
def world(tmp_path: Path, database: Database) -> Team:
    made = Team(tmp_path, database)
    write_files(tmp_path, inventory=INVENTORY, policy=POLICY, people=ROTA)
    made.desk.take_over(read(made.path))
    return made


def labels(**more: str) -> dict[str, str]:
    return {"alertname": "ServiceDown", "severity": "critical", "instance": "alone:9100", **more}


async def live(world: Team, at: datetime | None = None, **more: str) -> dict[str, Any]:
    return await explain_live(world.desk, labels(**more), {}, at)


def stamp(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


async def test_nothing_holds_it_and_the_plan_says_who_is_called_when(world: Team) -> None:
    found, now = await live(world), world.clock.now()
    assert (found["live"], found["held"], found["outcome"], found["unknown"]) == (True, None, "opened", [])
    assert [(one["at"], one["people"]) for one in found["calls"]] == [
        (stamp(now), ["mei by pager"]),
        (stamp(now + 30 * MINUTE), ["lars by phone"]),
    ]
    assert (found["people"], found["people_reason"]) == (["mei by pager"], "tier 1: mei, on call in ops")


async def test_an_override_of_the_rota_says_who_is_told(world: Team) -> None:
    now = world.clock.now()
    start, until = now + HOUR, now + 2 * HOUR
    cover = Override(rota="ops", person="rosa", start=start, until=until, reason="x", actor="mei", made_at=now)
    await world.database.write(lambda tx: tx.overrides.add(cover))
    assert (await live(world))["people"] == ["mei by pager"]
    assert (await live(world, now + HOUR))["people"] == ["rosa by phone"]
    offline = explain(world.desk.configuration, labels(), {}, now + HOUR)
    assert (offline["people"], offline["live"]) == (["mei by pager"], False)
    assert "Overrides of rotas" in offline["unknown"][0]


async def test_a_window_that_people_began_holds_it_until_its_end_and_then_people_are_told(world: Team) -> None:
    await begin_window(world.desk, ['job="db"'], "swap", "lars", lasting=2 * HOUR)
    found, ends = await live(world, job="db"), stamp(world.clock.now() + 2 * HOUR)
    assert (found["held"]["name"], found["held"]["until"]) == ("maintenance", ends)
    assert "by lars: swap" in found["held"]["sentence"]
    assert found["calls"][0]["at"] == ends
    assert (await live(world, world.clock.now() + 3 * HOUR, job="db"))["held"] is None
    assert explain(world.desk.configuration, labels(job="db"), {}, world.clock.now())["held"] is None


async def test_what_the_policy_holds_is_said_without_a_server_too(world: Team) -> None:
    world.rule(hold_off=(HoldOffRule(name="patient", when=DB, lasting=HOUR, grades=("P1",)),))
    now, known = world.clock.now(), world.desk.configuration
    assert explain(known, labels(job="db"), {}, now)["held"]["until"] == stamp(now + HOUR)
    moved = explain(known, labels(job="moved"), {}, now)["held"]
    assert (moved["name"], moved["until"]) == ("maintenance", "2099-01-01T00:00:00Z")
    assert (await live(world, job="moved"))["held"] == moved


async def test_a_host_in_maintenance_and_one_behind_a_switch_are_said(world: Team) -> None:
    await start_maintenance(world.desk, ["alone"], "new kernel", "mei", lasting=HOUR)
    assert (await live(world))["held"]["name"] == "maintenance"
    await world.fires(instance="switch-1:9100")
    held = (await live(world, instance="web-1:9100"))["held"]
    assert (held["name"], held["until"], held["parent"]) == ("dependency", None, (await world.ticket())["number"])


async def test_a_storm_is_said(world: Team) -> None:
    world.rule(storm=StormRule(tickets=3))
    for host in ("a", "b", "c"):
        await world.fires("error", instance=host)
    held = (await live(world, severity="error"))["held"]
    assert (held["name"], held["until"]) == ("storm", None)
    assert (await live(world))["held"] is None


async def test_what_shows_already_or_is_taken_tells_nobody_anew(world: Team) -> None:
    await world.fires(instance="alone:9100")
    number = (await world.ticket())["number"]
    found = await live(world)
    assert (found["outcome"], found["ticket"], found["people"]) == ("repeated", number, [])
    await world.do("acknowledge")
    assert (await live(world))["people_reason"] == f"mei has {number}"


async def test_asking_changes_nothing(world: Team) -> None:
    await begin_window(world.desk, ['job="db"'], "swap", "lars", lasting=2 * HOUR)
    await live(world, world.clock.now() + timedelta(days=3), job="db")
    assert await world.read(lambda tx: tx.tickets.all_ids()) == []
    assert world.sender.sent == []
