"""Hold: in a storm new tickets wait until it is over, except those of the lane. One ticket stands for all of them."""

from __future__ import annotations

from responder.domain.durations import spoken
from responder.domain.holds import Held
from responder.domain.storm import StormRule
from responder.domain.ticket import Status, Ticket
from responder.flows.around import Around
from responder.flows.hold_dependency import hold_dependency
from responder.flows.hold_maintenance import hold_maintenance
from responder.flows.storm import storm_report

_EXPLANATIONS = (hold_maintenance, hold_dependency)


def hold_storm(around: Around, ticket: Ticket) -> Held | None:
    """Holds a new ticket while a storm lasts; the first one that it holds reports the storm.

    Where the storm's own ticket would call nobody, none is held: somebody must hear of it. Neither is one of a grade
    that calls nobody: slight troubles alone, however many, are nobody's call at night.
    """
    desk, rule = around.desk, around.desk.policy.storm
    if rule is None or ticket.status is not Status.NEW or ticket.grade in rule.lane:
        return None
    promises = desk.policy.promises_of(ticket.grade)
    if not (promises.tiers or promises.roles):
        return None
    span, opened = rule.over, around.opened_of_late
    if not rule.lasts(opened) or not around.storm_calls_anybody:
        return None
    known = around.storm_ticket
    if known is None:
        span, opened = rule.within, _unexplained(around, rule)
    if not rule.lasts(opened):
        return None
    return Held(
        name="storm",
        sentence=f"Storm: {rule.counted(opened)} in {spoken(span)}. It waits until the storm is over; "
        "one ticket, ResponderStorm, stands for all of them.",
        reports=() if known else (storm_report(around.tx, rule, around.now),),
    )


def _unexplained(around: Around, rule: StormRule) -> int:
    """How many tickets were opened in the time that makes a storm, without those that will turn out to be expected, or
    to be behind another one: they came together with what explains them, and nothing has looked at them yet."""
    since = around.now - rule.within
    opened = around.tx.tickets.opened_since(since, rule.enough)
    if not rule.lasts(opened):
        return opened
    fresh = around.tx.tickets.fresh_since(since, rule.enough)
    for looked_at, one in enumerate(fresh):
        if rule.lasts(opened - (len(fresh) - looked_at)):
            break
        opened -= any(explains(around, one) for explains in _EXPLANATIONS)
    return opened
