"""Settle: proof, quiet, and closing. Each begins by asking whether it still applies."""

from __future__ import annotations

from collections.abc import Callable

from responder.domain import lifecycle
from responder.domain.durations import spoken
from responder.domain.report import Signal
from responder.domain.runbook import RunOutcome
from responder.domain.ticket import Change, Status, Ticket
from responder.flows.desk import Desk
from responder.store.jobs import Job
from responder.store.transaction import Transaction


async def settle(desk: Desk, job: Job) -> None:
    """Resolves a ticket that has stayed quiet long enough since its last all-clear."""
    await _if_still(desk, job, Status.RESTORED, lambda change: _settle(desk, change))


async def prove(desk: Desk, job: Job) -> None:
    """Without an all-clear in time, what first aid reported was no success."""
    await _if_still(desk, job, Status.RESTORED, lambda change: _prove(desk, change))


async def close(desk: Desk, job: Job) -> None:
    """Closes a ticket that nobody reopened for as long as the policy says."""
    await _if_still(desk, job, Status.RESOLVED, lambda change: _close(desk, change))


async def _if_still(desk: Desk, job: Job, status: Status, then: Callable[[Change], None]) -> None:
    ticket_id, episode = int(job.args["ticket"]), int(job.args["episode"])

    def body(tx: Transaction) -> None:
        known = tx.tickets.one(ticket_id, locked=True)
        if known.ticket.status is not status or known.ticket.episode != episode:
            return
        change = Change.of(known.ticket, known.clocks)
        then(change)
        if change.after.status is Status.RESOLVED and status is Status.RESTORED:
            _judge(desk, tx, change.after)
        tx.apply([change], desk.clock.now())

    await desk.store.write(body)


def _judge(desk: Desk, tx: Transaction, ticket: Ticket) -> None:
    """Runs that reported success are proved right if the all-clear followed in time."""
    for run in tx.runs.of_ticket(ticket.id):
        if run.outcome is RunOutcome.HELPED and run.ended_at and run.started_at >= ticket.episode_at:
            latest = run.ended_at + desk.policy.proof_within
            tx.runs.judge(run.id, is_good=ticket.cleared_at is not None and ticket.cleared_at <= latest)


def _settle(desk: Desk, change: Change) -> None:
    now, ticket = desk.clock.now(), change.after
    needed = lifecycle.quiet_needed(desk.policy, ticket)
    if ticket.signal is not Signal.CLEARED or ticket.cleared_at is None:
        return
    if (quiet_at := ticket.cleared_at + needed) > now:
        # Woken early: it cleared once more, it flaps since then, the policy or the machine's clock changed.
        change.promise("settle", quiet_at, episode=ticket.episode)
        return
    lifecycle.resolve(change, desk.policy, now=now, reason=f"Quiet for {spoken(needed)} since the all-clear.")


def _prove(desk: Desk, change: Change) -> None:
    proof_at = (change.after.restored_at or desk.clock.now()) + desk.policy.proof_within
    if change.after.signal is Signal.FIRING and proof_at > desk.clock.now():
        change.promise("prove", proof_at, episode=change.after.episode)
    elif change.after.signal is Signal.FIRING:
        waited = spoken(desk.policy.proof_within)
        reason = f"{waited} after it was reported restored the alert still fires."
        lifecycle.relapse(change, now=desk.clock.now(), reason=reason)


def _close(desk: Desk, change: Change) -> None:
    after = desk.policy.promises_of(change.after.grade).close_after
    if after is None:
        return
    close_at = (change.after.resolved_at or desk.clock.now()) + after
    if close_at > desk.clock.now():
        change.promise("close", close_at, episode=change.after.episode)
        return
    reason = f"Nothing came back for {spoken(after)}."
    lifecycle.close(change, now=desk.clock.now(), actor="responder", reason=reason)
