"""Flapping: what comes and goes pages once, and again only when it has stayed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from responder.clock import from_microseconds
from responder.domain.ticket import Event, EventKind, Ticket


@dataclass(frozen=True, kw_only=True, slots=True)
class Spell:
    """A time of flapping: since when, how often it has started lately, and when it last did."""

    since: datetime
    starts: int
    last: datetime

    def steady_at(self, quiet: timedelta) -> datetime:
        """When it will have shown for so long without a break that people must hear of it again."""
        return self.last + quiet


def spell(ticket: Ticket, history: Iterable[Event]) -> Spell | None:
    """The present time of flapping; None if the ticket does not flap."""
    begins = [event.at for event in history if event.kind is EventKind.FLAPPING]
    if not ticket.flapping or not begins or not ticket.toggles:
        return None
    return Spell(since=begins[-1], starts=len(ticket.toggles), last=from_microseconds(ticket.toggles[-1]))
