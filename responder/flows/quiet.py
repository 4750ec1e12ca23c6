"""Quiet: who is in quiet hours is told when they end, and the ticket says so; some grades wake everybody."""

from __future__ import annotations

from responder.domain.delivery import delay_of, quiet_until
from responder.domain.message import Message, MessageState
from responder.domain.ticket import Change, EventKind
from responder.flows.desk import Desk
from responder.flows.next_person import call_the_next_if_nobody_is_left
from responder.flows.telling import delivery_args, delivery_kind
from responder.store.transaction import Transaction


def held_by_quiet_hours(desk: Desk, tx: Transaction, change: Change, message: Message) -> bool:
    """Whether the message waits for the end of its reader's quiet hours."""
    now, person = desk.clock.now(), desk.configuration.people.get(message.person)
    if person is None or change.after.grade in desk.policy.delivery.through_quiet_hours:
        return False
    until = quiet_until(person.quiet_hours, now)
    if until is None:
        return False
    due_at = until + delay_of(person.contact, message.channel)
    zone = person.quiet_hours[0].zone
    why = f"{message.person} is in quiet hours until {until.astimezone(zone):%H:%M} ({zone.key})."
    tx.messages.mark(message.id, MessageState.HELD, error=why, due_at=due_at)
    change.note(now, EventKind.MESSAGE, f"Held: {message.person} by {message.channel}: {why}", message=message.id)
    change.promise(delivery_kind(desk, change.after.grade), due_at, **delivery_args(message.id, due_at))
    call_the_next_if_nobody_is_left(desk, tx, change, message)
    return True
