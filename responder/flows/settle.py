"""Settle: proof, quiet, and closing. Each begins by asking whether it still applies."""

from __future__ import annotations

from collections.abc import Callable

from responder.domain import lifecycle
from responder.domain.durations import spoken
from responder.domain.report import Signal
from responder.domain.ticket import Change, Status
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
        tx.apply([change], desk.clock.now())

    await desk.store.write(body)


def _settle(desk: Desk, change: Change) -> None:
    now, ticket = desk.clock.now(), change.after
    needed = lifecycle.quiet_needed(desk.policy, ticket)
    # A later all-clear has promised its own settling.
    if ticket.signal is not Signal.CLEARED or ticket.cleared_at is None or now - ticket.cleared_at < needed:
        return
    lifecycle.resolve(change, desk.policy, now=now, reason=f"Quiet for {spoken(needed)} since the all-clear.")


def _prove(desk: Desk, change: Change) -> None:
    if change.after.signal is Signal.FIRING:
        waited = spoken(desk.policy.proof_within)
        reason = f"{waited} after it was reported restored the alert still fires."
        lifecycle.relapse(change, now=desk.clock.now(), reason=reason)


def _close(desk: Desk, change: Change) -> None:
    after = desk.policy.grades[change.after.grade].close_after
    reason = f"Nothing came back for {spoken(after)}." if after else "The policy closes it."
    lifecycle.close(change, now=desk.clock.now(), actor="responder", reason=reason)
