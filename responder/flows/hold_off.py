"""Hold: an alert that may go away by itself. An all-clear meanwhile restores it, and nobody has been troubled."""

from __future__ import annotations

from responder.domain.hold_rules import held_off
from responder.domain.holds import Held, shows_since
from responder.domain.ticket import Ticket
from responder.flows.around import Around


def hold_off(around: Around, ticket: Ticket) -> Held | None:
    """Holds a ticket that has not shown for long enough since it last began to."""
    policy = around.desk.policy
    if not policy.hold_off:
        return None
    alerts, since = around.alerts_of(ticket), shows_since(ticket)
    return held_off(policy.hold_off, alerts, around.now, grade=ticket.grade, grades=policy.grades, since=since)
