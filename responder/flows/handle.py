"""Handle: what people do with a ticket, by name. Every refusal is a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from responder.adapters.links import AckClaim
from responder.domain.access import Identity
from responder.domain.approval import ApprovalKind, able
from responder.domain.ticket import Change, EventKind, Ticket
from responder.errors import NotFound, Refused
from responder.flows import consent
from responder.flows.desk import Desk
from responder.flows.forms import Form
from responder.flows.moves import act
from responder.flows.verbs import VERBS
from responder.store.transaction import Transaction

DECISIONS = {"approve": True, "reject": False}


async def do(
    desk: Desk,
    name: str,
    key: str,
    *,
    actor: str,
    content: Mapping[str, Any],
    version: int | None = None,
    who: Identity | None = None,
) -> Ticket:
    """Does what the verb of this name says. Raises NotFound, BadForm, or Refused with the reason.

    `who` is whose word it is, where somebody has signed in: only tickets of their teams are touched.
    """
    if name in DECISIONS:
        return await _decide(desk, key, actor, Form(content), yes=DECISIONS[name], version=version, who=who)
    if name not in VERBS:
        raise NotFound(f"There is no verb {name[:40]!r}; there are {', '.join([*VERBS, *DECISIONS])}.")
    return await act(desk, VERBS[name], key, actor=actor, content=content, version=version, who=who)


async def acknowledge(desk: Desk, key: str, actor: str) -> Ticket:
    """Somebody takes the ticket. Raises NotFound, or Refused with the reason."""
    return await do(desk, "acknowledge", key, actor=actor, content={})


async def acknowledge_by_link(desk: Desk, claim: AckClaim) -> Ticket:
    """As `acknowledge`, by the person a signed link was made for, and only in the episode it was made in."""
    ticket = await read_ticket(desk, str(claim.ticket_id))
    if claim.person not in desk.configuration.people:
        why = f"{claim.person} is in the people file no more, so this link takes no ticket."
        await _write_down(desk, ticket.id, f"{claim.person} could not acknowledge: {why}")
        raise Refused(why)
    if ticket.episode != claim.episode:
        raise Refused(f"{ticket.number} has come back since this link was made; use the newest message.")
    if ticket.acknowledged_by == claim.person:
        return await do(desk, "still-on-it", str(claim.ticket_id), actor=claim.person, content={})
    return await acknowledge(desk, str(claim.ticket_id), claim.person)


async def _write_down(desk: Desk, ticket_id: int, refusal: str) -> None:
    """In our own name: it is no sign of the person."""

    def body(tx: Transaction) -> None:
        known = tx.tickets.one(ticket_id, locked=True)
        change = Change.of(known.ticket, known.clocks)
        change.note(desk.clock.now(), EventKind.REFUSED, refusal, verb="acknowledge")
        tx.apply([change], desk.clock.now())

    await desk.store.write(body)


async def _decide(
    desk: Desk, key: str, actor: str, form: Form, *, yes: bool, version: int | None, who: Identity | None
) -> Ticket:
    """A person says yes or no to what waits at a gate; of several, to the first that this person may answer."""
    ticket = await read_ticket(desk, key)
    asked = await desk.store.read(lambda tx: tx.approvals.of_ticket(ticket.id))
    waiting = [one for one in asked if one.is_waiting and one.kind is ApprovalKind.GATE]
    if not waiting:
        raise Refused(f"{ticket.number} has nothing that waits for consent at a gate.")
    reason = form.optional("reason") if yes else form.text("reason")
    theirs = [one for one in waiting if actor in able(one.roles, desk.configuration.people)]
    asked_first = (theirs or waiting)[0].id
    await consent.answer(desk, asked_first, actor, yes=yes, reason=reason, version=version, who=who)
    return await read_ticket(desk, key)


async def read_ticket(desk: Desk, key: str) -> Ticket:
    """One ticket by number or id. Raises NotFound."""
    return (await desk.store.read(lambda tx: tx.tickets.find(key))).ticket
