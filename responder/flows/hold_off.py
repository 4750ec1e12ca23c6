"""Hold: an alert that may go away by itself. An all-clear meanwhile restores it, and nobody has been troubled."""

from __future__ import annotations

from datetime import datetime

from responder.clock import from_microseconds
from responder.domain.firing import firing_labels
from responder.domain.hold_off import patience
from responder.domain.holds import Held, look_again
from responder.domain.ticket import Ticket
from responder.flows.desk import Desk
from responder.store.transaction import Transaction


def hold_off(desk: Desk, tx: Transaction, ticket: Ticket, now: datetime) -> Held | None:
    """Holds a ticket that has not shown for long enough since it last began to."""
    policy = desk.policy
    if not policy.hold_off:
        return None
    alerts = firing_labels(ticket, tx.tickets.events(ticket.id) if len(ticket.firing) > 1 else ())
    since = from_microseconds(ticket.toggles[-1]) if ticket.toggles else ticket.episode_at
    found = patience(policy.hold_off, alerts or (), grade=ticket.grade, grades=policy.grades, since=since)
    if found is None or found.until <= now:
        return None
    why = ", ".join(map(str, found.rules))
    return Held(
        name="hold-off",
        sentence=f"It may go away by itself ({why}): nobody is troubled before {found.until:%H:%M:%S} UTC.",
        until=look_again(found.until, now),
        occasion=f"{since:%Y-%m-%d %H:%M:%S}",
    )
