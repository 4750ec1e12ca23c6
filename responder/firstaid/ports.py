"""What the engine needs from outside, and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from responder.domain.acts import Ask, Command, CommandResult, Facts, Fetch, Page, Query, Request, Sample, Tell
from responder.domain.runbook import Attempt, RunOutcome, Verdict
from responder.firstaid.plan import PlannedStep


class Hands(Protocol):
    """How a run reaches its targets and the world. `host` is a target's name; a command's `on` goes before it."""

    async def run(self, host: str, command: Command) -> CommandResult: ...

    async def query(self, query: Query) -> tuple[Sample, ...]: ...

    async def fetch(self, fetch: Fetch) -> Page: ...

    async def send(self, request: Request) -> Page: ...


class StepEnd(StrEnum):
    """How a step ended. `stopped`: by the kill switch, so nothing may follow, not even what always follows."""

    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"
    STOPPED = "stopped"
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True, slots=True)
class Past:
    """What became of a step in an earlier leg or life of the run. `end` is None while it is at work; `acted` when
    an act of it may have changed something."""

    end: StepEnd | None
    sentence: str = ""
    acted: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """What the journal knows of a step that may go on; or, with `stop`, of one that may not, but was at work on an act
    whose end nobody knows: that is to be found out first."""

    started_at: datetime
    first: Facts | None = None
    attempts: tuple[Attempt, ...] = ()
    stop: Stop | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Stop:
    """The journal does not let the run go on: the alert cleared, a person took over, or the kill switch is on."""

    why: str
    end: StepEnd = StepEnd.CANCELLED


class Consent(StrEnum):
    """Where a question to people stands."""

    WAITING = "waiting"
    GIVEN = "given"
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """The state of a question: who said what so far, and until when it waits."""

    consent: Consent
    sentence: str
    until: datetime


class Journal(Protocol):
    """Where a run writes down what it does. Each call is durable when it returns.

    `is_bound`: the step belongs to what has begun, or cleans up after it, so that neither the all-clear nor a person
    who takes the ticket stops it; the kill switch does.
    """

    async def past(self) -> Mapping[int, Past]: ...

    async def begin_step(self, step: PlannedStep, *, is_bound: bool) -> Entry | Stop: ...

    async def begin_act(
        self, step: PlannedStep, act: Command | Request, first: Facts, *, is_bound: bool
    ) -> int | Stop: ...

    async def end_act(self, attempt: int, exit_code: int | None, output: str, verdict: Verdict) -> None: ...

    async def end_step(self, step: PlannedStep, end: StepEnd, sentence: str) -> None: ...

    async def ask(self, step: PlannedStep, ask: Ask) -> Answered: ...

    async def tell(self, step: PlannedStep, tell: Tell) -> None: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """The run is over."""

    outcome: RunOutcome
    sentence: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Suspended:
    """The run goes on at `until`, or as soon as what it waits for is there."""

    until: datetime
    why: str


Result = Ended | Suspended
