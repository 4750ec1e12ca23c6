"""Hand over: what the machine could not do goes to people, with everything that it tried."""

from __future__ import annotations

from responder.domain import lifecycle
from responder.domain.message import Purpose
from responder.domain.report import Signal
from responder.domain.ticket import Action, Change, Status, refusal
from responder.flows.calling import Reason, begin_chain
from responder.flows.desk import Desk
from responder.flows.holds import held_back
from responder.flows.recognise import recognise
from responder.store.jobs import Job
from responder.store.transaction import Transaction


async def hand_over(desk: Desk, job: Job) -> None:
    """Moves the ticket to people and writes a message to each of them into the outbox."""
    await desk.store.write(lambda tx: _hand_over(desk, tx, job))


def _hand_over(desk: Desk, tx: Transaction, job: Job) -> None:
    why = str(job.args.get("why", ""))
    # A hand-over again in the same episode is a message of its own.
    purpose = f"{Purpose.HAND_OVER}-{job.args['round']}" if "round" in job.args else Purpose.HAND_OVER.value
    known = tx.tickets.one(int(job.args["ticket"]), locked=True)
    ticket, now = known.ticket, desk.clock.now()
    if ticket.signal is Signal.CLEARED or ticket.acknowledged_by:
        return
    change, seen = Change.of(ticket, known.clocks), ""
    if ("round" not in job.args or job.args.get("may_wait")) and held_back(desk, tx, change, job):
        return
    if ticket.status is not Status.HANDED_OVER:
        if refusal(ticket, Action.HAND_OVER):
            return
        lifecycle.hand_over(change, desk.policy, now=now, reason=why)
        if ticket.episode == 1 and ticket.handed_over_at is None:
            found = recognise(desk, tx, change, tx.dossiers.of_ticket(ticket.id))
            seen = found.sentence if found.is_recurring else ""
    begin_chain(desk, tx, change, Reason(why=why, purpose=purpose, seen=seen))
    tx.apply([change], now)
