"""Recount: what a ticket has added to the sums, told anew from its events alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from responder.domain import lifecycle, measures, ticking
from responder.domain.facts import Fact
from responder.domain.policy import Policy
from responder.domain.ticket import Action, Change, Event, EventKind, Status, Sums, Ticket

COUNTED = (
    "tickets_created_total",
    "tickets_reopened_total",
    "tickets_resolved_total",
    "sla_clocks_met_total",
    "sla_clocks_breached_total",
    "sla_clocks_excluded_total",
    "sla_clock_warnings_total",
    "ticket_acknowledge_seconds_bucket",
    "ticket_acknowledge_seconds_sum",
    "ticket_restore_seconds_bucket",
    "ticket_restore_seconds_sum",
    "ticket_resolve_seconds_bucket",
    "ticket_resolve_seconds_sum",
)
"""The sums that can be told from the events of tickets."""
_ALERT = (Fact.REGISTERED, Fact.GRADED)


def recounted(ticket: Ticket, events: Sequence[Event], policy: Policy) -> Sums:
    """The sums of one ticket, as its events tell them under this policy. `ticket` gives only what never changes."""
    change = _opened(ticket, events, policy)
    for event in events[1:]:
        if event.kind in _TELL:
            _TELL[event.kind](change, event, policy)
    return Sums({key: value for key, value in change.sums.items() if key[0] in COUNTED})


def _opened(ticket: Ticket, events: Sequence[Event], policy: Policy) -> Change:
    first = events[0]
    teams = (str(event.data["was_team"]) for event in events if "was_team" in event.data)
    fresh = Ticket(
        id=ticket.id,
        number=ticket.number,
        trouble=ticket.trouble,
        source=ticket.source,
        title=ticket.title,
        grade=str(first.data["grade"]),
        grade_rule="",
        grade_reason="",
        team=next(teams, ticket.team),
        labels={},
        opened_at=first.at,
        episode_at=first.at,
    )
    facts = [Fact(str(one)) for one in _listed(first.data.get("facts", _ALERT))]
    change = Change(
        before=None, after=fresh, clocks=ticking.opened(policy.clocks, policy.scene(fresh, first.at), facts)
    )
    labels = {"priority": fresh.grade, "team": fresh.team, "source": fresh.source}
    change.count("tickets_created_total", 1, **labels)
    return change


def _moved(change: Change, event: Event, policy: Policy) -> None:
    data, ticket = event.data, change.after
    change.update(status=Status(str(data["was"])), grade=str(data.get("grade", ticket.grade)))
    action = Action(str(data["action"]))
    told: dict[str, Any] = {"now": event.at, "reason": event.text}
    if action in _PLAIN:
        _PLAIN[action](change, policy, **told)
    elif action is Action.RESTORE:
        lifecycle.restore(change, policy, **told, actor=event.actor, by=str(data["restored_by"]))
    elif action in (Action.ACKNOWLEDGE, Action.CLOSE):
        verb = lifecycle.acknowledge if action is Action.ACKNOWLEDGE else lifecycle.close
        change.update(acknowledged_by="")
        verb(change, policy, **told, actor=event.actor)
    else:
        _otherwise(change, event, policy, action)


_PLAIN: Mapping[Action, Callable[..., None]] = {
    Action.START_FIRST_AID: lifecycle.start_first_aid,
    Action.HAND_OVER: lifecycle.hand_over,
    Action.RELAPSE: lifecycle.relapse,
    Action.RESOLVE: lifecycle.resolve,
    Action.REOPEN: lifecycle.reopen,
}


def _otherwise(change: Change, event: Event, policy: Policy, action: Action) -> None:
    told: dict[str, Any] = {"now": event.at, "actor": event.actor, "reason": event.text}
    updates: dict[str, Any] = {name: event.data[name] for name in ("waiting_for", "disposition") if name in event.data}
    if action in (Action.DISMISS, Action.MERGE):
        lifecycle.end_without_solution(change, policy, action, **told, **updates)
    else:
        lifecycle.moved(change, policy, action, **told, **updates)


def _regraded(change: Change, event: Event, policy: Policy) -> None:
    change.update(grade=str(event.data["grade"]))
    if event.data["grade"] != event.data["was"]:
        lifecycle.regrade(change, policy, now=event.at)
    _fact(change, event, policy)
    if "fact" in event.data:
        lifecycle.happened(change, policy, Fact.ASSESSED, now=event.at)


def _fact(change: Change, event: Event, policy: Policy) -> None:
    if "team" in event.data:
        change.update(team=str(event.data["team"]))
    if "fact" in event.data:
        lifecycle.happened(change, policy, Fact(str(event.data["fact"])), now=event.at)


def _held(change: Change, event: Event, policy: Policy) -> None:  # noqa: ARG001 they share a form
    if event.data.get("disposition") == "":
        lifecycle.out_of_maintenance(change)
    elif "disposition" in event.data:
        change.update(disposition=str(event.data["disposition"]))


def _clock(change: Change, event: Event, policy: Policy) -> None:
    name, rule = str(event.data.get("clock", "")), policy.clock(str(event.data.get("clock", "")))
    if name not in change.clocks:
        return
    if "percent" not in event.data:
        lifecycle.breach(change, policy, name, now=event.at)
    elif rule is not None:
        measures.count_clock(change, "sla_clock_warnings_total", name)
        change.clocks[name] = ticking.warned(change.clocks[name], rule, int(str(event.data["percent"])))


_TELL: Mapping[EventKind, Callable[[Change, Event, Policy], None]] = {
    EventKind.MOVED: _moved,
    EventKind.REGRADED: _regraded,
    EventKind.HANDLED: _fact,
    EventKind.REPORTER: _fact,
    EventKind.CLOCK: _clock,
    EventKind.HELD: _held,
}


def _listed(value: object) -> Sequence[object]:
    return list(value) if isinstance(value, list | tuple) else []
