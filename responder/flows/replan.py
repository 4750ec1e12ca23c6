"""Replan: a changed policy moves the deadlines of open tickets, and each ticket says what changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from responder.config.configuration import Configuration
from responder.domain import sla, ticking
from responder.domain.correlation import Known
from responder.domain.policy import Policy
from responder.domain.sla import Clock, ClockRule, Scene, Target, spoken_target
from responder.domain.ticket import Change, EventKind
from responder.flows.desk import Desk
from responder.store.transaction import Transaction


async def take_over(desk: Desk, configuration: Configuration) -> int:
    """From now on this configuration, and its deadlines; how many tickets that changed.

    Nobody looks meanwhile whether a deadline has passed: one that the policy has moved must not call anybody.
    """
    async with desk.planning:
        desk.take_over(configuration)
        return await _follow(desk)


async def follow_policy(desk: Desk) -> int:
    """Lets all deadlines follow the policy in use, unless they do; how many tickets that changed."""
    async with desk.planning:
        return await _follow(desk)


async def _follow(desk: Desk) -> int:
    policy = desk.policy
    if desk.followed is policy:
        return 0
    changed = await replan(desk, desk.followed)
    desk.followed = policy
    return changed


async def replan(desk: Desk, old: Policy | None = None) -> int:
    """Counts the running clocks of open tickets by the policy in use; how many tickets that changed.

    `old` is the policy before a reload: what its calendars counted is kept. After a restart it is not known, and
    what a clock has used is counted anew.
    """
    # The one of now, also for those that come last: a reload meanwhile counts from what this one leaves.
    policy = desk.policy
    tickets = await desk.store.read(lambda tx: tx.tickets.with_running_clocks())
    changed = 0
    for first in range(0, len(tickets), _AT_ONCE):
        some = tickets[first : first + _AT_ONCE]
        now = desk.clock.now()
        behind = await desk.store.read(lambda tx, some=some, now=now: _behind(policy, tx, some, now))  # type: ignore[misc]
        if behind:
            changed += await desk.store.write(lambda tx, behind=behind, now=now: _replan(policy, tx, behind, old, now))  # type: ignore[misc]
    return changed


_AT_ONCE = 100
"""Few enough that an alert which comes meanwhile waits for less than a second."""


def _behind(policy: Policy, tx: Transaction, tickets: Sequence[int], now: datetime) -> list[int]:
    """Those whose clocks count by another policy than this one."""
    found, running = tx.tickets.many(tickets), tx.tickets.clocks(tickets)
    known = {one: Known(ticket=found[one], clocks=running.get(one, {})) for one in tickets}
    return [one for one in tickets if any(True for _ in _differing(policy, known[one], now))]


def _replan(policy: Policy, tx: Transaction, tickets: Sequence[int], old: Policy | None, now: datetime) -> int:
    made = [_replanned(policy, tx.tickets.one(one, locked=True), old, now) for one in tickets]
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
