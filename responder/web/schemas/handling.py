"""What the API is asked and answers about the handling of tickets: verbs, clocks, and what was not understood."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from responder.web.operations import Asked
from responder.web.schemas.asked import Actor, ActorBody, Flag, Listed, Name, PerhapsReason, Reason, ReasonBody

# --- what is asked -------------------------------------------------------------------------------------------


class ClockQuery(Asked):
    clock: str | None = Field(None, description="One of them.")


class ApprovalQuery(Listed):
    all: Flag | None = Field(None, description="Decided ones, too.")


class MoveBody(BaseModel):
    """What a verb reads besides, `/api/v1/verbs` says. `version`: the one that was seen, if it matters."""

    model_config = ConfigDict(extra="allow")

    actor: Actor = None
    version: int | None = None


class YesBody(PerhapsReason):
    version: int | None = None


class NoBody(ReasonBody):
    version: int | None = None


class RunBody(ActorBody):
    runbook: Reason
    target: Name = None
    labels: dict[str, str] | None = Field(
        None, description="What the runbook's parameters take and the alert does not say, or says otherwise."
    )


# --- what is answered ----------------------------------------------------------------------------------------


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


class QuarantinePage(TypedDict):
    quarantine: list[Quarantined]
    next: str | None
