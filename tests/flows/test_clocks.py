"""Clocks at work: warnings before the breach, whom they tell, a policy that changes, and the explanation."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from responder.domain.access import Role
from responder.domain.accounts import User
from responder.domain.facts import Fact
from responder.domain.sla import Alarm, ClockRule
from responder.errors import NotFound
from responder.flows.explain_clock import explain_clocks, story_as_plain
from responder.flows.replan import replan
from responder.flows.watch import look_at_clocks
from responder.store.database import Database
from tests.flows.people import HOUR, MINUTE, TELL_NEXT, Team
from tests.world import alert, texts

UPDATE = ClockRule(
    name="update", start=frozenset({Fact.OPENED}), stop=frozenset({Fact.RESOLVED}), again=frozenset({Fact.UPDATED})
)


@pytest.fixture
def world(tmp_path: Path, database: Database) -> Team:
    return Team(tmp_path, database)


def change_clock(world: Team, name: str, **changed: Any) -> None:
    clocks = world.desk.policy.clocks
    world.rule(clocks=tuple(replace(rule, **changed) if rule.name == name else rule for rule in clocks))


async def later(world: Team, minutes: float) -> None:
    """Time passes; the watch looks, as it does every second."""
    world.clock.advance(minutes * MINUTE)
    while await look_at_clocks(world.desk):
        pass
    await world.work()


async def test_a_warning_starts_the_escalation_before_the_breach(world: Team) -> None:
    change_clock(world, "respond", warn=(50, 80), on_warn=Alarm(escalate=True))
    await world.fires("warning")
    world.sender.sent.clear()
    await later(world, 119)
    assert world.sender.people() == []
    await later(world, 1)
    assert world.sender.people() == ["lars"]
    ticket = await world.ticket()
    assert (ticket["tier"], ticket["clocks"][0]["breached_at"]) == (2, None)
    assert "50 % of the respond clock is used; 2h left." in texts(ticket)
    await later(world, 72)
    assert world.sender.people() == ["lars", "rosa"]


async def test_an_acknowledgement_before_the_warning_leaves_everybody_in_peace(world: Team) -> None:
    change_clock(world, "respond", warn=(50,), on_warn=TELL_NEXT)
    await world.fires("warning")
    await world.do("acknowledge", "mei")
    world.sender.sent.clear()
    await later(world, 600)
    assert world.sender.people() == []


async def test_a_breach_tells_whom_the_policy_names_once(world: Team) -> None:
    change_clock(world, "respond", on_breach=TELL_NEXT)
    await world.fires("warning")
    world.sender.sent.clear()
    for _ in range(3):
        await later(world, 240)
    assert sorted(world.sender.people()) == ["hans", "lars"]
    (breached,) = (await world.sums("sla_clocks_breached_total")).values()
    assert breached == 1


async def test_rounds_that_are_missed_are_counted_one_by_one_and_those_in_time_as_met(world: Team) -> None:
    world.rule(clocks=(*world.desk.policy.clocks, UPDATE))
    world.change_grade("P3", targets={"update": 2 * HOUR})
    await world.fires("warning")
    await later(world, 60)
    await world.read(lambda tx: None)
    await later(world, 250)
    assert sum((await world.sums("sla_clocks_breached_total")).values()) == 2
    assert (await world.runs("update")).due_at == (await world.runs("update")).started_at + 6 * HOUR


async def test_a_changed_policy_moves_the_deadlines_and_says_so_on_the_ticket(world: Team) -> None:
    await world.fires("warning")
    began = (await world.runs("respond")).started_at
    world.clock.advance(HOUR)
    old = world.desk.policy
    world.change_grade("P3", targets={"respond": 2 * HOUR, "restore": 24 * HOUR, "resolve": 72 * HOUR})
    assert await replan(world.desk, old) == 1
    assert (await world.runs("respond")).due_at == began + 2 * HOUR
    said = texts(await world.ticket())
    assert "The policy has changed: respond is now due" in said
    assert "(2h), it was due" in said
    assert "restore is now due" not in said
    assert await replan(world.desk, old) == 0


async def test_a_restart_with_another_policy_moves_the_deadlines_too(world: Team) -> None:
    await world.fires("warning")
    began = (await world.runs("respond")).started_at
    world.change_grade("P3", targets={"respond": HOUR})
    assert await replan(world.desk) == 1
    assert (await world.runs("respond")).due_at == began + HOUR
    assert (await world.runs("resolve")).due_at is None


class Counting:
    """A store that counts its writes."""

    first_grades: Collection[str] = ()

    def __init__(self, database: Database) -> None:
        self.database, self.writes = database, 0

    async def write(self, body: Any, *, urgent: bool = False) -> Any:
        self.writes += 1
        return await self.database.write(body, urgent=urgent)

    async def read(self, body: Any) -> Any:
        return await self.database.read(body)


async def test_a_policy_that_changed_nothing_writes_nothing_and_many_tickets_are_moved_together(world: Team) -> None:
    await world.post(*(alert("DiskFull", instance=f"n{number}", severity="warning") for number in range(120)))
    world.desk.store = store = Counting(world.database)
    old = world.desk.policy
    assert (await replan(world.desk, old), store.writes) == (0, 0)
    world.change_grade("P3", targets={"respond": 2 * HOUR, "restore": 24 * HOUR, "resolve": 72 * HOUR})
    assert (await replan(world.desk, old), store.writes) == (120, 2)
    assert (await replan(world.desk, old), store.writes) == (0, 2)


async def test_every_deadline_is_explained_line_by_line(world: Team) -> None:
    change_clock(world, "resolve", pause=frozenset({"waiting"}))
    await world.fires("warning")
    await world.do("acknowledge", "mei")
    world.clock.advance(HOUR)
    await world.do("wait", **{"for": "vendor", "reason": "case 1"})
    world.clock.advance(5 * HOUR)
    await world.do("resume", reason="answered")
    await world.do("regrade", grade="P2", reason="worse")
    number, (story,) = await explain_clocks(world.desk, "1", "resolve")
    lines = [line.text for line in story.lines]
    assert lines[0] == "started, since the ticket was opened; target 3d"
    assert "paused: the ticket is waiting for vendor" in lines
    assert "now graded P2; target 8h; what was used stays used" in lines
    assert (story.used, story.state) == (HOUR, "running")
    assert story.due_at == (await world.runs("resolve")).due_at == world.clock.now() + 7 * HOUR
    counted = [line.counted for line in story.lines if line.counted is not None]
    assert sum(counted, 0 * HOUR) == 8 * HOUR
    assert story_as_plain(story)["used_seconds"] == 3600
    assert number.startswith("INC-")


async def test_a_clock_that_is_not_there_is_refused_with_those_that_are(world: Team) -> None:
    await world.fires("warning")
    with pytest.raises(NotFound, match="has no clock review; it has respond, restore, resolve"):
        await explain_clocks(world.desk, "1", "review")


async def test_an_owner_whom_nobody_can_reach_does_not_silence_the_clock(world: Team) -> None:
    await world.fires()
    stranger = User(name="a-stranger", role=Role.RESPONDER, created_at=world.clock.now())
    await world.database.write(lambda tx: tx.accounts.add(stranger))
    await world.do("acknowledge", "a-stranger")
    before = len(world.sender.sent)

    await later(world, 50)
    await world.work()

    assert "mei" in world.sender.people()[before:]
    assert "a-stranger cannot be reached by any channel" in texts(await world.ticket())
