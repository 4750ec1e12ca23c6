"""Deliver: one message to one person on one channel, re-checked just before it leaves."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import structlog

from responder.adapters.notifier import Secret, scheme_of
from responder.domain.durations import spoken
from responder.domain.message import Message, MessageState, Purpose
from responder.domain.oncall import Recipient
from responder.domain.report import Signal
from responder.domain.reporter import REPORTER
from responder.domain.ticket import Change, EventKind, Ticket
from responder.errors import ChannelBusy, SendFailed, SendRefused
from responder.flows.consent import asked_by
from responder.flows.desk import Desk
from responder.flows.receive import file_reports, internal_report
from responder.flows.reporter_letters import keep_for_telling, no_longer_needed
from responder.flows.reporter_talk import reporter_address
from responder.store.jobs import Job
from responder.store.transaction import Transaction

log = structlog.get_logger()
MOST_TRIES_TO_REPORTERS = 20
"""About an hour and a half. No acknowledgement ends these letters, so that in the end a person tells them."""


async def deliver(desk: Desk, job: Job) -> None:
    """Sends a message unless it is no longer needed; a failure is written down and tried again later."""
    message_id = int(job.args["message"])
    message = await desk.store.write(lambda tx: _take(desk, tx, message_id))
    if message is None:
        return
    address = await _address(desk, message)
    error = await _send(desk, address, message)
    if error is not None:
        log.warning("a message did not leave", person=message.person, channel=message.channel, error=str(error))
    await desk.store.write(lambda tx: _write_down(desk, tx, message, error))


def _take(desk: Desk, tx: Transaction, message_id: int) -> Message | None:
    message = tx.messages.one(message_id)
    if message.is_finished:
        return None
    known = tx.tickets.one(message.ticket_id, locked=True)
    if why := _overtaken_by(message, known.ticket) or _answered(tx, message):
        tx.messages.mark(message_id, MessageState.OVERTAKEN, error=why)
        _note(desk, tx, message, f"Not sent to {_whom(message)}: {why}", "overtaken")
        return None
    tx.messages.begin_sending(message_id)
    return replace(message, state=MessageState.SENDING, tries=message.tries + 1)


def _overtaken_by(message: Message, ticket: Ticket) -> str:
    """Why the message is no longer needed; an acknowledgement wins over every message not yet sent."""
    if message.person == REPORTER:
        return no_longer_needed(message, ticket)
    if not message.purpose.startswith(Purpose.HAND_OVER):
        return ""
    if ticket.acknowledged_by:
        return f"{ticket.acknowledged_by} has acknowledged the ticket."
    if ticket.signal is Signal.CLEARED:
        return "The alert has cleared."
    return "" if ticket.episode == message.episode else "A later message says more."


def _answered(tx: Transaction, message: Message) -> str:
    """A question that is decided, or not needed any more, is not asked again."""
    approval_id = asked_by(message.purpose)
    approval = tx.approvals.one(approval_id) if approval_id is not None else None
    return "" if approval is None or approval.is_waiting else f"It is decided already: {approval.sentence}"


async def _address(desk: Desk, message: Message) -> Secret | None:
    if message.person == REPORTER:
        return await desk.store.read(lambda tx: reporter_address(desk, tx, message.ticket_id))
    return desk.configuration.addresses.get(Recipient(person=message.person, channel=message.channel))


async def _send(desk: Desk, address: Secret | None, message: Message) -> SendFailed | None:
    if address is None:
        if message.person == REPORTER:
            return SendRefused("No channel leads to the reporter any more.")
        return SendRefused(f"{_whom(message)} is no longer in the people file.")
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
    elif message.person == REPORTER and (error.permanent or message.tries >= MOST_TRIES_TO_REPORTERS):
        _keep_for_telling(desk, tx, message, str(error))
    elif error.permanent:
        tx.messages.mark(message.id, MessageState.FAILED, error=str(error))
        _note(desk, tx, message, f"Could not tell {_whom(message)}: {error}", "failed")
        _report_if_nobody_is_told(desk, tx, message)
    else:
        # Never given up: an acknowledgement, an all-clear or a newer message ends it.
        tx.messages.mark(message.id, MessageState.FAILED_FOR_NOW, error=str(error))
        seconds = 5 if isinstance(error, ChannelBusy) else min(5 * 2 ** min(message.tries - 1, 6), 300)
        again = timedelta(seconds=seconds)
        args = {"message": message.id, "ticket": message.ticket_id}
        tx.promise([Job(kind="deliver", args=args, due_at=now + again)])
        if isinstance(error, ChannelBusy):
            return
        text = f"Not through to {_whom(message)} yet (try {message.tries}, the next in {spoken(again)}): {error}"
        _note(desk, tx, message, text, "")


def _keep_for_telling(desk: Desk, tx: Transaction, message: Message, why: str) -> None:
    known = tx.tickets.one(message.ticket_id, locked=True)
    change = Change.of(known.ticket, known.clocks)
    keep_for_telling(desk, tx, change, message, why=why)
    change.count("messages_total", channel=_scheme(desk, message), outcome="failed")
    tx.apply([change], desk.clock.now())


def _report_if_nobody_is_told(desk: Desk, tx: Transaction, message: Message) -> None:
    """A page that can reach nobody is a trouble of its own, for whoever can be reached otherwise."""
    ticket = tx.tickets.one(message.ticket_id).ticket
    others = [one for one in tx.messages.of_ticket(ticket.id) if one.episode == message.episode]
    if ticket.source == "responder" or any(one.state is not MessageState.FAILED for one in others):
        return
    labels = {"alertname": "ResponderPageFailed", "ticket": ticket.number, "severity": "critical"}
    summary = f"Nobody could be told about {ticket.grade} {ticket.number}: every channel refused the message."
    now = desk.clock.now()
    file_reports(tx, [internal_report(labels, summary, now)], desk.policy, now)


def _note(desk: Desk, tx: Transaction, message: Message, text: str, outcome: str) -> None:
    known = tx.tickets.one(message.ticket_id, locked=True)
    change = Change.of(known.ticket, known.clocks)
    change.note(desk.clock.now(), EventKind.MESSAGE, text, message=message.id)
    if outcome:
        change.count("messages_total", channel=_scheme(desk, message), outcome=outcome)
    tx.apply([change], desk.clock.now())


def _scheme(desk: Desk, message: Message) -> str:
    """The channel's kind: few values, while the names of channels are people's own."""
    if message.person == REPORTER:
        url = desk.configuration.reporter_url
        return scheme_of(url.value) if url else "gone"
    person = desk.configuration.people.get(message.person)
    schemes = {channel.name: channel.scheme for channel in person.channels} if person else {}
    return schemes.get(message.channel, "gone")


def _whom(message: Message) -> str:
    return "the reporter" if message.person == REPORTER else f"{message.person} by {message.channel}"
