"""What happens to a ticket, verb by verb. Each verb changes the ticket, its clocks, its sums and promises."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from responder.domain import measures, ticking
from responder.domain.facts import Fact
from responder.domain.measures import count_clock
from responder.domain.policy import Policy
from responder.domain.report import Signal
from responder.domain.sla import Clock, ClockName, MarkKind, is_breached
from responder.domain.ticket import FACT_OF, Action, Change, Disposition, EventKind, Ticket, move, refusal

MACHINE, HUMAN, ITSELF = "machine", "human", "itself"


def start_first_aid(change: Change, policy: Policy, *, now: datetime, reason: str) -> None:
    """The machine sets to work; its own time to answer is kept apart from people's."""
    moved(change, policy, Action.START_FIRST_AID, now=now, actor="responder", reason=reason, first_aid_at=now)
    measures.observe(change, measures.ACKNOWLEDGE, now - change.after.episode_at, MACHINE)


def hand_over(change: Change, policy: Policy, *, now: datetime, reason: str, actor: str = "responder") -> None:
    """The ticket becomes a person's, of its tier or, if it had none yet, of tier 1."""
    updates = {"handed_over_at": now, "acknowledged_at": None, "acknowledged_by": "", "assignee": ""}
    tier = max(change.after.tier, 1)
    moved(change, policy, Action.HAND_OVER, now=now, actor=actor, reason=reason, tier=tier, **updates)


def acknowledge(change: Change, policy: Policy, *, now: datetime, actor: str, reason: str) -> str | None:
    """Somebody takes it. The first acknowledgement of an episode stops the clock. Gives a refusal or None."""
    ticket = change.after
    if ticket.acknowledged_by:
        return f"{ticket.number} is already acknowledged by {ticket.acknowledged_by}"
    if why := refusal(ticket, Action.ACKNOWLEDGE):
        return why
    respond = change.clocks.get(ClockName.RESPOND)
    taken = {"acknowledged_at": now, "acknowledged_by": actor, "assignee": actor}
    moved(change, policy, Action.ACKNOWLEDGE, now=now, actor=actor, reason=reason, **taken)
    if respond is None or respond.is_running:
        # The first answer counts; taking a ticket over, or back after a relapse, is none.
        measures.observe(change, measures.ACKNOWLEDGE, now - ticket.episode_at, HUMAN)
    return None


def restore(change: Change, policy: Policy, *, now: datetime, actor: str, reason: str, by: str) -> None:
    """The symptom is gone, with evidence; what the ticket still needs is quiet."""
    gone = {"restored_at": now, "restored_by": by, "waiting_for": "", "signal": change.after.signal}
    moved(change, policy, Action.RESTORE, now=now, actor=actor, reason=reason, **gone)


def relapse(change: Change, policy: Policy, *, now: datetime, reason: str, actor: str = "responder") -> None:
    """It shows again, or the proof did not come: what was done did not hold, and a person gets it."""
    back = {
        "episode": change.after.episode + 1,
        "signal": Signal.FIRING,
        "restored_at": None,
        "restored_by": "",
        "cleared_at": None,
        "acknowledged_at": None,
        "acknowledged_by": "",
    }
    moved(change, policy, Action.RELAPSE, now=now, actor=actor, reason=reason, **back)
    change.count("tickets_reopened_total", priority=change.after.grade, team=change.after.team)
    change.promise("hand_over", why=reason)


def resolve(change: Change, policy: Policy, *, now: datetime, reason: str, actor: str = "responder") -> None:
    """It stayed quiet. Only now are the durations counted, so that a relapse is never counted as a success."""
    moved(change, policy, Action.RESOLVE, now=now, actor=actor, reason=reason, resolved_at=now, flapping=False)
    ticket = change.after
    restored_at = ticket.restored_at or now
    if not ticket.disposition:
        measures.observe(change, measures.RESTORE, restored_at - ticket.episode_at, ticket.restored_by)
        measures.observe(change, measures.RESOLVE, now - ticket.episode_at, ticket.restored_by)
    change.count("tickets_resolved_total", priority=ticket.grade, team=ticket.team, by=ticket.restored_by)
    count_stopped(change)
    if (after := policy.promises_of(ticket.grade).close_after) is not None:
        change.promise("close", now + after, episode=ticket.episode)


def close(change: Change, policy: Policy, *, now: datetime, actor: str, reason: str) -> None:
    """The last word on a ticket that was resolved."""
    moved(change, policy, Action.CLOSE, now=now, actor=actor, reason=reason, closed_at=now)
    count_stopped(change)


def end_without_solution(
    change: Change, policy: Policy, action: Action, *, now: datetime, actor: str, reason: str, **updates: object
) -> None:
    """Dismissed (pseudo-fault, false alarm, maintenance) or merged: closed, and counted in no service level."""
    moved(change, policy, action, now=now, actor=actor, reason=reason, closed_at=now, **updates)
    count_stopped(change)


def reopen(change: Change, policy: Policy, *, now: datetime, reason: str, actor: str = "responder") -> None:
    """The same trouble again, soon: the same ticket, a new episode, new clocks."""
    count_stopped(change)
    anew = {
        "episode": change.after.episode + 1,
        "episode_at": now,
        "signal": Signal.FIRING,
        "first_aid_at": None,
        "handed_over_at": None,
        "acknowledged_at": None,
        "acknowledged_by": "",
        "assignee": "",
        "tier": 0,
        "disposition": "",
        "waiting_for": "",
        "cleared_at": None,
        "restored_at": None,
        "restored_by": "",
        "resolved_at": None,
        "closed_at": None,
    }
    moved(change, policy, Action.REOPEN, now=now, actor=actor, reason=reason, **anew)
    change.count("tickets_reopened_total", priority=change.after.grade, team=change.after.team)


_TAKES = (Action.START_FIRST_AID, Action.HAND_OVER, Action.ACKNOWLEDGE)
_TOLD = ("restored_by", "waiting_for", "disposition", "tier", "signal")
"""What of a move the event keeps, so that everything can be recounted from the events."""


def happened(change: Change, policy: Policy, fact: Fact, *, now: datetime) -> None:
    """Tells the clocks of something that is no move, such as a diagnosis. The caller writes the event."""
    before = change.clocks
    change.clocks = ticking.fed(before, policy.clocks, fact, policy.scene(change.after, now))
    _look_at_clocks(change, before, now)


def regrade(change: Change, policy: Policy, *, now: datetime) -> None:
    """Sets the clocks to the ticket's new grade; the caller has changed it and written the event."""
    before = change.clocks
    change.clocks = ticking.regraded(before, policy.clocks, policy.scene(change.after, now))
    _look_at_clocks(change, before, now)


def call_for_the_raise(change: Change, why: str, actor: str = "") -> None:
    """Who was told of something slighter is told anew, through quiet hours and ahead of any list; who has it is told,
    unless it was they who raised it. What comes back and is raised in one go has promised its hand-over already."""
    ticket = change.after
    if any(promise.kind == "hand_over" for promise in change.promises):
        return
    if ticket.waits_for_a_person:
        change.promise("hand_over", why=why, round=change.round, may_wait=True)
    elif ticket.acknowledged_by:
        is_told = actor != ticket.acknowledged_by
        raised: dict[str, Any] = {"raised": why, "round": change.round} if is_told else {}
        change.promise("still_on_it", by=ticket.acknowledged_by, episode=ticket.episode, **raised)


def breach(change: Change, policy: Policy, name: str, *, now: datetime) -> bool:
    """A clock ran past its target: counted once, at that moment. Gives whether it did just now."""
    clock = change.clocks[name]
    if clock.breached_at is not None or not is_breached(clock, now):
        return False
    _count_breach(change, clock, now)
    change.clocks[name] = ticking.breached(clock, policy.clock(name))
    return True


def out_of_maintenance(change: Change) -> None:
    """It counts like any other ticket from now on, and so do the clocks that ran out meanwhile."""
    if change.after.disposition == Disposition.MAINTENANCE:
        change.update(disposition="")
        for name, clock in change.clocks.items():
            if missed := _missed(clock, change.after):
                count_clock(change, "sla_clocks_breached_total", name, missed)


def has_missed(change: Change) -> bool:
    """Whether one of its clocks has run out in this episode."""
    return any(_missed(clock, change.after) for clock in change.clocks.values())


def _missed(clock: Clock, ticket: Ticket) -> int:
    rounds = sum(mark.kind is MarkKind.MISSED and mark.at >= ticket.episode_at for mark in clock.marks)
    return rounds + (clock.breached_at is not None and not clock.counted)


def count_stopped(change: Change) -> None:
    """Counts the clocks that have stopped for good: met, or left out because the ticket counts in no service level."""
    excluded = change.after.disposition
    for name, clock in change.clocks.items():
        if clock.counted or clock.is_running or clock.is_void or clock.target is None:
            continue
        if excluded:
            was = "breached" if clock.breached_at else "met"
            count_clock(change, "sla_clocks_excluded_total", name, reason=excluded, was=was)
        elif clock.was_met:
            count_clock(change, "sla_clocks_met_total", name)
        change.clocks[name] = replace(clock, counted=True)


def quiet_needed(policy: Policy, ticket: Ticket) -> timedelta:
    """How long a ticket must stay quiet before it counts as resolved."""
    return policy.flapping.quiet if ticket.flapping else policy.promises_of(ticket.grade).quiet


def moved(
    change: Change, policy: Policy, action: Action, *, now: datetime, actor: str, reason: str, **updates: object
) -> None:
    """Moves the ticket, changes it, and tells the clocks. The caller has asked `refusal` first."""
    if action in _TAKES and change.after.disposition:
        # What opened in maintenance and was taken up counts like any other ticket.
        out_of_maintenance(change)
        updates = {**updates, "disposition": ""}
    told = {name: updates[name] for name in _TOLD if name in updates}
    move(change, action, now=now, actor=actor, reason=reason, **told)
    change.update(**updates)
    happened(change, policy, FACT_OF[action], now=now)


def _look_at_clocks(change: Change, before: dict[str, Clock], now: datetime) -> None:
    for name, clock in change.clocks.items():
        old = before.get(name)
        if clock is old:
            continue
        if old and not old.counted and not old.is_running and clock.is_running and _begins_anew(clock):
            # What it measured before is final now.
            _count_met(change, old)
        if clock.marks[-1].kind is MarkKind.DONE:
            _count_round(change, old, now)
        if clock.stopped_at and clock.breached_at is None and is_breached(clock, now):
            _count_breach(change, clock, now)
            change.clocks[name] = replace(clock, breached_at=clock.due_at, next_at=None)


def _begins_anew(clock: Clock) -> bool:
    return clock.marks[-1].kind is MarkKind.STARTED


def _count_round(change: Change, old: Clock | None, now: datetime) -> None:
    """A round of a repeating clock is over: in time, or late and nobody has noticed yet."""
    if old is None or old.due_at is None:
        return
    if now <= old.due_at:
        count_clock(change, "sla_clocks_met_total", old.name)
    else:
        _count_breach(change, old, now)


def _count_met(change: Change, clock: Clock) -> None:
    if clock.was_met:
        count_clock(change, "sla_clocks_met_total", clock.name)


def _count_breach(change: Change, clock: Clock, now: datetime) -> None:
    if change.after.disposition != Disposition.MAINTENANCE:
        # Else it is one of those left out, once that is sure: in one of the two numbers, never in both.
        count_clock(change, "sla_clocks_breached_total", clock.name)
    text = f"The {clock.name} clock ran past its target at {clock.due_at:%H:%M:%S} UTC."
    change.note(now, EventKind.CLOCK, text, clock=clock.name)
