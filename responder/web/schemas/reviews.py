"""What the API is asked and answers about reviews, and the improvements that they promise."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field
from typing_extensions import TypedDict

from responder.web.operations import Asked
from responder.web.schemas.asked import ActorBody, Flag, Listed, Reason, ReasonBody
from responder.web.schemas.tickets import TicketLine

# --- what is asked -------------------------------------------------------------------------------------------


class ActionQuery(Listed):
    all: Flag | None = Field(None, description="Done ones, too.")
    overdue: Flag | None = None
    owner: str | None = None


class ReviewQuery(Asked):
    markdown: Flag | None = Field(None, description="With the report as a Markdown text.")


class DraftQuery(Asked):
    fresh: Flag | None = Field(None, description="Not the one that is written.")


class _Line(Asked):
    at: str | None = None
    text: str | None = None


class _Action(Asked):
    text: str | None = None
    owner: str | None = None
    due: str | None = None


class ReviewBody(ActorBody):
    """The shape of the draft."""

    ticket: str | None = None
    replaces: str | None = None
    version: int | None = None
    root_cause: str | None = None
    cause_class: str | None = None
    whys: list[str] | None = None
    factors: list[str] | None = None
    improvements: str | None = None
    timeline: list[_Line] | None = None
    actions: list[_Action] | None = None
    participants: list[str] | None = None
    meeting_at: str | None = None


class ResultBody(ActorBody):
    result: Reason


class DueBody(ReasonBody):
    due: Reason


# --- what is answered ----------------------------------------------------------------------------------------


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
    clocks: dict[str, str]
    fishbone: dict[str, list[str]]
    actions: list[ActionLine]


class Review(_Review, total=False):
    """The report; `markdown` if it was asked for."""

    markdown: str
