"""Replan: a changed policy moves the deadlines of open tickets, and each ticket says what changed."""

from __future__ import annotations

from responder.domain import sla, ticking
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
    for ticket_id in tickets:
        changed += await desk.store.write(lambda tx, ticket_id=ticket_id: _replan(desk, tx, ticket_id, old))  # type: ignore[misc]
    return changed


def _replan(desk: Desk, tx: Transaction, ticket_id: int, old: Policy | None) -> bool:
    known, now, policy = tx.tickets.one(ticket_id, locked=True), desk.clock.now(), desk.policy
    change = Change.of(known.ticket, known.clocks)
    scene, said = policy.scene(known.ticket, now), []
    for name, clock in known.clocks.items():
        rule = policy.clock(name)
        if rule is None or not clock.is_running or not _differs(clock, rule, scene):
            continue
        before = (old.clock(name) if old else None) or rule
        change.clocks[name] = ticking.replanned(clock, rule, before, scene)
        said.append(_said(clock, change.clocks[name], scene.targets.get(name)))
    if said:
        change.note(now, EventKind.CLOCK, f"The policy has changed: {'; '.join(said)}.", replanned=True)
        tx.apply([change], now)
    return bool(said)


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
