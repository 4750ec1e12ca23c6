"""The journal of a run: every step and act is written down before it starts, in a transaction that also asks
whether it may still start."""

from __future__ import annotations

from datetime import datetime

from responder.domain.report import Signal
from responder.domain.runbook import Attempt, Command, Facts, OnResolve, Run, RunOutcome, Verdict
from responder.domain.ticket import Status, Ticket
from responder.firstaid.engine import Entry, Stop, kind_of
from responder.firstaid.plan import Plan, PlannedStep
from responder.flows.desk import Desk
from responder.flows.switches import kill_switch
from responder.metrics import step_seconds
from responder.store.transaction import Transaction


class RunJournal:
    """Writes a run's steps and acts. Raises RunLost when another worker holds the run."""

    def __init__(self, desk: Desk, run: Run, plan: Plan) -> None:
        self._desk = desk
        self._run = run
        self._plan = plan
        self._began: dict[int, datetime] = {}

    async def begin_step(self, index: int, step: PlannedStep) -> Entry | Stop:
        now = self._desk.clock.now()

        def body(tx: Transaction) -> Entry | Stop:
            if stop := self._objection(tx):
                return stop
            tx.runs.advance(self._run, index)
            started_at = tx.runs.begin_step(self._run.id, index, step.name, step.kind, at=now)
            attempts = [attempt for attempt in tx.runs.attempts(self._run.id) if attempt.step == index]
            first = tx.runs.first_facts(self._run.id, index)
            return Entry(started_at=started_at, first=first, attempts=tuple(attempts))

        entry = await self._desk.store.write(body)
        if isinstance(entry, Entry):
            self._began[index] = entry.started_at
        return entry

    async def begin_act(self, index: int, command: Command, first: Facts) -> int | Stop:
        now = self._desk.clock.now()
        attempt = Attempt(
            id=0,
            run_id=self._run.id,
            step=index,
            kind=kind_of(command),
            command=command.argv,
            started_at=now,
            become=command.become,
        )

        def body(tx: Transaction) -> int | Stop:
            if stop := self._objection(tx):
                return stop
            tx.runs.advance(self._run, index)
            tx.runs.keep_first_facts(self._run.id, index, first)
            return tx.runs.begin_attempt(attempt)

        return await self._desk.store.write(body)

    async def end_act(self, attempt: int, exit_code: int | None, output: str, verdict: Verdict) -> None:
        now = self._desk.clock.now()
        await self._desk.store.write(lambda tx: tx.runs.end_attempt(attempt, exit_code, output, verdict, at=now))

    async def end_step(self, index: int, step: PlannedStep, outcome: str, sentence: str) -> None:
        now = self._desk.clock.now()
        await self._desk.store.write(lambda tx: tx.runs.end_step(self._run.id, index, outcome, sentence, at=now))
        step_seconds.labels(step.kind).observe(max((now - self._began.get(index, now)).total_seconds(), 0))

    def _objection(self, tx: Transaction) -> Stop | None:
        # The row lock orders this with the all-clear: no step starts after the all-clear's commit.
        ticket = tx.tickets.one(self._run.ticket_id, locked=True).ticket
        if why := kill_switch(self._desk, tx):
            return Stop(why=f"The kill switch is on: {why}.", outcome=RunOutcome.FAILED)
        return _stop(ticket, self._plan)


def _stop(ticket: Ticket, plan: Plan) -> Stop | None:
    if ticket.status in (Status.NEW, Status.HANDED_OVER):
        return Stop(why="The ticket has moved on since this run began, so no further step starts.")
    if ticket.acknowledged_by:
        return Stop(why=f"{ticket.acknowledged_by} has taken the ticket, so automation steps back.")
    if ticket.signal is Signal.CLEARED and plan.on_resolve is OnResolve.CANCEL:
        return Stop(why="The alert has cleared, so no further step starts.")
    return None
