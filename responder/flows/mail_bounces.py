"""Delivery reports: a letter that did not arrive is told by hand, and its address is marked."""

from __future__ import annotations

from dataclasses import replace

from responder.domain.mail import Bounce
from responder.domain.mail_record import MailRecord, Taken
from responder.domain.masking import masked, without_addresses
from responder.domain.message import Message
from responder.domain.reporter import REPORTER
from responder.domain.ticket import Change, EventKind
from responder.errors import NotFound
from responder.flows.mail_desk import Incoming
from responder.flows.reporter_letters import keep_for_telling
from responder.store.mails import RefusedAddress


def bounced(incoming: Incoming) -> MailRecord:
    """Takes a delivery report. It counts only where it is about a letter of ours, which only those can name to whom it
    went, was passed on or came back."""
    ticket_id, said = None, [incoming.nature.why]
    for bounce in incoming.mail.bounces:
        letter = _letter(incoming, bounce)
        if letter is not None:
            ticket_id = letter.ticket_id
            said.append(_not_arrived(incoming, letter, bounce))
    return replace(incoming.record, taken=Taken.BOUNCE, why=" ".join(said), ticket_id=ticket_id)


def _letter(incoming: Incoming, bounce: Bounce) -> Message | None:
    number = incoming.mails.names.message_of(bounce.about) if bounce.about else None
    if number is None:
        return None
    try:
        return incoming.tx.messages.one(number)
    except NotFound:
        return None


def _not_arrived(incoming: Incoming, letter: Message, bounce: Bounce) -> str:
    tx, now = incoming.tx, incoming.now
    known = tx.tickets.one(letter.ticket_id, locked=True)
    change = Change.of(known.ticket, known.clocks)
    reporter = tx.reporters.of_ticket(letter.ticket_id)
    contact = reporter.contact.lower() if reporter else ""
    reason = _reason(bounce, contact)
    if bounce.action == "failed" and letter.person == REPORTER and _is_of(incoming, bounce, contact):
        mark = RefusedAddress(address=contact, refused_at=now, is_permanent=bounce.is_permanent, why=reason)
        tx.mails.mark(mark)
    if bounce.is_permanent and letter.person == REPORTER:
        keep_for_telling(incoming.desk, tx, change, letter, why=f"its delivery failed for good: {reason}")
        text = "The letter is told by hand."
    else:
        text = f"A letter to the reporter has not arrived ({bounce.action}): {reason}"
        change.note(now, EventKind.REPORTER, text, message=letter.id)
    tx.apply([change], now)
    return text


def _is_of(incoming: Incoming, bounce: Bounce, contact: str) -> bool:
    """Whether a mail server reports it, of the address itself. Else somebody who got the letter could silence it."""
    return incoming.mail.envelope_from == "" and bool(contact) and bounce.recipient.lower() == contact


def _reason(bounce: Bounce, contact: str) -> str:
    """Status and reason without addresses: what the reporter's server says of them mostly begins with theirs."""
    hidden = {contact, contact.partition("@")[0]}
    return masked(without_addresses(f"{bounce.status} {bounce.reason}".strip()), hidden)[:200]
