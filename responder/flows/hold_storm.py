"""Hold: in a storm new tickets wait until it is over, except those of the lane. One ticket stands for all of them."""

from __future__ import annotations

from datetime import datetime

from responder.domain.durations import spoken
from responder.domain.holds import LOOK_AGAIN, Held
from responder.domain.ticket import Status, Ticket
from responder.flows.desk import Desk
from responder.flows.storm import calls_anybody, storm_report, storm_ticket
from responder.store.transaction import Transaction


def hold_storm(desk: Desk, tx: Transaction, ticket: Ticket, now: datetime) -> Held | None:
    """Holds a new ticket while a storm lasts; the first one that it holds reports the storm.

    Where the storm's own ticket would call nobody, none is held: somebody must hear of it. Neither is one of a grade
    that calls nobody: slight troubles alone, however many, are nobody's call at night.
    """
    rule = desk.policy.storm
    if rule is None or ticket.status is not Status.NEW or ticket.grade in rule.lane:
        return None
    promises = desk.policy.promises_of(ticket.grade)
    if not (promises.tiers or promises.roles):
        return None
    span, opened = rule.over, tx.tickets.opened_since(now - rule.over, rule.enough)
    if not rule.lasts(opened) or not calls_anybody(desk, now):
        return None
    known = storm_ticket(desk, tx, now)
    if known is None:
        span, opened = rule.within, tx.tickets.opened_since(now - rule.within, rule.enough)
    if not rule.lasts(opened):
        return None
    return Held(
        name="storm",
        sentence=f"Storm: {rule.counted(opened)} in {spoken(span)}. It waits until the storm is over; "
        "one ticket, ResponderStorm, stands for all of them.",
        until=now + LOOK_AGAIN,
        reports=() if known else (storm_report(tx, rule, now),),
    )
