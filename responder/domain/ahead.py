"""Ahead: what the clocks of a ticket will do next, if nobody does anything before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from responder.domain import sla
from responder.domain.policy import Policy
from responder.domain.sla import Alarm, Clock, ClockRule, Notify
from responder.domain.ticket import Ticket


@dataclass(frozen=True, kw_only=True, slots=True)
class Ahead:
    """The next warning or breach of one clock, and what follows from it in a sentence."""

    at: datetime
    clock: str
    text: str


def alarms_ahead(
    policy: Policy, ticket: Ticket, clocks: Mapping[str, Clock], *, highest: int | None = None
) -> tuple[Ahead, ...]:
    """The next alarm of each running clock that does something, the soonest first. `highest` is the last tier of the
    ticket's team: from there it goes no higher; None where that is not known."""
    rules = ((clocks[rule.name], rule) for rule in policy.clocks if rule.name in clocks)
    found = (_next(ticket, clock, rule, highest) for clock, rule in rules)
    return tuple(sorted((one for one in found if one is not None), key=lambda one: (one.at, one.clock)))


def _next(ticket: Ticket, clock: Clock, rule: ClockRule, highest: int | None) -> Ahead | None:
    if not clock.is_running or clock.next_at is None or clock.breached_at is not None:
        return None
    percent = sla.next_warning(clock, rule)
    alarm = rule.on_breach if percent is None else rule.on_warn
    whom = _whom(ticket, alarm, highest)
    if not whom:
        return None
    when = f"the {rule.name} clock runs out" if percent is None else f"{percent} % of the {rule.name} clock is used"
    return Ahead(at=clock.next_at, clock=rule.name, text=f"{when}: {whom}")


def _whom(ticket: Ticket, alarm: Alarm, highest: int | None) -> str:
    names = {Notify.ASSIGNEE: ticket.assignee or "the team", Notify.TEAM: "the team", Notify.NEXT_TIER: "the next tier"}
    told = [*dict.fromkeys(names[Notify(one)] for one in alarm.tell), *(f"role {role}" for role in alarm.roles)]
    following = max(ticket.tier, 1) + 1
    goes_up = alarm.escalate and (highest is None or following <= highest)
    parts = [f"it goes to tier {following}"] if goes_up else []
    return ", ".join([*parts, *([f"{' and '.join(told)} {'is' if len(told) == 1 else 'are'} told"] if told else [])])
