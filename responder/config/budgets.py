"""The parts of policy.yml that keep automation inside its budget: budgets and storm."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from responder.adapters.yaml_file import Place
from responder.config.model import Duration, Model, Name
from responder.domain.budgets import RUNS_PER_HOUR, Budget, domain
from responder.domain.storm import OVER, StormRule
from responder.domain.target import Target

_PERCENT = re.compile(r"([1-9][0-9]?|100)%")


def _most(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    if isinstance(value, str) and _PERCENT.fullmatch(value):
        return value
    raise ValueError(f"{value!r} is no limit; write a number from 1 on, or a share from '1%' to '100%'")


def _per(text: str) -> str:
    if text and text != "failure_domain" and not re.fullmatch(r"variables\.[A-Za-z0-9_.-]+", text):
        raise ValueError(f"{text!r} parts no inventory; write failure_domain or variables.NAME")
    return text


def _longer_than_nothing(value: timedelta) -> timedelta:
    if value <= timedelta():
        raise ValueError("a time within which nothing can happen counts nothing; write it like 30m")
    return value


Within = Annotated[Duration, AfterValidator(_longer_than_nothing)]


class BudgetFile(Model):
    """On how many targets of a set automation may be at work, or have begun, within a time."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    max: Annotated[int | str, BeforeValidator(_most)]
    within: Within
    per: Annotated[str, AfterValidator(_per)] = ""
    of: Name | None = None
    runbooks: tuple[str, ...] = ()

    def as_budget(self) -> Budget:
        """The budget as the domain knows it."""
        is_share = isinstance(self.max, str)
        return Budget(
            name=self.name,
            within=self.within,
            most=0 if is_share else int(self.max),
            percent=int(str(self.max).removesuffix("%")) if is_share else None,
            of=self.of or "",
            per=self.per,
            runbooks=self.runbooks,
        )


class StormFile(Model):
    """So many tickets opened within so much time, and no automation starts; new tickets wait, except those of `lane`
    (the most urgent grade if it is not said), until fewer were opened in the time `over`."""

    tickets: Annotated[int, Field(ge=2)] = 50
    within: Within = timedelta(minutes=5)
    over: Within | None = None
    lane: tuple[str, ...] | None = None

    def as_rule(self, grades: Collection[str]) -> StormRule:
        """The rule as the domain knows it; `grades` begin with the most urgent one."""
        lane = tuple(grades)[:1] if self.lane is None else self.lane
        over = self.over or max(self.within, OVER)
        return StormRule(tickets=self.tickets, within=self.within, over=over, lane=lane)


def about_storm(storm: StormFile | None, grades: Collection[str]) -> Iterator[tuple[Place, str]]:
    """What cannot be meant of a storm, each with its place."""
    if storm is None:
        return
    if storm.over is not None and storm.over < storm.within:
        yield ("storm", "over"), "it is shorter than within, so a storm would be over before it has begun"
    for position, name in enumerate(storm.lane or ()):
        if name not in grades:
            yield ("storm", "lane", position), f"there is no grade {name}; there are {', '.join(grades)}"


def complaints(
    budgets: Sequence[BudgetFile], targets: Collection[Target] | None, runbooks: Collection[str] | None
) -> Iterator[tuple[Place, str]]:
    """What does not fit the other files, each with its place. A file that could not be read is None, and is held
    against nobody."""
    for index, budget in enumerate(budgets):
        place: tuple[Any, ...] = ("budgets", index)
        if budget.name == RUNS_PER_HOUR or budget.name in {other.name for other in budgets[:index]}:
            yield (*place, "name"), f"there is another budget called {budget.name}"
        if runbooks is not None:
            for position, name in enumerate(budget.runbooks):
                if name not in runbooks:
                    yield (*place, "runbooks", position), f"there is no runbook {name}"
        if targets is not None:
            yield from _about_targets(budget, targets, place)


def _about_targets(budget: BudgetFile, targets: Collection[Target], place: Place) -> Iterator[tuple[Place, str]]:
    members = [target for target in targets if budget.of is None or budget.of in target.groups]
    if budget.of is not None and not members:
        groups = ", ".join(sorted({name for target in targets for name in target.groups})) or "none"
        yield (*place, "of"), f"no target of the inventory is in the group {budget.of}; there are {groups}"
    elif budget.per and targets and not any(domain(target, budget.per) for target in members):
        yield (*place, "per"), f"none of its targets has {budget.per} in the inventory, so it would hold nothing"
