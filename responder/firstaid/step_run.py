"""One step of a run, from its look to its second look."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from responder.clock import Clock
from responder.domain.acts import (
    Act,
    Answer,
    Ask,
    Command,
    CommandResult,
    Done,
    Facts,
    Fail,
    Fetch,
    Moment,
    Query,
    Question,
    Reply,
    Request,
    Suspend,
    Tell,
    Unanswered,
)
from responder.domain.masking import masked, masked_words
from responder.domain.runbook import Attempt, Verdict
from responder.errors import CommandTimedOut, ConnectionCut, HostError, QueryFailed, Refused, ResponderError
from responder.firstaid import marker
from responder.firstaid.plan import PlannedStep
from responder.firstaid.ports import Consent, Entry, Hands, Journal, StepEnd, Stop, Suspended

MOST_ACTS = 100
_SLACK = timedelta(seconds=1)


class Surroundings(Protocol):
    """What a step needs of the run around it."""

    hands: Hands
    journal: Journal
    clock: Clock

    @property
    def nonce(self) -> str: ...

    def overdue(self) -> str: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Over:
    """The step has ended, and how; the sentence stands alone."""

    end: StepEnd
    sentence: str


_Outcome = Over | Suspended | None


class StepRun:
    """Runs one planned step as far as it can go now."""

    def __init__(self, around: Surroundings, step: PlannedStep, entry: Entry, *, is_bound: bool) -> None:
        self._around = around
        self._planned_step = step
        self._entry = entry
        self._is_bound = is_bound
        self._first = entry.first
        self._asked = len(entry.attempts)
        self._has_acted = any(may_have_acted(act) for act in entry.attempts)
        ended = [act for act in entry.attempts if act.ended_at and act.verdict is not Verdict.VOID]
        self._done = [_done(act) for act in ended]
        self._failed = next((act for act in ended if act.verdict is Verdict.FAILED), None)

    @property
    def has_acted(self) -> bool:
        """Whether an act of it may have changed something."""
        return self._has_acted

    async def go(self) -> Over | Suspended:
        """Raises HostError or Refused when a question that needs an answer gets none."""
        if self._failed is not None:
            # It failed before a crash; the second life must not take the end of an act for its success.
            return _failure(self._failed.exit_code, self._failed.output)
        for lost in [attempt for attempt in self._entry.attempts if attempt.ended_at is None]:
            if (found := await self._find_out_or_doubt(lost)) is not None:
                return found
        if self._entry.stop is not None:
            return Over(end=self._entry.stop.end, sentence=self._entry.stop.why)
        while True:
            must_go_on = self._planned_step.step.unbreakable and self._has_acted
            if (why := self._around.overdue()) and not must_go_on:
                return Over(end=StepEnd.FAILED, sentence=why)
            acts = self._plan(await self._look())
            if not acts:
                return Over(end=StepEnd.DONE, sentence=self._said())
            result = await self._perform(acts)
            if result is not None:
                return result

    def _plan(self, seen: Facts) -> tuple[Act, ...]:
        if self._first is None:
            self._first = seen
        moment = Moment(
            started_at=self._entry.started_at,
            now=self._around.clock.now(),
            acted_at=max((one.at for one in self._done), default=None),
            acts=len(self._done),
            done=tuple(self._done),
        )
        return self._planned_step.step.plan(self._first, seen, moment)

    # --- acts --------------------------------------------------------------------------------------

    async def _perform(self, acts: tuple[Act, ...]) -> _Outcome:
        if self._asked + len(acts) > MOST_ACTS:
            return Over(end=StepEnd.FAILED, sentence=f"the step asked for more than {MOST_ACTS} acts")
        if all(isinstance(act, Command) and act.harmless for act in acts):
            return await self._all_at_once(acts)
        for act in acts:
            if (result := await self._one(act)) is not None:
                return result
        return None

    async def _all_at_once(self, acts: tuple[Act, ...]) -> _Outcome:
        """What is harmless need not wait for each other."""
        results = await asyncio.gather(*(self._one(act) for act in acts))
        return next((result for result in results if result is not None), None)

    async def _one(self, act: Act) -> _Outcome:
        if isinstance(act, Fail):
            return Over(end=StepEnd.FAILED, sentence=act.why)
        if isinstance(act, Suspend):
            return Suspended(until=act.until, why=act.why)
        if isinstance(act, Ask):
            return await self._ask(act)
        if isinstance(act, Tell):
            await self._around.journal.tell(self._planned_step, act)
            self._note(Done(label="tell", is_good=True, at=self._around.clock.now()))
            return None
        return await self._act(act)

    async def _ask(self, ask: Ask) -> _Outcome:
        answered = await self._around.journal.ask(self._planned_step, ask)
        if answered.consent is Consent.WAITING:
            return Suspended(until=answered.until, why=answered.sentence)
        if answered.consent is Consent.REFUSED:
            return Over(end=StepEnd.FAILED, sentence=answered.sentence)
        self._note(Done(label="ask", is_good=True, at=self._around.clock.now(), output=answered.sentence))
        return None

    async def _act(self, act: Command | Request) -> _Outcome:
        is_bound = self._is_bound or (self._planned_step.step.unbreakable and self._has_acted)
        self._asked += 1
        attempt = await self._around.journal.begin_act(self._planned_step, act, self._first or {}, is_bound=is_bound)
        if isinstance(attempt, Stop):
            return Over(end=attempt.end, sentence=attempt.why)
        self._has_acted = self._has_acted or kind_of(act) != "harmless"
        try:
            exit_code, output = await self._carry_out(act, attempt)
        except ConnectionCut as error:
            if _may_fail(act):
                return await self._ended(attempt, act, None, str(error))
            return _unknown(str(error), _place(act, self._planned_step), act.argv)
        except (HostError, Refused, QueryFailed) as error:
            return await self._broken(attempt, act, error)
        return await self._ended(attempt, act, exit_code, output)

    async def _carry_out(self, act: Command | Request, attempt: int) -> tuple[int, str]:
        if isinstance(act, Request):
            page = await self._around.hands.send(act)
            return (0 if page.status in act.expect else page.status), f"HTTP {page.status}\n{page.text}".strip()
        sent = marker.marked(act, self._marker_name(attempt)) if act.once else act
        answer = await self._around.hands.run(self._planned_step.host, sent)
        return answer.exit_code, output_of(answer)

    async def _broken(self, attempt: int, act: Command | Request, error: ResponderError) -> _Outcome:
        timed_out = error if isinstance(error, CommandTimedOut) else None
        in_doubt = isinstance(error, QueryFailed) or (timed_out is not None and not timed_out.is_over)
        if in_doubt and not _may_fail(act):
            return _unknown(str(error), _place(act, self._planned_step), act.argv)
        text = f"{error}\n{timed_out.output if timed_out else ''}".strip()
        return await self._ended(attempt, act, None, text)

    async def _ended(self, attempt: int, act: Command | Request, exit_code: int | None, output: str) -> _Outcome:
        is_good = exit_code == 0
        verdict = Verdict.DONE if is_good or _may_fail(act) else Verdict.FAILED
        await self._around.journal.end_act(attempt, exit_code, output, verdict)
        at = self._around.clock.now()
        self._note(Done(label=act.label, is_good=is_good, at=at, exit_code=exit_code, output=output[-2000:]))
        return None if verdict is Verdict.DONE else _failure(exit_code, output)

    def _note(self, done: Done) -> None:
        self._done.append(done)

    # --- after a crash -----------------------------------------------------------------------------

    async def _find_out_or_doubt(self, lost: Attempt) -> Over | None:
        """As long as nobody can be asked about it, the act is neither done nor failed."""
        try:
            return await self._find_out(lost)
        except (HostError, Refused) as error:
            why = f"The service ended while this was under way, and nobody can be asked about it: {error}"
            return _unknown(why, lost.host or self._planned_step.host, lost.command)

    async def _find_out(self, lost: Attempt) -> Over | None:
        """Did the act that was begun, and whose end nobody wrote down, happen?"""
        if lost.kind in ("harmless", "repeatable"):
            return None
        if lost.kind == "once":
            return await self._ask_the_host(lost)
        acts = self._plan(await self._look())
        again = any(isinstance(act, Command | Request) and act.argv == lost.command for act in acts)
        if again or any(isinstance(act, Fail) for act in acts) or not self._planned_step.step.look():
            why = "The service ended while this was under way."
            return _unknown(why, lost.host or self._planned_step.host, lost.command)
        said = "responder restarted meanwhile; the look says that it happened"
        await self._around.journal.end_act(lost.id, None, said, Verdict.SEEN)
        self._note(Done(label=lost.label, is_good=True, at=self._around.clock.now(), output=said))
        return None

    async def _ask_the_host(self, lost: Attempt) -> Over | None:
        question = marker.question(self._marker_name(lost.id), become=lost.become)
        host = lost.host or self._planned_step.host
        trace = marker.read(await self._around.hands.run(host, question))
        if not trace.started:
            said = "responder restarted before this reached the host"
            await self._around.journal.end_act(lost.id, None, said, Verdict.VOID)
            return None
        if trace.exit_code is None:
            why = "The service ended while this was under way, and the host says that it has no end yet."
            return _unknown(why, host, lost.command)
        said = "the host's marker tells the exit code"
        verdict = Verdict.DONE if trace.exit_code == 0 else Verdict.FAILED
        await self._around.journal.end_act(lost.id, trace.exit_code, said, verdict)
        if verdict is Verdict.FAILED:
            return _failure(trace.exit_code, said)
        self._note(Done(label=lost.label, is_good=True, at=self._around.clock.now(), exit_code=0, output=said))
        return None

    # --- looking -----------------------------------------------------------------------------------

    async def _look(self) -> Facts:
        return await look(self._planned_step, self._around.hands)

    def _marker_name(self, attempt: int) -> str:
        return f"run-{self._around.nonce}-{attempt}"

    def _said(self) -> str:
        if not (self._asked or self._done):
            return "nothing was to do"
        return "done" if self._planned_step.step.look() is None else "done, and the second look agrees"


async def look(step: PlannedStep, hands: Hands) -> Facts:
    """The facts that a step sees now. Where one question gets no answer, that is a fact too: `error`.

    Raises HostError or Refused when the step's own host cannot be asked.
    """
    wish = step.step.look()
    try:
        return step.step.read(await _answer(wish, step.host, hands))
    except QueryFailed as error:
        return {"error": str(error)}


async def _answer(wish: Question | Mapping[str, Question] | None, host: str, hands: Hands) -> Answer:
    if wish is None:
        return None
    if isinstance(wish, Mapping):
        replies = await asyncio.gather(*(_reply_or_not(question, host, hands) for question in wish.values()))
        return dict(zip(wish, replies, strict=True))
    return await _reply(wish, host, hands)


async def _reply_or_not(question: Question, host: str, hands: Hands) -> Reply | Unanswered:
    limit = (question.timeout + _SLACK).total_seconds()
    try:
        # A host that is gone must not hold up what the others say: connecting may take longer than asking.
        return await asyncio.wait_for(_reply(question, host, hands), limit)
    except TimeoutError:
        return Unanswered(why=f"no answer within {limit:g} s")
    except (HostError, Refused, QueryFailed) as error:
        return Unanswered(why=str(error))


async def _reply(question: Question, host: str, hands: Hands) -> Reply:
    if isinstance(question, Query):
        return await hands.query(question)
    if isinstance(question, Fetch):
        return await hands.fetch(question)
    return await hands.run(host, question)


def kind_of(act: Command | Request) -> str:
    """The word the journal keeps to know after a crash what may be done about a lost act."""
    if isinstance(act, Command) and (act.once or act.harmless):
        return "once" if act.once else "harmless"
    return "repeatable" if act.repeatable else "act"


def is_lost(attempt: Attempt) -> bool:
    """Whether it was begun and nobody wrote down its end, so that it may have happened."""
    return attempt.ended_at is None and attempt.kind not in ("harmless", "repeatable")


def may_have_acted(attempt: Attempt) -> bool:
    """Whether an act in the journal may have changed something."""
    return attempt.kind != "harmless" and attempt.verdict is not Verdict.VOID


def output_of(answer: CommandResult) -> str:
    """What a command printed, as it is kept: nothing is taken from it but the ends of lines at its end."""
    errors = f"[stderr]\n{answer.stderr}" if answer.stderr.strip() else ""
    text = "\n".join(part for part in (answer.stdout, errors) if part.strip()).rstrip("\r\n")
    return text + ("\n[more was printed than is kept]" if answer.truncated else "")


def _may_fail(act: Command | Request) -> bool:
    return act.judged or (isinstance(act, Command) and act.harmless)


def _place(act: Command | Request, step: PlannedStep) -> str:
    return (act.on or step.host) if isinstance(act, Command) else act.url


def _done(act: Attempt) -> Done:
    at = act.ended_at or act.started_at
    is_good = act.exit_code == 0 or act.verdict is Verdict.SEEN
    return Done(label=act.label, is_good=is_good, at=at, exit_code=act.exit_code, output=act.output[-2000:])


def _unknown(why: str, host: str, command: tuple[str, ...]) -> Over:
    shown = " ".join(masked_words(command))
    sentence = f"{why} Nobody can tell from here whether this ran to its end on {host}: {shown}"
    return Over(end=StepEnd.UNKNOWN, sentence=sentence)


def _failure(exit_code: int | None, output: str) -> Over:
    if exit_code is None:
        return Over(end=StepEnd.FAILED, sentence=output)
    # Masked before it is cut: half a secret has no shape any more.
    said = f"the command ended with exit code {exit_code}: {_tail(masked(output)) or 'no output'}"
    return Over(end=StepEnd.FAILED, sentence=said)


def _tail(output: str) -> str:
    return " | ".join(output.strip().splitlines()[-3:])[-300:]
