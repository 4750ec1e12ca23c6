"""Help: somebody was called in to a ticket, and is called on further channels until they give a sign."""

from __future__ import annotations

from collections.abc import Iterable

from responder.domain.message import Message
from responder.domain.silence import last_sign
from responder.domain.ticket import Event, Status, Ticket

_OVER = frozenset({Status.RESTORED, Status.RESOLVED, Status.CLOSED})
_PURPOSE = "pull-in"


def purpose_of(version: int) -> str:
    """The purpose of the messages that call for help; a ticket of another version may call the same people again."""
    return f"{_PURPOSE}-{version}"


def is_call_for_help(purpose: str) -> bool:
    """Whether messages of this purpose call somebody in."""
    return purpose.startswith(f"{_PURPOSE}-")


def why_no_help_is_needed(ticket: Ticket, message: Message, history: Iterable[Event]) -> str:
    """Why the person need not be called on a further channel, as a sentence; empty while nothing is heard of them."""
    if ticket.status in _OVER:
        return f"The ticket is {ticket.status}."
    seen_at = last_sign(history, message.person)
    if seen_at is not None and seen_at > message.created_at:
        return f"{message.person} has given a sign at {seen_at:%H:%M} UTC."
    return ""
