"""What the API is asked and answers about the service: its switches, what it watches, and its runbooks."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field
from typing_extensions import TypedDict

from responder.domain.health_check import Seen
from responder.web.operations import Asked
from responder.web.schemas.asked import LASTS, SAYS, Actor, ActorBody, Duration, Flag, Listed, Name, Reason, ReasonBody

# --- what is asked -------------------------------------------------------------------------------------------


class SwitchQuery(Asked):
    runbook: str | None = None
    target: str | None = None


class SwitchOffQuery(SwitchQuery):
    actor: Actor = None


class SwitchOff(ReasonBody):
    runbook: Name = None
    target: Name = None
    lasting: str | None = Field(None, alias="for", description="How long, such as 2h; without it, until switched on.")


class SwitchOn(ActorBody):
    runbook: Name = None
    target: Name = None


class TargetQuery(Asked):
    target: str | None = None
    group: str | None = None
    actor: Actor = None


class MaintenanceBody(ReasonBody):
    target: str | list[str] | None = Field(None, description="a name or a list of them")
    group: Name = None
    lasting: str = Field(
        alias="for",
        pattern=SAYS,
        description="how long, such as 2h. Maintenance ends by itself",
        json_schema_extra=LASTS,
    )


class MaintenanceEnd(ActorBody):
    target: str | list[str] | None = Field(None, description="a name or a list of them")
    group: Name = None


class WindowBody(ReasonBody):
    match: str | list[str] | None = Field(None, description='a matcher or a list of them, such as job="db"')
    everything: bool | None = None
    lasting: str = Field(
        alias="for", pattern=SAYS, description="how long, such as 2h. A window ends by itself", json_schema_extra=LASTS
    )


class LookedAt(ReasonBody):
    key: Reason


class CheckQuery(Listed):
    name: str | None = None


class WholeCheckQuery(Asked):
    all: Flag | None = Field(None, description="The text has what was good, too.")


class NoiseQuery(Asked):
    since: Duration | None = Field(None, description="How far back, 30d if it is not said.")


# --- what is answered ----------------------------------------------------------------------------------------


class OffLine(TypedDict):
    """Something that is switched off; `by_file`: by a file on the server."""

    scope: str
    name: str
    reason: str
    until: datetime | None
    by_file: bool


class KillSwitch(TypedDict):
    """`on`: automation is stopped, for the `reason`; and all that is off."""

    on: bool
    reason: str
    switches: list[OffLine]


class WindowLine(TypedDict):
    id: int
    name: str
    matchers: list[str]
    is_everything: bool
    reason: str
    actor: str
    until: datetime | None


class Windows(TypedDict):
    windows: list[WindowLine]


class NewWindow(Windows):
    id: int


class MaintenanceLine(TypedDict):
    target: str
    reason: str
    actor: str
    at: datetime
    until: datetime | None


class Maintenance(Windows):
    """`at_work`: what runs there at this moment, and will end."""

    maintenance: list[MaintenanceLine]
    at_work: list[str]


class Accepted(TypedDict):
    by: str
    reason: str
    at: datetime


class Difference(TypedDict):
    """Something that is not as it should be; `accepted`: by whom and why, if somebody has looked at it."""

    key: str
    ticket: str
    text: str
    accepted: Accepted | None


class Calling(TypedDict):
    ticket: str
    acknowledged_by: str
    told: list[str]


class PageAudit(TypedDict):
    """Who should have been told, compared with what is stored; `unreached`: of which tickets nobody was reached,
    though every call was made."""

    agrees: bool
    tickets: int
    messages: int
    last_round_at: datetime | None
    calling: list[Calling]
    unreached: list[str]
    differences: list[Difference]


class CronJobLine(TypedDict):
    name: str
    state: str
    schedule: str
    grace_seconds: float
    last_at: datetime | None
    heard_at: datetime | None
    late_at: datetime | None
    running_since: datetime | None
    failed_at: datetime | None
    exit_code: int | None
    took_seconds: float | None
    last_words: str
    text: str


class SourceBeat(TypedDict):
    source: str
    name: str
    last_at: datetime | None
    not_heard_since: datetime | None
    silent_since: datetime | None


class Heartbeats(TypedDict):
    cron_jobs: list[CronJobLine]
    sources: list[SourceBeat]


class HeartbeatUrl(TypedDict):
    name: str
    url: str


class CheckRule(TypedDict):
    name: str
    runbook: str
    targets: list[str]
    every: str
    zone: str
    next_at: datetime | None


class CheckLine(TypedDict):
    """A check without its looks."""

    id: int
    name: str
    state: str
    runbook: str
    targets: list[str]
    started_at: datetime
    ended_at: datetime | None
    ordered_by: str
    problem: str
    good: int
    findings: int
    unseen: int
    new: int
    gone: int


class Checks(TypedDict):
    checks: list[CheckRule]
    results: list[CheckLine]
    next: str | None


class LookLine(TypedDict):
    """One step's look at one target; `kept` is what diagnostics printed, by command."""

    target: str
    step: str
    seen: Seen
    text: str
    kept: dict[str, str]


class FindingLine(TypedDict):
    """What is not as wanted. Not `is_seen`: it was seen before, and could not be looked at this time."""

    target: str
    step: str
    text: str
    is_seen: bool
    has_ticket: bool


class WholeCheck(TypedDict):
    """One check with every look; `text` is the report, `new` has target and step of each new finding."""

    id: int
    name: str
    due_at: datetime
    started_at: datetime
    ended_at: datetime | None
    state: str
    ordered_by: str
    runbook: str
    targets: list[str]
    notes: list[str]
    problem: str
    looks: list[LookLine]
    findings: list[FindingLine]
    new: list[tuple[str, str]]
    gone: list[FindingLine]
    compared_with: int | None
    text: str


class NoiseRule(TypedDict):
    alert: str
    rule: str
    tickets: int
    pages: int
    last: str
    last_at: datetime


class Noise(TypedDict):
    since: datetime
    tickets: int
    pages: int
    wasted: int
    rules: list[NoiseRule]


# --- runbooks --------------------------------------------------------------------------------------


class Promotion(TypedDict):
    """How many successes earn a runbook to act by itself, and the least that its true rate may be."""

    successes: int
    lower_bound: float


class AutonomyRule(TypedDict):
    rule: str
    autonomy: str
    grades: dict[str, str]
    groups: dict[str, str]
    promote_after: Promotion | None
    earned: bool


class RunbookLine(TypedDict):
    runbook: str
    summary: str
    judged: int
    successes: int
    success_rate: float | None
    lower_bound: float
    streak: int
    rules: list[AutonomyRule]


class Runbooks(TypedDict):
    runbooks: list[RunbookLine]


class JudgedRun(TypedDict):
    run: int
    at: datetime
    verified: bool


class Turn(TypedDict):
    rule: str
    run: int
    at: datetime
    promoted: bool
    why: str


class RunbookShown(RunbookLine):
    judged_runs: list[JudgedRun]
    turns: list[Turn]
