"""Receive: reports become tickets, durably, many requests in one transaction."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from responder.domain.correlation import decide, troubles
from responder.domain.policy import Policy
from responder.domain.report import Report, Signal
from responder.flows.desk import Desk
from responder.store.reports import Body
from responder.store.transaction import Transaction

KEPT_OF_REFUSED = 64 * 1024
MOST_REFUSED_PER_HOUR = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Post:
    """One request: its bytes and the reports in it, with complaints about alerts that could not be used."""

    body: Body
    reports: tuple[Report, ...]
    complaints: tuple[str, ...] = field(default=())


def receipt(now: datetime) -> str:
    """A name for a request's body: unique, and ordered by time so that rows lie together."""
    return f"{int(now.timestamp() * 1000):012x}{os.urandom(6).hex()}"


async def receive(desk: Desk, posts: Sequence[Post]) -> None:
    """Files the reports of all these requests in one transaction; durable when it returns.

    Raises StoreUnavailable when the database is away.
    """
    now, policy = desk.clock.now(), desk.policy
    reports = [report for post in posts for report in with_complaints(post, now)]
    bodies = [post.body for post in posts]

    def body(tx: Transaction) -> None:
        tx.reports.keep(bodies)
        file_reports(tx, reports, policy, now)

    await desk.store.write(body, urgent=True)


def file_reports(tx: Transaction, reports: Sequence[Report], policy: Policy, now: datetime) -> None:
    """Gathers what is known of these reports, decides, and writes the decision."""
    keyed: dict[str, list[Report]] = {}
    for trouble, report in zip(troubles(reports, policy), reports, strict=True):
        keyed.setdefault(trouble, []).append(report)
    tx.apply_decision(decide(reports, tx.tickets.known(keyed), policy, now), policy, now)


async def quarantine(desk: Desk, body: Body, *, limited: bool = False) -> None:
    """Keeps a body that cannot be understood, with the reason, and makes a ticket about it.

    With `limited` (the sender showed no valid credential) only the first few of each hour are kept.
    """
    now, policy = desk.clock.now(), desk.policy

    def write(tx: Transaction) -> None:
        hour_ago = now.replace(minute=0, second=0, microsecond=0)
        if limited and tx.reports.quarantined_since(body.source, hour_ago) >= MOST_REFUSED_PER_HOUR:
            return
        tx.reports.keep([body])
        about = about_stranger(body, now) if limited else about_quarantine(body, now)
        file_reports(tx, [about], policy, now)

    await desk.store.write(write)


def about_quarantine(body: Body, now: datetime) -> Report:
    """The report about a report that was not understood: one trouble per source."""
    labels = {"alertname": "ResponderBodyNotUnderstood", "source": body.source, "severity": "error"}
    return internal_report(
        labels, f"A report from {body.source} was not understood: {body.quarantined_because}", now, receipt_id=body.id
    )


def about_stranger(body: Body, now: datetime) -> Report:
    """The report about a request without a valid credential. Slight, so that no stranger can wake anybody;
    a source that has lost its credential is noticed by its heartbeat's silence."""
    labels = {"alertname": "ResponderCredentialRefused", "source": body.source, "severity": "info"}
    return internal_report(labels, f"A request was refused: {body.quarantined_because}", now, receipt_id=body.id)


def internal_report(
    labels: dict[str, str], summary: str, now: datetime, *, signal: Signal = Signal.FIRING, receipt_id: str = ""
) -> Report:
    """A report by responder about itself or its sources."""
    return Report(
        source="responder",
        signal=signal,
        labels=labels,
        annotations={"summary": summary},
        started_at=now,
        ended_at=now if signal is Signal.CLEARED else None,
        receipt=receipt_id,
    )


def with_complaints(post: Post, now: datetime) -> tuple[Report, ...]:
    """The reports of a post, and one about what of it was not understood."""
    if not post.complaints:
        return post.reports
    body = Body(
        id=post.body.id,
        source=post.body.source,
        received_at=now,
        body=b"",
        quarantined_because="; ".join(post.complaints[:3]),
    )
    return (*post.reports, about_quarantine(body, now))
