"""Hold: hosts behind one that is down. The ticket of what they depend on stands for theirs."""

from __future__ import annotations

from collections.abc import Sequence

from responder.domain.dependencies import explains, recovered_at, upstream
from responder.domain.holds import Held
from responder.domain.ticket import Ticket
from responder.flows.alert_hosts import host_of
from responder.flows.around import Around


def hold_dependency(around: Around, ticket: Ticket) -> Held | None:
    """Holds a ticket all of whose hosts are behind one whose own ticket is open and shows."""
    above, desk = _above(around, ticket), around.desk
    if not above:
        return None
    targets = desk.configuration.targets
    names = [name for target in targets if target.name in above for name in (target.name, *target.aliases)]
    for parent in around.open_about(names):
        host = host_of(desk, parent.labels, parent.grade)
        if host is not None and host.name in above and explains(parent, ticket, desk.policy.grades, around.now):
            return _held(parent, host.name)
    return None


def _above(around: Around, ticket: Ticket) -> Sequence[str]:
    """What all hosts of the ticket's alerts depend on; nothing if one of them is not known."""
    desk, targets = around.desk, around.desk.configuration.targets
    if not any(target.depends_on for target in targets):
        return ()
    hosts = [host_of(desk, labels, ticket.grade) for labels in around.alerts_of(ticket)]
    ways = [upstream(targets, host.name) if host else () for host in hosts]
    return [name for name in ways[0] if all(name in way for way in ways)] if ways else ()


def _held(parent: Ticket, host: str) -> Held:
    return Held(
        name="dependency",
        sentence=f"It depends on {host}, and that is in trouble: {parent.number} stands for it.",
        until=recovered_at(parent),
        occasion=f"{parent.number}/{parent.episode}",
        parent_id=parent.id,
        parent=parent.number,
    )
