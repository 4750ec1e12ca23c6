"""Reporters whose report was merged: what they say reaches the ticket that took it in."""

from __future__ import annotations

from responder.domain.reporter_answers import Effect, Heard
from responder.domain.ticket import EventKind, Ticket
from responder.flows.moves import opened_change
from responder.flows.reporter_talk import Talk, tell_responsible
from responder.store.transaction import Transaction


def holder_of(tx: Transaction, ticket: Ticket) -> Ticket:
    """The ticket that has a merged one by now; a ticket that was not merged itself."""
    while ticket.merged_into is not None:
        ticket = tx.tickets.one(ticket.merged_into).ticket
    return ticket


def passed_on(talk: Talk, actor: str, said: str) -> Heard:
    """Writes it down where the trouble is handled, and tells whoever has that. People decide what follows from it."""
    own = talk.ticket
    holder = opened_change(talk.tx, str(holder_of(talk.tx, own).id))
    # Nothing of it changes.
    holder.dossier = None
    text = f"The reporter of {own.number}, which was merged into it, says {said}"
    holder.note(talk.now, EventKind.REPORTER, text, actor, answer_of=own.id)
    tell_responsible(talk.desk, talk.tx, holder, f"About {holder.after.number}: {text}", stem="reporter-says")
    talk.change.note(talk.now, EventKind.REPORTER, f"It was passed on to {holder.after.number}.")
    talk.write()
    (ticket,) = talk.tx.apply([holder], talk.now)
    return Heard(effect=Effect.NOTED, ticket=ticket)
