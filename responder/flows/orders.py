"""Orders: a person lets a runbook run for a ticket, under the same guards as the machine."""

from __future__ import annotations

from responder.domain.runbook import Run, RunOutcome
from responder.domain.ticket import Change, EventKind
from responder.errors import Refused
from responder.flows.desk import Desk
from responder.flows.starting import order_by_person, start_ordered
from responder.store.transaction import Transaction


async def order_run(desk: Desk, key: str, runbook: str, target: str, actor: str) -> Run:
    """Starts the runbook for a ticket; without a target the alert says where.

    Raises NotFound for a ticket that is not there, and Refused with the sentence that is on the ticket too.
    """
    found = await desk.store.write(lambda tx: _order(desk, tx, key, runbook, target=target, actor=actor))
    if isinstance(found, str):
        raise Refused(found)
    return found


def _order(desk: Desk, tx: Transaction, key: str, runbook: str, *, target: str, actor: str) -> Run | str:
    known = tx.tickets.one(tx.tickets.find(key).ticket.id, locked=True)
    change, now = Change.of(known.ticket, known.clocks), desk.clock.now()
    try:
        order = order_by_person(desk, known.ticket, runbook, target)
    except ValueError as error:
        change.note(now, EventKind.REFUSED, f"Refused: {runbook[:100]}, ordered by {actor}: {error}", actor)
        if runbook in desk.configuration.runbooks:
            change.count("runs_total", runbook=runbook, outcome=RunOutcome.REFUSED)
        tx.apply([change], now)
        return str(error)
    started = start_ordered(desk, tx, change, order, actor)
    tx.apply([change], now)
    return started
