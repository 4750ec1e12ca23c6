"""First aid: guards, lock, the run itself, and its outcome as a sentence on the ticket."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from responder.domain import autonomy, lifecycle
from responder.domain.approval import Approval, ApprovalKind
from responder.domain.autonomy import Autonomy
from responder.domain.durations import spoken
from responder.domain.guards import Objection, first_objection
from responder.domain.masking import masked, masked_words
from responder.domain.oncall import addressed
from responder.domain.policy import FirstAidRule
from responder.domain.report import Signal
from responder.domain.runbook import Run, RunOutcome, Verdict
from responder.domain.target import Target, find
from responder.domain.ticket import Change, EventKind, Status, Ticket
from responder.errors import RunLost
from responder.firstaid.engine import Engine
from responder.firstaid.plan import from_snapshot
from responder.firstaid.ports import Ended, Result, Suspended
from responder.firstaid.step_run import is_lost, may_have_acted
from responder.flows.consent import ask_before_run, overtake_questions, suggest
from responder.flows.desk import Desk
from responder.flows.hands import TargetHands
from responder.flows.holds import held_back
from responder.flows.journal import RunJournal
from responder.flows.starting import Order, begin, order_as_approved, order_by_rule, situation_of
from responder.flows.telling import write_notice
from responder.flows.track_record import judged_history
from responder.metrics import report_to_command_seconds
from responder.store.jobs import Job
from responder.store.transaction import Transaction

_WHAT_REMAINS = {
    RunOutcome.FAILED: "First aid did not help. The alert still fires, and the machine tries nothing more.",
    RunOutcome.UNKNOWN: "Nobody knows whether the last command ran: look before you repeat it. The alert still fires.",
    RunOutcome.DIAGNOSED: "The machine has only looked; what it saw is attached. The alert still fires.",
    RunOutcome.REFUSED: "The precheck objected, so nothing was done. The alert still fires.",
    RunOutcome.CANCELLED: "First aid was stopped half-way. The alert still fires.",
}


async def first_aid(desk: Desk, job: Job) -> None:
    """Starts the run that the ticket's rule names, or hands the ticket over with the sentence why not."""
    run = await desk.store.write(lambda tx: _start_alone(desk, tx, job))
    if run is not None:
        await _go_on(desk, run)


async def continue_run(desk: Desk, job: Job) -> None:
    """Goes on with a run that waited."""
    run_id, leg = int(job.args["run"]), int(job.args["leg"])
    if not _is_alone(job):
        await desk.store.write(lambda tx: _come_again(desk, tx, run_id, leg, tried=job.attempts))
        return
    run = await desk.store.write(lambda tx: tx.runs.take_over(run_id, leg))
    if run is not None:
        await _go_on(desk, run)


def _is_alone(job: Job) -> bool:
    """Whether no other job of the ticket is at work now. One that waited for its time, or is tried again, may have
    lost the ticket's lock; and an answer may wake the run in this very moment."""
    return job.lock == f"ticket:{job.args.get('ticket')}"


def _come_again(desk: Desk, tx: Transaction, run_id: int, leg: int, *, tried: int = 0) -> None:
    """Lets the run go on as soon as nothing else is at work for its ticket: two must not work on it together. How
    often it was tried goes along, so that one that can never succeed is given up at last."""
    run = tx.runs.one(run_id)
    if run.ended_at is None and run.leg == leg:
        args = {"ticket": run.ticket_id, "run": run_id, "leg": leg, "tried": tried}
        lock = f"ticket:{run.ticket_id}"
        tx.promise([Job(kind="run", args=args, due_at=desk.clock.now(), at_once=True, lock=lock)])


def _start_alone(desk: Desk, tx: Transaction, job: Job) -> Run | None:
    if _is_alone(job):
        return _start(desk, tx, job)
    run = tx.runs.at_work(int(job.args["ticket"])) or _start(desk, tx, job)
    if run is not None:
        _come_again(desk, tx, run.id, 0)
    return None


# --- starting --------------------------------------------------------------------------------------


def _start(desk: Desk, tx: Transaction, job: Job) -> Run | None:
    ticket_id = int(job.args["ticket"])
    known = tx.tickets.one(ticket_id, locked=True)
    if at_work := tx.runs.at_work(ticket_id):
        # The process ended in the middle of this run: a new epoch, and the journal says where it stood. A run
        # that waits is left to its own job.
        return tx.runs.take_over(at_work.id, 0)
    if known.ticket.status is not Status.NEW or known.ticket.signal is Signal.CLEARED:
        return None
    asked = tx.approvals.of_episode(ticket_id, known.ticket.episode, ApprovalKind.RUN)
    if _is_decided(tx, known.ticket) or (asked is not None and not asked.may_go_on):
        # It waits for an answer, or has got one that sends the ticket to people.
        return None
    change = Change.of(known.ticket, known.clocks)
    if held_back(desk, tx, change, job):
        return None
    try:
        return _by_rule(desk, tx, change, asked)
    except ValueError as error:
        _refuse(tx, change, str(error), desk.clock.now())
        return None


def _is_decided(tx: Transaction, ticket: Ticket) -> bool:
    """Whether this episode's first aid was refused or suggested already: then its hand-over is promised."""
    if tx.approvals.of_episode(ticket.id, ticket.episode, ApprovalKind.SUGGESTION) is not None:
        return True
    return any(event.at >= ticket.episode_at and event.data.get("final") for event in tx.tickets.events(ticket.id))


def _by_rule(desk: Desk, tx: Transaction, change: Change, asked: Approval | None) -> Run | None:
    """What the ticket's rule wants, as far as it may by itself. Raises ValueError with the sentence why not."""
    ticket, now = change.after, desk.clock.now()
    rule = _rule(desk, ticket)
    order = order_as_approved(desk, asked) if asked else order_by_rule(desk, ticket, rule)
    level, why = (Autonomy.AUTO, asked.sentence.rstrip(".")) if asked else _level(tx, rule, order, ticket)
    if level is Autonomy.SUGGEST:
        made = suggest(desk, tx, change, order, rule.approval, why=why)
        change.promise("hand_over", why=f"First aid is only suggested here ({why}): {made.runbook} on {made.target}.")
        tx.apply([change], now)
        return None
    found = situation_of(desk, tx, order, now)
    objection = first_objection(found, now)
    if level is Autonomy.APPROVE and (objection is None or objection.retry_after is not None):
        asked_now = ask_before_run(desk, tx, change, order, rule.approval, why=why)
        if isinstance(asked_now, str):
            raise ValueError(asked_now)
        tx.apply([change], now)
        return None
    if objection is not None:
        _object(desk, tx, change, objection, now, since=asked.ended_at if asked else None)
        return None
    run = begin(desk, tx, change, order, found, ordered_by=", ".join(asked.supporters) if asked else "", why=why)
    tx.apply([change], now)
    return run


def _rule(desk: Desk, ticket: Ticket) -> FirstAidRule:
    rule = desk.policy.first_aid_for(ticket.labels, ticket.grade)
    if rule is None:
        raise ValueError("The policy no longer names a runbook for it.")
    return rule


def _level(tx: Transaction, rule: FirstAidRule, order: Order, ticket: Ticket) -> tuple[Autonomy, str]:
    """How far the rule lets it go, and why; no word where automation was never in question."""
    if rule.autonomy.is_always_auto:
        return Autonomy.AUTO, ""
    history = judged_history(tx, rule.runbook) if rule.autonomy.promote_after else ()
    return autonomy.level(rule.autonomy, ticket.grade, order.target.groups, history)


def _object(
    desk: Desk, tx: Transaction, change: Change, objection: Objection, now: datetime, *, since: datetime | None
) -> None:
    patience = max(change.after.episode_at, since or change.after.episode_at) + desk.policy.lock_patience
    if objection.retry_after is None or now + objection.retry_after > patience:
        _refuse(tx, change, objection.sentence, now)
        return
    change.note(now, EventKind.REFUSED, f"Waiting: {objection.sentence}", guard=objection.guard)
    change.promise("first_aid", now + objection.retry_after)
    tx.apply([change], now)


def _refuse(tx: Transaction, change: Change, sentence: str, now: datetime) -> None:
    change.note(now, EventKind.REFUSED, f"First aid refused: {sentence}", final=True)
    change.count("runs_total", runbook=change.after.runbook, outcome=RunOutcome.REFUSED)
    change.promise("hand_over", why=f"First aid was refused: {sentence}")
    tx.apply([change], now)


# --- running ---------------------------------------------------------------------------------------


async def _go_on(desk: Desk, run: Run) -> None:
    target = find(desk.configuration.targets, run.target)
    if target is None:
        await _finish(desk, run, await _without_target(desk, run))
        return
    try:
        await _finish(desk, run, await _run(desk, run, target))
    except RunLost:
        # Whoever holds the run now also writes its end.
        return


async def _without_target(desk: Desk, run: Run) -> Ended:
    """The run of a host that a reload took away; what it was just doing there nobody can be asked about."""
    acts = await desk.store.read(lambda tx: tx.runs.attempts(run.id))
    sentence = f"{run.target} is no longer in the inventory, so the run went no further."
    if lost := next(filter(is_lost, acts), None):
        command = " ".join(masked_words(lost.command))
        text = f"{sentence} Nobody can tell from here whether this ran to its end there: {command}"
        return Ended(outcome=RunOutcome.UNKNOWN, sentence=text)
    did = [" ".join(masked_words(act.command)) for act in acts if may_have_acted(act)]
    return Ended(outcome=RunOutcome.FAILED, sentence=sentence + (f" It had run: {'; '.join(did)}." if did else ""))


async def _run(desk: Desk, run: Run, target: Target) -> Result:
    plan = from_snapshot(run.snapshot)
    is_fresh = run.epoch == 0 and run.step == 0

    def observe() -> None:
        report_to_command_seconds.observe(max((desk.clock.now() - started_from).total_seconds(), 0))

    ticket = (await desk.store.read(lambda tx: tx.tickets.one(run.ticket_id))).ticket if is_fresh else None
    started_from = ticket.episode_at if ticket else run.started_at
    hands = TargetHands(
        hosts=desk.hosts,
        web=desk.web,
        target=target,
        targets=desk.configuration.targets,
        before_first=observe if is_fresh else None,
    )
    journal = RunJournal(desk, run, plan)
    engine = Engine(
        plan=plan, target=target.name, hands=hands, journal=journal, clock=desk.clock, started_at=run.started_at
    )
    return await engine.run()


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
        ended = replace(ended, sentence=masked(ended.sentence, desk.configuration.secrets))
        if tx.runs.end(run, ended.outcome, ended.sentence, now):
            if ended.outcome in (RunOutcome.FAILED, RunOutcome.UNKNOWN):
                tx.runs.judge(run.id, is_good=False)
            overtake_questions(tx, change, run, now)
            _conclude(desk, change, run, ended, now)
            _tell_who_ordered(desk, tx, change, run, ended)
            tx.apply([change], now)

    await desk.store.write(body)


def _honest(tx: Transaction, run: Run, ended: Ended) -> Ended:
    """A run that the all-clear stopped after it had acted has helped: the all-clear is the better proof."""
    cleared = tx.tickets.one(run.ticket_id).ticket.signal is Signal.CLEARED
    acted = any(
        one.verdict in (Verdict.DONE, Verdict.SEEN) and one.kind != "harmless" for one in tx.runs.attempts(run.id)
    )
    if ended.outcome is not RunOutcome.CANCELLED or not cleared or not acted:
        return ended
    said = f"{run.runbook} on {run.target}: the alert cleared after it acted."
    return Ended(outcome=RunOutcome.HELPED, sentence=f"{said} {ended.sentence}")


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


def _tell_who_ordered(desk: Desk, tx: Transaction, change: Change, run: Run, ended: Ended) -> None:
    """Who ordered or approved a run learns what became of it, unless the hand-over tells people anyway."""
    goes_to_people = change.before is not None and change.before.status is Status.FIRST_AID
    if not run.ordered_by or (goes_to_people and ended.outcome is not RunOutcome.HELPED):
        return
    told, _ = addressed(run.ordered_by.split(", "), (), desk.configuration.people)
    text = f"{run.runbook} on {run.target}: {ended.outcome}. {ended.sentence}"
    write_notice(desk, tx, change, told, purpose=f"run-{run.id}-outcome", text=text)


def _restored(desk: Desk, change: Change, now: datetime) -> None:
    reason = "First aid reports success; the all-clear must follow."
    lifecycle.restore(change, desk.policy, now=now, actor="responder", reason=reason, by=lifecycle.MACHINE)
    change.promise("prove", now + desk.policy.proof_within, episode=change.after.episode)
