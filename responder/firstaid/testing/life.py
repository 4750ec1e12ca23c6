"""One run in a test, over all lives of its process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from responder.domain.runbook import RunOutcome
from responder.firstaid.engine import Engine
from responder.firstaid.plan import Plan, from_snapshot, snapshot
from responder.firstaid.ports import Ended
from responder.firstaid.testing.answers import CommandRule
from responder.firstaid.testing.files import EVERY_HOST, CaseFile
from responder.firstaid.testing.journal import MemoryJournal, Record
from responder.firstaid.testing.suite import Suite
from responder.firstaid.testing.touches import Crash, Touches
from responder.firstaid.testing.world import NOON, NoAnswer, World

_MOST_LEGS = 20_000


@dataclass(kw_only=True)
class Life:
    """What became of a run: how it ended, and what it left in the world and in the journal.

    `stuck` says why it could not be followed to its end; `crashed_at` where its process died once.
    """

    world: World
    plan: Plan | None = None
    record: Record = field(default_factory=Record)
    ended: Ended = field(default_factory=lambda: Ended(outcome=RunOutcome.REFUSED, sentence=""))
    stuck: str = ""
    crashed_at: str = ""

    @property
    def acts(self) -> list[str]:
        return [str(act) for act in self.world.acted]


def planned(suite: Suite, case: CaseFile) -> Plan | str:
    """The plan of a test's run, or the sentence why there is none."""
    labels = {**suite.written.labels, **case.labels}
    target, inventory = suite.target_of(case), suite.targets_of(case)
    try:
        return from_snapshot(snapshot(suite.runbook, labels, target, inventory=inventory, nonce="test"))
    except ValueError as error:
        return f"{suite.runbook.name} cannot run: {error}."


async def lived(suite: Suite, case: CaseFile, plan: Plan | str, crash_at: int | None = None) -> Life:
    """The run from its start to its end; its process may die at the n-th touch, and then it begins again."""
    life = Life(world=_world(suite, case, crash_at))
    if isinstance(plan, str):
        life.ended = Ended(outcome=RunOutcome.REFUSED, sentence=plan)
        return life
    life.plan = plan
    try:
        await _until_the_end(life, plan, case, suite.target_of(case).name)
    except NoAnswer as error:
        life.stuck = str(error)
    except (ValueError, LookupError, TypeError) as error:
        # A step that cannot read what a test lets a host print.
        life.stuck = f"the run breaks off: {type(error).__name__}: {error}"
    return life


async def _until_the_end(life: Life, plan: Plan, case: CaseFile, target: str) -> None:
    try:
        await _legs(life, plan, case, target)
    except Crash as crash:
        # From here on another process goes on, on the same hosts and with the same journal.
        life.crashed_at = str(crash)
        life.world.touches = Touches()
        life.world.begun.clear()
        await _legs(life, plan, case, target)


async def _legs(life: Life, plan: Plan, case: CaseFile, target: str) -> None:
    for _ in range(_MOST_LEGS):
        journal = MemoryJournal(life.world, case, plan.on_resolve, life.record)
        engine = Engine(
            plan=plan, target=target, hands=life.world, journal=journal, clock=life.world.clock, started_at=NOON
        )
        result = await engine.run()
        if isinstance(result, Ended):
            life.ended = _honest(result, life.record, plan.runbook, target)
            return
        if result.until <= life.world.clock.now():
            raise NoAnswer(f"the run waits for an instant that has passed: {result.why}")
        life.world.clock.advance_to(result.until)
    raise NoAnswer(f"the run has waited {_MOST_LEGS} times and is not at its end")


def _honest(ended: Ended, record: Record, runbook: str, target: str) -> Ended:
    """As on a ticket: a run that the all-clear stopped after it had acted has helped."""
    if ended.outcome is not RunOutcome.CANCELLED or not record.is_cleared or not record.has_acted:
        return ended
    return Ended(outcome=RunOutcome.HELPED, sentence=f"{runbook} on {target}: the alert cleared after it acted.")


def _world(suite: Suite, case: CaseFile, crash_at: int | None) -> World:
    targets = suite.targets_of(case)
    world = World(
        targets=targets,
        hosts={target.name: _rules(target.name, case.hosts, suite.written.hosts) for target in targets},
        queries=(*case.promql, *suite.written.promql),
        pages=(*case.urls, *suite.written.urls),
        unreachable=frozenset(case.unreachable),
        touches=Touches(crash_at),
    )
    world.states.become(case.states, suite.target_of(case).name)
    return world


def _rules(host: str, *several: Mapping[str, tuple[CommandRule, ...]]) -> tuple[CommandRule, ...]:
    """The nearest first: the test's for this host, the test's for every host, then the file's."""
    return tuple(rule for rules in several for name in (host, EVERY_HOST) for rule in rules.get(name, ()))
