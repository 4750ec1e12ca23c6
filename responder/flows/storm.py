"""Storm: one ticket stands for all that a storm opens. It pages once, tells a few times how it grows, and ends."""

from __future__ import annotations

from datetime import datetime

from responder.domain.correlation import Known, title
from responder.domain.durations import spoken
from responder.domain.holds import OURSELVES
from responder.domain.report import Report, Signal
from responder.domain.storm import MOST_COUNTED, Storm, StormRule
from responder.domain.ticket import Change, EventKind
from responder.flows.desk import Desk
from responder.flows.receive import file_reports, internal_report
from responder.store.transaction import Transaction

_LABELS = {"alertname": "ResponderStorm", "severity": "critical"}
_MOST_TOLD = 10 * MOST_COUNTED


def storm_ticket(desk: Desk, tx: Transaction, now: datetime) -> Known | None:
    """The ticket of the storm that lasts; None if there is none. One that people have ended still stands for it."""
    report = internal_report(_LABELS, "", now)
    trouble = desk.policy.trouble(report)
    known = tx.tickets.known({trouble: [report]}).get(trouble)
    return known if known and report.alert in known.ticket.firing else None


def calls_anybody(desk: Desk, now: datetime) -> bool:
    """Whether the storm's own ticket would be told to anybody, graded as it would be now."""
    promises = desk.policy.promises_of(desk.policy.grade(internal_report(_LABELS, "", now)).grade)
    return bool(promises.tiers or promises.roles)


def storm_report(tx: Transaction, rule: StormRule, now: datetime) -> Report:
    """The report that a storm has begun, with what its tickets have in common."""
    return internal_report(_LABELS, _storm(tx, now, rule).summary, now)


async def watch_storm(desk: Desk) -> bool:
    """Keeps the storm's ticket up to date and ends it when it is over; whether there was anything to do."""
    now = desk.clock.now()
    if not await desk.store.read(lambda tx: _news(desk, tx, now)):
        return False
    return await desk.store.write(lambda tx: _tell(desk, tx, now))


def _storm(tx: Transaction, began_at: datetime, rule: StormRule) -> Storm:
    since = began_at - rule.within
    opened = tx.tickets.opened_since(since, _MOST_TOLD, but_by=OURSELVES)
    return Storm(since=since, opened=opened, labels=tx.tickets.labels_since(since, MOST_COUNTED))


def _news(desk: Desk, tx: Transaction, now: datetime) -> str:
    """What there is to say of the storm that lasts: that it is over, or that it has grown; empty if nothing."""
    rule, known = desk.policy.storm, storm_ticket(desk, tx, now)
    if known is None:
        return ""
    if rule is None:
        return "The policy has no rule for storms any more: it is over."
    if not rule.lasts(tx.tickets.opened_since(now - rule.over, rule.enough)):
        return f"The storm is over: fewer than {rule.tickets} tickets in {spoken(rule.over)}. What still shows goes on."
    found = _storm(tx, known.ticket.episode_at, rule)
    return found.summary if found.is_news(_told(tx, known, rule)) else ""


def _told(tx: Transaction, known: Known, rule: StormRule) -> int:
    """How many tickets were told last in this storm."""
    history = tx.tickets.events(known.ticket.id)
    said = [event.data["opened"] for event in history if "opened" in event.data and event.at >= known.ticket.episode_at]
    return max((one for one in said if isinstance(one, int)), default=rule.tickets)


def _tell(desk: Desk, tx: Transaction, now: datetime) -> bool:
    text, rule, known = _news(desk, tx, now), desk.policy.storm, storm_ticket(desk, tx, now)
    if not text or known is None:
        return False
    known = tx.tickets.one(known.ticket.id, locked=True)
    change = Change.of(known.ticket, known.clocks)
    if rule is None or not rule.lasts(tx.tickets.opened_since(now - rule.over, rule.enough)):
        change.note(now, EventKind.NOTE, text)
        tx.apply([change], now)
        file_reports(tx, [internal_report(_LABELS, text, now, signal=Signal.CLEARED)], desk.policy, now)
        return True
    found = _storm(tx, known.ticket.episode_at, rule)
    change.note(now, EventKind.NOTE, text, opened=found.opened)
    shown = internal_report(_LABELS, text, now)
    change.update(title=title(shown), annotations=shown.annotations)
    tx.apply([change], now)
    return True
