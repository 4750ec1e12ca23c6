"""Settle: proof, quiet, and closing. Each begins by asking whether it still applies."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from responder.domain import lifecycle
from responder.domain.correlation import all_clear
from responder.domain.durations import spoken
from responder.domain.oncall import addressed
from responder.domain.report import Signal
from responder.domain.ticket import Action, Change, EventKind, Status
from responder.flows.desk import Desk
from responder.flows.moves import after_closing, may_not_yet, resolve_if_ready
from responder.flows.telling import spoken_recipients, team_of, write_notice
from responder.store.jobs import Job
from responder.store.transaction import Transaction

REMIND_EVERY = timedelta(days=1)


async def settle(desk: Desk, job: Job) -> None:
    """Resolves a ticket that has stayed quiet long enough since its last all-clear and lacks nothing."""
    await _if_still(desk, job, Status.RESTORED, lambda tx, change: _settle(desk, tx, change))


async def prove(desk: Desk, job: Job) -> None:
    """Without an all-clear in time, what first aid reported was no success."""
    await _if_still(desk, job, Status.RESTORED, lambda _, change: _prove(desk, change))


async def close(desk: Desk, job: Job) -> None:
    """Closes a ticket that nobody reopened for as long as the policy says, if nothing is missing."""
    await _if_still(desk, job, Status.RESOLVED, lambda tx, change: _close(desk, tx, change, job))


async def _if_still(desk: Desk, job: Job, status: Status, then: Callable[[Transaction, Change], None]) -> None:
    ticket_id, episode = int(job.args["ticket"]), int(job.args["episode"])

    def body(tx: Transaction) -> None:
        known = tx.tickets.one(ticket_id, locked=True)
        if known.ticket.status is not status or known.ticket.episode != episode:
            return
        change = Change.of(known.ticket, known.clocks)
        then(tx, change)
        tx.apply([change], desk.clock.now())

    await desk.store.write(body)


def _settle(desk: Desk, tx: Transaction, change: Change) -> None:
    now, ticket = desk.clock.now(), change.after
    needed = lifecycle.quiet_needed(desk.policy, ticket)
    if ticket.signal is not Signal.CLEARED or ticket.cleared_at is None:
        return
    if (quiet_at := ticket.cleared_at + needed) > now:
        # Woken early: it cleared once more, it flaps since then, the policy or the machine's clock changed.
        change.promise("settle", quiet_at, episode=ticket.episode)
        return
    if why := resolve_if_ready(desk, tx, change):
        say_once(tx, change, f"Quiet for {spoken(needed)}, but it stays restored: {why}", now)


def _prove(desk: Desk, change: Change) -> None:
    proof_at = (change.after.restored_at or desk.clock.now()) + desk.policy.proof_within
    if change.after.signal is Signal.FIRING and proof_at > desk.clock.now():
        change.promise("prove", proof_at, episode=change.after.episode)
    elif change.after.signal is Signal.FIRING and not change.after.firing:
        # A person reported it, so nobody sends an all-clear: every step was looked at again.
        all_clear(change, desk.policy, now=desk.clock.now(), reason="No alert shows it, and every step was proved.")
    elif change.after.signal is Signal.FIRING:
        waited = spoken(desk.policy.proof_within)
        reason = f"{waited} after it was reported restored the alert still fires."
        lifecycle.relapse(change, desk.policy, now=desk.clock.now(), reason=reason)


def _close(desk: Desk, tx: Transaction, change: Change, job: Job) -> None:
    now, after = desk.clock.now(), desk.policy.promises_of(change.after.grade).close_after
    has_consent = bool(job.args.get("consented"))
    if after is None and not has_consent:
        return
    close_at = (change.after.resolved_at or now) + (after or timedelta())
    if close_at > now and not has_consent:
        change.promise("close", close_at, episode=change.after.episode)
    elif why := may_not_yet(desk, tx, change, Action.CLOSE):
        _remind_of_what_is_missing(desk, tx, change, why)
    else:
        lifecycle.close(
            change, desk.policy, now=now, actor="responder", reason=_closing(after, has_consent=has_consent)
        )
        after_closing(desk, tx, change)


def _closing(after: timedelta | None, *, has_consent: bool) -> str:
    return (
        "Those who had to agree have agreed."
        if has_consent
        else f"Nothing came back for {spoken(after or timedelta())}."
    )


def _remind_of_what_is_missing(desk: Desk, tx: Transaction, change: Change, why: str) -> None:
    """Whoever has the ticket is told each day what keeps it from being closed."""
    now, ticket = desk.clock.now(), change.after
    told, because = addressed(filter(None, [ticket.assignee]), (), desk.configuration.people)
    if not told:
        told, because = team_of(desk, tx, ticket)
    text = f"It could be closed, but: {why}"
    write_notice(desk, tx, change, told, purpose=f"close-{now:%Y%m%d}", text=text)
    change.note(now, EventKind.MESSAGE, f"To tell: {spoken_recipients(told)} ({because}): {text}")
    change.promise("close", now + REMIND_EVERY, episode=ticket.episode)


def say_once(tx: Transaction, change: Change, text: str, now: datetime) -> None:
    """Writes a sentence into the history unless it was the last of its kind."""
    said = [event.text for event in tx.tickets.events(change.after.id) if event.kind is EventKind.REFUSED]
    if not said or said[-1] != text:
        change.note(now, EventKind.REFUSED, text)
