"""What happens to a ticket, verb by verb. Each verb changes the ticket, its clocks, its sums and promises."""

from __future__ import annotations

from datetime import datetime, timedelta

from responder.domain import measures
from responder.domain.policy import Policy
from responder.domain.sla import ClockName, is_breached, resumed, started, stopped
from responder.domain.ticket import Action, Change, EventKind, Ticket, move, refusal

MACHINE, HUMAN, ITSELF = "machine", "human", "itself"


def start_first_aid(change: Change, *, now: datetime, reason: str) -> None:
    """The machine sets to work; its own time to answer is kept apart from people's."""
    move(change, Action.START_FIRST_AID, now=now, actor="responder", reason=reason)
    change.update(first_aid_at=now)
    measures.observe(change, measures.ACKNOWLEDGE, now - change.after.episode_at, MACHINE)


def hand_over(change: Change, *, now: datetime, reason: str, actor: str = "responder") -> None:
    """The ticket becomes a person's."""
    move(change, Action.HAND_OVER, now=now, actor=actor, reason=reason)
    change.update(handed_over_at=now, acknowledged_at=None, acknowledged_by="")


def acknowledge(change: Change, *, now: datetime, actor: str, reason: str) -> str | None:
    """Somebody takes it. The first acknowledgement of an episode stops the clock. Gives a refusal or None."""
    ticket = change.after
    if ticket.acknowledged_by:
        return f"{ticket.number} is already acknowledged by {ticket.acknowledged_by}"
    if why := refusal(ticket, Action.ACKNOWLEDGE):
        return why
    move(change, Action.ACKNOWLEDGE, now=now, actor=actor, reason=reason)
    change.update(acknowledged_at=now, acknowledged_by=actor)
    respond = change.clocks.get(ClockName.RESPOND)
    if respond is None or respond.is_running:
        # The first answer counts; taking a ticket over, or back after a relapse, is none.
        measures.observe(change, measures.ACKNOWLEDGE, now - ticket.episode_at, HUMAN)
    stop_clock(change, ClockName.RESPOND, now)
    return None


def restore(change: Change, *, now: datetime, actor: str, reason: str, by: str) -> None:
    """The symptom is gone, with evidence; what the ticket still needs is quiet."""
    move(change, Action.RESTORE, now=now, actor=actor, reason=reason)
    change.update(restored_at=now, restored_by=by)
    stop_clock(change, ClockName.RESTORE, now)
    if change.after.acknowledged_at is None:
        stop_clock(change, ClockName.RESPOND, now)


def relapse(change: Change, *, now: datetime, reason: str) -> None:
    """It shows again, or the proof did not come: what was done did not hold, and a person gets it."""
    move(change, Action.RELAPSE, now=now, actor="responder", reason=reason)
    change.count("tickets_reopened_total", priority=change.after.grade, team=change.after.team)
    resume_again = [ClockName.RESTORE]
    if not change.after.acknowledged_at:
        resume_again.append(ClockName.RESPOND)
    change.update(
        episode=change.after.episode + 1,
        restored_at=None,
        restored_by="",
        cleared_at=None,
        acknowledged_at=None,
        acknowledged_by="",
    )
    for name in resume_again:
        if name in change.clocks:
            change.clocks[name] = resumed(change.clocks[name])
    change.promise("hand_over", why=reason)


def resolve(change: Change, policy: Policy, *, now: datetime, reason: str) -> None:
    """It stayed quiet. Only now are the durations counted, so that a relapse is never counted as a success."""
    move(change, Action.RESOLVE, now=now, actor="responder", reason=reason)
    change.update(resolved_at=now, flapping=False)
    ticket = change.after
    restored_at = ticket.restored_at or now
    measures.observe(change, measures.RESTORE, restored_at - ticket.episode_at, ticket.restored_by)
    measures.observe(change, measures.RESOLVE, now - ticket.episode_at, ticket.restored_by)
    change.count("tickets_resolved_total", priority=ticket.grade, team=ticket.team, by=ticket.restored_by)
    stop_clock(change, ClockName.RESOLVE, now)
    for clock in change.clocks.values():
        if clock.was_met and clock.breached_at is None:
            count_clock(change, "sla_clocks_met_total", clock.name)
    if (after := policy.promises_of(ticket.grade).close_after) is not None:
        change.promise("close", now + after, episode=ticket.episode)


def close(change: Change, *, now: datetime, actor: str, reason: str) -> None:
    move(change, Action.CLOSE, now=now, actor=actor, reason=reason)
    change.update(closed_at=now)


def reopen(change: Change, policy: Policy, *, now: datetime, reason: str) -> None:
    """The same trouble again, soon: the same ticket, a new episode, new clocks."""
    move(change, Action.REOPEN, now=now, actor="responder", reason=reason)
    change.count("tickets_reopened_total", priority=change.after.grade, team=change.after.team)
    change.update(
        episode=change.after.episode + 1,
        episode_at=now,
        first_aid_at=None,
        handed_over_at=None,
        acknowledged_at=None,
        acknowledged_by="",
        cleared_at=None,
        restored_at=None,
        restored_by="",
        resolved_at=None,
        closed_at=None,
    )
    change.clocks = started(policy.promises_of(change.after.grade).targets, now)


def breach(change: Change, name: str, *, now: datetime) -> None:
    """A clock ran past its target: counted once, at that moment."""
    clock = change.clocks[name]
    if clock.breached_at is not None or not is_breached(clock, now):
        return
    change.clocks[name] = type(clock)(
        name=clock.name,
        started_at=clock.started_at,
        due_at=clock.due_at,
        stopped_at=clock.stopped_at,
        breached_at=clock.due_at,
    )
    count_clock(change, "sla_clocks_breached_total", name)
    change.note(
        now, EventKind.CLOCK, f"The {name} clock ran past its target at {clock.due_at:%H:%M:%S} UTC.", clock=name
    )


def stop_clock(change: Change, name: str, now: datetime) -> None:
    """Stops a clock if there is one, and says at once if it was too late."""
    if name not in change.clocks:
        return
    change.clocks[name] = stopped(change.clocks[name], now)
    breach(change, name, now=now)


def count_clock(change: Change, counter: str, clock: str) -> None:
    change.count(counter, clock=clock, priority=change.after.grade, team=change.after.team)


def quiet_needed(policy: Policy, ticket: Ticket) -> timedelta:
    """How long a ticket must stay quiet before it counts as resolved."""
    return policy.flapping.quiet if ticket.flapping else policy.promises_of(ticket.grade).quiet
