"""Alarms: what a warning or a breach of a clock does before and after the deadline."""

from __future__ import annotations

from responder.domain import handling
from responder.domain.handling import Acting
from responder.domain.oncall import Recipient, addressed
from responder.domain.sla import Alarm, Clock, Notify
from responder.domain.ticket import Change, EventKind, Ticket
from responder.flows.desk import Desk
from responder.flows.holds import hold_of
from responder.flows.telling import highest_tier, spoken_recipients, team_of, write_notice
from responder.store.transaction import Transaction


def ring(desk: Desk, tx: Transaction, change: Change, alarm: Alarm, clock: Clock, *, what: str) -> None:
    """Tells whom the alarm names, once per clock and occasion, and gives the ticket to the next tier if it says so."""
    if held := hold_of(desk, tx, change.after, desk.clock.now()):
        change.note(desk.clock.now(), EventKind.HELD, f"Nobody is told of this clock: {held.sentence}")
        return
    told, why = _meant(desk, tx, change.after, alarm)
    if alarm.escalate:
        _escalate(desk, change, what)
    if not told:
        return
    occasion = f"{clock.name}-{clock.due_at:%Y%m%d%H%M%S}" if clock.due_at else clock.name
    new = write_notice(desk, tx, change, told, purpose=f"clock-{occasion}-{clock.warned}", text=what)
    if new:
        change.note(desk.clock.now(), EventKind.MESSAGE, f"To tell: {spoken_recipients(new)} ({why}): {what}")


def _escalate(desk: Desk, change: Change, what: str) -> None:
    acting = Acting(actor="responder", now=desk.clock.now(), policy=desk.policy)
    if refused := handling.escalate(change, acting, what, highest_tier(desk, change.after)):
        change.note(acting.now, EventKind.REFUSED, f"It goes no higher: {refused}.")


def _meant(desk: Desk, tx: Transaction, ticket: Ticket, alarm: Alarm) -> tuple[tuple[Recipient, ...], str]:
    """Whom it names: the assignee, the team, the next tier, and everybody with one of its roles.

    The team stands in for an assignee whom nobody can reach: a ticket must not fall silent in such a name.
    """
    people, asks_assignee = desk.configuration.people, Notify.ASSIGNEE in alarm.tell
    owner = people.get(ticket.assignee)
    names = (ticket.assignee,) if asks_assignee and owner is not None and owner.channels else ()
    told, why = addressed(names, alarm.roles, people)
    if asks_assignee and ticket.assignee and not names:
        why = "; ".join(one for one in (why, f"{ticket.assignee} cannot be reached by any channel") if one)
    tiers = [1] if Notify.TEAM in alarm.tell or (asks_assignee and not names) else []
    if Notify.NEXT_TIER in alarm.tell:
        tiers.append(max(ticket.tier, 1) + 1)
    if tiers and not desk.policy.promises_of(ticket.grade).tiers:
        # Whom nobody wakes when it opens nobody wakes for its clock.
        return told, why
    called, why_called = team_of(desk, tx, ticket, tiers) if tiers else ((), "")
    return tuple(dict.fromkeys((*told, *called))), "; ".join(one for one in (why, why_called) if one)
