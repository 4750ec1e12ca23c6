"""Every sum about tickets can be told anew from their events, and is the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from responder.domain.facts import Fact
from responder.domain.sla import Alarm, ClockRule
from responder.flows.recount import recount
from responder.flows.watch import look_at_clocks
from responder.store.database import Database
from tests.flows.people import HOUR, KINDS, MINUTE, Team

CLOCKS = (
    ClockRule(name="diagnose", start=frozenset({Fact.ESCALATED}), stop=frozenset({Fact.DIAGNOSED})),
    ClockRule(
        name="update", start=frozenset({Fact.OPENED}), stop=frozenset({Fact.RESOLVED}), again=frozenset({Fact.UPDATED})
    ),
)


@pytest.fixture
def world(tmp_path: Path, database: Database) -> Team:
    return Team(tmp_path, database)


async def later(world: Team, minutes: float) -> None:
    for _ in range(4):
        world.clock.advance(minutes / 4 * MINUTE)
        while await look_at_clocks(world.desk):
            pass
        await world.work()


async def a_busy_day(world: Team) -> None:
    policy = world.desk.policy
    warned = tuple(
        replace(rule, warn=(50,), pause=frozenset({"waiting"}), on_warn=Alarm(tell=("team",))) for rule in policy.clocks
    )
    world.rule(clocks=(*warned, *CLOCKS), kinds=KINDS)
    for grade in ("P1", "P3"):
        targets = {**policy.grades[grade].targets, "update": 2 * HOUR, "diagnose": HOUR}
        world.change_grade(grade, targets=targets)
    await world.fires()
    await world.fires("warning", instance="web-2:9100")
    await world.fires("warning", instance="web-3:9100")
    await later(world, 20)
    await world.do("acknowledge")
    await world.do("escalate", reason="hard")
    await world.do("acknowledge", "lars")
    await world.do("diagnose", "lars", text="the disk")
    await world.do("wait", "lars", **{"for": "part", "reason": "a disk"})
    await later(world, 300)
    await world.do("resume", "lars", reason="it is here")
    await world.clears()
    await later(world, 4)
    await world.fires()
    await world.do("acknowledge", "mei")
    await world.clears()
    await later(world, 30)
    await world.do("close", reason="done")
    await world.do("reopen", reason="again")
    await world.do("classify", key="2", kind="hardware")
    await world.do("regrade", key="2", grade="P1", reason="worse")
    await later(world, 40)
    await world.do("dismiss", key="2", **{"as": "false_alarm", "reason": "the sensor"})
    await world.do("merge", key="3", into="1")


async def test_what_the_counters_say_is_what_the_events_tell(world: Team) -> None:
    await a_busy_day(world)
    found = await recount(world.database, world.desk.policy)
    assert found.differences == ()
    assert (found.tickets, found.sums > 20) == (3, True)
    names = {name for name, _, _ in await world.read(lambda tx: tx.sums.all())}
    assert {"sla_clocks_breached_total", "sla_clocks_excluded_total", "sla_clock_warnings_total"} <= names


async def test_a_counter_that_lies_is_found(world: Team) -> None:
    await a_busy_day(world)
    lie = text("UPDATE sums SET value = value + 1 WHERE name = 'sla_clocks_met_total'")
    await world.database.write(lambda tx: tx.connection.execute(lie))
    found = await recount(world.database, world.desk.policy)
    assert {one.name for one in found.differences} == {"sla_clocks_met_total"}


async def test_an_event_that_is_lost_is_found(world: Team) -> None:
    await a_busy_day(world)
    loss = text("DELETE FROM events WHERE kind = 'moved' AND data LIKE '%acknowledge%'")
    await world.database.write(lambda tx: tx.connection.execute(loss))
    assert (await recount(world.database, world.desk.policy)).differences
