"""Watch: clocks that run out, heartbeats that stop, and bodies whose retention has ended."""

from __future__ import annotations

from datetime import datetime

from responder.domain import lifecycle
from responder.domain.durations import spoken
from responder.domain.policy import HeartbeatRule
from responder.domain.report import Report, Signal
from responder.domain.ticket import Change
from responder.flows.desk import Desk
from responder.flows.receive import file_reports, internal_report
from responder.store.switchboard import Heartbeat
from responder.store.transaction import Transaction


async def breach_clocks(desk: Desk) -> int:
    """Marks every clock that ran past its target; how many that was."""
    now = desk.clock.now()
    due = await desk.store.read(lambda tx: tx.tickets.past_due(now))
    for ticket_id, name in due:
        await desk.store.write(lambda tx, ticket_id=ticket_id, name=name: _breach(tx, ticket_id, name, now))  # type: ignore[misc]
    return len(due)


def _breach(tx: Transaction, ticket_id: int, name: str, now: datetime) -> None:
    known = tx.tickets.one(ticket_id, locked=True)
    change = Change.of(known.ticket, known.clocks)
    if name in change.clocks:
        lifecycle.breach(change, name, now=now)
        tx.apply([change], now)


async def watch_heartbeats(desk: Desk) -> int:
    """Reports sources that have gone silent, and those that are back; how many reports that made."""
    now, policy = desk.clock.now(), desk.policy
    rules = {rule.name: rule for rule in policy.heartbeats}
    beats = await desk.store.read(lambda tx: tx.switchboard.heartbeats())
    if not any(report_on(beat, rules.get(beat.name), now) for beat in beats):
        return 0

    def body(tx: Transaction) -> int:
        made = []
        for beat in tx.switchboard.heartbeats():
            report = report_on(beat, rules.get(beat.name), now)
            if report is not None:
                since = now if report.signal is Signal.FIRING else None
                tx.switchboard.mark_silent(beat.source, beat.name, since)
                made.append(report)
        file_reports(tx, made, policy, now)
        return len(made)

    return await desk.store.write(body)


def report_on(beat: Heartbeat, rule: HeartbeatRule | None, now: datetime) -> Report | None:
    """The report that a source has gone silent, or that it is back; None if nothing has changed."""
    silent = rule is not None and now - beat.last_at > rule.within
    if rule is None or silent == (beat.silent_since is not None):
        return None
    labels = {
        "alertname": "ResponderHeartbeatSilent",
        "source": beat.source,
        "heartbeat": beat.name,
        "severity": "critical",
    }
    if not silent:
        return internal_report(labels, f"{beat.source} sends {beat.name} again.", now, signal=Signal.CLEARED)
    summary = (
        f"{beat.source} has not sent {beat.name} for {spoken(now - beat.last_at)}: "
        "alerts may be lost, so the monitoring itself is the incident."
    )
    return internal_report(labels, summary, now)


async def forget(desk: Desk) -> int:
    """Deletes raw bodies whose retention has ended; how many."""
    limit = desk.clock.now() - desk.configuration.settings.retention
    return await desk.store.write(lambda tx: tx.reports.forget_before(limit))
