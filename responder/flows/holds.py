"""Holds: what keeps a new ticket from automation and from people for a while. A hold that is over lets it go on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from responder.domain.holds import Held
from responder.domain.ticket import Change, EventKind, Ticket
from responder.flows.desk import Desk
from responder.store.jobs import Job
from responder.store.transaction import Transaction

Hold = Callable[[Desk, Transaction, Ticket, datetime], Held | None]

HOLDS: tuple[Hold, ...] = ()
"""Asked in this order; the first one that objects counts. One file per hold."""


def held_back(desk: Desk, tx: Transaction, change: Change, job: Job) -> bool:
    """Whether the ticket has to wait: then the job is promised again for the hold's end, and the ticket says why."""
    now = desk.clock.now()
    found = next((held for hold in HOLDS if (held := hold(desk, tx, change.after, now))), None)
    if found is None:
        return False
    mark: dict[str, Any] = {"held": found.name, "until": found.until.isoformat()}
    if not any(mark.items() <= event.data.items() for event in tx.tickets.events(change.after.id)):
        change.note(now, EventKind.HELD, found.sentence, **mark)
        change.count("tickets_held_total", by=found.name)
    change.promise(job.kind, found.until, **{key: value for key, value in job.args.items() if key != "ticket"})
    tx.apply([change], now)
    return True
