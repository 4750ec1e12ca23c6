"""Handle: what people do with a ticket. Every refusal is a sentence."""

from __future__ import annotations

from collections.abc import Callable

from responder.adapters.links import AckClaim
from responder.domain import lifecycle
from responder.domain.correlation import all_clear
from responder.domain.ticket import Action, Change, EventKind, Ticket, refusal
from responder.errors import Refused
from responder.flows.desk import Desk
from responder.store.transaction import Transaction


async def acknowledge(desk: Desk, key: str, actor: str) -> Ticket:
    """Somebody takes the ticket. Raises NotFound, or Refused with the reason."""

    def decide(change: Change) -> None:
        reason = f"{actor} has taken it."
        if why := lifecycle.acknowledge(change, now=desk.clock.now(), actor=actor, reason=reason):
            raise Refused(f"{why}.")

    return await _change(desk, key, decide)


async def acknowledge_by_link(desk: Desk, claim: AckClaim) -> Ticket:
    """As `acknowledge`, by the person a signed link was made for, and only in the episode it was made in."""
    ticket = await read_ticket(desk, str(claim.ticket_id))
    if ticket.episode != claim.episode:
        raise Refused(f"{ticket.number} has come back since this link was made; use the newest message.")
    if ticket.acknowledged_by == claim.person:
        return ticket
    return await acknowledge(desk, str(claim.ticket_id), claim.person)


async def note(desk: Desk, key: str, actor: str, text: str) -> Ticket:
    """Adds a person's words to the history."""
    return await _change(desk, key, lambda change: change.note(desk.clock.now(), EventKind.NOTE, text, actor))


async def restore(desk: Desk, key: str, actor: str, reason: str) -> Ticket:
    """A person vouches that the trouble is gone. While an alert still fires the proof must follow."""

    def decide(change: Change) -> None:
        now = desk.clock.now()
        if why := refusal(change.after, Action.RESTORE):
            raise Refused(f"{why}.")
        lifecycle.restore(change, now=now, actor=actor, reason=reason, by=lifecycle.HUMAN)
        if change.after.source == "responder":
            # Nobody sends an all-clear for what responder reported itself: a person's word is the evidence.
            all_clear(change, desk.policy, now=now, reason=f"{actor} vouches for it.")
        else:
            change.promise("prove", now + desk.policy.proof_within, episode=change.after.episode)

    return await _change(desk, key, decide)


async def read_ticket(desk: Desk, key: str) -> Ticket:
    """One ticket by number or id. Raises NotFound."""
    return (await desk.store.read(lambda tx: tx.tickets.find(key))).ticket


async def _change(desk: Desk, key: str, decide: Callable[[Change], None]) -> Ticket:
    def body(tx: Transaction) -> Ticket:
        found = tx.tickets.find(key)
        known = tx.tickets.one(found.ticket.id, locked=True)
        change = Change.of(known.ticket, known.clocks)
        decide(change)
        return tx.apply([change], desk.clock.now())[0]

    return await desk.store.write(body)
