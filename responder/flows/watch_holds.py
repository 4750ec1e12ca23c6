"""Watch over what is held: all of it is looked at together, and only what may go on is written to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from responder.domain.holds import LOOK_AGAIN
from responder.domain.ticket import Ticket
from responder.flows.around import Around
from responder.flows.desk import Desk
from responder.flows.holds import what_holds
from responder.store.holds import KeptHold
from responder.store.transaction import Transaction

_ROUND = "holds"
_AT_ONCE = 100
_REMEMBERED = timedelta(days=1)


async def look_at_held(desk: Desk) -> int:
    """Wakes the tickets whose hold has ended, or ends earlier than their job believes; how many those are.

    Each of them has a job of its own that would look at it in the end: this round may fail, and nothing is lost.
    """
    now = desk.clock.now()
    if not await desk.store.read(lambda tx: tx.rounds.is_due(_ROUND, LOOK_AGAIN, now) and tx.holds.is_any()):
        return 0
    if not await desk.store.write(lambda tx: _begin(tx, now)):
        return 0
    earlier = await desk.store.read(lambda tx: list(_earlier(Around(desk, tx, now))))
    for first in range(0, len(earlier), _AT_ONCE):
        some = earlier[first : first + _AT_ONCE]
        await desk.store.write(lambda tx, some=some: _wake(tx, some, now))  # type: ignore[misc]
    return len(earlier)


def _begin(tx: Transaction, now: datetime) -> bool:
    """Takes the round; False if another replica makes it."""
    is_ours = tx.rounds.begin(_ROUND, LOOK_AGAIN, now)
    if is_ours:
        tx.holds.forget(now - _REMEMBERED)
    return is_ours


def _earlier(around: Around) -> Iterator[tuple[Ticket, datetime]]:
    """The tickets that have to be looked at before their job is due, each with when."""
    waiting = [one for one in around.tx.holds.all() if one.due_at > around.now]
    known = around.tx.tickets.many([one.ticket_id for one in waiting])
    for kept in waiting:
        at = _due(around, kept, known)
        if at < kept.due_at:
            yield known[kept.ticket_id], at


def _due(around: Around, kept: KeptHold, known: Mapping[int, Ticket]) -> datetime:
    """When it is to be looked at: now, if nothing holds it any more or something else does."""
    found = what_holds(around, known[kept.ticket_id])
    if found is None or (found.name, found.occasion) != (kept.name, kept.occasion):
        return around.now
    return min(found.until or kept.due_at, kept.due_at)


def _wake(tx: Transaction, some: Sequence[tuple[Ticket, datetime]], now: datetime) -> None:
    for ticket, at in some:
        tx.wake(ticket, at, now)
