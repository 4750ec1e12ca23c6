"""Replan: a changed policy moves the deadlines of open tickets, and each ticket says what changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from responder.domain import sla, ticking
from responder.domain.correlation import Known
from responder.domain.policy import Policy
from responder.domain.sla import Clock, ClockRule, Scene, Target, spoken_target
from responder.domain.ticket import Change, EventKind
from responder.flows.desk import Desk
from responder.store.transaction import Transaction


async def replan(desk: Desk, old: Policy | None = None) -> int:
    """Counts the running clocks of open tickets by the policy in use; how many tickets that changed.

    `old` is the policy before a reload: what its calendars counted is kept. After a restart it is not known, and
    what a clock has used is counted anew.
    """
    tickets = await desk.store.read(lambda tx: tx.tickets.with_running_clocks())
    changed = 0
    for first in range(0, len(tickets), _AT_ONCE):
        some = tickets[first : first + _AT_ONCE]
        behind = await desk.store.read(lambda tx, some=some: _behind(desk, tx, some))  # type: ignore[misc]
        if behind:
            changed += await desk.store.write(lambda tx, behind=behind: _replan(desk, tx, behind, old))  # type: ignore[misc]
    return changed


_AT_ONCE = 100
"""Few enough that an alert which comes meanwhile waits for less than a second."""


def _behind(desk: Desk, tx: Transaction, tickets: Sequence[int]) -> list[int]:
    """Those whose clocks count by another policy than the one in use."""
    found, running, now = tx.tickets.many(tickets), tx.tickets.clocks(tickets), desk.clock.now()
    known = {one: Known(ticket=found[one], clocks=running.get(one, {})) for one in tickets}
    return [one for one in tickets if any(True for _ in _differing(desk.policy, known[one], now))]


def _replan(desk: Desk, tx: Transaction, tickets: Sequence[int], old: Policy | None) -> int:
    now = desk.clock.now()
    made = [_replanned(desk.policy, tx.tickets.one(one, locked=True), old, now) for one in tickets]
    changes = [change for change in made if change is not None]
    tx.apply(changes, now)
    return len(changes)


def _replanned(policy: Policy, known: Known, old: Policy | None, now: datetime) -> Change | None:
    change, scene, said = Change.of(known.ticket, known.clocks), policy.scene(known.ticket, now), []
    for clock, rule in _differing(policy, known, now):
        before = (old.clock(clock.name) if old else None) or rule
        change.clocks[clock.name] = ticking.replanned(clock, rule, before, scene)
        said.append(_said(clock, change.clocks[clock.name], scene.targets.get(clock.name)))
    if not said:
        return None
    change.note(now, EventKind.CLOCK, f"The policy has changed: {'; '.join(said)}.", replanned=True)
    return change


def _differing(policy: Policy, known: Known, now: datetime) -> Iterator[tuple[Clock, ClockRule]]:
    """The running clocks that the policy counts otherwise, each with its rule."""
    scene = policy.scene(known.ticket, now)
    for name, clock in known.clocks.items():
        rule = policy.clock(name)
        if rule is not None and clock.is_running and _differs(clock, rule, scene):
            yield clock, rule


def _differs(clock: Clock, rule: ClockRule, scene: Scene) -> bool:
    if clock.target != scene.targets.get(rule.name):
        return True
    reckoned = sla.reckoned(clock, rule)
    return (reckoned.due_at, reckoned.next_at) != (clock.due_at, clock.next_at)


def _said(old: Clock, new: Clock, target: Target | None) -> str:
    was = f"{old.due_at:%Y-%m-%d %H:%M} UTC" if old.due_at else "at no time"
    due = f"{new.due_at:%Y-%m-%d %H:%M} UTC" if new.due_at else "at no time"
    wanted = f" ({spoken_target(target)})" if target is not None else " (no target any more)"
    return f"{new.name} is now due {due}{wanted}, it was due {was}"
