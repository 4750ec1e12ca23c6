"""What a change adds to the sums behind the metrics, and the names and limits of those metrics."""

from __future__ import annotations

from bisect import bisect_left
from datetime import timedelta

from responder.domain.observed import ClockEnd, Ended, Measure, Timed
from responder.domain.ticket import Change

BUCKETS = (60, 300, 900, 1800, 3600, 7200, 14400, 28800, 86400, 172800, 259200)
"""Upper limits in seconds: the limits that service levels are written in (1 min … 72 h)."""

ACKNOWLEDGE = "ticket_acknowledge_seconds"
RESTORE = "ticket_restore_seconds"
RESOLVE = "ticket_resolve_seconds"
HISTOGRAMS = {
    ACKNOWLEDGE: "From the report to the first answer (MTTA).",
    RESTORE: "From the report until the trouble no longer showed (MTTR, restore).",
    RESOLVE: "From the report until the ticket was resolved (MTTR, resolve).",
}
COUNTERS = {
    "tickets_created_total": "Tickets opened.",
    "tickets_held_total": "Times that a ticket had to wait before automation and people, by what held it.",
    "escalations_exhausted_total": "Chains that called everybody, and nobody has taken the ticket.",
    "escalation_calls_late_total": "Calls of a chain that were made more than a minute after their time.",
    "overrides_total": "Times that people changed by hand who is on call.",
    "tickets_reopened_total": "Tickets that came back within the refire window, or relapsed.",
    "tickets_resolved_total": "Tickets resolved, by who did it.",
    "sla_clocks_met_total": "Clocks stopped in time.",
    "sla_clocks_breached_total": "Clocks that ran past their target.",
    "sla_clocks_excluded_total": "Clocks of tickets that count in no service level, by the reason.",
    "sla_clock_warnings_total": "Warnings before a clock ran past its target.",
    "runs_total": "Runbook runs, by outcome.",
    "messages_total": "Messages to people, by outcome.",
    "reports_total": "Reports taken in, by what became of them.",
    "mails_total": "Mails taken in, by what became of them.",
    "drill_answers_total": "People in reachability drills, by what came of it.",
    "dead_man_beats_total": "Beats for the dead man's switch, by whether they were sent.",
    "jobs_set_aside_total": "Jobs given up after too many tries.",
}


def bucket(seconds: float) -> str:
    """The limit of the bucket that `seconds` falls into, as Prometheus writes it."""
    index = bisect_left(BUCKETS, seconds)
    return str(BUCKETS[index]) if index < len(BUCKETS) else "+Inf"


_ENDS = {
    "sla_clocks_met_total": ClockEnd.MET,
    "sla_clocks_breached_total": ClockEnd.BREACHED,
    "sla_clocks_excluded_total": ClockEnd.EXCLUDED,
}
_MEASURES = {ACKNOWLEDGE: Measure.ACKNOWLEDGE, RESTORE: Measure.RESTORE, RESOLVE: Measure.RESOLVE}


def count_clock(change: Change, counter: str, clock: str, rounds: int = 1, **labels: str) -> None:
    """Adds so many rounds of a clock to one of the counters of clocks, under the ticket's grade and team."""
    ticket = change.after
    change.count(counter, rounds, clock=clock, priority=ticket.grade, team=ticket.team, **labels)
    if counter in _ENDS:
        change.observe(Ended(clock=clock, end=_ENDS[counter], rounds=rounds))


def observe(change: Change, name: str, duration: timedelta, by: str) -> None:
    """Adds one observation to a histogram of the ticket's grade and team.

    `by` is machine (first aid did it), human, or itself (nobody did: the trouble went away).
    """
    seconds = max(duration.total_seconds(), 0.0)
    change.observe(Timed(measure=_MEASURES[name], by=by, lasted=max(duration, timedelta())))
    labels = {"priority": change.after.grade, "team": change.after.team, "by": by}
    change.count(f"{name}_bucket", 1, le=bucket(seconds), **labels)
    change.count(f"{name}_sum", seconds, **labels)
