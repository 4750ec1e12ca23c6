"""Explain, asked of a server: what would hold this alert back, until when and why, and who would be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from responder.domain.correlation import Known, Outcome, decide
from responder.domain.escalation import calls_of
from responder.domain.holds import Held
from responder.domain.report import Report
from responder.domain.ticket import Change, Ticket
from responder.flows.around import Around
from responder.flows.calling import who_is
from responder.flows.desk import Desk
from responder.flows.explain import Call, View, alert, explain
from responder.flows.holds import what_holds
from responder.store.transaction import Transaction

_LATER = "Open tickets, flapping, storms and what depends on them are taken as they are now."
_NOBODY = frozenset({Outcome.HEARTBEAT, Outcome.REPEATED})


async def explain_live(
    desk: Desk, labels: Mapping[str, str], annotations: Mapping[str, str], at: datetime | None
) -> dict[str, Any]:
    """All that would be decided for such an alert now, or at an instant, with what only the server knows."""
    now = desk.clock.now()
    then = at or now
    view = await desk.store.read(lambda tx: _view(desk, tx, labels, annotations, then))
    found = explain(desk.configuration, labels, annotations, then, view)
    return {**found, "unknown": [_LATER] if then > now else []}


def _view(desk: Desk, tx: Transaction, labels: Mapping[str, str], annotations: Mapping[str, str], at: datetime) -> View:
    """What the alert would meet: its ticket is opened, or attached to, in memory alone."""
    report = alert(labels, annotations, at)
    trouble = desk.policy.trouble(report)
    known = tx.tickets.known({trouble: [report]})
    report = _as_it_is_known(report, known.get(trouble))
    decision = decide([report], known, desk.policy, at)
    outcome, change = decision.filed[0].outcome, next(iter(decision.changes.values()), None)
    if change is None:
        return View(outcome=outcome.value, held=None)
    held = what_holds(Around(desk, tx, at, change.events), change.after)
    silence = _why_nobody(change, outcome)
    calls = () if silence else _calls(desk, tx, change.after, held, at)
    return View(outcome=outcome.value, ticket=change.after.number, held=held, calls=calls, silence=silence)


def _as_it_is_known(report: Report, known: Known | None) -> Report:
    """With the fingerprint of the alert that shows already, if one has these labels."""
    firing = known.ticket.firing if known else ()
    same = (one.partition(":")[2] for one in firing if one.partition(":")[0] == report.identity)
    return replace(report, fingerprint=next(same, report.fingerprint))


def _why_nobody(change: Change, outcome: Outcome) -> str:
    """Why nobody is told of this alert by itself; empty if somebody is."""
    ticket = change.after
    if ticket.acknowledged_by:
        return f"{ticket.acknowledged_by} has {ticket.number}"
    if outcome in _NOBODY:
        return f"it shows already, and belongs to {ticket.number}"
    if outcome is Outcome.ATTACHED and not any(one.kind == "hand_over" for one in change.promises) and ticket.tier:
        return f"people were told of {ticket.number} already"
    return ""


def _calls(desk: Desk, tx: Transaction, ticket: Ticket, held: Held | None, at: datetime) -> tuple[Call, ...]:
    """Who would be called, and when: from the end of what holds it, as far as that is known."""
    start = held.until if held and held.until else at
    plan = desk.policy.escalation_of(ticket, start)
    return tuple(
        Call(at=due_at, means=str(callees), told=told, why=why)
        for due_at, callees in calls_of(plan, ticket.tier, start)
        for told, why in (who_is(desk, tx, ticket, callees, at=due_at),)
    )
