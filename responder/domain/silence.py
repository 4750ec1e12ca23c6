"""Silence: whoever has a ticket and gives no sign is asked whether they are still on it.

All of it is told from the ticket's history, so that a look that is made twice asks once. A silence is known by the
instant in which it began.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from responder.clock import from_microseconds, microseconds
from responder.domain.message import Message, MessageState, Purpose
from responder.domain.ticket import Action, Event, EventKind, Status, Ticket

AT_WORK = frozenset({Status.IN_PROGRESS, Status.APPROVED})
"""What waits, for others or for consent, or is restored, needs nobody's hands."""
_SILENCE, _UNTIL = "silent_since", "answer_until"
_LEFT = frozenset({MessageState.SENT, MessageState.SENDING})


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What was asked about one silence: when, until when the answer has time, and when that was said last."""

    asked_at: datetime
    until: datetime
    said_at: datetime


def purpose_of(silence: datetime) -> str:
    """The purpose of the question about a silence: there is one for each."""
    return f"{Purpose.STILL_ON_IT}-{microseconds(silence)}"


def asked_about(purpose: str) -> datetime | None:
    """The silence that the question of this purpose is about; None for what is no such question."""
    stem, _, instant = purpose.rpartition("-")
    return from_microseconds(int(instant)) if stem == Purpose.STILL_ON_IT else None


def last_sign(history: Iterable[Event], person: str) -> datetime | None:
    """When the person did something to the ticket last."""
    return max((event.at for event in history if event.actor == person), default=None)


def taken_at(history: Iterable[Event], person: str) -> datetime | None:
    """When the person took the ticket, or was given it, last."""
    return max((event.at for event in history if _is_given(event, person)), default=None)


def silent_since(history: Iterable[Event], person: str) -> datetime | None:
    """Since when the person who has the ticket is silent: their last sign, or that it came to them, back to work, or
    into another grade."""
    return max((event.at for event in history if _ends_a_silence(event, person)), default=None)


def _is_given(event: Event, person: str) -> bool:
    has_taken = event.actor == person and event.data.get("action") == Action.ACKNOWLEDGE
    return has_taken or event.data.get("assignee") == person


def _ends_a_silence(event: Event, person: str) -> bool:
    if event.actor == person or _is_given(event, person):
        return True
    if event.kind is EventKind.REGRADED:
        return event.data.get("was") != event.data.get("grade")
    return event.kind is EventKind.MOVED and event.data.get("status") in AT_WORK


def question_mark(silence: datetime, until: datetime) -> dict[str, Any]:
    """What the event of a question keeps, and every event that gives it more time."""
    return {_SILENCE: microseconds(silence), _UNTIL: microseconds(until)}


def question_about(history: Iterable[Event], silence: datetime) -> Question | None:
    """The question about a silence, if it was asked."""
    said = [event for event in history if event.data.get(_SILENCE) == microseconds(silence)]
    if not said:
        return None
    until = from_microseconds(int(str(said[-1].data[_UNTIL])))
    return Question(asked_at=said[0].at, until=until, said_at=said[-1].at)


def may_be_read_at(sent: Iterable[Message]) -> datetime | None:
    """When a question that quiet hours hold back leaves; None if it has left, or is not held."""
    found = list(sent)
    held = [message.due_at for message in found if message.state is MessageState.HELD and message.due_at]
    return min(held) if held and not has_left(found) else None


def has_left(sent: Iterable[Message]) -> bool:
    """Whether a channel has taken the question."""
    return any(message.state in _LEFT for message in sent)


def look_at(silence: datetime, asks_after: timedelta, question: Question | None, now: datetime) -> datetime:
    """When the silence is looked at next: when it has lasted for too long, or when the time to answer is over.

    While an answer is missing it is looked at in between, since somebody who gives a sign may fall silent again before.
    """
    return min(question.until, now + asks_after) if question else silence + asks_after


def why_no_answer_is_needed(
    ticket: Ticket, person: str, episode: int, silence: datetime, history: Iterable[Event]
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
    return _heard_since(person, silence, list(history))


def _heard_since(person: str, silence: datetime, history: list[Event]) -> str:
    seen_at, begun_at = last_sign(history, person), silent_since(history, person)
    if seen_at is not None and seen_at > silence:
        return f"{person} has given a sign at {seen_at:%H:%M} UTC."
    if begun_at is not None and begun_at > silence:
        return f"The time of {person} began anew at {begun_at:%H:%M} UTC."
    return ""
