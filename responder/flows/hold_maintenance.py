"""Hold: alerts that a maintenance window expects. The ticket opens and says so; nothing runs and nobody is paged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from responder.domain.hold_rules import held_by_maintenance
from responder.domain.holds import Held
from responder.domain.maintenance import Labels, MaintenanceWindow, Once
from responder.domain.matching import Matcher
from responder.domain.switches import Switch
from responder.domain.ticket import Ticket
from responder.flows.alert_hosts import host_of
from responder.flows.around import Around
from responder.flows.desk import Desk


def hold_maintenance(around: Around, ticket: Ticket) -> Held | None:
    """Holds a ticket all of whose alerts are expected: by a window of the policy or of people, or by their host.

    A window that is not understood expects nothing, and so does one that knows only some of the alerts.
    """
    windows, hosts = around.windows, around.hosts_in_maintenance
    if not windows and not hosts:
        return None
    alerts = around.alerts_of(ticket)
    return held_by_maintenance([*windows, *_of_hosts(around.desk, ticket.grade, alerts, hosts)], alerts, around.now)


def _of_hosts(
    desk: Desk, grade: str, alerts: Sequence[Labels], switched: Mapping[str, Switch]
) -> Iterator[MaintenanceWindow]:
    """For each alert on a target in maintenance a window of just this alert."""
    for labels in alerts:
        host = host_of(desk, labels, grade)
        switch = switched.get(host.name) if host else None
        if host is None or switch is None or switch.until is None:
            continue
        yield MaintenanceWindow(
            name=f"{host.name} by {switch.actor}",
            when=tuple(Matcher(name, "=", value) for name, value in labels.items()),
            times=(Once(start=switch.at, end=switch.until),),
            reason=switch.reason,
        )
