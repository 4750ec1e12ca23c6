"""What the API answers about the handling of tickets: clocks, reporters, reviews, and promised actions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from typing_extensions import TypedDict

from responder.domain.ticket import Status
from responder.web.schemas.tickets import MessageLine, ReporterLine, TicketLine


class StoryLine(TypedDict):
    at: datetime
    until: datetime | None
    text: str
    counted_seconds: float | None


class Story(TypedDict):
    """Why a clock is due when it is, line by line."""

    clock: str
    text: str
    calendar: str
    calendar_version: str
    zone: str
    target: str
    state: str
    used_seconds: float
    due_at: datetime | None
    breached_at: datetime | None
    lines: list[StoryLine]


class ClockStories(TypedDict):
    number: str
    clocks: list[Story]


class VerbLine(TypedDict):
    verb: str
    fields: list[str]
    text: str


class Quarantined(TypedDict):
    """A body that was not understood."""

    receipt: str
    source: str
    received_at: datetime
    reason: str
    body: str


class NumberAndStatus(TypedDict):
    number: str
    status: Status


class Opened(NumberAndStatus):
    """What the sender of a report may tell the reporter at once."""

    id: int
    grade: str


class Heard(NumberAndStatus):
    """What became of a reporter's answer."""

    effect: str
    sentence: str


class Letter(MessageLine):
    """A letter to a reporter; `text` only for who may act."""

    text: str


class ReporterOfTicket(ReporterLine):
    ticket: str
    letters: list[Letter]


class TimelineLine(TypedDict):
    at: datetime
    text: str


class ActionOfDraft(TypedDict):
    text: str
    owner: str
    due: datetime


class DraftLine(TypedDict):
    """A review in the shape in which it is written."""

    ticket: str
    replaces: datetime | None
    root_cause: str
    cause_class: str
    whys: list[str]
    factors: list[str]
    improvements: str
    participants: list[str]
    meeting_at: datetime | None
    actions: list[ActionOfDraft]
    timeline: list[TimelineLine]


class Draft(TypedDict):
    draft: DraftLine
    cause_classes: list[str]


class ActionLine(TypedDict):
    """An improvement that was promised."""

    id: int
    ticket_id: int
    text: str
    owner: str
    due_at: datetime
    done_at: datetime | None
    done_by: str
    result: str
    escalated_at: datetime | None
    escalations: int
    state: str


class ActionInList(ActionLine):
    ticket: str


class ActionPage(TypedDict):
    actions: list[ActionInList]
    next: str | None


class Durations(TypedDict):
    since: datetime
    first_aid_seconds: float | None
    acknowledge_seconds: float | None
    restore_seconds: float | None
    resolve_seconds: float | None


class _Review(TypedDict):
    ticket: TicketLine
    root_cause: str
    cause_class: str
    whys: list[str]
    factors: list[str]
    improvements: str
    participants: list[str]
    meeting_at: datetime | None
    fields: dict[str, str]
    diagnosis: str
    solution: str
    timeline: list[TimelineLine]
    durations: list[Durations]
    clocks: dict[str, Any]
    fishbone: dict[str, Any]
    actions: list[ActionLine]


class Review(_Review, total=False):
    """The report; `markdown` if it was asked for."""

    markdown: str
