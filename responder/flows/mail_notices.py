"""Who is told of what mails say: a note reaches whoever has the ticket, a refusal whoever sent the command."""

from __future__ import annotations

from datetime import timedelta

from responder.domain.mail_loop import Kind
from responder.domain.mail_thread import Role, Thread
from responder.domain.oncall import Recipient, addressed
from responder.domain.ticket import Change, EventKind
from responder.flows.mail_desk import Incoming
from responder.flows.moves import opened_change
from responder.flows.reporter_merged import holder_of
from responder.flows.reporter_talk import next_number, responsible
from responder.flows.telling import spoken_recipients, write_notice

MOST_NOTICES_PER_HOUR = 6
"""How many mails of one ticket a person is told of in an hour, of each sort."""
_HOUR = timedelta(hours=1)
_NOTE, _REFUSED, _RECOVERY = "mail-note", "mail-refused", "mail-recovery"
_TOLD_OF = (Kind.PERSON, Kind.MACHINE)
_LONGEST = 500


def tell_of_note(incoming: Incoming, thread: Thread, change: Change, said: str) -> str:
    """Tells whoever has the ticket, else whom its grade calls; gives the sentence if there have been too many.

    The sender is not told what they wrote. A mail about a merged ticket reaches those who have the one that took it in.
    """
    if incoming.nature.kind not in _TOLD_OF:
        return ""
    number, merged = change.after.number, change.after.merged_into
    holder = change if merged is None else _holder(incoming, change)
    words = f": {said[:_LONGEST]}" if said else "."
    text = f"{_who(thread)} writes by mail about {number}{words}"
    people = responsible(incoming.desk, incoming.tx, holder.after)
    refused = _tell(incoming, holder, [one for one in people if one.person != thread.person], text, stem=_NOTE)
    if holder is not change:
        holder.note(incoming.now, EventKind.NOTE, f"{number} was merged into it. {text}")
        incoming.tx.apply([holder], incoming.now)
    return refused


def tell_sender(incoming: Incoming, thread: Thread, ticket_id: int, refused: str) -> None:
    """Tells the person that nothing became of a command, so that they do not believe it done."""
    change = opened_change(incoming.tx, str(ticket_id))
    told, why = addressed((thread.person,), (), incoming.desk.configuration.people)
    text = f"Your mail about {change.after.number} was not carried out. {refused}"
    if too_many := _tell(incoming, change, list(told), text, stem=_REFUSED):
        change.note(incoming.now, EventKind.MESSAGE, too_many)
    elif told:
        change.note(incoming.now, EventKind.MESSAGE, f"To tell: {spoken_recipients(told)} ({why}): {text}")
    else:
        change.note(incoming.now, EventKind.MESSAGE, f"{thread.person} has no channel, so nothing tells them of it.")
    change.dossier = None
    incoming.tx.apply([change], incoming.now)


def tell_of_recovery(incoming: Incoming, change: Change, text: str) -> str:
    """Tells whoever has the ticket of a recovery that clears nothing; gives the sentence if that were too many."""
    people = responsible(incoming.desk, incoming.tx, change.after)
    return _tell(incoming, change, list(people), text, stem=_RECOVERY)


def _tell(incoming: Incoming, change: Change, told: list[Recipient], text: str, *, stem: str) -> str:
    """Within the bound: two services that answer each other, or a mailbox gone mad, must not flood people."""
    tx, ticket = incoming.tx, change.after
    since, readers = incoming.now - _HOUR, {one.person for one in told}
    known = tx.messages.of_ticket(ticket.id)
    lately = {one.purpose for one in known if one.created_at > since and one.person in readers}
    if sum(purpose.startswith(f"{stem}-") for purpose in lately) >= MOST_NOTICES_PER_HOUR:
        return f"Nobody is told: there were {MOST_NOTICES_PER_HOUR} such messages about {ticket.number} within an hour."
    purpose = f"{stem}-{next_number(tx, ticket.id, stem)}"
    write_notice(incoming.desk, tx, change, told, purpose=purpose, text=text)
    return ""


def _holder(incoming: Incoming, change: Change) -> Change:
    holder = opened_change(incoming.tx, str(holder_of(incoming.tx, change.after).id))
    # Nothing of it changes.
    holder.dossier = None
    return holder


def _who(thread: Thread) -> str:
    if thread.role is Role.REPORTER:
        return "The reporter"
    return thread.person or "Somebody"
