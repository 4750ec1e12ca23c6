"""Silence: whoever has a ticket and gives no sign is asked whether they are still on it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from responder.clock import from_microseconds, microseconds
from responder.domain.message import Purpose
from responder.domain.ticket import Event, Status, Ticket

AT_WORK = frozenset({Status.IN_PROGRESS, Status.PROPOSED, Status.APPROVED})
"""What waits, or is restored, needs nobody's hands."""


def purpose_of(asked: datetime) -> str:
    """The purpose of the question that is asked at an instant."""
    return f"{Purpose.STILL_ON_IT}-{microseconds(asked)}"


def asked_at(purpose: str) -> datetime | None:
    """When the question of this purpose was asked; None for what is no such question."""
    stem, _, instant = purpose.rpartition("-")
    return from_microseconds(int(instant)) if stem == Purpose.STILL_ON_IT else None


def last_sign(history: Iterable[Event], person: str) -> datetime | None:
    """When the person did something to the ticket last."""
    return max((event.at for event in history if event.actor == person), default=None)


def why_no_answer_is_needed(
    ticket: Ticket, person: str, episode: int, since: datetime, history: Iterable[Event]
) -> str:
    """Why the person need not be asked on a further channel, as a sentence; empty while the answer is missing."""
    if ticket.acknowledged_by != person:
        return (
            f"{ticket.acknowledged_by} has it now."
            if ticket.acknowledged_by
            else f"{person} does not have it any more."
        )
    if ticket.episode != episode:
        return "The trouble has come back since then."
    if ticket.status not in AT_WORK:
        return f"The ticket is {ticket.status.replace('_', ' ')}."
    seen_at = last_sign(history, person)
    return f"{person} has given a sign at {seen_at:%H:%M} UTC." if seen_at is not None and seen_at >= since else ""
