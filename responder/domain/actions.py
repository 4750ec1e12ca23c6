"""Action items: what a review promises to improve, who does it by when, and what follows if it is not done."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from responder.domain.durations import parse_duration, spoken

EVERY = timedelta(days=1)
"""How long after a reminder about an overdue action the next one follows."""
PURPOSE = "action-"
"""How the purposes of messages about actions begin."""
_END_OF_DAY = time(23, 59, 59)


class ActionState(StrEnum):
    """Where an action stands."""

    OPEN = "open"
    OVERDUE = "overdue"
    DONE = "done"


@dataclass(frozen=True, kw_only=True, slots=True)
class ActionItem:
    """One improvement. `escalations` counts how often people were told that it is overdue, the last time at
    `escalated_at`, which is None while nobody was told about the present due date."""

    id: int = 0
    ticket_id: int = 0
    text: str
    owner: str
    due_at: datetime
    done_at: datetime | None = None
    done_by: str = ""
    result: str = ""
    escalated_at: datetime | None = None
    escalations: int = 0

    def state(self, now: datetime) -> ActionState:
        """Overdue from the due instant on."""
        if self.done_at is not None:
            return ActionState.DONE
        return ActionState.OVERDUE if self.due_at <= now else ActionState.OPEN

    def is_to_escalate(self, now: datetime) -> bool:
        """Whether it is time to tell people: when it becomes overdue, and a day after each time they were told."""
        is_overdue = self.state(now) is ActionState.OVERDUE
        return is_overdue and (self.escalated_at is None or self.escalated_at + EVERY <= now)

    @property
    def purpose(self) -> str:
        """Under which purpose people are told the present number of times, once each."""
        return f"{PURPOSE}{self.id}-{self.escalations}"

    def is_same(self, other: ActionItem) -> bool:
        """Whether both are one promise of one person, perhaps by different days."""
        return (self.text, self.owner) == (other.text, other.owner)


def finish(item: ActionItem, actor: str, result: str, now: datetime) -> ActionItem | str:
    """The action as done, or the sentence why it cannot be."""
    if item.done_at is not None:
        return _done_already(item)
    if not result:
        return f"say what came of action {item.id} (result); “not needed: …” is a result, too"
    return replace(item, done_at=now, done_by=actor, result=result)


def move_due(item: ActionItem, due_at: datetime, reason: str, now: datetime) -> ActionItem | str:
    """The action with another due date, or the sentence why not. Whoever was told is told anew when that has come."""
    if item.done_at is not None:
        return _done_already(item)
    if not reason:
        return f"say why action {item.id} is to be done by another day (reason)"
    if due_at <= now:
        return f"{moment(due_at)} is past; give a day to come"
    return replace(item, due_at=due_at, escalated_at=None)


def escalated(item: ActionItem, now: datetime) -> ActionItem:
    """The action after people were told that it is overdue."""
    return replace(item, escalated_at=now, escalations=item.escalations + 1)


def overdue_sentence(item: ActionItem, now: datetime) -> str:
    """What people are told about an overdue action."""
    late = now - item.due_at
    since = f"was due {moment(item.due_at)}" + (f", {spoken(late)} ago" if late >= EVERY else "")
    return (
        f"Action {item.id} of {item.owner} {since}: {item.text.rstrip('.')}. Say what came of it (responder actions "
        f"done {item.id} RESULT) or by when it will be done (responder actions move {item.id} DAY --reason WHY)."
    )


def objections(item: ActionItem, people: Collection[str], now: datetime) -> list[str]:
    """What is missing in a new action, piece by piece; nothing if it is complete."""
    name = f"action “{item.text[:60]}”" if item.text else "an action"
    found = []
    if not item.text:
        found.append(f"{name} does not say what is to be done (text)")
    if not item.owner:
        found.append(f"{name} has no owner")
    elif item.owner not in people:
        found.append(f"{name}: nobody is called {item.owner[:60]!r} in the people file")
    if item.due_at <= now:
        found.append(f"{name} is due {moment(item.due_at)}, which is past")
    return found


def due_of(text: str, zone: tzinfo, now: datetime) -> datetime:
    """The instant that a due date means: a day its end in this time zone, `14d` a time from now, a time without an
    offset one in UTC.

    Raises ValueError with a sentence.
    """
    try:
        return now + parse_duration(text)
    except ValueError:
        pass
    try:
        return datetime.combine(date.fromisoformat(text), _END_OF_DAY, zone).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(
            f"{text[:40]!r} is no day or time; write it like 2026-12-31, or 14d for in two weeks"
        ) from error


def moment(at: datetime) -> str:
    """An instant in UTC for people, to the minute."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _done_already(item: ActionItem) -> str:
    at = moment(item.done_at) if item.done_at else ""
    return f"action {item.id} was done already by {item.done_by} at {at}: {item.result}"
