"""A world with people in roles and a policy that has gates, requirements and clocks of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from responder.domain.gates import GateRule, OnTimeout
from responder.domain.kinds import Kind
from responder.domain.policy import Policy
from responder.domain.requirements import Need
from responder.domain.sla import Alarm
from responder.domain.ticket import Action, Ticket
from responder.flows.handle import do
from responder.store.database import Database
from tests.world import World, alert, resolved

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
TEAM = """
people:
  - {name: mei, roles: [engineer], channels: [{name: pager, url: "json://127.0.0.1:9/mei"}]}
  - {name: lars, roles: [manager], channels: [{name: phone, url: "json://127.0.0.1:9/lars"}]}
  - {name: rosa, roles: [director], channels: [{name: phone, url: "json://127.0.0.1:9/rosa"}]}
  - {name: otto, roles: [manager, director], channels: [{name: phone, url: "json://127.0.0.1:9/otto"}]}
  - {name: hans, roles: [head], channels: [{name: phone, url: "json://127.0.0.1:9/hans"}]}
teams:
  - {name: ops, tiers: {1: [mei], 2: [lars], 3: [rosa]}}
  - {name: hardware, tiers: {1: [otto]}}
"""
ALERTS_ONLY = "extends: p1-p4\nmoves: []\n"
BOTH = GateRule(
    name="plan of a P1",
    move=Action.APPROVE,
    roles=("manager", "director"),
    each=True,
    grades=("P1",),
    within=4 * HOUR,
    on_timeout=OnTimeout.ESCALATE,
    inform=("head",),
)


class Team(World):
    """A world whose people do things by name."""

    def __init__(self, folder: Path, database: Database) -> None:
        super().__init__(folder, database, people=TEAM, policy=ALERTS_ONLY)

    def rule(self, **changes: Any) -> None:
        """Changes the policy in use."""
        configuration = self.desk.configuration
        self.desk.take_over(replace(configuration, policy=replace(configuration.policy, **changes)))

    def change_grade(self, name: str, **changes: Any) -> None:
        grades = self.desk.policy.grades
        self.rule(grades={**grades, name: replace(grades[name], **changes)})

    async def fires(self, severity: str = "critical", **labels: str) -> None:
        await self.post(alert(severity=severity, **labels))
        await self.work()

    async def clears(self, **labels: str) -> None:
        await self.post(resolved(**labels))
        await self.work()

    async def do(self, verb: str, who: str = "mei", key: str = "1", **content: Any) -> Ticket:
        """A person does something; what follows from it is done too."""
        version = content.pop("version", None)
        ticket = await do(self.desk, verb, key, actor=who, content=content, version=version)
        await self.work()
        return ticket

    async def runs(self, name: str, key: str = "1") -> Any:
        return (await self.read(lambda tx: tx.tickets.find(key))).clocks[name]


def with_gates(world: Team) -> None:
    world.rule(gates=(BOTH,))


def with_needs(*needs: str, move: Action = Action.CLOSE) -> Callable[[Team], None]:
    return lambda world: world.rule(needs=(Need(move=move, needs=needs),))


KINDS = {"hardware": Kind(name="hardware", code=1, team="hardware"), "software": Kind(name="software", code=2)}
TELL_NEXT = Alarm(tell=("next_tier",), roles=("head",))
__all__ = ["ALERTS_ONLY", "BOTH", "HOUR", "KINDS", "MINUTE", "TELL_NEXT", "Policy", "Team", "with_gates", "with_needs"]
