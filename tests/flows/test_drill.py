"""A drill: everybody on call is asked, and who does not confirm is named."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, time, timedelta
from pathlib import Path

import pytest

from responder.adapters.links import DrillClaim
from responder.domain.drill import Drill, DrillRule
from responder.errors import Refused, SendRefused
from responder.flows.drill import confirm, confirmed_last, order_drill, watch_drills
from responder.store.database import Database
from tests.world import World

PEOPLE = """
people:
  - {name: mei, language: zh, channels: [{name: pager, url: "json://127.0.0.1:9/mei"}]}
  - {name: lars, channels: [{name: phone, url: "json://127.0.0.1:9/lars"}]}
  - {name: rosa, channels: [{name: phone, url: "json://127.0.0.1:9/rosa"}]}
  - {name: hans, channels: [{name: phone, url: "json://127.0.0.1:9/hans"}], quiet_hours: QUIET}
teams:
  - {name: ops, tiers: {1: [mei, rosa], 2: [lars]}}
  - {name: db, tiers: {1: [mei], 2: [hans]}}
"""
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def world(tmp_path: Path, database: Database) -> World:
    quiet = '[{from: "00:00", to: "12:00", zone: UTC}, {from: "12:00", to: "00:00", zone: UTC}]'
    return World(tmp_path, database, people=PEOPLE.replace("QUIET", quiet))


def rule_from_now(world: World, after: timedelta = HOUR) -> None:
    """A policy whose drill is due so long after now, every thirty days."""
    at = (world.clock.now() + after).time()
    rule = DrillRule(every=timedelta(days=30), at=at, days=frozenset(range(7)), within=HOUR)
    configuration = world.desk.configuration
    world.desk.take_over(replace(configuration, policy=replace(configuration.policy, drill=rule)))


async def drills(world: World) -> list[Drill]:
    found: list[Drill] = await world.read(lambda tx: tx.drills.listed(10))
    return found


async def look(world: World, after: timedelta = timedelta()) -> None:
    world.clock.advance(after)
    while await watch_drills(world.desk):
        pass
    await world.work()


async def test_everybody_on_call_is_asked_at_its_time_and_who_does_not_confirm_is_named(world: World) -> None:
    rule_from_now(world)
    await look(world)
    await look(world, HOUR - MINUTE)
    assert world.sender.sent == []
    await look(world, MINUTE)
    assert sorted(world.sender.people()) == ["lars", "mei"]
    link = re.search(r"/drill/(\S+)", next(body for person, _, body in world.sender.sent if person == "mei"))
    assert link is not None
    claim = world.desk.links.read_drill(link.group(1))
    assert claim == DrillClaim(drill_id=1, person="mei")

    await confirm(world.desk, claim)
    await look(world, HOUR - MINUTE)
    assert (await drills(world))[0].ended_at is None
    await look(world, MINUTE)
    (drill,) = await drills(world)
    assert (drill.ended_at, drill.silent) == (world.clock.now(), ("lars",))
    hans = drill.answer_of("hans")
    assert hans is not None
    assert "in quiet hours until" in hans.skipped
    ticket = await world.ticket()
    assert (ticket["grade"], "lars did not confirm" in ticket["title"]) == ("P4", True)


async def test_a_drill_that_all_confirm_ends_at_once_and_makes_no_ticket(world: World) -> None:
    drill = await order_drill(world.desk, "rosa")
    await look(world)
    for name in ("mei", "lars"):
        await confirm(world.desk, DrillClaim(drill_id=drill.id, person=name))
    await look(world)
    assert (await drills(world))[0].ended_at == world.clock.now()
    assert await world.read(lambda tx: tx.tickets.listed()) == []


async def test_the_next_drill_is_planned_for_its_time_after_the_last_one(world: World) -> None:
    rule_from_now(world)
    await look(world)
    first: datetime = (await world.read(lambda tx: tx.drills.open_ones()))[0].due_at
    await look(world, HOUR)
    planned = [one for one in await world.read(lambda tx: tx.drills.open_ones()) if one.started_at is None]
    assert [one.due_at for one in planned] == [first + timedelta(days=30)]


async def test_a_reload_moves_a_planned_drill_and_takes_it_back(world: World) -> None:
    rule_from_now(world)
    await look(world)
    rule_from_now(world, 2 * HOUR)
    await look(world)
    (planned,) = await world.read(lambda tx: tx.drills.open_ones())
    assert planned.due_at == world.clock.now() + 2 * HOUR

    policy = replace(world.desk.policy, drill=None)
    world.desk.take_over(replace(world.desk.configuration, policy=policy))
    await look(world)
    assert await world.read(lambda tx: tx.drills.open_ones()) == []


async def test_a_drill_whose_time_passed_while_nobody_served_is_not_made_up_for_in_the_night(world: World) -> None:
    rule_from_now(world)
    await look(world)
    await look(world, 3 * HOUR)
    assert world.sender.sent == []
    (planned,) = await world.read(lambda tx: tx.drills.open_ones())
    assert planned.due_at > world.clock.now()


async def test_what_each_channel_answered_is_kept(world: World) -> None:
    world.sender.failures.extend([SendRefused("no such address.")] * 2)
    await order_drill(world.desk, "rosa")
    await look(world)
    mei = (await drills(world))[0].answer_of("mei")
    assert mei is not None
    assert (mei.channels, mei.told_at) == ((("pager", "no such address."),), None)


async def test_only_one_drill_is_at_work_and_only_those_who_were_asked_confirm(world: World) -> None:
    drill = await order_drill(world.desk, "rosa")
    with pytest.raises(Refused, match="Drill 1 is at work until"):
        await order_drill(world.desk, "rosa")
    with pytest.raises(Refused, match="rosa was not asked"):
        await confirm(world.desk, DrillClaim(drill_id=drill.id, person="rosa"))
    with pytest.raises(Refused, match="not made here"):
        world.desk.links.read_drill("x")


def test_a_time_of_day_is_enough_for_a_rule() -> None:
    from responder.config.delivery import DrillFile

    rule = DrillFile.model_validate({"at": "14:00"}).as_rule()
    assert (rule.at, rule.days, rule.every) == (time(14), frozenset(range(5)), timedelta(days=30))
    with pytest.raises(ValueError, match="counts whole days"):
        DrillFile.model_validate({"at": "14:00", "every": "36h"})


async def confirms(world: World, person: str) -> None:
    await confirm(world.desk, DrillClaim(drill_id=(await drills(world))[0].id, person=person))


async def test_who_confirmed_the_last_drill_and_what_came_of_each_is_measured(world: World) -> None:
    async def confirmed() -> dict[str, float]:
        found: dict[str, float] = await world.read(lambda tx: confirmed_last(world.desk, tx))
        return found

    await order_drill(world.desk, "lars")
    await world.work()
    assert await confirmed() == {}
    await confirms(world, "mei")
    await look(world, HOUR)
    assert await confirmed() == {"lars": 0.0, "mei": 1.0}
    counted = {"confirmed": 1, "silent": 1, "skipped": 1}
    assert await world.sums("drill_answers_total") == {(("outcome", name),): n for name, n in counted.items()}
    await confirms(world, "lars")
    assert await confirmed() == {"lars": 1.0, "mei": 1.0}
    assert (await world.sums("drill_answers_total"))[(("outcome", "late"),)] == 1


async def test_a_drill_at_work_says_nothing_yet_about_who_is_reached(world: World) -> None:
    await order_drill(world.desk, "lars")
    await confirms(world, "mei")
    await confirms(world, "lars")
    await look(world)
    await order_drill(world.desk, "lars")
    assert await world.read(lambda tx: confirmed_last(world.desk, tx)) == {"lars": 1.0, "mei": 1.0}
