"""Hold: an alert that may go away by itself. An all-clear meanwhile restores it, and nobody has been troubled."""

from __future__ import annotations

from responder.clock import from_microseconds
from responder.domain.hold_off import patience
from responder.domain.holds import Held
from responder.domain.ticket import Ticket
from responder.flows.around import Around


def hold_off(around: Around, ticket: Ticket) -> Held | None:
    """Holds a ticket that has not shown for long enough since it last began to."""
    policy = around.desk.policy
    if not policy.hold_off:
        return None
    since = from_microseconds(ticket.toggles[-1]) if ticket.toggles else ticket.episode_at
    found = patience(policy.hold_off, around.alerts_of(ticket), grade=ticket.grade, grades=policy.grades, since=since)
    if found is None or found.until <= around.now:
        return None
    why = ", ".join(map(str, found.rules))
    return Held(
        name="hold-off",
        sentence=f"It may go away by itself ({why}): nobody is troubled before {found.until:%H:%M:%S} UTC.",
        until=found.until,
        occasion=f"{since:%Y-%m-%d %H:%M:%S}",
    )
