"""`health_checks:` of policy.yml: which runbook looks at which targets, and when."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field, model_validator

from responder.adapters.yaml_file import Place
from responder.config.model import Model, Name
from responder.domain.health_check import Every, HealthCheckRule, parse_every
from responder.domain.runbook import Runbook
from responder.domain.target import Target
from responder.firstaid.plan import Plan, from_snapshot, snapshot
from responder.firstaid.steps.approval import Approval
from responder.firstaid.steps.notify import Notify

_TO_PEOPLE = (Approval.kind, Notify.kind)


def _every(value: object) -> Every:
    return parse_every(value if isinstance(value, str) else str(value))


def zone_in(value: object) -> ZoneInfo | None:
    if value is None:
        return None
    try:
        return ZoneInfo(str(value))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{value!r} is no time zone; write it like Europe/Berlin") from error


class HealthCheckFile(Model):
    """One check; `zone` is the policy's if it is not said. `grade_by` is the severity that findings carry."""

    name: Name
    runbook: str
    targets: tuple[str, ...] = ()
    groups: tuple[Name, ...] = ()
    every: Annotated[Every, BeforeValidator(_every)]
    zone: Annotated[ZoneInfo | None, BeforeValidator(zone_in)] = None
    grade_by: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")] = "default"

    @model_validator(mode="after")
    def _looks_at_something(self) -> HealthCheckFile:
        if not (self.targets or self.groups):
            raise ValueError("say what is looked at: targets: or groups:")
        return self

    def as_rule(self) -> HealthCheckRule:
        """The rule as the domain knows it."""
        return HealthCheckRule(**dict(self))


def plans_of(rule: HealthCheckRule, runbooks: Mapping[str, Runbook], targets: Sequence[Target]) -> dict[str, Plan]:
    """What is looked at on each target of a check. Raises ValueError with the sentence why it cannot be, above all
    for a runbook that can do more than look."""
    runbook = runbooks.get(rule.runbook)
    if runbook is None:
        raise ValueError(f"there is no runbook {rule.runbook}; there are {', '.join(sorted(runbooks))}")
    return {target.name: _plan(rule, runbook, target, targets) for target in rule.members(targets)}


def _plan(rule: HealthCheckRule, runbook: Runbook, target: Target, targets: Sequence[Target]) -> Plan:
    labels = {"alertname": "HealthCheck", "check": rule.name, "instance": target.name}
    try:
        plan = from_snapshot(snapshot(runbook, labels, target, inventory=targets))
    except ValueError as error:
        raise ValueError(f"{runbook.name} cannot look at {target.name}: {error}") from error
    for step in plan.all_steps:
        if not step.step.only_looks:
            raise ValueError(f"{runbook.name} can act (step {step.name!r}, {step.kind}), and a health check only looks")
        if step.kind in _TO_PEOPLE:
            raise ValueError(f"{runbook.name} turns to people (step {step.name!r}), and a health check only looks")
    return plan


def complaints(
    checks: Sequence[HealthCheckFile],
    targets: Collection[Target] | None,
    runbooks: Mapping[str, Runbook] | None,
) -> Iterator[tuple[Place, str]]:
    """What does not fit the other files, each with its place. A file that could not be read is None, and is held
    against nobody."""
    for index, check in enumerate(checks):
        place: tuple[Any, ...] = ("health_checks", index)
        if check.name in {other.name for other in checks[:index]}:
            yield (*place, "name"), f"there is another health check called {check.name}"
        if targets is None or runbooks is None:
            continue
        rule, known = check.as_rule(), tuple(targets)
        try:
            rule.members(known)
        except ValueError as error:
            yield place, str(error)
            continue
        try:
            plans_of(rule, runbooks, known)
        except ValueError as error:
            yield (*place, "runbook"), str(error)
