"""The parts of policy.yml that say how far a runbook may go by itself, checked against the other files."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Literal, Protocol

from pydantic import BeforeValidator, Field

from responder.adapters.yaml_file import Place
from responder.config.model import Duration, Model, Name
from responder.domain.approval import unanswerable
from responder.domain.autonomy import ApprovalRule, Autonomy, AutonomyRule, Promotion
from responder.domain.durations import spoken
from responder.domain.oncall import Person, addressed
from responder.domain.runbook import ForEachSpec, PartSpec, Runbook, StepSpec, UnbreakableSpec
from responder.domain.target import Target
from responder.firstaid.step import Step
from responder.firstaid.steps import kinds
from responder.firstaid.steps.approval import Approval
from responder.firstaid.steps.notify import Notify


class AutonomyFile(Model):
    """How far it may go: for all, or per grade and target group; where several are named the most careful holds."""

    default: Autonomy = Autonomy.AUTO
    grades: dict[str, Autonomy] = Field(default_factory=dict)
    groups: dict[str, Autonomy] = Field(default_factory=dict)


AutonomyField = Annotated[
    AutonomyFile, BeforeValidator(lambda value: {"default": value} if isinstance(value, str) else value)
]
"""One word for all, or a mapping."""


class ApprovalFile(Model):
    """Whose yes is needed, by when, and what happens without it."""

    roles: tuple[Name, ...] = ()
    needed: Annotated[int, Field(ge=1, le=9)] = 1
    within: Duration = timedelta(minutes=15)
    on_timeout: Literal["hand_over", "run"] = "hand_over"

    def as_rule(self) -> ApprovalRule:
        return ApprovalRule(
            roles=self.roles, needed=self.needed, within=self.within, go_on_without=self.on_timeout == "run"
        )


class PromotionFile(Model):
    """What must be shown before it starts by itself: successes in a row, and how sure the next one is."""

    successes: Annotated[int, Field(ge=1, le=1000)] = 10
    lower_bound: Annotated[float, Field(ge=0, lt=1)] = 0.7


class _Rule(Protocol):
    """What is looked at of a rule of first aid."""

    @property
    def runbook(self) -> str: ...
    @property
    def autonomy(self) -> AutonomyFile: ...
    @property
    def approval(self) -> ApprovalFile: ...
    @property
    def promote_after(self) -> PromotionFile | None: ...


@dataclass(frozen=True)
class Known:
    """The other files; one that could not be read is None, and is held against nobody."""

    grades: Collection[str]
    targets: Collection[Target] | None
    runbooks: Mapping[str, Runbook] | None
    people: Mapping[str, Person] | None


def as_autonomy_rule(written: AutonomyFile, promotion: PromotionFile | None) -> AutonomyRule:
    """The rule as the domain knows it."""
    promote_after = Promotion(**dict(promotion)) if promotion else None
    return AutonomyRule(**dict(written), promote_after=promote_after)


def complaints(rules: Sequence[_Rule], known: Known) -> Iterator[tuple[Place, str]]:
    """What does not fit the other files, each with its place."""
    for index, rule in enumerate(rules):
        place: tuple[Any, ...] = ("first_aid", index)
        yield from _about_names(rule.autonomy, known, (*place, "autonomy"))
        is_auto = as_autonomy_rule(rule.autonomy, None).is_always_auto
        if rule.promote_after and is_auto:
            yield (*place, "promote_after"), "its autonomy is auto already, so there is nothing to earn"
        if known.people is None:
            continue
        why = "" if is_auto else _unreachable(rule.approval.roles, rule.approval.needed, known.people)
        if why:
            yield (*place, "approval"), why
        if known.runbooks is not None and rule.runbook in known.runbooks:
            for text in _about_steps(known.runbooks[rule.runbook], known.people):
                yield (*place, "runbook"), text


def _about_names(written: AutonomyFile, known: Known, place: Place) -> Iterator[tuple[Place, str]]:
    for name in written.grades:
        if name not in known.grades:
            yield (*place, "grades", name), f"there is no grade {name}; there are {', '.join(known.grades)}"
    if known.targets is None:
        return
    groups = sorted({group for target in known.targets for group in target.groups})
    for name in written.groups:
        if name not in groups:
            text = f"no target of the inventory is in the group {name}; there are {', '.join(groups) or 'none'}"
            yield (*place, "groups", name), text


def _about_steps(runbook: Runbook, people: Mapping[str, Person]) -> Iterator[str]:
    for spec in _steps(runbook):
        if spec.kind not in (Approval.kind, Notify.kind):
            continue
        if spec in runbook.precheck:
            yield f"{runbook.name}, step {spec.name!r}: a precheck only looks, so {spec.kind} has no place there"
        step = kinds()[spec.kind].model_validate(spec.settings)
        found = _about_question(step, runbook, people) if isinstance(step, Approval) else _strangers(step, people)
        yield from (f"{runbook.name}, step {spec.name!r}: {why}" for why in found)


def _about_question(step: Approval, runbook: Runbook, people: Mapping[str, Person]) -> Iterator[str]:
    if step.within >= runbook.timeout:
        timeout = spoken(runbook.timeout)
        yield f"it waits up to {spoken(step.within)} for an answer, but the whole run has a timeout of {timeout}"
    if not _has_templates(step.roles) and (why := _unreachable(step.roles, step.needed, people)):
        yield why


def _strangers(step: Step, people: Mapping[str, Person]) -> Iterator[str]:
    if not isinstance(step, Notify):
        return
    for name in step.people:
        if name not in people and not _has_templates([name]):
            yield f"nobody is called {name} in the people file"
    for role in step.roles:
        if not _has_templates([role]) and not addressed((), [role], people)[0]:
            yield f"nobody with a channel has the role {role}"


def _has_templates(names: Iterable[str]) -> bool:
    return any("{" in name for name in names)


def _unreachable(roles: Sequence[str], needed: int, people: Mapping[str, Person]) -> str:
    if why := unanswerable(roles, needed, people):
        return why
    if roles and not addressed((), roles, people)[0]:
        return f"nobody with the role {' or '.join(roles)} has a channel, so nobody would learn of the question"
    return ""


def _steps(runbook: Runbook) -> Iterator[StepSpec]:
    yield from (*runbook.precheck, *runbook.on_failure, *runbook.always)
    for part in runbook.steps:
        yield from _inside(part)


def _inside(part: PartSpec) -> Iterator[StepSpec]:
    if isinstance(part, ForEachSpec | UnbreakableSpec):
        for one in part.steps:
            yield from _inside(one)
    else:
        yield from (part, *part.rollback)
