"""What holds ask about beside the ticket, gathered at most once however many tickets are looked at together."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cached_property

import structlog

from responder.domain.correlation import Known
from responder.domain.firing import firing_labels
from responder.domain.maintenance import Labels, MaintenanceWindow, Once
from responder.domain.matching import parse_matcher
from responder.domain.switches import Switch
from responder.domain.ticket import Event, Ticket
from responder.flows.desk import Desk
from responder.flows.maintenance import in_maintenance_now
from responder.flows.storm import calls_anybody, storm_ticket
from responder.store.maintenance_windows import AdHocWindow
from responder.store.transaction import Transaction

log = structlog.get_logger()


class Around:
    """One transaction at one instant."""

    def __init__(self, desk: Desk, tx: Transaction, now: datetime, news: Sequence[Event] = ()) -> None:
        """`news` are events of the ticket in question that are not written yet."""
        self.desk, self.tx, self.now, self._news = desk, tx, now, news
        self._open_about: dict[tuple[str, ...], list[Ticket]] = {}

    @cached_property
    def windows(self) -> Sequence[MaintenanceWindow]:
        """The windows of the policy, and those of people that are open; one that is not understood is left out."""
        by_hand = [window for row in self.tx.maintenance.open_at(self.now) if (window := _window(row))]
        return [*self.desk.policy.maintenance, *by_hand]

    @cached_property
    def hosts_in_maintenance(self) -> Mapping[str, Switch]:
        return in_maintenance_now(self.tx, self.now)

    @cached_property
    def storm_ticket(self) -> Known | None:
        """The ticket of the storm that lasts."""
        return storm_ticket(self.desk, self.tx, self.now)

    @cached_property
    def storm_calls_anybody(self) -> bool:
        return calls_anybody(self.desk, self.now)

    @cached_property
    def opened_of_late(self) -> int:
        """How many tickets were opened in the time that ends a storm."""
        rule = self.desk.policy.storm
        return self.tx.tickets.opened_since(self.now - rule.over, rule.enough) if rule else 0

    def open_about(self, names: Collection[str]) -> Sequence[Ticket]:
        """Open tickets that may be about one of these hosts."""
        key = tuple(names)
        if key not in self._open_about:
            self._open_about[key] = self.tx.tickets.open_about(names)
        return self._open_about[key]

    def alerts_of(self, ticket: Ticket) -> Sequence[Labels]:
        """The labels of each of its alerts that still shows; none if one of them is not known."""
        history = self.tx.tickets.events(ticket.id) if len(ticket.firing) > 1 else ()
        return firing_labels(ticket, [*history, *self._news]) or ()


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
