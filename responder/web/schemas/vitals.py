"""What the API answers about responder itself."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from typing_extensions import TypedDict

from responder.web.schemas.service import CronJobLine, SourceBeat

StateName = Literal["good", "odd", "bad"]


class VitalLine(TypedDict):
    """One thing that is looked at; `next` is what to do where it is not well."""

    name: str
    state: StateName
    said: str
    next: str


class LoopLine(TypedDict):
    name: str
    goes_on: bool


class ReloadLine(TypedDict):
    """`problems`: why the last one was refused, if it was."""

    reloaded_at: datetime | None
    refused_at: datetime | None
    problems: str


class DatabaseLine(TypedDict):
    kind: str
    size_bytes: int
    revision: str
    answered_in_seconds: float


class JobsLine(TypedDict):
    kind: str
    waiting: int
    oldest_at: datetime | None


class ChannelLine(TypedDict):
    channel: str
    waiting: int
    failing: int
    oldest_at: datetime | None


class SentLine(TypedDict):
    channel: str
    outcome: str
    count: int


class MessagesLine(TypedDict):
    """`channels` by their names, of what waits; `sent` by their kinds, of all there ever were."""

    waiting: int
    oldest_at: datetime | None
    channels: list[ChannelLine]
    sent: list[SentLine]


class PagesLine(TypedDict):
    last_round_at: datetime | None
    tickets: int
    differences: int


class LiveLine(TypedDict):
    open: int
    most: int


class HealthShown(TypedDict):
    """How responder is: the worst `state` of all, and everything that is looked at, what is not well first."""

    at: datetime
    state: StateName
    version: str
    started_at: datetime
    uptime_seconds: float
    vitals: list[VitalLine]
    loops: list[LoopLine]
    watch_failures: dict[str, float]
    reload: ReloadLine
    database: DatabaseLine
    jobs: list[JobsLine]
    messages: MessagesLine
    mailbox_seen_at: datetime | None
    dead_man_beat_at: datetime | None
    sources: list[SourceBeat]
    cron_jobs: list[CronJobLine]
    audit_of_pages: PagesLine
    live_streams: LiveLine
