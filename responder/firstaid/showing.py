"""A snapshot in words: every step with its settings filled in, for people who are to say yes to it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from responder.domain.durations import spoken
from responder.domain.masking import masked, masked_words
from responder.firstaid.plan import Plan, PlannedStep, from_snapshot

_LONGEST = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownStep:
    """One step. `phase` says when its turn comes: precheck, steps, rollback, on_failure or always."""

    number: int
    name: str
    kind: str
    host: str
    phase: str
    lines: tuple[str, ...]

    def __str__(self) -> str:
        phase = "" if self.phase == "steps" else f", {self.phase.replace('_', ' ')}"
        return f"{self.number}. {self.name} ({self.kind} on {self.host}{phase}): {'; '.join(self.lines)}"


def shown_steps(made: Mapping[str, Any]) -> list[ShownStep]:
    """Every step that a run of this snapshot can come to, in the order of their numbers. Raises ValueError."""
    plan = from_snapshot(made)
    phases = dict(_phases(plan))
    return [_shown(step, phases[step.index]) for step in plan.all_steps]


def _phases(plan: Plan) -> Iterator[tuple[int, str]]:
    named = (
        ("precheck", plan.precheck),
        ("steps", plan.steps),
        ("on_failure", plan.on_failure),
        ("always", plan.always),
    )
    for phase, steps in named:
        for step in steps:
            yield step.index, phase
            yield from ((one.index, "rollback") for one in step.rollback)


def _shown(step: PlannedStep, phase: str) -> ShownStep:
    settings = step.step.model_dump(exclude_unset=True, by_alias=True, exclude={"content"})
    lines = tuple(masked(f"{name}: {_spoken(value)}")[:_LONGEST] for name, value in settings.items())
    return ShownStep(number=step.index + 1, name=step.name, kind=step.kind, host=step.host, phase=phase, lines=lines)


def _spoken(value: object) -> str:
    if isinstance(value, timedelta):
        return spoken(value)
    if isinstance(value, list | tuple):
        is_argv = all(isinstance(one, str) for one in value)
        return shlex.join(masked_words(value)) if is_argv else "; ".join(map(_spoken, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_spoken(one)}" for name, one in value.items())
    return str(value).lower() if isinstance(value, bool) else str(value)
