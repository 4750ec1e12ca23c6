"""Cron jobs that report to us: what they said last, and whether they are well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from responder.domain.cron import Cron, next_after
from responder.domain.durations import spoken

MOST_RUNS = 20
"""So many runs of one job are followed at a time; the oldest is forgotten first."""


_AHEAD = timedelta(seconds=30)
"""So far ahead of ours the job's clock may be: a run that ends a moment before its time is that time's run."""


class JobState(StrEnum):
    """`down`: its last word was a failure."""

    NEW = "new"
    UP = "up"
    RUNNING = "running"
    LATE = "late"
    DOWN = "down"
    TOO_LONG = "started_too_long"


BAD = frozenset({JobState.LATE, JobState.DOWN, JobState.TOO_LONG})


class Word(StrEnum):
    START = "start"
    SUCCESS = "success"
    FAIL = "fail"


@dataclass(frozen=True, kw_only=True, slots=True)
class CronJobRule:
    """A job of the policy. It is to say that it has ended well every `every`, or after each time of `cron` in `zone`,
    and no later than `grace` after that; a run that said that it started ends within `longest`. `labels` grade its
    ticket. Another `key` makes the address that was known until then void."""

    name: str
    every: timedelta | None = None
    cron: Cron | None = None
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    grace: timedelta = timedelta(minutes=5)
    longest: timedelta | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    key: int = 1

    def due_after(self, at: datetime) -> datetime:
        """When it should be heard of next, after `at`."""
        return next_after(self.cron, self.zone, at + _AHEAD) if self.cron else at + (self.every or timedelta(days=1))

    def __str__(self) -> str:
        return f"{self.cron} ({self.zone.key})" if self.cron else f"every {spoken(self.every or timedelta(days=1))}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Ping:
    """One thing that a job said. `run` tells its runs apart; `words` is what it printed, masked."""

    name: str
    at: datetime
    word: Word
    exit_code: int | None = None
    run: str = ""
    words: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class CronJob:
    """What is known of a job. `since`: it is watched since then. `told`: the labels of the report that it is in
    trouble, empty if all is well."""

    name: str
    since: datetime
    last_at: datetime | None = None
    heard_at: datetime | None = None
    started: Mapping[str, datetime] = field(default_factory=dict)
    failed_at: datetime | None = None
    exit_code: int | None = None
    took: timedelta | None = None
    words: str = ""
    told: Mapping[str, str] = field(default_factory=dict)


def heard(job: CronJob, ping: Ping) -> CronJob:
    """What is known after a ping. A run that ends well ends those that began before it: they were cut off."""
    if ping.word is Word.START:
        kept = sorted({**job.started, ping.run: ping.at}.items(), key=lambda one: one[1])[-MOST_RUNS:]
        return replace(job, heard_at=ping.at, started=dict(kept))
    began = job.started.get(ping.run)
    left = {run: at for run, at in job.started.items() if began is not None and at > began}
    known = replace(
        job,
        heard_at=ping.at,
        started=left,
        took=ping.at - began if began else None,
        exit_code=ping.exit_code,
        words=ping.words,
    )
    if ping.word is Word.FAIL:
        return replace(known, failed_at=ping.at)
    return replace(known, last_at=ping.at, failed_at=None)


def state_of(job: CronJob, rule: CronJobRule, now: datetime) -> JobState:
    """How it is; one that was never heard of is late as well, for nobody may ever have called its address."""
    if job.started and now - min(job.started.values()) > (rule.longest or rule.grace):
        return JobState.TOO_LONG
    if job.failed_at is not None:
        return JobState.DOWN
    if job.started:
        return JobState.RUNNING
    if now > late_at(job, rule):
        return JobState.LATE
    return JobState.NEW if job.last_at is None else JobState.UP


def late_at(job: CronJob, rule: CronJobRule) -> datetime:
    """When its silence becomes a trouble."""
    return rule.due_after(job.last_at or job.since) + rule.grace


def sentence(job: CronJob, rule: CronJobRule, now: datetime) -> str:
    """How it is, for people."""
    state = state_of(job, rule, now)
    if state is JobState.TOO_LONG:
        since = min(job.started.values())
        most = spoken(rule.longest or rule.grace)
        return f"{job.name} began {spoken(now - since)} ago and has not ended; it should take {most} at most."
    if state is JobState.DOWN:
        code = f" with exit code {job.exit_code}" if job.exit_code is not None else ""
        return f"{job.name} said that it failed{code}."
    if state is JobState.LATE and job.last_at is None:
        return f"{job.name} has never been heard of in the {spoken(now - job.since)} since it was configured ({rule})."
    if state is JobState.LATE:
        silent = spoken(now - (job.last_at or job.since))
        return (
            f"{job.name} has not ended well for {silent}; its schedule is {rule}, with {spoken(rule.grace)} of grace."
        )
    return f"{job.name} is well again." if job.last_at else f"{job.name} has not been heard of yet."
