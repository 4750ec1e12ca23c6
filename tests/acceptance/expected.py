"""The sums and shares that Prometheus should show, worked out from the tickets themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from tests.acceptance.files import RUNBOOK
from tests.acceptance.stage import SOURCE

Ticket = dict[str, Any]
Key = tuple[str, ...]
Series = dict[Key, float]
Expected = dict[Key, Series]
"""(metric, label, label…) → the values by these labels."""

_CHANNEL = "json"


def sums(tickets: Sequence[Ticket]) -> Expected:
    """Counters, gauges and durations."""
    runs = [run for ticket in tickets for run in ticket["runs"]]
    messages = [message for ticket in tickets for message in ticket["messages"]]
    ended = [ticket for ticket in tickets if ticket["resolved_at"]]
    unclosed = [ticket for ticket in tickets if ticket["status"] != "closed"]
    return {
        ("responder_tickets_created_total", "priority", "source"): _count((t["grade"], t["source"]) for t in tickets),
        ("responder_tickets_resolved_total", "priority", "by"): _count((t["grade"], t["restored_by"]) for t in ended),
        ("responder_tickets_open", "priority", "status"): _count((t["grade"], t["status"]) for t in unclosed),
        ("responder_runs_total", "runbook", "outcome"): _count((run["runbook"], run["outcome"]) for run in runs),
        ("responder_messages_total", "channel", "outcome"): _count((_CHANNEL, one["state"]) for one in messages),
        ("responder_reports_total", "outcome", "source"): _reports(tickets),
        ("responder_sla_clocks_met_total", "clock", "priority"): _clocks(tickets, _was_met),
        ("responder_sla_clocks_breached_total", "clock", "priority"): _clocks(tickets, _was_breached),
        ("responder_ticket_acknowledge_seconds_sum", "by"): _seconds(tickets, _answers),
        ("responder_ticket_restore_seconds_sum", "by"): _seconds(ended, _end("restored_at")),
        ("responder_ticket_resolve_seconds_sum", "by"): _seconds(ended, _end("resolved_at")),
    }


def shares(tickets: Sequence[Ticket]) -> Expected:
    """What the recording rules work out: first-aid success, SLA attainment, tickets that the machine solved."""
    outcomes = Counter(run["outcome"] for ticket in tickets for run in ticket["runs"])
    by_machine = sum(ticket["restored_by"] == "machine" for ticket in tickets) / len(tickets)
    met, breached = _clocks(tickets, _was_met), _clocks(tickets, _was_breached)
    return {
        ("job_runbook:responder_runs_helped", "runbook"): {(RUNBOOK,): outcomes["helped"] / outcomes.total()},
        ("job_clock_priority:responder_sla_clocks_met", "clock", "priority"): {
            key: met.get(key, 0) / (met.get(key, 0) + breached.get(key, 0)) for key in met | breached
        },
        ("job:responder_tickets_resolved_by_machine", "job"): {("responder",): by_machine},
    }


def _count(keys: Iterable[Key]) -> Series:
    return {key: float(number) for key, number in Counter(keys).items()}


def _reports(tickets: Sequence[Ticket]) -> Series:
    found = Counter[Key]()
    for ticket in tickets:
        found.update({(line["outcome"], SOURCE): line["count"] for line in ticket["reports"]})
    return dict(found)


def _clocks(tickets: Sequence[Ticket], holds: Callable[[Mapping[str, Any]], bool]) -> Series:
    return _count((clock["name"], ticket["grade"]) for ticket in tickets for clock in ticket["clocks"] if holds(clock))


def _was_met(clock: Mapping[str, Any]) -> bool:
    return bool(clock["stopped_at"]) and not clock["breached_at"]


def _was_breached(clock: Mapping[str, Any]) -> bool:
    return bool(clock["breached_at"])


def _seconds(tickets: Sequence[Ticket], ends: Callable[[Ticket], list[tuple[str, str]]]) -> Series:
    """From the report to each of these ends, added up by who did it."""
    found = Counter[Key]()
    for ticket in tickets:
        for by, end in ends(ticket):
            took = datetime.fromisoformat(end) - datetime.fromisoformat(ticket["opened_at"])
            found[by,] += took.total_seconds()  # type: ignore[assignment]
    return dict(found)


def _answers(ticket: Ticket) -> list[tuple[str, str]]:
    """The machine answers by starting first aid, a person by acknowledging."""
    machine = [("machine", run["started_at"]) for run in ticket["runs"]]
    human = [("human", ticket["acknowledged_at"])] if ticket["acknowledged_at"] else []
    return machine + human


def _end(name: str) -> Callable[[Ticket], list[tuple[str, str]]]:
    return lambda ticket: [(ticket["restored_by"], ticket[name])]
