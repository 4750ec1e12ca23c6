"""What explain is asked and answers: what would become of an alert, and why."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NotRequired

from typing_extensions import TypedDict

from responder.web.operations import Asked
from responder.web.schemas.asked import Instant


class AlertBody(Asked):
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    at: Instant | None = None


class PlannedStep(TypedDict):
    """A step with its settings filled in, each kind with its own. `host`, where it is not the target."""

    name: str
    kind: str
    settings: dict[str, Any]
    host: NotRequired[str]
    rollback: NotRequired[list[PlannedStep]]


class UnbreakableSteps(TypedDict):
    unbreakable: list[PlannedStep]


class PlannedLane(TypedDict):
    target: str
    steps: list[PlannedStep | UnbreakableSteps]


class ForEachTarget(TypedDict):
    """Steps for each target of a group: so many at a time, and none more after so many failures."""

    foreach: str
    max_parallel: int
    stop_after_failures: int
    lanes: list[PlannedLane]


class FirstAidLine(TypedDict):
    """`objection`: why the runbook would not run. `autonomy` and `steps` only with a `target`."""

    rule: str
    runbook: str
    target: str | None
    objection: str
    autonomy: NotRequired[str]
    steps: NotRequired[list[PlannedStep | UnbreakableSteps | ForEachTarget]]


class HeldUntil(TypedDict):
    """Why it would wait; no `until`: nobody can know. `parent` is the ticket that stands for it meanwhile."""

    name: str
    sentence: str
    until: datetime | None
    parent: str


class CallAhead(TypedDict):
    """`means` says whom the plan calls then, `people` who that is."""

    at: datetime
    means: str
    people: list[str]


class Explained(TypedDict):
    """`live`: with what only the server knows. `outcome` and `ticket`: what the alert would open, or belong to.
    `unknown`: what was not looked at."""

    at: datetime
    live: bool
    outcome: str
    ticket: str
    held: HeldUntil | None
    grade: str
    rule: str
    reason: str
    team: str
    trouble: str
    heartbeat: str | None
    clocks: dict[str, str]
    first_aid: FirstAidLine | None
    people: list[str]
    people_reason: str
    calls: list[CallAhead]
    unknown: list[str]
