"""The journal of a run in a test: in memory, and it outlives the process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from responder.domain.acts import Ask, Command, Facts, Request, Tell
from responder.domain.durations import spoken
from responder.domain.runbook import Attempt, OnResolve, Verdict
from responder.firstaid.plan import PlannedStep
from responder.firstaid.ports import Answered, Consent, Entry, Past, StepEnd, Stop
from responder.firstaid.step_run import kind_of
from responder.firstaid.testing.files import CaseFile, Reaction
from responder.firstaid.testing.world import NoAnswer, World


@dataclass(kw_only=True)
class Record:
    """What has been written down."""

    started: dict[int, datetime] = field(default_factory=dict)
    first: dict[int, Facts] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)
    ended: dict[int, tuple[StepEnd, str]] = field(default_factory=dict)
    asked: dict[tuple[int, str], datetime] = field(default_factory=dict)
    told: dict[tuple[int, str], Tell] = field(default_factory=dict)
    attachments: list[str] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)
    is_cleared: bool = False
    is_taken: bool = False
    is_stopped: bool = False

    @property
    def has_acted(self) -> bool:
        """Whether an act, and not only a look, has ended well."""
        return any(one.verdict is Verdict.DONE and one.kind != "harmless" for one in self.attempts)


class MemoryJournal:
    """Implements the engine's `Journal`; what happens to the ticket meanwhile is as the test says."""

    def __init__(self, world: World, case: CaseFile, on_resolve: OnResolve, record: Record) -> None:
        self._world = world
        self._case = case
        self._on_resolve = on_resolve
        self._record = record
        self._kept_as: dict[int, str] = {}

    async def past(self) -> Mapping[int, Past]:
        known = {*self._record.started, *self._record.ended}
        return {index: self._past(index) for index in known}

    def _past(self, index: int) -> Past:
        end, sentence = self._record.ended.get(index, (None, ""))
        mine = (one for one in self._record.attempts if one.step == index)
        acted = any(one.kind != "harmless" and one.verdict is not Verdict.VOID for one in mine)
        return Past(end=end, sentence=sentence, acted=acted)

    async def begin_step(self, step: PlannedStep, *, is_bound: bool) -> Entry | Stop:
        self._touch("before", step, "begins")
        if stop := self._stop(is_bound=is_bound, has_begun=False):
            self._record.ended[step.index] = (stop.end, stop.why)
            return stop
        self._record.names[step.index] = step.name
        started_at = self._record.started.setdefault(step.index, self._world.clock.now())
        mine = tuple(one for one in self._record.attempts if one.step == step.index)
        self._touch("after", step, "begins")
        return Entry(started_at=started_at, first=self._record.first.get(step.index), attempts=mine)

    async def begin_act(self, step: PlannedStep, act: Command | Request, first: Facts, *, is_bound: bool) -> int | Stop:
        self._touch("before an act is written down in", step)
        if stop := self._stop(is_bound=is_bound, has_begun=True):
            return stop
        attempts = self._record.attempts
        self._record.first[step.index] = dict(first)
        attempts.append(_attempt(len(attempts) + 1, step, act, self._world.clock.now()))
        self._world.begun.append(act)
        if isinstance(act, Command) and act.keep_as:
            self._kept_as[len(attempts)] = act.keep_as
        number = len(attempts)
        self._touch("after an act was written down in", step)
        return number

    async def end_act(self, attempt: int, exit_code: int | None, output: str, verdict: Verdict) -> None:
        known = self._record.attempts[attempt - 1]
        self._world.touches.place("before the end of an act is written down")
        ended_at = self._world.clock.now()
        self._record.attempts[attempt - 1] = replace(
            known, ended_at=ended_at, exit_code=exit_code, output=output, verdict=verdict
        )
        if name := self._kept_as.pop(attempt, ""):
            self._record.attachments.append(name)
        if self._record.names.get(known.step) == self._case.cleared_during:
            self._record.is_cleared = True
        self._world.touches.place("after the end of an act was written down")

    async def end_step(self, step: PlannedStep, end: StepEnd, sentence: str) -> None:
        self._touch("before the end is written down of", step)
        self._record.ended[step.index] = (end, sentence)
        self._happened(step.name)
        self._touch("after the end was written down of", step)

    async def ask(self, step: PlannedStep, ask: Ask) -> Answered:
        reaction = self._case.approvals.get(step.name)
        if reaction is None:
            raise NoAnswer(
                f"the step {step.name!r} asks people; say under approvals: whether they answer yes, no or none"
            )
        self._touch("before people are asked in", step)
        now = self._world.clock.now()
        asked_at = self._record.asked.setdefault((step.index, ask.question), now)
        until = asked_at + ask.within
        answers_at = asked_at + reaction.after
        if reaction.answer is not Reaction.NONE and answers_at <= until:
            if now < answers_at:
                return Answered(consent=Consent.WAITING, sentence=ask.question, until=answers_at)
            given = Consent.GIVEN if reaction.answer is Reaction.YES else Consent.REFUSED
            return Answered(consent=given, sentence=f"the answer is {reaction.answer}", until=until)
        if now < until:
            return Answered(consent=Consent.WAITING, sentence=ask.question, until=until)
        late = Consent.GIVEN if ask.go_on_without else Consent.REFUSED
        return Answered(consent=late, sentence=f"nobody answered within {spoken(ask.within)}", until=until)

    async def tell(self, step: PlannedStep, tell: Tell) -> None:
        self._touch("before people are told in", step)
        self._record.told.setdefault((step.index, tell.text), tell)
        self._touch("after people were told in", step)

    # --- what happens meanwhile --------------------------------------------------------------------

    def _happened(self, step_name: str) -> None:
        case, record = self._case, self._record
        record.is_cleared |= case.cleared_after == step_name
        record.is_taken |= case.taken_after == step_name
        record.is_stopped |= case.kill_switch_after == step_name

    def _stop(self, *, is_bound: bool, has_begun: bool) -> Stop | None:
        if self._record.is_stopped:
            return Stop(why="The kill switch is on: the test says so.", end=StepEnd.STOPPED)
        if is_bound:
            return None
        goes_on = {OnResolve.FINISH_ALL: True, OnResolve.FINISH_STEP: has_begun, OnResolve.CANCEL: False}
        if self._record.is_cleared and not goes_on[self._on_resolve]:
            return Stop(why="The alert has cleared, so no further step starts.")
        if self._record.is_taken:
            return Stop(why="Somebody has taken the ticket, so automation steps back.")
        return None

    def _touch(self, when: str, step: PlannedStep, what: str = "") -> None:
        self._world.touches.place(f"{when} {step.name} {what}".rstrip())


def _attempt(number: int, step: PlannedStep, act: Command | Request, now: datetime) -> Attempt:
    return Attempt(
        id=number,
        run_id=1,
        step=step.index,
        kind=kind_of(act),
        command=act.argv,
        started_at=now,
        become=isinstance(act, Command) and act.become,
        host=(act.on or step.host) if isinstance(act, Command) else "",
        label=act.label,
    )
