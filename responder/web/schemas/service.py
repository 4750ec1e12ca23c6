"""What the API answers about the service: its switches, what it watches, and its runbooks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from typing_extensions import TypedDict


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


class Difference(TypedDict):
    """Something that is not as it should be; `accepted`: by whom and why, if somebody has looked at it."""

    key: str
    ticket: str
    text: str
    accepted: dict[str, Any] | None


class Calling(TypedDict):
    ticket: str
    acknowledged_by: str
    told: list[str]


class PageAudit(TypedDict):
    """Who should have been told, compared with what is stored."""

    agrees: bool
    tickets: int
    messages: int
    last_round_at: datetime | None
    calling: list[Calling]
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
    last_at: datetime
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


class WholeCheck(TypedDict):
    """One check with every look; `text` is the report."""

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
    looks: list[dict[str, Any]]
    findings: list[dict[str, Any]]
    new: list[Any]
    gone: list[dict[str, Any]]
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


class AutonomyRule(TypedDict):
    rule: str
    autonomy: str
    grades: dict[str, str]
    groups: dict[str, str]
    promote_after: dict[str, Any] | None
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
