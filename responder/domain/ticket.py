"""The ticket, its one table of moves, and the change that a decision makes to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from responder.domain.dossier import Dossier
from responder.domain.facts import Fact
from responder.domain.observed import Observation
from responder.domain.report import Signal
from responder.domain.sla import Clock


class Status(StrEnum):
    NEW = "new"
    FIRST_AID = "first_aid"
    HANDED_OVER = "handed_over"
    IN_PROGRESS = "in_progress"
    WAITING = "waiting"
    PROPOSED = "proposed"
    APPROVED = "approved"
    RESTORED = "restored"
    RESOLVED = "resolved"
    CLOSED = "closed"


class Action(StrEnum):
    START_FIRST_AID = "start_first_aid"
    HAND_OVER = "hand_over"
    ACKNOWLEDGE = "acknowledge"
    WAIT = "wait"
    RESUME = "resume"
    PROPOSE = "propose"
    APPROVE = "approve"
    REJECT = "reject"
    RESTORE = "restore"
    RELAPSE = "relapse"
    RESOLVE = "resolve"
    REOPEN = "reopen"
    CLOSE = "close"
    DISMISS = "dismiss"
    MERGE = "merge"


FACT_OF: Mapping[Action, Fact] = {
    Action.START_FIRST_AID: Fact.FIRST_AID,
    Action.HAND_OVER: Fact.HANDED_OVER,
    Action.ACKNOWLEDGE: Fact.ACKNOWLEDGED,
    Action.WAIT: Fact.WAITING,
    Action.RESUME: Fact.RESUMED,
    Action.PROPOSE: Fact.PROPOSED,
    Action.APPROVE: Fact.APPROVED,
    Action.REJECT: Fact.REJECTED,
    Action.RESTORE: Fact.RESTORED,
    Action.RELAPSE: Fact.RELAPSED,
    Action.RESOLVE: Fact.RESOLVED,
    Action.REOPEN: Fact.REOPENED,
    Action.CLOSE: Fact.CLOSED,
    Action.DISMISS: Fact.DISMISSED,
    Action.MERGE: Fact.MERGED,
}
"""What each move means to clocks."""


class Disposition(StrEnum):
    """How a ticket ended, if not by a solution. Such a ticket counts in no service level; it is shown as excluded."""

    PSEUDO_FAULT = "pseudo_fault"
    FALSE_ALARM = "false_alarm"
    DUPLICATE = "duplicate"
    MAINTENANCE = "maintenance"


def _moves() -> dict[tuple[Status, Action], Status]:
    moves = {
        (Status.NEW, Action.START_FIRST_AID): Status.FIRST_AID,
        (Status.IN_PROGRESS, Action.HAND_OVER): Status.HANDED_OVER,
        (Status.APPROVED, Action.HAND_OVER): Status.HANDED_OVER,
        (Status.IN_PROGRESS, Action.WAIT): Status.WAITING,
        (Status.APPROVED, Action.WAIT): Status.WAITING,
        (Status.WAITING, Action.RESUME): Status.IN_PROGRESS,
        (Status.IN_PROGRESS, Action.PROPOSE): Status.PROPOSED,
        (Status.APPROVED, Action.PROPOSE): Status.PROPOSED,
        (Status.PROPOSED, Action.APPROVE): Status.APPROVED,
        (Status.PROPOSED, Action.REJECT): Status.IN_PROGRESS,
        (Status.RESTORED, Action.ACKNOWLEDGE): Status.RESTORED,
        (Status.RESTORED, Action.RELAPSE): Status.HANDED_OVER,
        (Status.RESTORED, Action.RESOLVE): Status.RESOLVED,
        (Status.RESOLVED, Action.CLOSE): Status.CLOSED,
        (Status.RESOLVED, Action.REOPEN): Status.NEW,
        (Status.CLOSED, Action.REOPEN): Status.NEW,
    }
    for status in (Status.NEW, Status.FIRST_AID):
        moves[status, Action.HAND_OVER] = Status.HANDED_OVER
    for status in (Status.NEW, Status.FIRST_AID, Status.HANDED_OVER):
        moves[status, Action.ACKNOWLEDGE] = Status.IN_PROGRESS
    for status in Status:
        if status not in (Status.RESTORED, Status.RESOLVED, Status.CLOSED):
            moves[status, Action.RESTORE] = Status.RESTORED
        if status is not Status.CLOSED:
            moves[status, Action.MERGE] = Status.CLOSED
            moves[status, Action.DISMISS] = Status.CLOSED
    return moves


MOVES: Mapping[tuple[Status, Action], Status] = _moves()
"""The whole lifecycle. A policy may forbid one of these; nothing opens a pair that is not here."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ticket:
    """Our record of one trouble. `firing` maps each alert that still shows to its start, in µs UTC."""

    id: int = 0
    number: str = ""
    trouble: str
    source: str
    status: Status = Status.NEW
    signal: Signal = Signal.FIRING
    title: str
    grade: str
    grade_rule: str
    grade_reason: str
    team: str = ""
    runbook: str = ""
    labels: Mapping[str, str]
    annotations: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    firing: Mapping[str, int] = field(default_factory=dict)
    toggles: tuple[int, ...] = ()
    flapping: bool = False
    incomplete: bool = False
    opened_at: datetime
    episode: int = 1
    episode_at: datetime
    first_aid_at: datetime | None = None
    handed_over_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    cleared_at: datetime | None = None
    restored_at: datetime | None = None
    restored_by: str = ""
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    previous_id: int | None = None
    kind: str = ""
    tier: int = 0
    assignee: str = ""
    waiting_for: str = ""
    disposition: str = ""
    merged_into: int | None = None
    version: int = 0

    @property
    def is_open(self) -> bool:
        return self.status is not Status.CLOSED

    @property
    def waits_for_a_person(self) -> bool:
        return self.status is Status.HANDED_OVER and self.acknowledged_at is None


class EventKind(StrEnum):
    OPENED = "opened"
    ATTACHED = "attached"
    REGRADED = "regraded"
    MOVED = "moved"
    SIGNAL = "signal"
    FLAPPING = "flapping"
    REFUSED = "refused"
    RUN = "run"
    STEP = "step"
    APPROVAL = "approval"
    MESSAGE = "message"
    CLOCK = "clock"
    NOTE = "note"
    HANDLED = "handled"
    REPORTER = "reporter"
    SET_ASIDE = "set_aside"
    HELD = "held"
    ESCALATION = "escalation"


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """A fact in a ticket's history; `text` is a sentence for people, `data` what programs need."""

    at: datetime
    kind: EventKind
    actor: str
    text: str
    data: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Promise:
    """Work promised in the same transaction as its reason; done at least once, after the commit."""

    kind: str
    due_at: datetime | None = None
    args: Mapping[str, object] = field(default_factory=dict)
    lock: str = ""


SumKey = tuple[str, tuple[tuple[str, str], ...]]
Sums = Counter[SumKey]
"""Increments for the sums behind the metrics: (name, sorted labels) → how much to add."""


@dataclass(kw_only=True, slots=True)
class Change:
    """All that one decision does to one ticket; written in one transaction. `before` None: a new ticket.

    `observed` keeps what the statistics add up, each with the ticket as it was then.
    """

    before: Ticket | None
    after: Ticket
    events: list[Event] = field(default_factory=list)
    clocks: dict[str, Clock] = field(default_factory=dict)
    promises: list[Promise] = field(default_factory=list)
    sums: Sums = field(default_factory=Counter)
    observed: list[tuple[Ticket, Observation]] = field(default_factory=list)
    clocks_before: Mapping[str, Clock] = field(default_factory=dict)
    dossier: Dossier | None = None
    dossier_before: Dossier | None = None

    @classmethod
    def of(cls, ticket: Ticket, clocks: Mapping[str, Clock] | None = None) -> Change:
        return cls(before=ticket, after=ticket, clocks=dict(clocks or {}), clocks_before=clocks or {})

    @property
    def is_relapse(self) -> bool:
        """Whether it disproves what first aid reported."""
        return any(event.data.get("action") is Action.RELAPSE for event in self.events)

    @property
    def may_overtake(self) -> bool:
        """Whether a question that waits for an answer may not be needed any more."""
        was, now = self.before, self.after
        if was is None:
            return False
        return (was.signal, was.acknowledged_by, was.episode, was.status) != (
            now.signal,
            now.acknowledged_by,
            now.episode,
            now.status,
        )

    @property
    def round(self) -> int:
        """Tells one hand-over of an episode from the one before."""
        return self.after.version + 1

    def note(self, now: datetime, kind: EventKind, text: str, actor: str = "responder", **data: object) -> None:
        self.events.append(Event(at=now, kind=kind, actor=actor, text=text, data=data))

    def promise(self, kind: str, due_at: datetime | None = None, **args: object) -> None:
        self.promises.append(Promise(kind=kind, due_at=due_at, args=args))

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        self.sums[name, tuple(sorted(labels.items()))] += amount  # type: ignore[assignment]

    def observe(self, observation: Observation) -> None:
        self.observed.append((self.after, observation))

    def update(self, **values: object) -> None:
        self.after = replace(self.after, **values)  # type: ignore[arg-type]


def refusal(ticket: Ticket, action: Action) -> str | None:
    """Why `action` is not possible now, as a sentence; None if it is."""
    if (ticket.status, action) in MOVES:
        return None
    if action is Action.ACKNOWLEDGE and ticket.acknowledged_by:
        return f"{ticket.number} is already acknowledged by {ticket.acknowledged_by}"
    possible = sorted(name for status, name in MOVES if status is ticket.status)
    wish = action.replace("_", " ")
    return (
        f"{ticket.number} is {ticket.status.replace('_', ' ')}, so it cannot {wish}; "
        f"possible now: {', '.join(name.replace('_', ' ') for name in possible) or 'nothing'}"
    )


def move(change: Change, action: Action, *, now: datetime, actor: str, reason: str, **data: object) -> None:
    """Moves the ticket and writes the event. The caller has asked `refusal` first; a move that is not in
    the table is a mistake of ours, so it raises KeyError."""
    was = change.after.status
    status = MOVES[was, action]
    change.update(status=status)
    grade = change.after.grade
    change.note(now, EventKind.MOVED, reason, actor, action=action, was=was, status=status, grade=grade, **data)
