"""The journal of a run: every step and act is written down before it starts, in a transaction that also asks
whether it may still start."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from responder.domain.acts import Ask, Command, Facts, Request, Tell
from responder.domain.masking import masked
from responder.domain.report import Signal
from responder.domain.runbook import Attempt, OnResolve, Run, Verdict
from responder.domain.ticket import Status, Ticket
from responder.firstaid.plan import Plan, PlannedStep
from responder.firstaid.ports import Answered, Entry, Past, StepEnd, Stop
from responder.firstaid.step_run import is_lost, kind_of, may_have_acted
from responder.flows.consent import ask_in_step
from responder.flows.desk import Desk
from responder.flows.switches import stopped_by
from responder.flows.telling import tell_in_step
from responder.metrics import step_seconds
from responder.store.attachments import Attachment
from responder.store.transaction import Transaction


class RunJournal:
    """Writes a run's steps and acts. Raises RunLost when another worker holds the run."""

    def __init__(self, desk: Desk, run: Run, plan: Plan) -> None:
        self._desk = desk
        self._run = run
        self._plan = plan
        self._began: dict[int, datetime] = {}
        self._kept_as: dict[int, str] = {}

    async def past(self) -> Mapping[int, Past]:
        return await self._desk.store.read(self._past)

    def _past(self, tx: Transaction) -> dict[int, Past]:
        acted = {act.step for act in tx.runs.attempts(self._run.id) if may_have_acted(act)}
        return {
            row.step: Past(end=StepEnd(row.outcome) if row.outcome else None, sentence=row.sentence, acted=here)
            for row in tx.runs.steps(self._run.id)
            for here in [row.step in acted]
        }

    async def begin_step(self, step: PlannedStep, *, is_bound: bool) -> Entry | Stop:
        now = self._desk.clock.now()

        def body(tx: Transaction) -> Entry | Stop:
            tx.runs.advance(self._run, step.index)
            stop = self._objection(tx, is_bound=is_bound, has_begun=False)
            started_at = tx.runs.begin_step(self._run.id, step, now)
            attempts = [attempt for attempt in tx.runs.attempts(self._run.id) if attempt.step == step.index]
            if stop and not any(map(is_lost, attempts)):
                tx.runs.end_step(self._run.id, step.index, stop.end, stop.why, at=now)
                return stop
            first = tx.runs.first_facts(self._run.id, step.index)
            return Entry(started_at=started_at, first=first, attempts=tuple(attempts), stop=stop)

        entry = await self._desk.store.write(body)
        if isinstance(entry, Entry):
            self._began[step.index] = entry.started_at
        return entry

    async def begin_act(self, step: PlannedStep, act: Command | Request, first: Facts, *, is_bound: bool) -> int | Stop:
        now = self._desk.clock.now()
        attempt = Attempt(
            id=0,
            run_id=self._run.id,
            step=step.index,
            kind=kind_of(act),
            command=act.argv,
            started_at=now,
            become=act.become if isinstance(act, Command) else False,
            host=(act.on or step.host) if isinstance(act, Command) else "",
            label=act.label,
        )

        def body(tx: Transaction) -> int | Stop:
            tx.runs.advance(self._run, step.index)
            if stop := self._objection(tx, is_bound=is_bound, has_begun=True):
                return stop
            tx.runs.keep_first_facts(self._run.id, step.index, first)
            return tx.runs.begin_attempt(attempt)

        begun = await self._desk.store.write(body)
        if isinstance(act, Command) and isinstance(begun, int) and act.keep_as:
            self._kept_as[begun] = act.keep_as
        return begun

    async def end_act(self, attempt: int, exit_code: int | None, output: str, verdict: Verdict) -> None:
        now = self._desk.clock.now()
        text = masked(output, self._desk.configuration.secrets)
        name = self._kept_as.pop(attempt, "")
        kept = Attachment(
            ticket_id=self._run.ticket_id,
            run_id=self._run.id,
            name=name,
            at=now,
            content=text.encode(),
            actor="responder",
        )

        def body(tx: Transaction) -> None:
            tx.runs.hold(self._run)
            tx.runs.end_attempt(attempt, exit_code, text, verdict, at=now)
            if name:
                tx.attachments.keep(kept)

        await self._desk.store.write(body)

    async def end_step(self, step: PlannedStep, end: StepEnd, sentence: str) -> None:
        now = self._desk.clock.now()
        said = masked(sentence, self._desk.configuration.secrets)

        def body(tx: Transaction) -> None:
            tx.runs.hold(self._run)
            tx.runs.end_step(self._run.id, step.index, end, said, at=now)

        await self._desk.store.write(body)
        step_seconds.labels(step.kind).observe(max((now - self._began.get(step.index, now)).total_seconds(), 0))

    async def ask(self, step: PlannedStep, ask: Ask) -> Answered:
        def body(tx: Transaction) -> Answered:
            tx.runs.advance(self._run, step.index)
            return ask_in_step(self._desk, tx, self._run, step, ask)

        return await self._desk.store.write(body)

    async def tell(self, step: PlannedStep, tell: Tell) -> None:
        def body(tx: Transaction) -> None:
            tx.runs.advance(self._run, step.index)
            tell_in_step(self._desk, tx, self._run, step, tell)

        await self._desk.store.write(body)

    def _objection(self, tx: Transaction, *, is_bound: bool, has_begun: bool) -> Stop | None:
        # The row lock orders this with the all-clear: no step starts after the all-clear's commit.
        ticket = tx.tickets.one(self._run.ticket_id, locked=True).ticket
        if why := stopped_by(self._desk, tx, self._run.runbook, self._plan.hosts):
            return Stop(why=f"The kill switch is on: {why}.", end=StepEnd.STOPPED)
        return None if is_bound else self._change_of_mind(ticket, has_begun=has_begun)

    def _change_of_mind(self, ticket: Ticket, *, has_begun: bool) -> Stop | None:
        """Why automation steps back, though nothing forbids it. `has_begun`: the step is at work already."""
        goes_on = {OnResolve.FINISH_ALL: True, OnResolve.FINISH_STEP: has_begun, OnResolve.CANCEL: False}
        is_cleared = ticket.signal is Signal.CLEARED
        if is_cleared and not goes_on[self._plan.on_resolve]:
            return Stop(why="The alert has cleared, so no further step starts.")
        if ticket.episode_at > self._run.started_at:
            return Stop(why="The trouble cleared and came back since this run began, so no further step starts.")
        if ticket.first_aid_at != self._run.started_at:
            # A person ordered it for a ticket that was with people already: it works for them.
            return None
        if ticket.acknowledged_by and ticket.acknowledged_by not in self._run.ordered_by.split(", "):
            return Stop(why=f"{ticket.acknowledged_by} has taken the ticket, so automation steps back.")
        if ticket.status is not Status.FIRST_AID and not is_cleared and not ticket.acknowledged_by:
            return Stop(why="The ticket has moved on since this run began, so no further step starts.")
        return None
