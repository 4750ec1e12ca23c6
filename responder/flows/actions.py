"""Actions after a review: done, moved, or overdue, which people are told until something becomes of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from responder.domain import actions as rules
from responder.domain.access import Identity
from responder.domain.actions import ActionItem, moment
from responder.domain.oncall import Recipient, addressed
from responder.domain.sla import Notify
from responder.domain.ticket import Change, EventKind, Ticket
from responder.errors import Refused
from responder.flows.desk import Desk
from responder.flows.moves import refuse_other_teams
from responder.flows.telling import spoken_recipients, team_of, write_notice
from responder.store.transaction import Transaction


async def finish_action(
    desk: Desk, action_id: int, actor: str, result: str, *, who: Identity | None = None
) -> ActionItem:
    """Writes down what came of an action. Raises NotFound, NotTheirs, or Refused with the reason."""

    def decide(item: ActionItem, now: datetime) -> ActionItem | str:
        return rules.finish(item, actor, result, now)

    said = f"{actor} has done action {action_id}: {result}"
    return await _change(desk, action_id, decide, actor=actor, said=said, who=who)


async def move_action(
    desk: Desk, action_id: int, due_at: datetime, *, actor: str, reason: str, who: Identity | None = None
) -> ActionItem:
    """Gives an action another due date. Raises NotFound, NotTheirs, or Refused with the reason."""

    def decide(item: ActionItem, now: datetime) -> ActionItem | str:
        return rules.move_due(item, due_at, reason, now)

    said = f"{actor} moves action {action_id} to {moment(due_at)}: {reason}"
    return await _change(desk, action_id, decide, actor=actor, said=said, who=who)


async def escalate_overdue(desk: Desk) -> int:
    """Tells people about actions that are overdue; of how many."""
    now = desk.clock.now()
    found = await desk.store.read(lambda tx: tx.actions.to_escalate(now))
    told = [await desk.store.write(lambda tx, one=one: _escalate(desk, tx, one, now)) for one in found]  # type: ignore[misc]
    return sum(told)


def _escalate(desk: Desk, tx: Transaction, action_id: int, now: datetime) -> bool:
    change, item = _held(tx, action_id)
    if not item.is_to_escalate(now):
        return False
    told, why = _whom(desk, tx, change.after, item)
    after = rules.escalated(item, now)
    text = rules.overdue_sentence(item, now)
    write_notice(desk, tx, change, told, purpose=after.purpose, text=text)
    said = f"To tell: {spoken_recipients(told)} ({why}): {text}"
    change.note(now, EventKind.MESSAGE, said, action_item=item.id, escalation=after.escalations)
    tx.actions.keep(after)
    tx.apply([change], now)
    return True


def _whom(desk: Desk, tx: Transaction, ticket: Ticket, item: ActionItem) -> tuple[tuple[Recipient, ...], str]:
    """The owner first; later, or if the owner cannot be reached, whom the policy names."""
    owner, why_owner = addressed((item.owner,), (), desk.configuration.people)
    if item.escalated_at is None and owner:
        return owner, why_owner
    above, why_above = _named_by_policy(desk, tx, ticket)
    if above:
        unheard = "" if owner else f"{item.owner} cannot be told any more; "
        return above, f"{unheard}{why_above}"
    # A reminder that reaches nobody is the worst of answers.
    return owner or team_of(desk, tx, ticket)[0], f"the policy names nobody for overdue actions; {why_owner}"


def _named_by_policy(desk: Desk, tx: Transaction, ticket: Ticket) -> tuple[tuple[Recipient, ...], str]:
    alarm = desk.policy.on_overdue_action
    assignee = (ticket.assignee,) if Notify.ASSIGNEE in alarm.tell and ticket.assignee else ()
    named, why_named = addressed(assignee, alarm.roles, desk.configuration.people)
    wanted = {Notify.TEAM: 1, Notify.NEXT_TIER: max(ticket.tier, 1) + 1}
    called, why_called = team_of(desk, tx, ticket, [number for word, number in wanted.items() if word in alarm.tell])
    told = tuple(dict.fromkeys((*named, *called)))
    return told, "; ".join(why for why in (why_named, why_called) if why)


async def _change(
    desk: Desk,
    action_id: int,
    decide: Callable[[ActionItem, datetime], ActionItem | str],
    *,
    actor: str,
    said: str,
    who: Identity | None,
) -> ActionItem:
    now = desk.clock.now()

    def body(tx: Transaction) -> ActionItem:
        change, item = _held(tx, action_id)
        refuse_other_teams(who, change.after)
        after = decide(item, now)
        if isinstance(after, str):
            raise Refused(f"{after[0].upper()}{after[1:].rstrip('.')}.")
        change.note(now, EventKind.HANDLED, said, actor, action_item=item.id)
        tx.actions.keep(after)
        tx.apply([change], now)
        return after

    return await desk.store.write(body)


def _held(tx: Transaction, action_id: int) -> tuple[Change, ActionItem]:
    """The action and its ticket, which may be closed. Raises NotFound."""
    known = tx.tickets.one(tx.actions.one(action_id).ticket_id, locked=True)
    # Only now that the ticket is ours does the action stand still.
    return Change.of(known.ticket, known.clocks), tx.actions.one(action_id)
