"""What the tests of approvals and autonomy share: people with roles, and a runbook that asks first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import Any, TypeVar

from responder.store.database import Database
from responder.store.transaction import Transaction
from tests.fakes import Crash
from tests.world import POLICY, RUNBOOK, World, alert

T = TypeVar("T")

PEOPLE = """
people:
  - {name: mei, roles: [dba], channels: [{name: pager, url: "json://127.0.0.1:9/mei"}]}
  - {name: lars, roles: [dba, lead], channels: [{name: phone, url: "json://127.0.0.1:9/lars"}]}
  - {name: ines, channels: [{name: mail, url: "json://127.0.0.1:9/ines"}]}
teams:
  - {name: ops, tiers: {1: [ines], 2: [lars]}}
"""
ASKING = RUNBOOK.replace("cooldown: 15m", "cooldown: 0s\ntimeout: 2h").replace(
    "steps:", 'steps:\n  - {name: may we, approval: {question: "Restart it?", roles: [dba], within: 15m}}'
)


PLAIN = RUNBOOK.replace("cooldown: 15m\nruns_per_hour: 4", "cooldown: 0s\nruns_per_hour: 1000")
APPROVE = "autonomy: approve, approval: {roles: [dba], within: 15m}"
SUGGEST = "autonomy: suggest"


def asking(text: str) -> str:
    """The runbook that asks, with other settings of its approval."""
    return ASKING.replace("roles: [dba], within: 15m", text)


def rule(text: str) -> str:
    """The policy with more settings in its rule of first aid."""
    return POLICY.replace("runbook: restart-app}", f"runbook: restart-app, {text}}}")


def world_of(folder: Path, database: Database, **changed: str) -> World:
    return World(folder, database, **{"people": PEOPLE, "runbook": ASKING, **changed})


def a_world(folder: Path, database: Database, text: str, **changed: str) -> World:
    """One whose rule of first aid has these settings, and whose runbook may run as often as one likes."""
    return world_of(folder, database, **{"policy": rule(text), "runbook": PLAIN, **changed})


async def fired(world: World, **labels: str) -> None:
    await world.post(alert(**labels))
    await world.work()


async def the_approval(world: World, number: int = 1) -> Any:
    return await world.read(lambda tx: tx.approvals.one(number))


async def purposes(world: World, person: str) -> list[str]:
    """Why messages were written to a person."""
    found: list[str] = await world.read(
        lambda tx: [one.purpose for one in tx.messages.of_ticket(1) if one.person == person]
    )
    return found


class After:
    """A store that does `then` right after the first commit after which `when` holds: a crash, or somebody's answer."""

    first_grades: Collection[str] = ()

    def __init__(
        self, database: Database, when: Callable[[Transaction], object], then: Callable[[], Awaitable[object]]
    ) -> None:
        self._database = database
        self._when = when
        self._then: Callable[[], Awaitable[object]] | None = then

    async def write(self, body: Callable[[Transaction], T], *, urgent: bool = False) -> T:
        result = await self._database.write(body, urgent=urgent)
        then = self._then
        if then is not None and await self._database.read(lambda tx: bool(self._when(tx))):
            self._then = None
            await then()
        return result

    async def read(self, body: Callable[[Transaction], T]) -> T:
        return await self._database.read(body)


async def dies() -> None:
    raise Crash
