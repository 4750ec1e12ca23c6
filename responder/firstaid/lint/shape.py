"""Rules about the order of steps: what looks before, what proves after, and who says why."""

from __future__ import annotations

from responder.domain.runbook import OnResolve
from responder.firstaid.lint.finding import Found
from responder.firstaid.lint.sheet import MAIN, PRECHECK, Sheet


def no_precheck(sheet: Sheet) -> Found:
    """Nothing looks before the first act."""
    if sheet.of(PRECHECK):
        return
    for step in sheet.of(MAIN):
        if step.acts_blindly:
            text = (
                f"the step {step.name!r} acts, and nothing has looked before it whether that is needed: add precheck:"
            )
            yield step.place, text
            return
        if step.step.look() is not None or step.asks:
            return


def no_verification(sheet: Sheet) -> Found:
    """Nothing looks after the last act."""
    blind = None
    for step in sheet.of(MAIN):
        if step.acts_blindly:
            blind = step
        elif step.step.look() is not None:
            blind = None
    if blind is not None and not _is_verified_before(sheet, blind.place):
        text = f"nothing looks after the step {blind.name!r} whether it helped; end with check, http or promql"
        yield blind.place, text


def act_after_verification(sheet: Sheet) -> Found:
    """An act behind the proof is not part of what was proved."""
    for step in reversed(sheet.of(MAIN)):
        if step.step.look() is not None:
            return
        if step.acts_blindly and _is_verified_before(sheet, step.place):
            yield step.place, f"the step {step.name!r} acts after the verification, so nothing proves that all is well"
            return


def same_name(sheet: Sheet) -> Found:
    """In a ticket a step is known by its name."""
    seen: set[str] = set()
    for step in sheet.steps:
        if step.is_named and step.name in seen:
            yield (*step.place, "name"), f"there is another step called {step.name!r}; nobody can tell them apart"
        seen.add(step.name if step.is_named else "")


def finish_all_unexplained(sheet: Sheet) -> Found:
    """Going on after the all-clear needs a reason that a reviewer can read."""
    place = ("on_resolve",)
    if sheet.runbook.on_resolve is OnResolve.FINISH_ALL and not sheet.has_comment(place):
        yield place, "it goes on although the alert has cleared; say why in a comment beside it"


def _is_verified_before(sheet: Sheet, place: object) -> bool:
    """Whether, before this step, something acted and something that only looks came after that."""
    acted = False
    for step in sheet.of(MAIN):
        if step.place == place:
            return False
        if acted and step.only_looks:
            return True
        acted = acted or step.acts
    return False
