"""What the API is asked: the fields of bodies and queries, each with what it is for."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from responder.domain.article import ArticleState
from responder.domain.mail_record import Taken
from responder.domain.reporter_answers import AnswerKind
from responder.web.operations import Asked

_LARGEST = 10**15 - 1
_SAYS = r"[^\s\x00-\x1f]"


def _digits(value: object) -> object:
    """In a query numbers are texts, and only plain ones are taken."""
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        raise ValueError("it is not a whole number")
    return value


def _or_none(value: object) -> object:
    """What is left empty is not said."""
    return value or None


def _text(what: str) -> Any:
    return Field(description=what, pattern=_SAYS)


Number = Annotated[int, BeforeValidator(_digits), Field(ge=0, le=_LARGEST)]
Limit = Annotated[
    int,
    BeforeValidator(_digits),
    Field(ge=1, le=_LARGEST, description="At most so many; a page has a limit of its own."),
]
Cursor = Annotated[str, Field(description="Where the page begins: the `next` of the page before.")]
Flag = Literal["1", "true", "yes", "0", "false", "no", ""]
State = Annotated[
    ArticleState | None, BeforeValidator(_or_none), WithJsonSchema({"type": "string", "enum": [*ArticleState, ""]})
]
TakenAs = Annotated[Taken | None, BeforeValidator(_or_none), WithJsonSchema({"type": "string", "enum": [*Taken, ""]})]
Reason = Annotated[str, _text("a text that says why or what")]
Actor = Annotated[str | None, Field(description="In whose name; only a token may say so.")]
Name = Annotated[str | None, Field(max_length=500)]
Duration = Annotated[str, Field(description="how long, such as 2h", examples=["30m", "2h", "1d"])]
Instant = Annotated[
    str,
    Field(
        description="a date, or a date and time, with an offset or in the zone of the policy; or +8h, tomorrow 09:00",
        examples=["2026-01-05T09:00+01:00"],
    ),
]


# --- queries ---------------------------------------------------------------------------------------


class Listed(Asked):
    """A list page by page."""

    limit: Limit | None = None
    cursor: Cursor | None = None


class TicketQuery(Listed):
    """Every part that is given must hold; of several values in one part (one by one, or with commas) any may."""

    open: Flag | None = Field(None, description="Only open ones.")
    acknowledged: Flag | None = Field(None, description="Whether somebody has taken it.")
    status: tuple[str, ...] = ()
    signal: tuple[str, ...] = ()
    grade: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    team: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    who: str | None = Field(None, description="Who has taken it, or is to handle it.")
    target: str | None = Field(None, description="A host that one of its labels names, or that a run was about.")
    text: str | None = Field(None, description="Words that are in its number, title or labels.")
    opened_from: str | None = Field(None, description="An instant, or how long ago: 7d.")
    opened_to: str | None = Field(None, description="An instant before which it was opened; a date means all that day.")
    sort: Literal["newest", "urgent", ""] | None = None
    before: Number | None = Field(None, description="An id: how pages were asked for before there were cursors.")


class EventQuery(Asked):
    limit: Limit | None = None
    after: Number | None = Field(None, description="The id of the last event that was seen.")


class StreamQuery(Asked):
    topics: str | None = Field(None, description="With commas between them; all, if it is left out.")
    after: str | None = Field(None, description="The id of the last event that was seen, if no Last-Event-ID says it.")


class PeriodQuery(Asked):
    """A period of local days, and of which tickets."""

    days: str | None = Field(None, description="So many days up to `to`.")
    first: str | None = Field(None, alias="from", description="The first day, such as 2026-01-05.")
    to: str | None = Field(None, description="The last day; today, if it is not said.")
    team: str | None = None
    kind: str | None = None
    grade: str | None = None
    zone: str | None = Field(None, description="The time zone of the days; the policy's, if it is not said.")


class ClockQuery(Asked):
    clock: str | None = Field(None, description="One of them.")


class ApprovalQuery(Listed):
    all: Flag | None = Field(None, description="Decided ones, too.")


class ActionQuery(Listed):
    all: Flag | None = Field(None, description="Done ones, too.")
    overdue: Flag | None = None
    owner: str | None = None


class ReviewQuery(Asked):
    markdown: Flag | None = Field(None, description="With the report as a Markdown text.")


class DraftQuery(Asked):
    fresh: Flag | None = Field(None, description="Not the one that is written.")


class MailQuery(Listed):
    taken: TakenAs = None
    sender: str | None = Field(None, description="Only for who may act.")
    ticket: str | None = Field(None, description="A number or id.")
    since: Duration | None = None
    before: Number | None = Field(None, description="An id: how pages were asked for before there were cursors.")


class Envelope(Asked):
    """The envelope of a mail."""

    sender: str | None = Field(None, alias="from", description="Empty for a delivery report.")
    to: tuple[str, ...] = ()


class ArticleQuery(Listed):
    state: State = None
    before: Number | None = Field(None, description="An id: how pages were asked for before there were cursors.")


class SearchQuery(Asked):
    q: str | None = Field(None, description="Some words.")
    limit: Limit | None = None


class PartQuery(Asked):
    low: Flag | None = Field(None, description="Only those of which too few are free.")


class LimitQuery(Asked):
    limit: Limit | None = None


class ReservationQuery(Listed):
    part: str | None = None
    ticket: str | None = Field(None, description="A number or id.")
    all: Flag | None = Field(None, description="Ended ones, too.")


class CheckQuery(Listed):
    name: str | None = None


class WholeCheckQuery(Asked):
    all: Flag | None = Field(None, description="The text has what was good, too.")


class NoiseQuery(Asked):
    since: Duration | None = Field(None, description="How far back, 30d if it is not said.")


class OnCallQuery(Asked):
    at: Instant | None = None
    team: str | None = None


class ShiftQuery(Asked):
    start: Instant | None = Field(None, alias="from")
    until: Instant | None = None


class OverrideQuery(Asked):
    since: Instant | None = None


class CalendarQuery(Asked):
    source: str | None = Field(None, description="What the file is called.")
    actor: Actor = None


class FeedQuery(Asked):
    rota: str | None = None
    person: str | None = None


class SwitchQuery(Asked):
    runbook: str | None = None
    target: str | None = None


class SwitchOffQuery(SwitchQuery):
    actor: Actor = None


class TargetQuery(Asked):
    target: str | None = None
    group: str | None = None
    actor: Actor = None


# --- bodies ----------------------------------------------------------------------------------------


class ActorBody(Asked):
    actor: Actor = None


class ReasonBody(ActorBody):
    reason: Reason


class PerhapsReason(ActorBody):
    reason: str | None = None


class MoveBody(BaseModel):
    """What a verb reads besides, `/api/v1/verbs` says. `version`: the one that was seen, if it matters."""

    model_config = ConfigDict(extra="allow")

    actor: Actor = None
    version: int | None = None


class RunBody(ActorBody):
    runbook: Reason
    target: Name = None


class LookedAt(ReasonBody):
    key: Reason


class AbsenceBody(ReasonBody):
    person: Reason
    start: Instant | None = Field(None, alias="from")
    until: Annotated[str, Field(pattern=_SAYS, description="when it ends, such as 2026-01-05T09:00")]


class OverrideBody(AbsenceBody):
    instead_of: str | None = Field(None, description="Everybody on call, if it is not said.")


class SwapBody(ReasonBody):
    first: Reason
    second: Reason
    first_at: Instant | None = None
    second_at: Instant | None = None


class AlertBody(Asked):
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    at: Instant | None = None


class ArticleWords(ActorBody):
    title: str | None = None
    symptom: str | None = None
    cause: str | None = None
    solution: str | None = None


class NewArticle(ArticleWords):
    """Either the ticket to draft it from, or words of its own."""

    ticket: str | None = None
    labels: dict[str, str] | None = Field(None, description="Where it happens, and by which alert it shows.")


class WindowBody(ReasonBody):
    match: str | list[str] | None = Field(None, description='a matcher or a list of them, such as job="db"')
    everything: bool | None = None
    lasting: str = Field(alias="for", pattern=_SAYS, description="how long, such as 2h. A window ends by itself")


class NewPart(ActorBody):
    number: Reason
    name: Reason
    place: str | None = None
    stock: int = Field(0, ge=0, lt=2**31)
    minimum: int = Field(0, ge=0, lt=2**31)


class PartWords(ActorBody):
    name: Reason | None = None
    place: str | None = None
    minimum: int | None = Field(None, ge=0, lt=2**31)


class StockBody(ReasonBody):
    count: int = Field(ge=0, lt=2**31, description="a whole number")


class TestBody(ActorBody):
    channel: str | None = None


class WhoReports(Asked):
    name: str | int | float | None = None
    contact: str | int | float | None = None
    kind: str | int | float | None = None
    language: str | int | float | None = None


class ReporterBody(ActorBody):
    reporter: WhoReports | None = None
    fields: dict[str, str | int | float | None] | None = None


class ReportBody(Asked):
    """A report by a person."""

    title: str | int | float | None = None
    channel: str | int | float | None = None
    kind: str | int | float | None = None
    grade: str | int | float | None = None
    urgency: str | int | float | None = None
    taken_by: str | int | float | None = None
    reporter: WhoReports | None = None
    fields: dict[str, str | int | float | None] | None = None
    labels: dict[str, str | int | float | None] | None = None


class WordsBody(ActorBody):
    words: str | None = None


class QuestionBody(ActorBody):
    words: Reason


class AnswerBody(ActorBody):
    answer: AnswerKind
    text: str | None = None
    score: int | None = Field(None, ge=0, le=1000)


class ToldBody(ActorBody):
    message: int | None = Field(None, ge=0, le=_LARGEST, description="The id of one letter.")


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


class SwitchOff(ReasonBody):
    runbook: Name = None
    target: Name = None
    lasting: str | None = Field(None, alias="for", description="How long, such as 2h; without it, until switched on.")


class SwitchOn(ActorBody):
    runbook: Name = None
    target: Name = None


class MaintenanceBody(ReasonBody):
    target: str | list[str] | None = Field(None, description="a name or a list of them")
    group: Name = None
    lasting: str = Field(alias="for", pattern=_SAYS, description="how long, such as 2h. Maintenance ends by itself")


class MaintenanceEnd(ActorBody):
    target: str | list[str] | None = Field(None, description="a name or a list of them")
    group: Name = None
