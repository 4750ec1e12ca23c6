"""What the API is asked and answers about people: who is on call, who is away, and how they are reached."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from responder.web.operations import Asked
from responder.web.schemas.asked import SAYS, Actor, ActorBody, Instant, Listed, Reason, ReasonBody

# --- what is asked -------------------------------------------------------------------------------------------


class OnCallQuery(Asked):
    at: Instant | None = None
    team: str | None = None


class ShiftQuery(Asked):
    start: Instant | None = Field(None, alias="from")
    until: Instant | None = None


class OverrideQuery(Listed):
    since: Instant | None = None


class CalendarQuery(Asked):
    source: str | None = Field(None, description="What the file is called.")
    actor: Actor = None


class FeedQuery(Asked):
    rota: str | None = None
    person: str | None = None


class AbsenceBody(ReasonBody):
    person: Reason
    start: Instant | None = Field(None, alias="from")
    until: Annotated[str, Field(pattern=SAYS, description="when it ends, such as 2026-01-05T09:00")]


class OverrideBody(AbsenceBody):
    instead_of: str | None = Field(None, description="Everybody on call, if it is not said.")


class SwapBody(ReasonBody):
    first: Reason
    second: Reason
    first_at: Instant | None = None
    second_at: Instant | None = None


class TestBody(ActorBody):
    channel: str | None = None


# --- what is answered ----------------------------------------------------------------------------------------


class NoticeLine(TypedDict):
    person: str
    state: str
    due_at: datetime | None
    told_at: datetime | None
    error: str


class OverrideLine(TypedDict):
    """Somebody takes another's place, or (without a person) is away."""

    id: int
    rota: str
    person: str
    instead_of: str
    start: datetime
    until: datetime
    reason: str
    actor: str
    made_at: datetime
    ended_at: datetime | None
    ended_by: str


class OverrideTold(OverrideLine):
    told: list[NoticeLine]


class Overrides(TypedDict):
    zone: str
    overrides: list[OverrideTold]


class OverridePage(Overrides):
    next: str | None


class LostOverride(OverrideLine):
    why: str


class LostOverrides(TypedDict):
    zone: str
    overrides: list[LostOverride]


class GapLine(TypedDict):
    rota: str
    start: datetime
    until: datetime
    is_near: bool
    text: str


class DutyChanged(TypedDict):
    """What a change has made, the gaps that it opens, from whom pages are held, and who is told."""

    zone: str
    overrides: list[OverrideLine]
    gaps: list[GapLine]
    held: list[str]
    told: list[NoticeLine]


class TierOnCall(TypedDict):
    tier: int
    rota: str
    people: list[str]
    since: datetime | None
    until: datetime | None
    why: str


class TeamOnCall(TypedDict):
    team: str
    tiers: list[TierOnCall]


class OnCall(TypedDict):
    at: datetime
    zone: str
    teams: list[TeamOnCall]


class _AboutRota(TypedDict):
    rota: str
    zone: str
    may_be_empty: bool


class RotaLine(_AboutRota):
    people: list[str]
    since: datetime | None
    until: datetime | None
    why: str


class Rotas(TypedDict):
    rotas: list[RotaLine]


class ShiftLine(TypedDict):
    start: datetime
    until: datetime
    people: list[str]
    layer: str
    turn: int | None
    overrides: list[int]
    why: str


class Span(TypedDict):
    start: datetime
    until: datetime


class RotaShown(_AboutRota):
    shifts: list[ShiftLine]
    gaps: list[Span]


class Url(TypedDict):
    url: str


class PersonsTeam(TypedDict):
    team: str
    tier: int
    rota: str
    is_on_duty: bool
    until: datetime | None


class PersonsDuty(TypedDict):
    rota: str
    until: datetime | None


class ChannelLine(TypedDict):
    """A channel without its address: that is a secret."""

    name: str
    address: str
    length: str
    after_seconds: float


class PersonLine(TypedDict):
    name: str
    full_name: str
    language: str
    zone: str
    roles: list[str]
    teams: list[PersonsTeam]
    on_duty: list[PersonsDuty]
    channels: list[ChannelLine]
    quiet_until: datetime | None


class People(TypedDict):
    people: list[PersonLine]


class TriedChannel(TypedDict):
    channel: str
    scheme: str
    is_taken: bool
    sentence: str


class Tried(TypedDict):
    person: str
    channels: list[TriedChannel]


class DrillAnswer(TypedDict):
    """`channels`: what became of the message on each."""

    person: str
    channels: list[tuple[str, str]]
    told_at: datetime | None
    confirmed_at: datetime | None
    skipped: str


class DrillLine(TypedDict):
    id: int
    due_at: datetime
    until: datetime
    ordered_by: str
    started_at: datetime | None
    ended_at: datetime | None
    answers: list[DrillAnswer]
    silent: list[str]


class DrillPage(TypedDict):
    drills: list[DrillLine]
    next: str | None
