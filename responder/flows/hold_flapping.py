"""Hold: a ticket that flaps and of which people know. It pages again once it shows for long enough without a break."""

from __future__ import annotations

from responder.domain.durations import spoken
from responder.domain.flapping import spell
from responder.domain.holds import Held
from responder.domain.message import Purpose
from responder.domain.ticket import Ticket
from responder.flows.around import Around


def hold_flapping(around: Around, ticket: Ticket) -> Held | None:
    """Holds a flapping ticket of which people were told since it began to flap."""
    desk, tx = around.desk, around.tx
    found = spell(ticket, tx.tickets.events(ticket.id)) if ticket.flapping else None
    if found is None:
        return None
    written = tx.messages.of_ticket(ticket.id)
    # Only what has left: a page that was overtaken, or that waits for its channel, has told nobody.
    pages = [one.sent_at for one in written if one.purpose.startswith(Purpose.HAND_OVER) and one.sent_at]
    told_at = min((at for at in pages if at >= found.since), default=None)
    until = found.steady_at(desk.policy.flapping.quiet)
    if told_at is None or until <= around.now:
        return None
    quiet = spoken(desk.policy.flapping.quiet)
    return Held(
        name="flapping",
        sentence=f"It flaps: {found.starts} starts lately. People were told at {told_at:%H:%M} UTC; nobody is told "
        f"again before it has been quiet, or has shown without a break, for {quiet}.",
        until=until,
        occasion=f"{found.since:%Y-%m-%d %H:%M:%S}",
    )
