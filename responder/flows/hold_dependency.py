"""Hold: hosts behind one that is down. The ticket of what they depend on stands for theirs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from responder.domain.dependencies import explains, recovered_at, upstream
from responder.domain.firing import firing_labels
from responder.domain.holds import LOOK_AGAIN, Held, look_again
from responder.domain.ticket import Ticket
from responder.flows.alert_hosts import host_of
from responder.flows.desk import Desk
from responder.store.transaction import Transaction


def hold_dependency(desk: Desk, tx: Transaction, ticket: Ticket, now: datetime) -> Held | None:
    """Holds a ticket all of whose hosts are behind one whose own ticket is open and shows."""
    above = _above(desk, tx, ticket)
    if not above:
        return None
    targets = desk.configuration.targets
    names = [name for target in targets if target.name in above for name in (target.name, *target.aliases)]
    for parent in tx.tickets.open_about(names):
        host = host_of(desk, parent.labels, parent.grade)
        if host is not None and host.name in above and explains(parent, ticket, desk.policy.grades, now):
            return _held(parent, host.name, now)
    return None


def _above(desk: Desk, tx: Transaction, ticket: Ticket) -> Sequence[str]:
    """What all hosts of the ticket's alerts depend on; nothing if one of them is not known."""
    if not any(target.depends_on for target in desk.configuration.targets):
        return ()
    alerts = firing_labels(ticket, tx.tickets.events(ticket.id) if len(ticket.firing) > 1 else ())
    hosts = [host_of(desk, labels, ticket.grade) for labels in alerts or ()]
    ways = [upstream(desk.configuration.targets, host.name) if host else () for host in hosts]
    return [name for name in ways[0] if all(name in way for way in ways)] if ways else ()


def _held(parent: Ticket, host: str, now: datetime) -> Held:
    over_at = recovered_at(parent)
    return Held(
        name="dependency",
        sentence=f"It depends on {host}, and that is in trouble: {parent.number} stands for it.",
        until=look_again(over_at or now + LOOK_AGAIN, now),
        occasion=f"{parent.number}/{parent.episode}",
        parent_id=parent.id,
        parent=parent.number,
    )
