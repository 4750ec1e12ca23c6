"""Runbooks, what their steps may ask the engine for, and how a run can end."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


class OnResolve(StrEnum):
    """What becomes of a run when the alert clears: stop before the next step, or finish."""

    CANCEL = "cancel"
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
    """One step as written: its kind and that kind's settings, templates not yet filled in."""

    name: str
    kind: str
    settings: Mapping[str, object]


@dataclass(frozen=True, kw_only=True, slots=True)
class Runbook:
    """Steps against a target, with the limits that keep automation inside its budget."""

    name: str
    summary: str
    steps: tuple[StepSpec, ...]
    parameters: tuple[Parameter, ...] = ()
    cooldown: timedelta = timedelta(minutes=15)
    runs_per_hour: int = 4
    timeout: timedelta = timedelta(minutes=10)
    on_resolve: OnResolve = OnResolve.CANCEL
    version: str = ""


# --- what a step may ask for -----------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """A command on the target, as an argument list. With `once`, a marker on the host tells after a crash
    whether it ran; a `harmless` one may run again and may fail."""

    argv: tuple[str, ...]
    timeout: timedelta = timedelta(seconds=30)
    become: bool = False
    once: bool = False
    harmless: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """A question to Prometheus."""

    promql: str
    timeout: timedelta = timedelta(seconds=10)


@dataclass(frozen=True, kw_only=True, slots=True)
class Fetch:
    """An HTTP request from where responder runs."""

    url: str
    method: str = "GET"
    timeout: timedelta = timedelta(seconds=10)


@dataclass(frozen=True, kw_only=True, slots=True)
class Suspend:
    """Nothing to do before `until`; no thread and no connection waits for it."""

    until: datetime
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Fail:
    """The step cannot succeed any more; the text says why."""

    why: str


Look = Command | Query | Fetch | None
Act = Command | Suspend | Fail
Facts = Mapping[str, object]


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """When a step began, when its last act ended (None before that), how many ended, and what the time is now."""

    started_at: datetime
    now: datetime
    acted_at: datetime | None = None
    acts: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandResult:
    """What a command gave. `truncated` when it printed more than is kept."""

    exit_code: int
    stdout: str = ""
    stderr: str = ""
    truncated: bool = False
    duration: timedelta = timedelta()


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """One series of a query's answer."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """What a URL answered."""

    status: int
    text: str = ""


Answer = CommandResult | tuple[Sample, ...] | Page | None


# --- runs ------------------------------------------------------------------------------------------


class RunOutcome(StrEnum):
    """How a run ended. `unknown`: after a crash nobody can tell whether an act happened."""

    HELPED = "helped"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One execution of a runbook's snapshot on one target.

    `epoch` counts who has held it: only the newest holder may start a step. `leg` counts how often it has waited:
    of several jobs that would go on with it, only the one of the present leg may.
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


class Verdict(StrEnum):
    """What became of an act. `void`: it never reached the host, so it does not count."""

    NONE = ""
    DONE = "done"
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
