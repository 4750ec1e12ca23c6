"""Holds that follow from rules and alerts alone: what a server decides, what a replay finds, what is foreseen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from responder.domain.hold_off import HoldOffRule, patience
from responder.domain.holds import Held
from responder.domain.maintenance import Labels, MaintenanceWindow, expected


def held_by_maintenance(windows: Sequence[MaintenanceWindow], alerts: Sequence[Labels], at: datetime) -> Held | None:
    """Holds alerts every single one of which is expected by a window."""
    found = expected(windows, alerts, at)
    if found is None:
        return None
    why, until = "; ".join(found.names), found.until.astimezone(UTC)
    return Held(
        name="maintenance",
        sentence=f"In maintenance until {until:%Y-%m-%d %H:%M} UTC ({why}): nothing runs and nobody is paged.",
        until=until,
        occasion=f"{why} until {until:%Y-%m-%d %H:%M}",
        is_excluded=True,
    )


def held_off(
    rules: Sequence[HoldOffRule],
    alerts: Sequence[Labels],
    at: datetime,
    *,
    grade: str,
    grades: Iterable[str],
    since: datetime,
) -> Held | None:
    """Holds alerts that have not shown for long enough since they last began to."""
    found = patience(rules, alerts, grade=grade, grades=grades, since=since)
    if found is None or found.until <= at:
        return None
    why = ", ".join(map(str, found.rules))
    return Held(
        name="hold-off",
        sentence=f"It may go away by itself ({why}): nobody is troubled before {found.until:%H:%M:%S} UTC.",
        until=found.until,
        occasion=f"{since:%Y-%m-%d %H:%M:%S}",
    )
