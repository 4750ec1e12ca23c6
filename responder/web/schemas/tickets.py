"""What the API is asked and answers about tickets."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from responder.domain.report import Signal
from responder.domain.ticket import EventKind, Status
from responder.web.operations import Asked
from responder.web.schemas.asked import Flag, Listed, Number, some_of
from responder.web.schemas.dossier import DossierLine

# --- what is asked -------------------------------------------------------------------------------------------


class TicketQuery(Listed):
    """Every part that is given must hold; of several values in one part (one by one, or with commas) any may."""

    open: Flag | None = Field(None, description="Only open ones.")
    acknowledged: Flag | None = Field(None, description="Whether somebody has taken it.")
    status: tuple[Annotated[str, Field(json_schema_extra=some_of(Status))], ...] = ()
    signal: tuple[Annotated[str, Field(json_schema_extra=some_of(Signal))], ...] = ()
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


class EventQuery(Listed):
    after: Number | None = Field(None, description="The id of the last event that was seen.")


class StreamQuery(Asked):
    topics: str | None = Field(None, description="With commas between them; all, if it is left out.")
    after: str | None = Field(None, description="The id of the last event that was seen, if no Last-Event-ID says it.")


# --- what is answered ----------------------------------------------------------------------------------------


class TicketLine(TypedDict):
    """A ticket in a list."""

    id: int
    number: str
    title: str
    grade: str
    grade_rule: str
    grade_reason: str
    status: Status
    signal: Signal
    team: str
    runbook: str
    source: str
    labels: dict[str, str]
    flapping: bool
    incomplete: bool
    episode: int
    opened_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str
    cleared_at: datetime | None
    restored_at: datetime | None
    restored_by: str
    resolved_at: datetime | None
    closed_at: datetime | None
    previous_id: int | None
    kind: str
    tier: int
    assignee: str
    waiting_for: str
    disposition: str
    merged_into: int | None
    version: int


class TicketPage(TypedDict):
    """`next` is the cursor of the next page, null on the last one. A search may find nothing on a page and go on."""

    tickets: list[TicketLine]
    before: int | None
    next: str | None


class ClockLine(TypedDict):
    name: str
    started_at: datetime
    due_at: datetime | None
    stopped_at: datetime | None
    breached_at: datetime | None
    warned: int
    is_running: bool
    is_paused: bool


class EventLine(TypedDict):
    """A fact in the history of a ticket; `data` is what programs need."""

    at: datetime
    kind: EventKind
    actor: str
    text: str
    data: dict[str, Any]


class EventWithId(EventLine):
    id: int


class EventPage(TypedDict):
    """`after` is what to ask with for what follows."""

    events: list[EventWithId]
    after: int
    next: str | None


class ActLine(TypedDict):
    """A command on a host, with what it printed."""

    id: str | int
    host: str
    command: list[str]
    started_at: datetime
    ended_at: datetime | None
    exit_code: int | None
    output: str


class StepLine(TypedDict):
    step: int
    name: str
    kind: str
    host: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str
    sentence: str
    acts: list[ActLine]


class RunLine(TypedDict):
    """A run of a runbook. `verified`: whether the alert proved it; null while that is open."""

    id: int
    ticket_id: int
    runbook: str
    target: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    sentence: str
    step: int
    epoch: int
    ordered_by: str
    verified: bool | None


class RunWithSteps(RunLine):
    steps: list[StepLine]


class AnswerLine(TypedDict):
    person: str
    yes: bool
    reason: str
    at: datetime


class ApprovalLine(TypedDict):
    """A question to people, without what would run."""

    id: int
    ticket_id: int
    episode: int
    run_id: int | None
    step: int | None
    runbook: str
    target: str
    kind: str
    question: str
    roles: list[str]
    needed: int
    go_on_without: bool
    asked_at: datetime
    due_at: datetime | None
    state: str
    ended_at: datetime | None
    sentence: str
    wanted: str
    answers: list[AnswerLine]


class ApprovalInList(ApprovalLine):
    ticket: str


class ApprovalPage(TypedDict):
    approvals: list[ApprovalInList]
    next: str | None


class ShownStep(TypedDict):
    """A step that would run, with its lines; `is_asked`: it is the one that is asked about."""

    number: int
    name: str
    kind: str
    host: str
    phase: str
    lines: list[str]
    is_asked: bool


class WholeApproval(ApprovalInList):
    title: str
    grade: str
    team: str
    steps: list[ShownStep]


class MessageLine(TypedDict):
    """A message without its text: that holds a link which acts in its reader's name."""

    ticket_id: int
    episode: int
    purpose: str
    person: str
    channel: str
    subject: str
    created_at: datetime
    id: int
    state: str
    tries: int
    sent_at: datetime | None
    due_at: datetime | None
    tried_at: datetime | None
    error: str


class AttachmentLine(TypedDict):
    id: int
    name: str
    media_type: str
    digest: str
    actor: str
    at: datetime
    run_id: int | None


class CallLine(TypedDict):
    """One call: `who` was, or is to be, called; `told` is empty until it is made, and if nobody was there to call."""

    at: datetime
    means: str
    who: list[str]
    told: list[str]


class ChainLine(TypedDict):
    """Who is called, when, and how far it has come; `over` says why nobody is called any more."""

    number: int
    episode: int
    plan: str
    started_at: datetime
    position: int
    ended_at: datetime | None
    calls: list[CallLine]
    next: CallLine | None
    over: str


class AlarmLine(TypedDict):
    at: datetime
    clock: str
    text: str


class ReportCount(TypedDict):
    outcome: str
    count: int
    first: datetime
    last: datetime


class KnownField(TypedDict):
    name: str
    value: str
    how: str
    label: str


class MissingField(TypedDict):
    name: str
    label: str


class ReportFields(TypedDict):
    """What a report says, how that is known, and what the policy wants and it does not say."""

    known: list[KnownField]
    missing: list[MissingField]


class ReporterLine(TypedDict):
    """Who reported; name and contact are masked for whoever may not act."""

    ticket_id: int
    name: str
    contact: str
    kind: str
    language: str
    asked_at: datetime | None
    asked_for: str
    reminders: int
    told_up_to: int
    erase_at: datetime | None
    erased_at: datetime | None


class HeldLine(TypedDict):
    name: str
    sentence: str
    parent: str


class WholeTicket(TicketLine):
    """One ticket with everything that is known of it; `reaches_nobody`: it waits for people of whom no message has
    reached anybody, or nobody is there who can be called."""

    held: HeldLine | None
    members: list[str]
    annotations: dict[str, str]
    links: dict[str, str]
    clocks: list[ClockLine]
    reporter: ReporterLine | None
    dossier: DossierLine
    report_fields: ReportFields
    events: list[EventLine]
    runs: list[RunWithSteps]
    approvals: list[ApprovalLine]
    escalation: list[ChainLine]
    reaches_nobody: bool
    ahead: list[AlarmLine]
    attachments: list[AttachmentLine]
    messages: list[MessageLine]
    reports: list[ReportCount]
