"""Runbooks as they are written, and how a run of one can end."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from responder.domain.windows import Window


class OnResolve(StrEnum):
    """What becomes of a run when the alert clears: stop before the next act, after the step at work, or finish."""

    CANCEL = "cancel"
    FINISH_STEP = "finish_step"
    FINISH_ALL = "finish_all"


class ParameterType(StrEnum):
    NAME = "name"
    UNIT = "unit"
    HOST = "host"
    PATH = "path"
    INTEGER = "integer"


_FORMS = {
    ParameterType.NAME: re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"),
    ParameterType.UNIT: re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@:\\-]{0,127}"),
    ParameterType.HOST: re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}"),
    ParameterType.PATH: re.compile(r"/[A-Za-z0-9_./@+-]{0,254}"),
    ParameterType.INTEGER: re.compile(r"[0-9]{1,12}"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameter:
    """A value that a runbook takes from an alert's label; only what fits type and allow-list gets through."""

    name: str
    type: ParameterType
    label: str = ""
    default: str | None = None
    allow: tuple[str, ...] = ()
    pattern: re.Pattern[str] | None = None

    def value(self, labels: Mapping[str, str]) -> str:
        """The checked value. Raises ValueError with the sentence for the ticket."""
        raw = labels.get(self.label) if self.label else None
        value = raw if raw not in (None, "") else self.default
        if value is None:
            raise ValueError(f"parameter {self.name}: the alert has no label {self.label}")
        return self.checked(value)

    def checked(self, value: str) -> str:
        """The value if type, allow-list and pattern let it through. Raises ValueError with the sentence."""
        shown = repr(value if len(value) <= 80 else value[:80] + "…")
        if not _FORMS[self.type].fullmatch(value) or (self.type is ParameterType.PATH and ".." in value.split("/")):
            raise ValueError(f"parameter {self.name}: {shown} is not a {self.type}")
        if self.allow and value not in self.allow:
            raise ValueError(f"parameter {self.name}: {shown} is not one of {', '.join(self.allow)}")
        if self.pattern and not self.pattern.fullmatch(value):
            raise ValueError(f"parameter {self.name}: {shown} does not match {self.pattern.pattern}")
        return value


@dataclass(frozen=True, kw_only=True, slots=True)
class StepSpec:
    """One step as written: its kind and that kind's settings, templates not yet filled in.

    `rollback` undoes what the step did, when a later one fails.
    """

    name: str
    kind: str
    settings: Mapping[str, object]
    rollback: tuple[StepSpec, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class UnbreakableSpec:
    """Steps that must not be parted: once the first has acted, only the kill switch stops the others."""

    steps: tuple[StepSpec, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ForEachSpec:
    """The same steps on every target of a group, `max_parallel` at a time.

    After `stop_after_failures` targets have failed no further one begins. The run's own target comes first if it is
    in the group, the others follow in the inventory's order.
    """

    name: str
    group: str
    steps: tuple[StepSpec | UnbreakableSpec, ...]
    max_parallel: int = 1
    stop_after_failures: int = 1


PartSpec = StepSpec | UnbreakableSpec | ForEachSpec


@dataclass(frozen=True, kw_only=True, slots=True)
class Runbook:
    """Steps against a target, with the limits that keep automation inside its budget.

    `precheck` is looked at while the lock is held, before the first act: where one of its steps would have to act,
    the run is refused. `on_failure` follows a step that failed, `always` the end of every run that has begun to act;
    neither follows when the kill switch stopped the run or nobody knows what an act did.
    """

    name: str
    summary: str
    steps: tuple[PartSpec, ...]
    precheck: tuple[StepSpec, ...] = ()
    on_failure: tuple[StepSpec, ...] = ()
    always: tuple[StepSpec, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    cooldown: timedelta = timedelta(minutes=15)
    runs_per_hour: int = 4
    timeout: timedelta = timedelta(minutes=10)
    hours: tuple[Window, ...] = ()
    on_resolve: OnResolve = OnResolve.CANCEL
    version: str = ""


# --- runs ------------------------------------------------------------------------------------------


class RunOutcome(StrEnum):
    """How a run ended. `diagnosed`: its runbook can only look, and has; the rest is for people. `unknown`: after a
    crash nobody can tell whether an act happened."""

    HELPED = "helped"
    DIAGNOSED = "diagnosed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One execution of a runbook's snapshot on one target.

    `epoch` counts who has held it: only the newest holder may start a step. `leg` counts how often it has waited:
    of several jobs that would go on with it, only the one of the present leg may. `ordered_by` names the person who
    ordered or approved it. `verified` says whether the outcome was proved by the alert: None while nobody knows.
    """

    id: int
    ticket_id: int
    runbook: str
    target: str
    started_at: datetime
    snapshot: Mapping[str, object] = field(default_factory=dict)
    step: int = 0
    epoch: int = 0
    leg: int = 0
    ended_at: datetime | None = None
    outcome: RunOutcome | None = None
    sentence: str = ""
    ordered_by: str = ""
    verified: bool | None = None


class Verdict(StrEnum):
    """What became of an act. `seen`: its end was lost, and the look says that it happened. `void`: it never reached the
    host, so it does not count."""

    NONE = ""
    DONE = "done"
    SEEN = "seen"
    FAILED = "failed"
    VOID = "void"


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One act of a run, written before it starts and completed after it ended."""

    id: int
    run_id: int
    step: int
    kind: str
    command: tuple[str, ...]
    started_at: datetime
    ended_at: datetime | None = None
    exit_code: int | None = None
    output: str = ""
    verdict: Verdict = Verdict.NONE
    become: bool = False
    host: str = ""
    label: str = ""
