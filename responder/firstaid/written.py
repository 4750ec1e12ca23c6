"""The steps of a runbook as written, one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from responder.domain.runbook import ForEachSpec, PartSpec, Runbook, StepSpec, UnbreakableSpec


def steps_in(runbook: Runbook) -> Iterator[StepSpec]:
    """Every step, also of the blocks around the main part and of rollbacks."""
    main = list(main_steps(runbook.steps))
    undoing = [undo for step in main for undo in step.rollback]
    yield from (*runbook.precheck, *main, *undoing, *runbook.on_failure, *runbook.always)


def main_steps(parts: Iterable[PartSpec]) -> Iterator[StepSpec]:
    """The steps of the main part, without their rollbacks; those of a foreach once."""
    for part in parts:
        if isinstance(part, UnbreakableSpec | ForEachSpec):
            yield from main_steps(part.steps)
        else:
            yield part
