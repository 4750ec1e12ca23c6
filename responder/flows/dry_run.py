"""Dry runs that people order from the console: every look is made for real, and nothing is changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from responder.domain.durations import spoken
from responder.domain.masking import masked
from responder.domain.runbook import Runbook
from responder.domain.target import Target, find
from responder.errors import BadForm, NotFound, Refused
from responder.firstaid.act_words import said_act
from responder.firstaid.plan import Plan, from_snapshot, snapshot
from responder.firstaid.rehearsal import Rehearsed, rehearsing
from responder.flows.desk import Desk
from responder.flows.hands import TargetHands
from responder.flows.switches import stopped_by

_LONGEST = 2000


@dataclass(frozen=True, kw_only=True, slots=True)
class DryStep:
    """What a step sees, and would do; `unseen` says why nobody could look. Without acts it is as wanted."""

    number: int
    name: str
    kind: str
    host: str
    phase: str
    seen: Mapping[str, str]
    would: tuple[str, ...]
    unseen: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DryRun:
    """One dry run. `cut_short` says why not every step was looked at; `off` why a real run would not start now."""

    runbook: str
    version: str
    target: str
    parameters: Mapping[str, str]
    steps: tuple[DryStep, ...]
    cut_short: str
    off: str


@dataclass(kw_only=True)
class DryRuns:
    """So many at a time, each for so long: they hold connections to hosts that may be in trouble."""

    most: int = 3
    patience: timedelta = timedelta(seconds=60)
    _at_work: int = field(default=0, init=False)

    async def dry_run(self, desk: Desk, name: str, target: str, labels: Mapping[str, str]) -> DryRun:
        """Lets every step look and plan. Raises NotFound for a runbook or target that is not there, BadForm for
        labels that do not get through its parameters, Refused when too many are at work."""
        runbook, host = _known(desk, name, target)
        try:
            made = snapshot(runbook, labels, host, inventory=desk.configuration.targets)
            plan = from_snapshot(made)
        except ValueError as error:
            raise BadForm(f"{name} cannot run: {error}.") from error
        async with self._place():
            steps, cut_short = await self._steps(desk, plan, host)
        secrets = desk.configuration.secrets
        return DryRun(
            runbook=name,
            version=runbook.version,
            target=host.name,
            parameters=_texts(made["parameters"], secrets),
            steps=tuple(_shown(desk, step) for step in steps),
            cut_short=cut_short,
            off=await desk.store.read(lambda tx: stopped_by(desk, tx, name, plan.hosts)),
        )

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        if self._at_work >= self.most:
            raise Refused(f"{self.most} dry runs are at work already; try again in a moment.")
        self._at_work += 1
        try:
            yield
        finally:
            self._at_work -= 1

    async def _steps(self, desk: Desk, plan: Plan, host: Target) -> tuple[list[Rehearsed], str]:
        hands = TargetHands(hosts=desk.hosts, web=desk.web, target=host, targets=desk.configuration.targets)
        found: list[Rehearsed] = []
        try:
            async with asyncio.timeout(self.patience.total_seconds()):
                async for step in rehearsing(plan, hands, desk.clock.now()):
                    found.append(step)  # noqa: PERF401 what was found counts, also when the time is over
        except TimeoutError:
            left = len(plan.all_steps) - len(found)
            return found, f"It was ended after {spoken(self.patience)}, before {left} of its steps were looked at."
        return found, ""


def _known(desk: Desk, name: str, wanted: str) -> tuple[Runbook, Target]:
    runbook = desk.configuration.runbooks.get(name)
    if runbook is None:
        raise NotFound(f"There is no runbook {name[:100]}.")
    if not wanted:
        raise BadForm("Say on which target.")
    target = find(desk.configuration.targets, wanted)
    if target is None:
        raise NotFound(f"There is no target {wanted[:100]} in the inventory.")
    return runbook, target


def _shown(desk: Desk, step: Rehearsed) -> DryStep:
    secrets, targets = desk.configuration.secrets, desk.configuration.targets
    return DryStep(
        number=step.index + 1,
        name=step.name,
        kind=step.kind,
        host=step.host,
        phase=step.phase,
        seen=_texts(step.seen, secrets),
        would=tuple(masked(said_act(targets, step.host, act), secrets)[:_LONGEST] for act in step.acts),
        unseen=masked(step.unseen, secrets),
    )


def _texts(facts: Mapping[str, object], secrets: Collection[str]) -> dict[str, str]:
    return {name: masked(f"{name}={value}", secrets)[len(name) + 1 :][:_LONGEST] for name, value in facts.items()}
