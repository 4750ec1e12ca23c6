"""From reports to tickets: attach, repeat, clear, relapse, reopen, or open. A whole batch at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from responder.clock import from_microseconds, microseconds
from responder.domain import lifecycle
from responder.domain.facts import Fact
from responder.domain.holds import OURSELVES
from responder.domain.policy import Policy
from responder.domain.report import Report, Signal
from responder.domain.sla import Clock
from responder.domain.ticket import Action, Change, EventKind, Status, Sums, Ticket, refusal
from responder.domain.ticking import opened

_COMPLETE = (Fact.REGISTERED, Fact.GRADED)
"""An alert is complete as it comes, and graded in the same breath."""
_CUT_SHORT = " The sender cut its list short: other alerts of this group may be missing."


class Outcome(StrEnum):
    """What became of a report."""

    OPENED = "opened"
    ATTACHED = "attached"
    REPEATED = "repeated"
    CLEARED = "cleared"
    PARTLY_CLEARED = "partly_cleared"
    RELAPSED = "relapsed"
    REOPENED = "reopened"
    STALE = "stale"
    NOTHING_TO_CLEAR = "nothing_to_clear"
    HEARTBEAT = "heartbeat"


_NEW_ON_IT = frozenset({Outcome.OPENED, Outcome.ATTACHED, Outcome.RELAPSED, Outcome.REOPENED})


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What the store knows of a trouble: its open ticket, or the last one that was closed.

    `clocks` may be left out where `needs_clocks` says that no decision can touch them.
    """

    ticket: Ticket
    clocks: Mapping[str, Clock]


@dataclass(frozen=True, kw_only=True, slots=True)
class Filed:
    """A report with what became of it; `trouble` leads to its change, if there is one."""

    report: Report
    trouble: str
    outcome: Outcome


@dataclass(kw_only=True, slots=True)
class Decision:
    """All that a batch of reports changes."""

    changes: dict[str, Change] = field(default_factory=dict)
    filed: list[Filed] = field(default_factory=list)
    heartbeats: dict[tuple[str, str], datetime] = field(default_factory=dict)
    sums: Sums = field(default_factory=Counter)
    begun: dict[str, dict[str, Clock]] = field(default_factory=dict)
    """By grade: clocks of new tickets, which begin at the same moment and are the same."""


def troubles(reports: Iterable[Report], policy: Policy) -> list[str]:
    """The keys to look up before deciding."""
    return [policy.trouble(report) for report in reports]


def needs_clocks(report: Report, ticket: Ticket) -> bool:
    """False for the most frequent of reports, the repeat: it changes no clock."""
    return report.signal is not Signal.FIRING or report.alert not in ticket.firing


def decide(reports: Iterable[Report], known: Mapping[str, Known], policy: Policy, now: datetime) -> Decision:
    """What these reports do. Later reports of a batch see what earlier ones decided."""
    decision = Decision()
    for report in reports:
        trouble = policy.trouble(report)
        found = known.get(trouble)
        # What was merged is known by the trouble of the ticket that took it in.
        own, trouble = trouble, found.ticket.trouble if found else trouble
        outcome = _one(decision, trouble, report, found, policy=policy, now=now)
        if own != trouble and outcome in _NEW_ON_IT:
            text = "It is an alert of a ticket that was merged."
            decision.changes[trouble].note(now, EventKind.SIGNAL, text, alert=report.alert, trouble=own)
        decision.filed.append(Filed(report=report, trouble=trouble, outcome=outcome))
        decision.sums["reports_total", (("outcome", outcome.value), ("source", report.source))] += 1
    return decision


def _one(
    decision: Decision, trouble: str, report: Report, found: Known | None, *, policy: Policy, now: datetime
) -> Outcome:
    if rule := policy.heartbeat_for(report.labels):
        if report.signal is Signal.FIRING:
            decision.heartbeats[report.source, rule.name] = now
        return Outcome.HEARTBEAT
    change = decision.changes.get(trouble)
    if change is None and found:
        change = decision.changes[trouble] = Change.of(found.ticket, found.clocks)
    if report.signal is Signal.CLEARED:
        return _clear(change, report, policy, now) if change else Outcome.NOTHING_TO_CLEAR
    if change is not None and _shows_still(change.after, report):
        return Outcome.REPEATED
    if change is not None and (change.after.is_open or _is_soon(change.after, policy, now)):
        return _fire(change, report, policy, now)
    opened_now = decision.changes[trouble] = _open(trouble, report, policy, now, change.after if change else None)
    opened_now.clocks = dict(_begun(decision.begun, opened_now.after, policy, now))
    return Outcome.OPENED


def _shows_still(ticket: Ticket, report: Report) -> bool:
    """Whether people ended the ticket while this very alert fired (a false alarm, say) and it has fired ever since."""
    start = ticket.firing.get(report.alert)
    return not ticket.is_open and start is not None and microseconds(report.started_at) <= start


def _is_soon(ticket: Ticket, policy: Policy, now: datetime) -> bool:
    return ticket.closed_at is not None and now - ticket.closed_at <= policy.refire_window


def _open(trouble: str, report: Report, policy: Policy, now: datetime, previous: Ticket | None) -> Change:
    grading = policy.grade(report)
    kind = policy.kind(report.labels)
    team = policy.team(report.labels, kind)
    rule = policy.first_aid_for(report.labels, grading.grade)
    ticket = Ticket(
        trouble=trouble,
        source=report.source,
        title=title(report),
        grade=grading.grade,
        grade_rule=grading.rule,
        grade_reason=grading.reason,
        team=team,
        runbook=rule.runbook if rule else "",
        labels=report.labels,
        annotations=report.annotations,
        links=report.links,
        firing={report.alert: microseconds(report.started_at)},
        toggles=(microseconds(now),),
        incomplete=report.incomplete,
        opened_at=now,
        episode_at=now,
        previous_id=previous.id if previous else None,
        kind=kind,
    )
    change = Change(before=None, after=ticket)
    change.note(now, EventKind.OPENED, _opening(ticket, previous), grade=grading.grade, rule=grading.rule)
    change.count("tickets_created_total", priority=grading.grade, team=team, source=report.source)
    _promise_handling(change)
    return change


def _begun(known: dict[str, dict[str, Clock]], ticket: Ticket, policy: Policy, now: datetime) -> dict[str, Clock]:
    """The clocks of a new ticket; nothing but its grade tells them from those of another one opened now."""
    if ticket.grade not in known:
        known[ticket.grade] = opened(policy.clocks, policy.scene(ticket, now), _COMPLETE)
    return known[ticket.grade]


def _opening(ticket: Ticket, previous: Ticket | None) -> str:
    text = f"{ticket.grade} by rule “{ticket.grade_rule}”: {ticket.grade_reason}."
    if previous:
        text += f" The same trouble was {previous.number}."
    if ticket.incomplete:
        text += _CUT_SHORT
    return text


def _promise_handling(change: Change) -> None:
    if change.after.runbook and not change.after.flapping:
        change.promise("first_aid")
        return
    why = "It flaps, so automation keeps its hands off." if change.after.flapping else "No first-aid rule fits."
    change.promise("hand_over", why=why)


def _fire(change: Change, report: Report, policy: Policy, now: datetime) -> Outcome:
    ticket = change.after
    if report.incomplete and not ticket.incomplete:
        change.update(incomplete=True)
        change.note(now, EventKind.SIGNAL, _CUT_SHORT.strip())
        ticket = change.after
    alert, start = report.alert, microseconds(report.started_at)
    if alert in ticket.firing:
        if start > ticket.firing[alert]:
            change.update(firing={**ticket.firing, alert: start})
        if report.source == OURSELVES:
            _say_anew(change, report, now)
        return Outcome.REPEATED
    was_quiet = not ticket.firing
    change.update(firing={**ticket.firing, alert: start}, signal=Signal.FIRING, cleared_at=None)
    if not was_quiet and change.after.is_open:
        text = f"Another alert of the same trouble: {title(report)}."
        change.note(now, EventKind.ATTACHED, text, labels=dict(report.labels))
        _raise_grade(change, report, policy, now)
        return Outcome.ATTACHED
    _count_toggle(change, policy, now)
    return _again(change, report, policy, now)


def _take_after(change: Change, report: Report, policy: Policy) -> None:
    """A trouble that comes back may show on another host and in another grade: the newest alert says where."""
    grading = policy.grade(report)
    rule = policy.first_aid_for(report.labels, grading.grade)
    change.update(
        title=title(report),
        labels=report.labels,
        annotations=report.annotations,
        links=report.links,
        grade=grading.grade,
        grade_rule=grading.rule,
        grade_reason=grading.reason,
        runbook=rule.runbook if rule else "",
    )


def _say_anew(change: Change, report: Report, now: datetime) -> None:
    """The same alert may have another cause this time: whoever is called must not look for the last one."""
    if report.labels != change.after.labels or title(report) == change.after.title:
        return
    change.update(title=title(report), annotations=report.annotations)
    change.note(now, EventKind.SIGNAL, f"It says now: {title(report)}", signal=Signal.FIRING)


def _raise_grade(change: Change, report: Report, policy: Policy, now: datetime) -> None:
    """The worst alert of a trouble grades it; its clocks then count from the same start against the new targets."""
    ticket, grading = change.after, policy.grade(report)
    if not policy.is_graver(grading.grade, ticket.grade):
        return
    change.update(grade=grading.grade, grade_rule=grading.rule, grade_reason=grading.reason)
    lifecycle.regrade(change, policy, now=now)
    text = f"Raised from {ticket.grade} to {grading.grade} by rule “{grading.rule}”: {grading.reason}."
    change.note(now, EventKind.REGRADED, text, was=ticket.grade, grade=grading.grade, raised=True)
    lifecycle.call_for_the_raise(change, text)


def _again(change: Change, report: Report, policy: Policy, now: datetime) -> Outcome:
    ticket = change.after
    if ticket.status is Status.RESTORED:
        _say_anew(change, report, now)
        lifecycle.relapse(change, policy, now=now, reason="It shows again before the quiet time was over.")
        _raise_grade(change, report, policy, now)
        return Outcome.RELAPSED
    if refusal(ticket, Action.REOPEN) is None:
        _take_after(change, report, policy)
        since = "closed" if ticket.status is Status.CLOSED else "resolved"
        lifecycle.reopen(change, policy, now=now, reason=f"The same trouble shows again soon after it was {since}.")
        _promise_handling(change)
        return Outcome.REOPENED
    change.note(now, EventKind.SIGNAL, "The alert fires again.", signal=Signal.FIRING)
    _say_anew(change, report, now)
    _raise_grade(change, report, policy, now)
    return Outcome.ATTACHED


def _count_toggle(change: Change, policy: Policy, now: datetime) -> None:
    """The explicit rule for flapping: so many starts within so much time."""
    rule = policy.flapping
    since = microseconds(now - rule.within)
    toggles = (*(at for at in change.after.toggles if at > since), microseconds(now))[-50:]
    change.update(toggles=toggles)
    if len(toggles) >= rule.changes and not change.after.flapping:
        change.update(flapping=True)
        change.note(
            now, EventKind.FLAPPING, f"It flaps: {len(toggles)} starts since {from_microseconds(toggles[0]):%H:%M} UTC."
        )


def _clear(change: Change, report: Report, policy: Policy, now: datetime) -> Outcome:
    ticket = change.after
    alert = report.alert
    start = ticket.firing.get(alert)
    if start is None:
        return Outcome.NOTHING_TO_CLEAR
    if report.ended_at and microseconds(report.ended_at) < start:
        return Outcome.STALE
    firing = {key: value for key, value in ticket.firing.items() if key != alert}
    change.update(firing=firing)
    if firing:
        left = "1 still shows" if len(firing) == 1 else f"{len(firing)} still show"
        change.note(now, EventKind.SIGNAL, f"One of its alerts cleared; {left}.")
        return Outcome.PARTLY_CLEARED
    all_clear(change, policy, now=now, reason="All-clear: the alert no longer fires.")
    return Outcome.CLEARED


def all_clear(change: Change, policy: Policy, *, now: datetime, reason: str) -> None:
    """No alert of the trouble shows any more. Evidence enough for restored, not yet for resolved."""
    change.update(signal=Signal.CLEARED, cleared_at=now, firing={})
    if refusal(change.after, Action.RESTORE) is None:
        lifecycle.restore(change, policy, now=now, actor="responder", reason=reason, by=_who_did_it(change.after))
    else:
        change.note(now, EventKind.SIGNAL, reason, signal=Signal.CLEARED)
    if change.after.status is Status.RESTORED:
        change.promise("settle", now + lifecycle.quiet_needed(policy, change.after), episode=change.after.episode)


def _who_did_it(ticket: Ticket) -> str:
    if ticket.acknowledged_at:
        return lifecycle.HUMAN
    # First aid that gave up handed the ticket over: then nobody can claim that it went away.
    return lifecycle.MACHINE if ticket.status is Status.FIRST_AID else lifecycle.ITSELF


def title(report: Report) -> str:
    """One line for people: the summary, else the alert's name and where."""
    summary = report.annotations.get("summary") or report.annotations.get("title") or ""
    if not summary:
        where = report.labels.get("instance") or report.labels.get("job") or ""
        summary = f"{report.name or 'alert without a name'}{' on ' + where if where else ''}"
    return " ".join(summary.split())[:200]


def with_source(report: Report, source: str) -> Report:
    """The same report under another source's name."""
    return replace(report, source=source)
