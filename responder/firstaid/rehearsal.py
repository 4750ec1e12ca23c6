"""A dry run: every step looks and plans, and none acts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from responder.domain.acts import Act, Facts, Moment
from responder.errors import HostError, Refused
from responder.firstaid.plan import Plan, PlannedStep
from responder.firstaid.ports import Hands
from responder.firstaid.step_run import look


@dataclass(frozen=True, kw_only=True, slots=True)
class Rehearsed:
    """What a step would do now. `phase` says when its turn comes: precheck, steps, rollback, on_failure or always.
    `unseen` says why its host could not be looked at."""

    index: int
    name: str
    kind: str
    host: str
    phase: str
    seen: Facts
    acts: tuple[Act, ...]
    unseen: str = ""


async def rehearse(plan: Plan, hands: Hands, now: datetime) -> list[Rehearsed]:
    """Every step that a run can come to. Later steps see the present, not what earlier ones would have changed."""
    return [one async for one in rehearsing(plan, hands, now)]


async def rehearsing(plan: Plan, hands: Hands, now: datetime) -> AsyncIterator[Rehearsed]:
    """As `rehearse`, step by step, for who may not have the time for all of them."""
    for step in plan.all_steps:
        yield await _rehearsed(step, _phase(plan, step), hands, now)


async def _rehearsed(step: PlannedStep, phase: str, hands: Hands, now: datetime) -> Rehearsed:
    def made(seen: Facts, acts: tuple[Act, ...], unseen: str = "") -> Rehearsed:
        return Rehearsed(
            index=step.index,
            name=step.name,
            kind=step.kind,
            host=step.host,
            phase=phase,
            seen=seen,
            acts=acts,
            unseen=unseen,
        )

    try:
        seen = await look(step, hands)
    except (HostError, Refused) as error:
        return made({}, (), str(error))
    return made(seen, step.step.plan(seen, seen, Moment(started_at=now, now=now)))


def _phase(plan: Plan, step: PlannedStep) -> str:
    if step in plan.precheck:
        return "precheck"
    if step in plan.on_failure:
        return "on_failure"
    if step in plan.always:
        return "always"
    return "steps" if step in plan.steps else "rollback"
