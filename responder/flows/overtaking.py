"""Overtaking: why a message that has not left yet is not needed any more."""

from __future__ import annotations

from responder.domain.correlation import Known
from responder.domain.delivery import place_in
from responder.domain.escalation import is_of
from responder.domain.help import is_call_for_help, why_no_help_is_needed
from responder.domain.message import Message, MessageState, is_page
from responder.domain.report import Signal
from responder.domain.reporter import REPORTER
from responder.domain.silence import asked_about, why_no_answer_is_needed
from responder.domain.ticket import Status, Ticket
from responder.flows.consent import asked_by
from responder.flows.desk import Desk
from responder.flows.reporter_letters import no_longer_needed
from responder.store.transaction import Transaction

_OVER = frozenset({Status.RESTORED, Status.RESOLVED, Status.CLOSED})
_IN_VAIN = frozenset({MessageState.OVERTAKEN, MessageState.FAILED})


def overtaken_by(desk: Desk, tx: Transaction, message: Message, known: Known) -> str:
    """Why the message is no longer needed; an acknowledgement wins over every page not yet sent."""
    if message.person == REPORTER:
        return no_longer_needed(message, known.ticket)
    if is_page(message.purpose):
        return _no_page(message, known.ticket) or _others_are_called(tx, message)
    if asked_by(message.purpose) is not None:
        return _answered(tx, message)
    if (silence := asked_about(message.purpose)) is not None:
        history = tx.tickets.events(message.ticket_id)
        return why_no_answer_is_needed(known.ticket, message.person, message.episode, silence, history)
    if is_call_for_help(message.purpose):
        return why_no_help_is_needed(known.ticket, message, tx.tickets.events(message.ticket_id))
    return _clock_stopped(message, known) or _told_already(desk, tx, message)


def _no_page(message: Message, ticket: Ticket) -> str:
    if ticket.acknowledged_by:
        return f"{ticket.acknowledged_by} has acknowledged the ticket."
    if ticket.signal is Signal.CLEARED:
        return "The alert has cleared."
    if ticket.episode != message.episode:
        return "A later message says more."
    return f"The ticket is {ticket.status}." if ticket.status in _OVER else ""


def _others_are_called(tx: Transaction, message: Message) -> str:
    """A page of a chain that another one has replaced: who that one calls has a message of it."""
    chain = tx.chains.one(message.ticket_id, tx.chains.newest(message.ticket_id))
    if chain is not None and not chain.calls:
        return "Nobody is called any more."
    if chain is None or is_of(chain, message.purpose):
        return ""
    theirs = (one for one in tx.messages.of_ticket(message.ticket_id) if is_of(chain, one.purpose))
    # A chain that takes an older one's rows up again tells nobody by those that have ended in vain.
    is_told = any(one.episode == message.episode and one.state not in _IN_VAIN for one in theirs)
    return "Others are called now." if is_told else ""


def _answered(tx: Transaction, message: Message) -> str:
    """A question that is decided, or not needed any more, is not asked again."""
    approval_id = asked_by(message.purpose)
    approval = tx.approvals.one(approval_id) if approval_id is not None else None
    return "" if approval is None or approval.is_waiting else f"It is decided already: {approval.sentence}"


def _clock_stopped(message: Message, known: Known) -> str:
    """Nobody is warned of a clock that has met its end."""
    for name, clock in known.clocks.items():
        if message.purpose.startswith(f"clock-{name}-") and clock.stopped_at is not None:
            return f"The {name} clock has stopped."
    return ""


def _told_already(desk: Desk, tx: Transaction, message: Message) -> str:
    """What only tells has been told once one channel has taken it; a later one of the contact order adds nothing."""
    person = desk.configuration.people.get(message.person)
    place = place_in(person.contact, message.channel) if person else 0
    if person is None or place == 0:
        return ""
    for other in tx.messages.of_ticket(message.ticket_id):
        is_same = (other.episode, other.purpose, other.person) == (message.episode, message.purpose, message.person)
        if is_same and other.state is MessageState.SENT and place_in(person.contact, other.channel) < place:
            return f"{message.person} was told by {other.channel}."
    return ""
