"""Runs a plan: precheck, the steps, what undoes or follows them, and what is always done at the end.

The engine knows no kinds of steps. What it does is written into the journal before it starts and after it
ended. A run that waited, or whose process died, walks the plan again from its beginning: what has ended is taken
from the journal, so every leg of a run comes to the same place by the same way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from responder.clock import Clock
from responder.domain.acts import Fail, Moment, Suspend
from responder.domain.durations import spoken
from responder.domain.runbook import RunOutcome
from responder.errors import HostError, Refused
from responder.firstaid.plan import (
    Lane,
    Plan,
    PlannedBlock,
    PlannedForEach,
    PlannedPart,
    PlannedStep,
    steps_of,
)
from responder.firstaid.ports import Ended, Hands, Journal, Past, Result, StepEnd, Stop, Suspended
from responder.firstaid.step_run import Over, StepRun, look, may_have_acted

_OUTCOMES = {
    StepEnd.FAILED: RunOutcome.FAILED,
    StepEnd.UNKNOWN: RunOutcome.UNKNOWN,
    StepEnd.CANCELLED: RunOutcome.CANCELLED,
    StepEnd.STOPPED: RunOutcome.CANCELLED,
    StepEnd.REFUSED: RunOutcome.REFUSED,
}
_OF_A_LOOK = (RunOutcome.HELPED, RunOutcome.FAILED)
"""Where nothing was changed nothing has helped, and nothing failed."""
_WORST_FIRST = (StepEnd.UNKNOWN, StepEnd.STOPPED, StepEnd.FAILED, StepEnd.CANCELLED)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Broken:
    """A part of the plan that did not come to its end: how, and the whole sentence."""

    end: StepEnd
    sentence: str


_HALTING = (StepEnd.UNKNOWN, StepEnd.STOPPED)
"""After these nothing may follow on any host."""
_Way = _Broken | Suspended | None
"""How far a part came: not to its end, only so far for now, or (None) to its end."""


@dataclass(kw_only=True)
class Engine:
    """Executes one plan on one target."""

    plan: Plan
    target: str
    hands: Hands
    journal: Journal
    clock: Clock
    started_at: datetime
    _past: dict[int, Past] = field(default_factory=dict, init=False)
    _due_at: datetime = field(init=False)
    _halted: _Broken | None = field(default=None, init=False)

    @property
    def nonce(self) -> str:
        return self.plan.nonce

    async def run(self) -> Result:
        """Goes as far as possible now: to the end, or until it must wait."""
        result = await self._run()
        if isinstance(result, Ended) and self.plan.only_looks and result.outcome in _OF_A_LOOK:
            return Ended(outcome=RunOutcome.DIAGNOSED, sentence=result.sentence)
        return result

    async def _run(self) -> Result:
        self._past = dict(await self.journal.past())
        self._due_at = self.started_at + self.plan.timeout
        if (refused := await self._precheck()) is not None:
            return refused
        way = await self._sequence(self.plan.parts)
        if isinstance(way, Suspended):
            return way
        if way is None and not self.plan.always:
            return Ended(outcome=RunOutcome.HELPED, sentence=self._success())
        return await self._clean_up(way)

    def overdue(self) -> str:
        """Why no further act may start, when the whole run has taken too long."""
        if self.clock.now() < self._due_at:
            return ""
        return f"the run has taken longer than its timeout of {spoken(self.plan.timeout)}"

    # --- the phases --------------------------------------------------------------------------------

    async def _precheck(self) -> Ended | None:
        """Looks while the lock is held, and acts never: what would have to act objects."""
        if self._past.keys() - {step.index for step in self.plan.precheck}:
            return None
        for step in self.plan.precheck:
            known = self._past.get(step.index)
            over = Over(end=known.end, sentence=known.sentence) if known and known.end else await self._look_at(step)
            if over.end is not StepEnd.DONE:
                why = _as_sentence(over.sentence)
                return Ended(outcome=_OUTCOMES[over.end], sentence=f"{self._place(step)}: {why}")
        return None

    async def _look_at(self, step: PlannedStep) -> Over:
        entry = await self.journal.begin_step(step, is_bound=False)
        if isinstance(entry, Stop):
            return Over(end=entry.end, sentence=entry.why)
        over = await _checked(step, self.hands, entry.started_at)
        await self._write_end(step, over, acted=False)
        return over

    async def _clean_up(self, way: _Broken | None) -> Result:
        """What follows the main part. Nothing does where the kill switch stopped it or an act is in doubt."""
        end = way.end if way else StepEnd.DONE
        sentence = way.sentence if way else self._success()
        if end in _HALTING:
            return Ended(outcome=_OUTCOMES[end], sentence=sentence + self._left_out())
        # Time that the steps have used up must not be missing for what undoes them.
        self._due_at = max(self._due_at, self.clock.now() + self.plan.timeout)
        sentences = [sentence]
        for name, groups in self._follow_ups(end):
            result = await self._each_of(groups)
            if isinstance(result, Suspended):
                return result
            done = f"{_counted(step for group in groups for step in group)} done."
            sentences.append(f"{name}: {done if result is None else result.sentence}")
            if result is not None:
                end = next(one for one in _WORST_FIRST if one in (end, result.end))
            if end in _HALTING:
                sentences.append(self._left_out().strip())
                break
        outcome = RunOutcome.HELPED if end is StepEnd.DONE else _OUTCOMES[end]
        return Ended(outcome=outcome, sentence=" ".join(sentences))

    async def _each_of(self, groups: Sequence[Sequence[PlannedStep]]) -> _Way:
        """Every group, even after one that failed: what is older may still be undone."""
        failed: list[_Broken] = []
        for group in groups:
            way = await self._sequence(group, is_bound=True)
            if isinstance(way, Suspended) or (way is not None and way.end is not StepEnd.FAILED):
                return way
            failed += [way] if way is not None else []
        if not failed:
            return None
        return _Broken(end=StepEnd.FAILED, sentence=" ".join(broken.sentence for broken in failed))

    def _follow_ups(self, end: StepEnd) -> list[tuple[str, list[tuple[PlannedStep, ...]]]]:
        found = []
        if end is StepEnd.FAILED:
            found = [("Rollback", self._rollbacks()), ("After the failure", [self.plan.on_failure])]
        if any(self._acted(step) for step in self.plan.steps):
            found.append(("At the end", [self.plan.always]))
        return [(name, groups) for name, groups in found if any(groups)]

    def _rollbacks(self) -> list[tuple[PlannedStep, ...]]:
        """The undoing of every step that has acted, the newest first."""
        acted = [step for step in self.plan.steps if self._acted(step)]
        return [step.rollback for step in reversed(acted) if step.rollback]

    def _acted(self, step: PlannedStep) -> bool:
        known = self._past.get(step.index)
        return known is not None and known.acted

    def _left_out(self) -> str:
        """What would have followed and has not; nothing would have, if nothing has acted."""
        if not any(self._acted(step) for step in self.plan.steps):
            return ""
        follows = (*(step for group in self._rollbacks() for step in group), *self.plan.always)
        left = [step.name for step in follows if not self._is_done(step)]
        return f" Left undone: {', '.join(left)}." if left else ""

    def _is_done(self, step: PlannedStep) -> bool:
        known = self._past.get(step.index)
        return known is not None and known.end is StepEnd.DONE

    # --- parts -------------------------------------------------------------------------------------

    async def _sequence(self, parts: Sequence[PlannedPart], *, is_bound: bool = False) -> _Way:
        for part in parts:
            way = await self._part(part, is_bound=is_bound)
            if way is not None:
                return way
        return None

    async def _part(self, part: PlannedPart, *, is_bound: bool) -> _Way:
        if isinstance(part, PlannedForEach):
            return await _Lanes(self, part).go()
        if isinstance(part, PlannedBlock):
            return await self._block(part)
        return await self._step(part, is_bound=is_bound)

    async def _block(self, block: PlannedBlock) -> _Way:
        for step in block.steps:
            before = (one for one in block.steps if one.index <= step.index)
            way = await self._step(step, is_bound=any(self._acted(one) for one in before))
            if way is not None:
                return way
        return None

    async def lane(self, lane: Lane) -> _Way:
        return await self._sequence(lane.parts)

    def has_begun(self, lane: Lane) -> bool:
        return any(step.index in self._past for step in steps_of(lane.parts))

    # --- one step ----------------------------------------------------------------------------------

    async def _step(self, step: PlannedStep, *, is_bound: bool) -> _Way:
        known = self._past.get(step.index)
        if known and known.end:
            return self._way(step, Over(end=known.end, sentence=known.sentence))
        if self._halted is not None:
            return self._halted
        # A step that must not be parted goes on after a wait, too, once it has acted.
        is_bound = is_bound or (step.step.unbreakable and self._acted(step))
        entry = await self.journal.begin_step(step, is_bound=is_bound)
        if isinstance(entry, Stop):
            # The journal has written this down already: the next leg must come to the same end.
            self._past[step.index] = Past(end=entry.end, sentence=entry.why, acted=self._acted(step))
            return self._way(step, Over(end=entry.end, sentence=entry.why))
        self._past[step.index] = Past(end=None, acted=any(map(may_have_acted, entry.attempts)))
        run = StepRun(self, step, entry, is_bound=is_bound)
        try:
            result = await run.go()
        except (HostError, Refused) as error:
            result = Over(end=StepEnd.FAILED, sentence=str(error))
        if isinstance(result, Suspended):
            self._past[step.index] = Past(end=None, acted=run.has_acted)
            if step.step.unbreakable and run.has_acted:
                return result
            # The locks are held while it waits: no longer than the run may take.
            return Suspended(until=min(result.until, max(self._due_at, self.clock.now())), why=result.why)
        await self._write_end(step, result, acted=run.has_acted)
        return self._way(step, result)

    async def _write_end(self, step: PlannedStep, over: Over, *, acted: bool) -> None:
        await self.journal.end_step(step, over.end, over.sentence)
        self._past[step.index] = Past(end=over.end, sentence=over.sentence, acted=acted)

    def _way(self, step: PlannedStep, over: Over) -> _Broken | None:
        if over.end is StepEnd.DONE:
            return None
        if over.end in (StepEnd.CANCELLED, StepEnd.STOPPED):
            broken = _Broken(end=over.end, sentence=over.sentence)
        else:
            broken = _Broken(end=over.end, sentence=f"{self._place(step)}: {_as_sentence(over.sentence)}")
        if over.end in _HALTING:
            self._halted = broken
        return broken

    def _place(self, step: PlannedStep) -> str:
        return f"{self.plan.runbook} on {step.host or self.target}, step {step.index + 1} ({step.name})"

    def _success(self) -> str:
        if self.plan.only_looks:
            return f"{self.plan.runbook} on {self.target}: it has looked, and changed nothing."
        steps = len(self.plan.steps)
        counted = "its one step is" if steps == 1 else f"all {steps} steps are"
        return f"{self.plan.runbook} on {self.target}: {counted} done and looked at again."


class _Lanes:
    """A foreach: so many lanes at the same time, and no further one after so many failures."""

    def __init__(self, engine: Engine, each: PlannedForEach) -> None:
        self._engine = engine
        self._each = each
        self._broken: list[_Broken] = []
        self._suspended: list[Suspended] = []

    async def go(self) -> _Way:
        # Lanes that an earlier leg began go on whatever has become of the others.
        begun = [lane for lane in self._each.lanes if self._engine.has_begun(lane)]
        fresh = [lane for lane in self._each.lanes if lane not in begun]
        running = {asyncio.create_task(self._engine.lane(lane)) for lane in begun}
        try:
            while True:
                while fresh and self._may_begin(len(running)):
                    running.add(asyncio.create_task(self._engine.lane(fresh.pop(0))))
                if not running:
                    break
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    self._keep(task.result())
        finally:
            for task in running:
                task.cancel()
        return self._result(left=[lane.target for lane in fresh])

    def _may_begin(self, running: int) -> bool:
        failures = [one for one in self._broken if one.end is StepEnd.FAILED]
        return (
            running + len(self._suspended) < self._each.max_parallel
            and len(failures) < self._each.stop_after_failures
            and len(failures) == len(self._broken)
        )

    def _keep(self, way: _Way) -> None:
        if isinstance(way, Suspended):
            self._suspended.append(way)
        elif way is not None:
            self._broken.append(way)

    def _result(self, left: list[str]) -> _Way:
        halted = next((broken for broken in self._broken if broken.end in _HALTING), None)
        if self._suspended and halted is None:
            return min(self._suspended, key=lambda one: one.until)
        if not self._broken:
            return None
        end = next(one for one in _WORST_FIRST if any(broken.end is one for broken in self._broken))
        told = [broken.sentence for broken in self._broken if broken.end is end][:3]
        if left:
            told.append(f"Not begun: {', '.join(left)}.")
        return _Broken(end=end, sentence=" ".join(dict.fromkeys(told)))


async def _checked(step: PlannedStep, hands: Hands, now: datetime) -> Over:
    """Whether all is as a step wants it, without letting it act."""
    try:
        seen = await look(step, hands)
    except (HostError, Refused) as error:
        return Over(end=StepEnd.REFUSED, sentence=str(error))
    acts = step.step.plan(seen, seen, Moment(started_at=now, now=now))
    if not acts:
        return Over(end=StepEnd.DONE, sentence="it is as wanted")
    first = acts[0]
    why = first.why if isinstance(first, Fail | Suspend) else f"it is not as wanted: {_facts(seen)}"
    return Over(end=StepEnd.REFUSED, sentence=f"the precheck objects: {why}")


def _facts(seen: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in seen.items()) or "it would have to act"


def _counted(steps: Iterable[object]) -> str:
    number = len(list(steps))
    return "1 step" if number == 1 else f"{number} steps"


def _as_sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."
