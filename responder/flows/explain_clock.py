"""Explain a clock: when it is due and why, line by line."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from responder.domain.clock_story import Story, tell
from responder.domain.policy import Policy
from responder.domain.sla import Clock, ClockRule
from responder.errors import NotFound
from responder.flows.desk import Desk
from responder.store.transaction import Transaction


async def explain_clocks(desk: Desk, key: str, name: str = "") -> tuple[str, list[Story]]:
    """The number of a ticket with the stories of its clocks, or of one. Raises NotFound."""
    return await desk.store.read(lambda tx: _explain(desk, tx, key, name))


def _explain(desk: Desk, tx: Transaction, key: str, name: str) -> tuple[str, list[Story]]:
    known, now = tx.tickets.find(key), desk.clock.now()
    chosen = {clock.name: clock for clock in known.clocks.values() if name in ("", clock.name)}
    if name and not chosen:
        there = ", ".join(story.name for story in stories(desk.policy, known.clocks.values(), now)) or "none"
        raise NotFound(f"{known.ticket.number} has no clock {name}; it has {there}.")
    return known.ticket.number, stories(desk.policy, chosen.values(), now)


def stories(policy: Policy, clocks: Iterable[Clock], now: datetime) -> list[Story]:
    """The stories of these clocks, in the order of the policy."""
    order = {rule.name: place for place, rule in enumerate(policy.clocks)}
    arranged = sorted(clocks, key=lambda clock: (order.get(clock.name, len(order)), clock.name))
    return [tell(clock, policy.clock(clock.name) or _forgotten(clock), now) for clock in arranged]


def _forgotten(clock: Clock) -> ClockRule:
    """A clock that the policy has no rule for any more is told around the clock."""
    return ClockRule(name=clock.name, start=frozenset(), stop=frozenset(), text="no longer in the policy")


def story_as_plain(story: Story) -> dict[str, Any]:
    """A story as a plain structure; durations in seconds."""
    return {
        "clock": story.name,
        "text": story.text,
        "calendar": story.calendar,
        "calendar_version": story.version,
        "zone": story.zone,
        "target": story.target,
        "state": story.state,
        "used_seconds": story.used.total_seconds(),
        "due_at": _instant(story.due_at),
        "breached_at": _instant(story.breached_at),
        "lines": [
            {
                "at": _instant(line.at),
                "until": _instant(line.until),
                "text": line.text,
                "counted_seconds": None if line.counted is None else line.counted.total_seconds(),
            }
            for line in story.lines
        ],
    }


def _instant(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at else None
