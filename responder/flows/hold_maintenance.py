"""Hold: alerts that a maintenance window expects. The ticket opens and says so; nothing runs and nobody is paged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import structlog

from responder.domain.firing import firing_labels
from responder.domain.holds import Held, look_again
from responder.domain.maintenance import Labels, MaintenanceWindow, Once, expected
from responder.domain.matching import Matcher, parse_matcher
from responder.domain.switches import Switch
from responder.domain.ticket import Ticket
from responder.flows.alert_hosts import host_of
from responder.flows.desk import Desk
from responder.flows.maintenance import in_maintenance_now
from responder.store.maintenance_windows import AdHocWindow
from responder.store.transaction import Transaction

log = structlog.get_logger()


def hold_maintenance(desk: Desk, tx: Transaction, ticket: Ticket, now: datetime) -> Held | None:
    """Holds a ticket all of whose alerts are expected: by a window of the policy or of people, or by their host.

    A window that is not understood expects nothing, and so does one that knows only some of the alerts.
    """
    windows = [*desk.policy.maintenance, *windows_of_people(tx, now)]
    hosts = in_maintenance_now(tx, now)
    if not windows and not hosts:
        return None
    alerts = firing_labels(ticket, tx.tickets.events(ticket.id) if len(ticket.firing) > 1 else ())
    if not alerts:
        return None
    windows += _of_hosts(desk, ticket.grade, alerts, hosts)
    found = expected(windows, alerts, now)
    if found is None:
        return None
    why = "; ".join(found.names)
    return Held(
        name="maintenance",
        sentence=f"In maintenance until {found.until:%Y-%m-%d %H:%M} UTC ({why}): nothing runs and nobody is paged.",
        until=look_again(found.until, now),
        occasion=f"{why} until {found.until:%Y-%m-%d %H:%M}",
        is_excluded=True,
    )


def windows_of_people(tx: Transaction, now: datetime) -> list[MaintenanceWindow]:
    """The windows that were begun by hand and are open; one that is not understood is left out."""
    return [window for row in tx.maintenance.open_at(now) if (window := _window(row))]


def _window(row: AdHocWindow) -> MaintenanceWindow | None:
    try:
        when = tuple(map(parse_matcher, row.matchers))
    except (ValueError, TypeError) as error:
        log.warning("a maintenance window is not understood, so it holds nothing", window=row.id, error=str(error))
        return None
    return MaintenanceWindow(
        name=f"maintenance {row.id} by {row.actor}",
        when=when,
        times=(Once(start=row.at, end=row.until),),
        is_everything=row.is_everything,
        reason=row.reason,
    )


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
