"""What the API is asked and answers about reports by people, and about their reporters."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from responder.domain.report_form import CHANNELS
from responder.domain.reporter import ReporterKind
from responder.domain.reporter_answers import AnswerKind
from responder.domain.ticket import Status
from responder.web.operations import Asked
from responder.web.schemas.asked import LARGEST, SAYS, ActorBody, Reason
from responder.web.schemas.tickets import MessageLine, ReporterLine

# --- what is asked -------------------------------------------------------------------------------------------


Text = str | int | float
# Told in the document alone: the form itself complains of all that is wrong with it at once.
_SAYS: dict[str, Any] = {"pattern": SAYS}


class WhoReports(Asked):
    name: Text = Field(json_schema_extra={**_SAYS, "maxLength": 100})
    contact: Text = Field(description="A mail address or a phone number.", json_schema_extra=_SAYS)
    kind: ReporterKind | Literal[""] | None = None
    language: Literal["en", "zh", ""] | None = None


class ReporterBody(ActorBody):
    reporter: WhoReports
    fields: dict[str, str | int | float | None] | None = None


class ReportBody(Asked):
    """A report by a person."""

    title: Text = Field(description="What is wrong, in one line.", json_schema_extra={**_SAYS, "maxLength": 200})
    channel: Literal[CHANNELS] = Field(description="How it came in.")  # type: ignore[valid-type]
    kind: str | int | float | None = None
    grade: str | int | float | None = None
    urgency: str | int | float | None = None
    taken_by: str | int | float | None = None
    reporter: WhoReports
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
    message: int | None = Field(None, ge=0, le=LARGEST, description="The id of one letter.")


# --- what is answered ----------------------------------------------------------------------------------------


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
