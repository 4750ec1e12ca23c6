"""Runs a plan, step by step: look, read, plan, act, and look again.

The engine knows no kinds of steps. What it does is written into the journal before it starts and after it
ended, so that after a crash it looks again, asks the host, or says honestly that it cannot know.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from responder.clock import Clock
from responder.domain.durations import spoken
from responder.domain.runbook import (
    Act,
    Answer,
    Attempt,
    Command,
    CommandResult,
    Facts,
    Fail,
    Fetch,
    Look,
    Moment,
    Page,
    Query,
    RunOutcome,
    Sample,
    Suspend,
    Verdict,
)
from responder.errors import CommandTimedOut, ConnectionCut, HostError, QueryFailed, Refused
from responder.firstaid import marker
from responder.firstaid.plan import Plan, PlannedStep

_MOST_ACTS = 50


class Hands(Protocol):
    """How a run reaches its target and the world."""

    async def run(self, command: Command) -> CommandResult: ...

    async def query(self, query: Query) -> tuple[Sample, ...]: ...

    async def fetch(self, fetch: Fetch) -> Page: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """What the journal knows of a step."""

    started_at: datetime
    first: Facts | None = None
    attempts: tuple[Attempt, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Stop:
    """The journal does not let the run go on: the alert cleared, or another worker holds the run."""

    why: str
    outcome: RunOutcome = RunOutcome.CANCELLED


class Journal(Protocol):
    """Where a run writes down what it does. Each call is durable when it returns."""

    async def begin_step(self, index: int, step: PlannedStep) -> Entry | Stop: ...

    async def begin_act(self, index: int, command: Command, first: Facts) -> int | Stop: ...

    async def end_act(self, attempt: int, exit_code: int | None, output: str, verdict: Verdict) -> None: ...

    async def end_step(self, index: int, step: PlannedStep, outcome: str, sentence: str) -> None: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """The run is over."""

    outcome: RunOutcome
    sentence: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Suspended:
    """The run goes on at `until`."""

    until: datetime
    why: str


Result = Ended | Suspended


@dataclass(kw_only=True)
class Engine:
    """Executes one plan on one target."""

    plan: Plan
    target: str
    hands: Hands
    journal: Journal
    clock: Clock
    started_at: datetime

    async def run(self, from_step: int = 0) -> Result:
        """Runs from a step on until the end, or until it must wait."""
        for index in range(from_step, len(self.plan.steps)):
            result = await self._step(index, self.plan.steps[index])
            if result is not None:
                return result
        return Ended(outcome=RunOutcome.HELPED, sentence=self._success())

    async def _step(self, index: int, step: PlannedStep) -> Result | None:
        entry = await self.journal.begin_step(index, step)
        if isinstance(entry, Stop):
            return Ended(outcome=entry.outcome, sentence=entry.why)
        try:
            result = await _StepRun(self, index, step, entry).go()
        except (HostError, Refused) as error:
            return await self.fail(index, step, str(error))
        if isinstance(result, Fail):
            return await self.fail(index, step, result.why)
        return result

    async def fail(self, index: int, step: PlannedStep, why: str) -> Ended:
        await self.journal.end_step(index, step, "failed", why)
        text = why if why.endswith(".") else f"{why}."
        return Ended(outcome=RunOutcome.FAILED, sentence=f"{self._place(index, step)}: {text}")

    async def unknown(self, index: int, step: PlannedStep, command: tuple[str, ...], why: str) -> Ended:
        shown = " ".join(command)
        await self.journal.end_step(index, step, "unknown", why)
        sentence = (
            f"{self._place(index, step)}: {why} Nobody can tell from here whether this ran to its end on "
            f"{self.target}: {shown}"
        )
        return Ended(outcome=RunOutcome.UNKNOWN, sentence=sentence)

    def overdue(self) -> str:
        """Why no further act may start, when the whole run has taken too long."""
        if self.clock.now() < self.started_at + self.plan.timeout:
            return ""
        return f"the run has taken longer than its timeout of {spoken(self.plan.timeout)}"

    def _place(self, index: int, step: PlannedStep) -> str:
        return f"{self.plan.runbook} on {self.target}, step {index + 1} ({step.name})"

    def _success(self) -> str:
        return f"{self.plan.runbook} on {self.target}: all {len(self.plan.steps)} steps done and looked at again."


class _StepRun:
    """One step of a run, from its look to its second look."""

    def __init__(self, engine: Engine, index: int, step: PlannedStep, entry: Entry) -> None:
        self._engine = engine
        self._index = index
        self._step = step
        self._entry = entry
        self._first = entry.first
        self._asked = len(entry.attempts)
        ended = [act for act in entry.attempts if act.ended_at and act.verdict is not Verdict.VOID]
        self._acts = len(ended)
        self._acted_at = max((act.ended_at for act in ended if act.ended_at), default=None)
        self._failed = next((act for act in ended if act.verdict is Verdict.FAILED), None)

    async def go(self) -> Result | Fail | None:
        """None when the step is done."""
        if self._failed is not None:
            # It failed before a crash; the second life must not take the end of an act for its success.
            return _failure(self._failed.exit_code, self._failed.output)
        lost = [attempt for attempt in self._entry.attempts if attempt.ended_at is None]
        if lost and (result := await self._find_out(lost[-1])) is not None:
            return result
        while True:
            if why := self._engine.overdue():
                return Fail(why=why)
            acts = self._planned(await self._look())
            if not acts:
                await self._engine.journal.end_step(self._index, self._step, "done", self._said())
                return None
            result = await self._perform(acts)
            if result is not None:
                return result

    def _planned(self, seen: Facts) -> tuple[Act, ...]:
        if self._first is None:
            self._first = seen
        now = self._engine.clock.now()
        moment = Moment(started_at=self._entry.started_at, now=now, acted_at=self._acted_at, acts=self._acts)
        return self._step.step.plan(self._first, seen, moment)

    async def _perform(self, acts: tuple[Act, ...]) -> Result | Fail | None:
        for act in acts:
            if self._asked > _MOST_ACTS:
                return Fail(why=f"the step asked for more than {_MOST_ACTS} acts")
            if isinstance(act, Fail):
                return act
            if isinstance(act, Suspend):
                return Suspended(until=act.until, why=act.why)
            result = await self._act(act)
            if result is not None:
                return result
        return None

    async def _act(self, command: Command) -> Result | Fail | None:
        self._asked += 1
        attempt = await self._engine.journal.begin_act(self._index, command, self._first or {})
        if isinstance(attempt, Stop):
            return Ended(outcome=attempt.outcome, sentence=attempt.why)
        sent = marker.marked(command, self._marker_name(attempt)) if command.once else command
        try:
            answer = await self._engine.hands.run(sent)
        except ConnectionCut as error:
            if command.harmless:
                return await self._ended(attempt, None, str(error), harmless=True)
            return await self._engine.unknown(self._index, self._step, command.argv, str(error))
        except (HostError, Refused) as error:
            timed_out = error if isinstance(error, CommandTimedOut) else None
            if timed_out and not timed_out.is_over and not command.harmless:
                return await self._engine.unknown(self._index, self._step, command.argv, str(error))
            text = f"{error}\n{timed_out.output if timed_out else ''}".strip()
            return await self._ended(attempt, None, text, harmless=command.harmless)
        return await self._ended(attempt, answer.exit_code, _output(answer), harmless=command.harmless)

    async def _ended(self, attempt: int, exit_code: int | None, output: str, *, harmless: bool) -> Fail | None:
        verdict = Verdict.DONE if exit_code == 0 or harmless else Verdict.FAILED
        await self._engine.journal.end_act(attempt, exit_code, output, verdict)
        self._acted_at = self._engine.clock.now()
        self._acts += 1
        return None if verdict is Verdict.DONE else _failure(exit_code, output)

    async def _find_out(self, lost: Attempt) -> Result | Fail | None:
        """After a crash: did the act that was begun, and whose end nobody wrote down, happen?"""
        if lost.kind == "harmless":
            return None
        if lost.kind == "once":
            return await self._ask_the_host(lost)
        seen = await self._look()
        acts = self._planned(seen)
        if any(isinstance(act, Command | Fail) for act in acts) or not self._step.step.look():
            why = "The service ended while this command was under way."
            return await self._engine.unknown(self._index, self._step, lost.command, why)
        said = "responder restarted meanwhile; the look says that it happened"
        await self._engine.journal.end_act(lost.id, None, said, Verdict.DONE)
        return None

    async def _ask_the_host(self, lost: Attempt) -> Result | Fail | None:
        question = marker.question(self._marker_name(lost.id), become=lost.become)
        trace = marker.read(await self._engine.hands.run(question))
        if not trace.started:
            said = "responder restarted before this reached the host"
            await self._engine.journal.end_act(lost.id, None, said, Verdict.VOID)
            return None
        if trace.exit_code is None:
            why = "The service ended while this command was under way, and the host says that it has no end yet."
            return await self._engine.unknown(self._index, self._step, lost.command, why)
        return await self._ended(lost.id, trace.exit_code, "the host's marker tells the exit code", harmless=False)

    async def _look(self) -> Facts:
        return await look(self._step, self._engine.hands)

    def _marker_name(self, attempt: int) -> str:
        return f"run-{self._engine.plan.nonce}-{attempt}"

    def _said(self) -> str:
        acts = len(self._entry.attempts) or (1 if self._acted_at else 0)
        return "done, and the second look agrees" if acts else "nothing was to do"


async def look(step: PlannedStep, hands: Hands) -> Facts:
    """The facts that a step sees now. A question that gets no answer is a fact too: `error`."""
    try:
        return step.step.read(await _ask(step.step.look(), hands))
    except QueryFailed as error:
        return {"error": str(error)}


async def _ask(wish: Look, hands: Hands) -> Answer:
    if isinstance(wish, Command):
        return await hands.run(wish)
    if isinstance(wish, Query):
        return await hands.query(wish)
    if isinstance(wish, Fetch):
        return await hands.fetch(wish)
    return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Rehearsed:
    """What a step would do now."""

    name: str
    kind: str
    seen: Facts
    acts: tuple[Act, ...]


async def rehearse(plan: Plan, hands: Hands, now: datetime) -> list[Rehearsed]:
    """A dry run: looks and plans every step, acts never. Later steps see the present, not what earlier ones
    would have changed."""
    done = []
    for step in plan.steps:
        seen = await look(step, hands)
        acts = step.step.plan(seen, seen, Moment(started_at=now, now=now))
        done.append(Rehearsed(name=step.name, kind=step.kind, seen=seen, acts=acts))
    return done


def _failure(exit_code: int | None, output: str) -> Fail:
    if exit_code is None:
        return Fail(why=output)
    return Fail(why=f"the command ended with exit code {exit_code}: {_tail(output) or 'no output'}")


def kind_of(command: Command) -> str:
    """The word the journal keeps to know after a crash what may be done about a lost act."""
    return "once" if command.once else "harmless" if command.harmless else "act"


def _output(answer: CommandResult) -> str:
    text = answer.stdout + (f"\n[stderr]\n{answer.stderr}" if answer.stderr.strip() else "")
    return text.strip() + ("\n[more was printed than is kept]" if answer.truncated else "")


def _tail(output: str) -> str:
    return " | ".join(output.strip().splitlines()[-3:])[-300:]
