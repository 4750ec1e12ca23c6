"""Cron jobs: what they say is kept, their silence is a ticket, and their return its all-clear."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import structlog

from responder.domain.cron_job import BAD, CronJob, CronJobRule, Ping, Word, heard, late_at, sentence, state_of
from responder.domain.masking import masked
from responder.domain.report import Report, Signal
from responder.errors import StoreUnavailable
from responder.flows.desk import Desk
from responder.flows.receive import file_reports, internal_report
from responder.store.transaction import Transaction

log = structlog.get_logger()
ALERT = "ResponderCronJob"
MOST_KEPT = 2000
_SHOWN_WORDS = 1000


async def ping(desk: Desk, said: Ping) -> None:
    """Keeps what a job said, and reports at once what it means. Raises StoreUnavailable."""
    known = replace(said, words=masked(said.words, desk.configuration.secrets))
    await desk.store.write(lambda tx: _ping(desk, tx, known), urgent=True)


def _ping(desk: Desk, tx: Transaction, said: Ping) -> None:
    rule = desk.policy.cron_jobs.get(said.name)
    if rule is None:
        return
    tx.cron_jobs.watch([said.name], said.at)
    job = tx.cron_jobs.one(said.name)
    if job is None or (said.word is Word.START and job.heard_at and said.at < job.heard_at):
        return
    _keep(desk, tx, rule, heard(job, said))


async def watch_cron_jobs(desk: Desk) -> int:
    """Begins to watch the jobs that are new in the policy, and reports those that are late or are back; how many
    reports that made."""
    now, rules = desk.clock.now(), desk.policy.cron_jobs
    known = await desk.store.read(lambda tx: tx.cron_jobs.all())
    if {job.name for job in known} == set(rules) and not any(_changed(job, rules[job.name], now) for job in known):
        return 0

    def body(tx: Transaction) -> int:
        tx.cron_jobs.watch(rules, now)
        return sum(_look(desk, tx, job) for job in tx.cron_jobs.all(locked=True))

    return await desk.store.write(body)


def _look(desk: Desk, tx: Transaction, job: CronJob) -> bool:
    rule = desk.policy.cron_jobs.get(job.name)
    if rule is not None:
        return _keep(desk, tx, rule, job)
    tx.cron_jobs.forget(job.name)
    if job.told:
        # The policy has let go of it, so its ticket must not wait for it for ever.
        _file(
            desk, tx, report_on(job, job.told, f"{job.name} is not watched any more.", desk.clock.now(), is_bad=False)
        )
    return bool(job.told)


def _changed(job: CronJob, rule: CronJobRule, now: datetime) -> bool:
    return (state_of(job, rule, now) in BAD) != bool(job.told)


def _keep(desk: Desk, tx: Transaction, rule: CronJobRule, job: CronJob) -> bool:
    now = desk.clock.now()
    is_bad, has_changed = state_of(job, rule, now) in BAD, _changed(job, rule, now)
    # The labels as they were when it began: its all-clear must find the same ticket after the policy has changed.
    labels = job.told or labels_of(rule)
    tx.cron_jobs.keep(replace(job, told=labels if is_bad else {}))
    if has_changed:
        _file(desk, tx, report_on(job, labels, sentence(job, rule, now), now, is_bad=is_bad))
    return has_changed


def _file(desk: Desk, tx: Transaction, report: Report) -> None:
    file_reports(tx, [report], desk.policy, desk.clock.now())


def labels_of(rule: CronJobRule) -> dict[str, str]:
    """The labels of reports about a job, by which they are graded and routed."""
    return {"severity": "error", **rule.labels, "alertname": ALERT, "cron_job": rule.name}


def report_on(job: CronJob, labels: Mapping[str, str], summary: str, now: datetime, *, is_bad: bool) -> Report:
    """The report that a job is in trouble, or well again: one trouble per job."""
    report = internal_report(dict(labels), summary, now, signal=Signal.FIRING if is_bad else Signal.CLEARED)
    said = {"last_words": job.words[-_SHOWN_WORDS:]} if job.words.strip() else {}
    return replace(report, annotations={**report.annotations, **said})


# --- when the database is away ---------------------------------------------------------------------


class Pings:
    """Takes what jobs say; while the database is away the sender is asked to come back, since nothing is durable then.

    For those who do not come back the word is kept here as well, and written as soon as the database is back; a word
    that comes twice changes nothing. What is kept here is lost if the process ends before.
    """

    def __init__(self, desk: Desk, *, again_after: float = 1.0) -> None:
        self._desk = desk
        self._again_after = again_after
        self._kept: deque[Ping] = deque(maxlen=MOST_KEPT)
        self._writing: asyncio.Task[None] | None = None

    async def take(self, said: Ping) -> bool:
        """Whether it is in the database already."""
        if not self._kept:
            try:
                await ping(self._desk, said)
            except StoreUnavailable as error:
                log.warning("a ping waits for the database", cron_job=said.name, error=str(error))
            else:
                return True
        self._kept.append(said)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write(), name="pings")
        return False

    async def _write(self) -> None:
        while self._kept:
            try:
                await ping(self._desk, self._kept[0])
            except StoreUnavailable:
                await asyncio.sleep(self._again_after)
            else:
                self._kept.popleft()

    async def stop(self) -> None:
        if self._writing is not None:
            self._writing.cancel()


# --- shown -----------------------------------------------------------------------------------------


def shown(desk: Desk, tx: Transaction) -> list[dict[str, Any]]:
    """All jobs of the policy, with how each is."""
    now, known = desk.clock.now(), {job.name: job for job in tx.cron_jobs.all()}
    rules = desk.policy.cron_jobs
    return [_line(known.get(name) or CronJob(name=name, since=now), rules[name], now) for name in sorted(rules)]


def _line(job: CronJob, rule: CronJobRule, now: datetime) -> dict[str, Any]:
    state = state_of(job, rule, now)
    return {
        "name": job.name,
        "state": state.value,
        "schedule": str(rule),
        "grace_seconds": rule.grace.total_seconds(),
        "last_at": job.last_at,
        "heard_at": job.heard_at,
        "late_at": late_at(job, rule),
        "running_since": min(job.started.values(), default=None),
        "failed_at": job.failed_at,
        "exit_code": job.exit_code,
        "took_seconds": None if job.took is None else job.took.total_seconds(),
        "last_words": job.words,
        "text": sentence(job, rule, now) if state in BAD else "",
    }


def heartbeats_up(desk: Desk, tx: Transaction) -> dict[str, float]:
    """For each job of the policy 1, or 0 if it is in trouble."""
    now, rules = desk.clock.now(), desk.policy.cron_jobs
    known = {job.name: job for job in tx.cron_jobs.all() if job.name in rules}
    return {name: float(state_of(job, rules[name], now) not in BAD) for name, job in known.items()}
