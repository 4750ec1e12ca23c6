"""What the API is asked and answers about what is kept: mails, spare parts, and the knowledge base."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema
from typing_extensions import TypedDict

from responder.domain.article import ArticleState
from responder.domain.mail_record import Taken
from responder.web.operations import Asked
from responder.web.schemas.asked import ActorBody, Duration, Flag, Limit, Listed, Number, Reason, ReasonBody, or_none

State = Annotated[
    ArticleState | None, BeforeValidator(or_none), WithJsonSchema({"type": "string", "enum": [*ArticleState, ""]})
]
TakenAs = Annotated[Taken | None, BeforeValidator(or_none), WithJsonSchema({"type": "string", "enum": [*Taken, ""]})]

# --- what is asked -------------------------------------------------------------------------------------------


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
    q: str = Field(description="Some words.", json_schema_extra={"pattern": r"[^\W_]"})
    limit: Limit | None = None


class ArticleWords(ActorBody):
    title: str | None = None
    symptom: str | None = None
    cause: str | None = None
    solution: str | None = None


class NewArticle(ArticleWords):
    """Either the ticket to draft it from, or words of its own."""

    ticket: str | None = None
    labels: dict[str, str] | None = Field(None, description="Where it happens, and by which alert it shows.")


class PartQuery(Listed):
    low: Flag | None = Field(None, description="Only those of which too few are free.")


class ReservationQuery(Listed):
    part: str | None = None
    ticket: str | None = Field(None, description="A number or id.")
    all: Flag | None = Field(None, description="Ended ones, too.")


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


# --- what is answered ----------------------------------------------------------------------------------------


class MailTaken(TypedDict):
    taken: str
    why: str
    number: str
    receipt: str


class MailLine(TypedDict):
    """A mail without what it says; its sender only for who may act."""

    id: int
    message_id: str
    way: str
    receipt: str
    taken: str
    received_at: datetime
    ticket_id: int | None
    answered: bool
    why: str
    number: str
    sender: str


class MailShown(MailLine):
    size: int | None


class MailPage(TypedDict):
    mails: list[MailLine]
    before: int | None
    next: str | None


class PartLine(TypedDict):
    number: str
    name: str
    place: str
    stock: int
    minimum: int
    changed_at: datetime
    reserved: int
    free: int
    is_low: bool


class PartPage(TypedDict):
    parts: list[PartLine]
    next: str | None


class StockMoveLine(TypedDict):
    id: int
    part: str
    count: int
    reason: str
    actor: str
    at: datetime


class ReservationLine(TypedDict):
    id: int
    ticket_id: int
    part: str
    count: int
    state: str
    actor: str
    at: datetime
    ended_at: datetime | None
    ticket: str


class PartShown(PartLine):
    """A page of its moves, and what is reserved of it now."""

    moves: list[StockMoveLine]
    reservations: list[ReservationLine]
    next: str | None


class ReservationPage(TypedDict):
    reservations: list[ReservationLine]
    next: str | None


class ArticleLine(TypedDict):
    id: int
    ticket_id: int | None
    title: str
    symptom: str
    cause: str
    solution: str
    state: str
    labels: dict[str, str]
    actor: str
    created_at: datetime
    changed_at: datetime


class ArticlePage(TypedDict):
    articles: list[ArticleLine]
    before: int | None
    next: str | None


class HitLine(TypedDict):
    """`title_hits` and `excerpt_hits` are places of the words: first and last-plus-one character."""

    source: str
    id: int
    name: str
    title: str
    title_hits: list[list[int]]
    excerpt: str
    excerpt_hits: list[list[int]]
    score: float


class Found(TypedDict):
    found: list[HitLine]


class MatchLine(TypedDict):
    source: str
    id: int
    name: str
    title: str
    score: float
    words: list[str]
    solution: str
    times: int


class Similar(TypedDict):
    recurring: bool
    sentence: str
    similar: list[MatchLine]
