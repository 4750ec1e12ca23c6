"""`escalation:` of policy.yml: who is told, step by step, until somebody has the ticket."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from responder.adapters.yaml_file import Place
from responder.config.grades import OneOrMore
from responder.config.model import Duration, Model, Name
from responder.domain.escalation import MOST_CALLS, Callees, EscalationPlan, Step
from responder.domain.oncall import Person, Tier, addressed, recipients
from responder.firstaid.window_file import WindowFile

Complaints = Iterator[tuple[Place, str]]
_CALLEE = re.compile(r"(tier [1-9])|(role|person) (\S+)", re.ASCII)


def _callee(text: str) -> str:
    if not _CALLEE.fullmatch(text):
        raise ValueError(f"{text!r} is nobody; write 'tier 1', 'role manager' or 'person mei'")
    return text


class StepFile(Model):
    after: Duration = timedelta()
    tell: Annotated[OneOrMore[Annotated[str, AfterValidator(_callee)]], Field(min_length=1)]

    def as_step(self) -> Step:
        named = [text.split(" ", 1) for text in self.tell]
        callees = Callees(
            tiers=tuple(int(name) for what, name in named if what == "tier"),
            roles=tuple(name for what, name in named if what == "role"),
            people=tuple(name for what, name in named if what == "person"),
        )
        return Step(callees=callees, after=self.after)


class EscalationFile(Model):
    """One plan; the first that applies counts."""

    name: str
    grades: OneOrMore[Name] = ()
    teams: OneOrMore[Name] = ()
    hours: tuple[WindowFile, ...] = ()
    steps: Annotated[tuple[StepFile, ...], Field(min_length=1, max_length=50)]
    repeat: Annotated[int, Field(ge=0, le=100)] = 0
    every: Duration = timedelta(minutes=15)
    still_on_it: Duration | None = None
    answer_within: Duration = timedelta(minutes=10)

    def as_plan(self) -> EscalationPlan:
        return EscalationPlan(
            **{**dict(self), "steps": tuple(step.as_step() for step in self.steps), "hours": self._windows()}
        )

    def _windows(self) -> tuple[object, ...]:
        return tuple(window.as_window() for window in self.hours)


@dataclass(frozen=True)
class Known:
    """What plans may name. People that could not be read are None, and are held against nobody."""

    grades: Collection[str]
    people: Mapping[str, Person] | None
    teams: Mapping[str, tuple[Tier, ...]] | None


def complaints(plans: Sequence[EscalationFile], known: Known) -> Complaints:
    """Plans that name what is not there, that reach nobody, or that no ticket comes to."""
    for index, plan in enumerate(plans):
        place = ("escalation", index)
        for position, grade in enumerate(plan.grades):
            if grade not in known.grades:
                yield (*place, "grades", position), f"there is no grade {grade}; there are {', '.join(known.grades)}"
        before = plans[:index]
        if plan.name in {other.name for other in before}:
            yield (*place, "name"), f"there is another plan called {plan.name}"
        elif first := next((other for other in before if _takes_all(other, plan)), None):
            yield place, f"no ticket comes to plan {plan.name}: {first.name} takes the same ones before it"
        if len(plan.steps) * (plan.repeat + 1) > MOST_CALLS:
            yield (*place, "repeat"), f"that makes more than {MOST_CALLS} calls; repeat it less often"
        if plan.steps[0].after:
            yield (*place, "steps", 0, "after"), "the first step comes at once; hold_off: lets a ticket wait before it"
        yield from _about_steps(plan, place, known)


def _takes_all(first: EscalationFile, later: EscalationFile) -> bool:
    """Whether no ticket gets past the first plan to the later one."""
    if first.hours and first.hours != later.hours:
        return False
    covers_grades = not first.grades or (bool(later.grades) and set(later.grades) <= set(first.grades))
    return covers_grades and (not first.teams or (bool(later.teams) and set(later.teams) <= set(first.teams)))


def _about_steps(plan: EscalationFile, place: Place, known: Known) -> Complaints:
    if known.people is None or known.teams is None:
        return
    for name in plan.teams:
        if name not in known.teams:
            yield (*place, "teams"), f"there is no team {name} in the people file"
    for position, step in enumerate(plan.steps):
        callees, where = step.as_step().callees, (*place, "steps", position, "tell")
        for name in callees.people:
            if name not in known.people:
                yield where, f"nobody is called {name}"
        for role in callees.roles:
            if not addressed((), (role,), known.people)[0]:
                yield where, f"nobody with the role {role} has a channel"
        if not addressed(callees.people, callees.roles, known.people)[0]:
            yield from ((where, text) for text in _about_reach(plan, callees, known))


def _about_reach(plan: EscalationFile, callees: Callees, known: Known) -> Iterator[str]:
    """Why a step, none of whose people and roles has a channel, reaches nobody."""
    teams, people = known.teams or {}, known.people or {}
    for name in (plan.teams or teams) if callees.tiers else ():
        if name in teams and not _reaches(teams[name], callees, people):
            yield f"this step reaches nobody of team {name}: no channel in {callees} or above"
    mute = [name for name in callees.people if name in people]
    if mute and not callees.tiers and not callees.roles:
        yield f"this step reaches nobody: no channel of {', '.join(mute)}"


def _reaches(tiers: tuple[Tier, ...], callees: Callees, people: Mapping[str, Person]) -> bool:
    return bool(recipients(tiers, callees.tiers, people)[0])
