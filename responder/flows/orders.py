"""Orders: a person lets a runbook run for a ticket, under the same guards as the machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from responder.domain.access import Identity
from responder.domain.approval import Wanted, objection_to_order
from responder.domain.runbook import Run, RunOutcome
from responder.domain.ticket import Change, EventKind, Status
from responder.errors import Refused
from responder.flows.desk import Desk
from responder.flows.moves import own_name, refuse_other_teams
from responder.flows.starting import order_by_person, start_ordered
from responder.store.transaction import Transaction


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What a person wants to run. Without a target the alert says where; `labels` are values for parameters that the
    alert does not say, or says otherwise."""

    runbook: str
    target: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


async def order_run(desk: Desk, key: str, wish: Wish, actor: str, *, who: Identity | None = None) -> Run:
    """Starts a runbook for a ticket.

    Raises NotFound for a ticket that is not there, NotTheirs for one of other teams than those of `who`, and Refused
    with the sentence that is on the ticket too.
    """

    def body(tx: Transaction) -> Run | str:
        known = tx.tickets.one(tx.tickets.find(key).ticket.id, locked=True)
        refuse_other_teams(who, known.ticket)
        name = own_name(desk, tx, actor, who)
        return _order(desk, tx, Change.of(known.ticket, known.clocks), wish, name)

    found = await desk.store.write(body)
    if isinstance(found, str):
        raise Refused(found)
    return found


def _order(desk: Desk, tx: Transaction, change: Change, wish: Wish, actor: str) -> Run | str:
    runbook = wish.runbook
    try:
        order = order_by_person(desk, change.after, runbook, wish.target, wish.labels)
    except ValueError as error:
        return _refused(desk, tx, change, runbook, actor=actor, why=str(error))
    ticket = change.after
    asked = [one for one in tx.approvals.of_ticket(ticket.id) if one.episode == ticket.episode]
    wanted = Wanted(runbook=runbook, target=order.target.name, actor=actor, begins=ticket.status is Status.NEW)
    if why := objection_to_order(asked, wanted, desk.configuration.people):
        return _refused(desk, tx, change, runbook, actor=actor, why=why)
    started = start_ordered(desk, tx, change, order, actor)
    tx.apply([change], desk.clock.now())
    return started


def _refused(desk: Desk, tx: Transaction, change: Change, runbook: str, *, actor: str, why: str) -> str:
    now = desk.clock.now()
    change.note(now, EventKind.REFUSED, f"Refused: {runbook[:100]}, ordered by {actor}: {why}", actor)
    if runbook in desk.configuration.runbooks:
        change.count("runs_total", runbook=runbook, outcome=RunOutcome.REFUSED)
    tx.apply([change], now)
    return why
