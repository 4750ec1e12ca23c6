"""Deliver: one message to one person on one channel, re-checked just before it leaves."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import structlog

from responder.adapters.notifier import Secret
from responder.domain.durations import spoken
from responder.domain.message import Message, MessageState, Purpose
from responder.domain.oncall import Recipient
from responder.domain.report import Signal
from responder.domain.ticket import Change, EventKind, Ticket
from responder.errors import SendFailed
from responder.flows.desk import Desk
from responder.store.jobs import Job
from responder.store.transaction import Transaction

log = structlog.get_logger()
MOST_TRIES = 10


async def deliver(desk: Desk, job: Job) -> None:
    """Sends a message unless it is no longer needed; a failure is written down and tried again later."""
    message_id = int(job.args["message"])
    message = await desk.store.write(lambda tx: _take(desk, tx, message_id))
    if message is None:
        return
    address = desk.configuration.addresses.get(Recipient(person=message.person, channel=message.channel))
    error = await _send(desk, address, message)
    if error is not None:
        log.warning("a message did not leave", person=message.person, channel=message.channel, error=str(error))
    await desk.store.write(lambda tx: _write_down(desk, tx, message, error))


def _take(desk: Desk, tx: Transaction, message_id: int) -> Message | None:
    message = tx.messages.one(message_id)
    if message.is_finished:
        return None
    known = tx.tickets.one(message.ticket_id, locked=True)
    if why := _overtaken_by(message, known.ticket):
        tx.messages.mark(message_id, MessageState.OVERTAKEN, error=why)
        _note(desk, tx, message, f"Not sent to {_whom(message)}: {why}", "overtaken")
        return None
    tx.messages.begin_sending(message_id)
    return replace(message, state=MessageState.SENDING, tries=message.tries + 1)


def _overtaken_by(message: Message, ticket: Ticket) -> str:
    """Why the message is no longer needed; an acknowledgement wins over every message not yet sent."""
    if message.purpose != Purpose.HAND_OVER:
        return ""
    if ticket.acknowledged_by:
        return f"{ticket.acknowledged_by} has acknowledged the ticket."
    if ticket.signal is Signal.CLEARED:
        return "The alert has cleared."
    return "" if ticket.episode == message.episode else "A later message says more."


async def _send(desk: Desk, address: Secret | None, message: Message) -> SendFailed | None:
    if address is None:
        return SendFailed(f"{_whom(message)} is no longer in the people file.")
    try:
        await desk.notifier.send(address, message.subject, message.body)
    except SendFailed as error:
        return error
    return None


def _write_down(desk: Desk, tx: Transaction, message: Message, error: SendFailed | None) -> None:
    now = desk.clock.now()
    if error is None:
        tx.messages.mark(message.id, MessageState.SENT, sent_at=now)
        _note(desk, tx, message, f"Told {_whom(message)}.", "sent")
    elif error.permanent or message.tries >= MOST_TRIES:
        tx.messages.mark(message.id, MessageState.FAILED, error=str(error))
        _note(desk, tx, message, f"Could not tell {_whom(message)}: {error}", "failed")
    else:
        tx.messages.mark(message.id, MessageState.FAILED_FOR_NOW, error=str(error))
        again = timedelta(seconds=min(5 * 2 ** (message.tries - 1), 300))
        promised = Job(kind="deliver", args={"message": message.id}, due_at=now + again)
        tx.promise([promised])
        text = f"Not through to {_whom(message)} yet (try {message.tries}, the next in {spoken(again)}): {error}"
        _note(desk, tx, message, text, "")


def _note(desk: Desk, tx: Transaction, message: Message, text: str, outcome: str) -> None:
    known = tx.tickets.one(message.ticket_id, locked=True)
    change = Change.of(known.ticket, known.clocks)
    change.note(desk.clock.now(), EventKind.MESSAGE, text, message=message.id)
    if outcome:
        change.count("messages_total", channel=_scheme(desk, message), outcome=outcome)
    tx.apply([change], desk.clock.now())


def _scheme(desk: Desk, message: Message) -> str:
    """The channel's kind: few values, while the names of channels are people's own."""
    person = desk.configuration.people.get(message.person)
    schemes = {channel.name: channel.scheme for channel in person.channels} if person else {}
    return schemes.get(message.channel, "gone")


def _whom(message: Message) -> str:
    return f"{message.person} by {message.channel}"
