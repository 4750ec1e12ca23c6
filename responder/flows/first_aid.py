"""First aid: guards, lock, the run itself, and its outcome as a sentence on the ticket."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta

from responder.domain import lifecycle
from responder.domain.durations import spoken
from responder.domain.guards import Objection, Situation, first_objection
from responder.domain.policy import FirstAidRule
from responder.domain.report import Signal
from responder.domain.runbook import Run, Runbook, RunOutcome, Verdict
from responder.domain.target import Target, find
from responder.domain.ticket import Change, EventKind, Status, Ticket
from responder.errors import RunLost
from responder.firstaid.engine import Ended, Engine, Result, Suspended
from responder.firstaid.plan import from_snapshot, snapshot
from responder.flows.desk import Desk
from responder.flows.hands import TargetHands
from responder.flows.journal import RunJournal
from responder.flows.switches import kill_switch
from responder.metrics import report_to_command_seconds
from responder.store.jobs import Job
from responder.store.transaction import Transaction

_WHAT_REMAINS = {
    RunOutcome.FAILED: "First aid did not help. The alert still fires, and the machine tries nothing more.",
    RunOutcome.UNKNOWN: "Nobody knows whether the last command ran: look before you repeat it. The alert still fires.",
    RunOutcome.CANCELLED: "First aid was stopped half-way. The alert still fires.",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Order:
    """What is to run where, once every name in it has been found."""

    runbook: Runbook
    target: Target
    snapshot: dict[str, object]


async def first_aid(desk: Desk, job: Job) -> None:
    """Starts the run that the ticket's rule names, or hands the ticket over with the sentence why not."""
    ticket_id = int(job.args["ticket"])
    run = await desk.store.write(lambda tx: _start(desk, tx, ticket_id))
    if run is not None:
        await _go_on(desk, run)


async def continue_run(desk: Desk, job: Job) -> None:
    """Goes on with a run that waited."""
    run_id, leg = int(job.args["run"]), int(job.args["leg"])
    run = await desk.store.write(lambda tx: tx.runs.take_over(run_id, leg))
    if run is not None:
        await _go_on(desk, run)


# --- starting --------------------------------------------------------------------------------------


def _start(desk: Desk, tx: Transaction, ticket_id: int) -> Run | None:
    known = tx.tickets.one(ticket_id, locked=True)
    if at_work := tx.runs.at_work(ticket_id):
        # The process ended in the middle of this run: a new epoch, and the journal says where it stood. A run
        # that waits is left to its own job.
        return tx.runs.take_over(at_work.id, 0)
    if known.ticket.status is not Status.NEW or known.ticket.signal is Signal.CLEARED:
        return None
    now = desk.clock.now()
    change = Change.of(known.ticket, known.clocks)
    try:
        order = _order(desk, known.ticket)
    except ValueError as error:
        _refuse(tx, change, str(error), now)
        return None
    objection = first_objection(_situation(desk, tx, order, now), now)
    if objection is not None:
        _object(desk, tx, change, objection, now)
        return None
    return _begin(tx, change, order, now)


def _order(desk: Desk, ticket: Ticket) -> _Order:
    """Raises ValueError with the sentence for the ticket."""
    configuration = desk.configuration
    rule = configuration.policy.first_aid_for(ticket.labels, ticket.grade)
    if rule is None:
        raise ValueError("The policy no longer names a runbook for it.")
    runbook = configuration.runbooks[rule.runbook]
    target = _target(desk, rule, ticket)
    try:
        return _Order(
            runbook=runbook, target=target, snapshot=snapshot(runbook, ticket.labels, target, nonce=os.urandom(8).hex())
        )
    except ValueError as error:
        raise ValueError(f"{runbook.name} cannot run: {error}.") from error


def _target(desk: Desk, rule: FirstAidRule, ticket: Ticket) -> Target:
    wanted = ticket.labels.get(rule.target, "")
    if not wanted:
        raise ValueError(
            f"The alert has no label {rule.target}, so nothing says on which host {rule.runbook} would act."
        )
    target = find(desk.configuration.targets, wanted)
    if target is None:
        raise ValueError(f"{wanted[:100]!r} (label {rule.target}) is no target in the inventory.")
    return target


def _situation(desk: Desk, tx: Transaction, order: _Order, now: datetime) -> Situation:
    # Taking a number of the runbook's own orders all starts of it, on all replicas: the budget is counted exactly.
    tx.sums.take(f"starts of {order.runbook.name}", 1)
    return Situation(
        runbook=order.runbook,
        target=order.target.name,
        kill_switch=kill_switch(desk, tx),
        busy_with=tx.runs.busy_with(order.target.name),
        last_ended_at=tx.runs.last_ended_at(order.runbook.name, order.target.name),
        runs_last_hour=tx.runs.started_since(order.runbook.name, now - timedelta(hours=1)),
    )


def _object(desk: Desk, tx: Transaction, change: Change, objection: Objection, now: datetime) -> None:
    patience = change.after.episode_at + desk.policy.lock_patience
    if objection.retry_after is None or now + objection.retry_after > patience:
        _refuse(tx, change, objection.sentence, now)
        return
    change.note(now, EventKind.REFUSED, f"Waiting: {objection.sentence}", guard=objection.guard)
    change.promise("first_aid", now + objection.retry_after)
    tx.apply([change], now)


def _refuse(tx: Transaction, change: Change, sentence: str, now: datetime) -> None:
    change.note(now, EventKind.REFUSED, f"First aid refused: {sentence}")
    change.count("runs_total", runbook=change.after.runbook, outcome=RunOutcome.REFUSED)
    change.promise("hand_over", why=f"First aid was refused: {sentence}")
    tx.apply([change], now)


def _begin(tx: Transaction, change: Change, order: _Order, now: datetime) -> Run:
    run = tx.runs.start(
        Run(
            id=0,
            ticket_id=change.after.id,
            runbook=order.runbook.name,
            target=order.target.name,
            started_at=now,
            snapshot=order.snapshot,
        )
    )
    reason = f"First aid: {order.runbook.name} on {order.target.name} (run {run.id})."
    lifecycle.start_first_aid(change, now=now, reason=reason)
    tx.apply([change], now)
    return run


# --- running ---------------------------------------------------------------------------------------


async def _go_on(desk: Desk, run: Run) -> None:
    target = find(desk.configuration.targets, run.target)
    if target is None:
        ended = Ended(outcome=RunOutcome.FAILED, sentence=f"{run.target} is no longer in the inventory.")
        await _finish(desk, run, ended)
        return
    try:
        await _finish(desk, run, await _run(desk, run, target))
    except RunLost:
        # Whoever holds the run now also writes its end.
        return


async def _run(desk: Desk, run: Run, target: Target) -> Result:
    plan = from_snapshot(run.snapshot)
    is_fresh = run.epoch == 0 and run.step == 0

    def observe() -> None:
        report_to_command_seconds.observe(max((desk.clock.now() - started_from).total_seconds(), 0))

    ticket = (await desk.store.read(lambda tx: tx.tickets.one(run.ticket_id))).ticket if is_fresh else None
    started_from = ticket.episode_at if ticket else run.started_at
    hands = TargetHands(hosts=desk.hosts, web=desk.web, target=target, before_first=observe if is_fresh else None)
    journal = RunJournal(desk, run, plan)
    engine = Engine(
        plan=plan, target=target.name, hands=hands, journal=journal, clock=desk.clock, started_at=run.started_at
    )
    return await engine.run(run.step)


async def _finish(desk: Desk, run: Run, result: Result) -> None:
    now = desk.clock.now()

    def body(tx: Transaction) -> None:
        known = tx.tickets.one(run.ticket_id, locked=True)
        change = Change.of(known.ticket, known.clocks)
        if isinstance(result, Suspended):
            change.promise("run", result.until, run=run.id, leg=tx.runs.suspend(run))
            tx.apply([change], now)
            return
        ended = _honest(tx, run, result)
        if tx.runs.end(run, ended.outcome, ended.sentence, now):
            _conclude(desk, change, run, ended, now)
            tx.apply([change], now)

    await desk.store.write(body)


def _honest(tx: Transaction, run: Run, ended: Ended) -> Ended:
    """A run that the all-clear stopped after it had acted has helped: the all-clear is the better proof."""
    cleared = tx.tickets.one(run.ticket_id).ticket.signal is Signal.CLEARED
    acted = any(one.verdict is Verdict.DONE and one.kind != "harmless" for one in tx.runs.attempts(run.id))
    if ended.outcome is not RunOutcome.CANCELLED or not cleared or not acted:
        return ended
    return Ended(
        outcome=RunOutcome.HELPED, sentence=f"{run.runbook} on {run.target}: the alert cleared after it acted."
    )


def _conclude(desk: Desk, change: Change, run: Run, ended: Ended, now: datetime) -> None:
    took = spoken(now - run.started_at)
    change.note(now, EventKind.RUN, f"{ended.sentence} ({ended.outcome}, {took})", run=run.id, outcome=ended.outcome)
    change.count("runs_total", runbook=run.runbook, outcome=ended.outcome)
    if change.after.status is Status.NEW and change.after.signal is Signal.FIRING:
        # It was reopened while this run still waited for its end: now it is the new episode's turn.
        change.promise("first_aid")
    if change.after.status is not Status.FIRST_AID:
        return
    if ended.outcome is RunOutcome.HELPED:
        _restored(desk, change, now)
    elif change.after.signal is Signal.FIRING:
        change.promise("hand_over", why=_WHAT_REMAINS[ended.outcome])


def _restored(desk: Desk, change: Change, now: datetime) -> None:
    reason = "First aid reports success; the all-clear must follow."
    lifecycle.restore(change, now=now, actor="responder", reason=reason, by=lifecycle.MACHINE)
    change.promise("prove", now + desk.policy.proof_within, episode=change.after.episode)
