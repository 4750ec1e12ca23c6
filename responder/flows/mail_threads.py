"""To which tickets the traces in a mail lead, and who its sender is."""

from __future__ import annotations

from collections.abc import Iterator

from responder.domain.mail_record import Taken
from responder.domain.mail_thread import Led, Sender, Trace, traces
from responder.domain.mail_trust import authentication, known_sender
from responder.domain.reporter import is_mail
from responder.errors import NotFound
from responder.flows.mail_desk import Incoming


def sender_of(incoming: Incoming) -> Sender:
    """The sender, with what our own mail servers have found out about them."""
    mail, mails = incoming.mail, incoming.mails
    found = authentication(mail, mails.trusted)
    return Sender(
        address=mail.sender.address,
        claimed=mails.people.get(mail.sender.address.casefold(), ""),
        person=known_sender(mail, mails.people, mails.trusted).person,
        is_authentic=found.is_authentic,
        is_refuted=found.is_refuted,
    )


def led(incoming: Incoming) -> list[Led]:
    """The tickets that the mail leads to, each with the address of its reporter."""
    return list(_led(incoming))


def _led(incoming: Incoming) -> Iterator[Led]:
    found, names = traces(incoming.mail, incoming.mails.own), incoming.mails.names
    for tag in found.tags:
        if (ticket_id := names.ticket_of(tag)) is not None:
            yield from _to(incoming, Trace.TAG, str(ticket_id))
    for message_id in found.ids:
        if (ticket_id := _ticket_of(incoming, message_id)) is not None:
            yield from _to(incoming, Trace.ID, str(ticket_id))
    for number in found.numbers:
        yield from _to(incoming, Trace.NUMBER, number)


def _ticket_of(incoming: Incoming, message_id: str) -> int | None:
    """The ticket of a letter of ours, by its signed name."""
    letter = incoming.mails.names.message_of(message_id)
    if letter is None:
        return None
    try:
        return incoming.tx.messages.one(letter).ticket_id
    except NotFound:
        return None


def _to(incoming: Incoming, trace: Trace, key: str) -> Iterator[Led]:
    try:
        ticket = incoming.tx.tickets.find(key).ticket
    except NotFound:
        return
    if trace is Trace.NUMBER and ticket.number.casefold() != key.casefold():
        # A bare number in a subject is no id of ours.
        return
    reporter = incoming.tx.reporters.of_ticket(ticket.id)
    address = reporter.contact if reporter and is_mail(reporter.contact) else ""
    proven = any(one.is_proven for one in incoming.tx.mails.of_ticket(ticket.id) if one.taken is Taken.REPORT)
    yield Led(trace=trace, ticket_id=ticket.id, number=ticket.number, reporter=address, was_proven=proven)
