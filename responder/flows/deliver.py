"""Deliver: one message to one person on one channel, re-checked just before it leaves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import structlog

from responder.adapters.notifier import Secret
from responder.clock import microseconds
from responder.domain.correlation import Known
from responder.domain.durations import spoken
from responder.domain.message import Message, MessageState, is_bundle, is_page
from responder.domain.oncall import Recipient
from responder.domain.reporter import REPORTER
from responder.domain.ticket import Change, EventKind
from responder.errors import ChannelBusy, SendFailed, SendRefused
from responder.flows.bundle import bundled, close_bundle, composed, lose_bundle, report_late
from responder.flows.desk import Desk
from responder.flows.next_person import call_the_next_if_nobody_is_left, try_the_next_channel
from responder.flows.overtaking import overtaken_by
from responder.flows.quiet import held_by_quiet_hours
from responder.flows.reporter_letters import keep_for_telling
from responder.flows.reporter_talk import reporter_address
from responder.flows.telling import channel_kind, delivery_args, delivery_kind
from responder.store.jobs import Job
from responder.store.transaction import Transaction

log = structlog.get_logger()
MOST_TRIES_TO_REPORTERS = 20
"""About an hour and a half. No acknowledgement ends these letters, so that in the end a person tells them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """A message that is to be sent now; `parts` are those that a list tells of."""

    message: Message
    parts: tuple[int, ...] = ()


async def deliver(desk: Desk, job: Job) -> None:
    """Sends a message unless it is no longer needed; a failure is written down and tried again later."""
    if "late" in job.args:
        await desk.store.write(lambda tx: _leave_behind(desk, tx, job))
        return
    taken = await desk.store.write(lambda tx: _take(desk, tx, job))
    if taken is None:
        return
    address = await _address(desk, taken.message)
    error = SendRefused(str(job.args["lost"])) if "lost" in job.args else await _send(desk, address, taken.message)
    if error is not None:
        message = taken.message
        log.warning("a message did not leave", person=message.person, channel=message.channel, error=str(error))
    await desk.store.write(lambda tx: _write_down(desk, tx, taken, error))


def _leave_behind(desk: Desk, tx: Transaction, job: Job) -> None:
    """Whose list does not get through is left for the next person."""
    known = tx.tickets.one(int(job.args["ticket"]), locked=True)
    message = tx.messages.one(int(job.args["message"]))
    if message.is_in_list and not overtaken_by(desk, tx, message, known):
        change = Change.of(known.ticket, known.clocks)
        call_the_next_if_nobody_is_left(desk, tx, change, message)
        tx.apply([change], desk.clock.now())


def _take(desk: Desk, tx: Transaction, job: Job) -> Taken | None:
    """The message of a job, if it is this job that counts and the message is needed now; read once more under the
    ticket's lock, so that an acknowledgement committed before is seen."""
    message_id = int(job.args["message"])
    known = tx.tickets.one(tx.messages.one(message_id).ticket_id, locked=True)
    message = tx.messages.one(message_id)
    if "unlisted" in job.args and message.is_in_list:
        # Its list is lost, and it may be one too many again: then another list has it.
        tx.messages.mark(message_id, MessageState.WAITING)
        message = tx.messages.one(message_id)
    if message.is_finished or job.args.get("at") != (microseconds(message.due_at) if message.due_at else None):
        return None
    change = Change.of(known.ticket, known.clocks)
    taken = _needed(desk, tx, change, message, is_lost="lost" in job.args)
    if taken is not None:
        tx.messages.begin_sending(message_id, desk.clock.now())
        taken = replace(taken, message=replace(taken.message, state=MessageState.SENDING, tries=message.tries + 1))
    tx.apply([change], desk.clock.now())
    return taken


def _needed(desk: Desk, tx: Transaction, change: Change, message: Message, *, is_lost: bool) -> Taken | None:
    if is_bundle(message.purpose):
        found = composed(desk, tx, message)
        if found is None:
            _drop(desk, tx, change, message, "Nobody need be told any more of what was in it.")
        return Taken(message=found[0], parts=found[1]) if found else None
    if why := overtaken_by(desk, tx, message, Known(ticket=change.after, clocks=change.clocks)):
        _drop(desk, tx, change, message, why)
        return None
    if is_lost or message.person == REPORTER:
        return Taken(message=message)
    if held_by_quiet_hours(desk, tx, change, message):
        return None
    if _is_new_page(message) and bundled(desk, tx, change, message):
        return None
    return Taken(message=message)


def _is_new_page(message: Message) -> bool:
    """Whether nothing has counted it yet; one that its provider was too busy to try was counted before."""
    return is_page(message.purpose) and message.tries == 0 and message.state is not MessageState.FAILED_FOR_NOW


def _drop(desk: Desk, tx: Transaction, change: Change, message: Message, why: str) -> None:
    tx.messages.mark(message.id, MessageState.OVERTAKEN, error=why)
    _note(desk, change, message, f"Not sent to {_whom(message)}: {why}", "overtaken")


async def _address(desk: Desk, message: Message) -> Secret | None:
    if message.person == REPORTER:
        return await desk.store.read(lambda tx: reporter_address(desk, tx, message.ticket_id))
    return desk.configuration.addresses.get(Recipient(person=message.person, channel=message.channel))


async def _send(desk: Desk, address: Secret | None, message: Message) -> SendFailed | None:
    if message.person == REPORTER and desk.configuration.mail is not None:
        # Here, because only who takes mails in sends letters by mail.
        from responder.flows.mail_out import letter_for, post

        letter = await desk.store.read(lambda tx: letter_for(desk, tx, message))
        if letter is not None:
            return await post(desk, letter)
    if address is None:
        if message.person == REPORTER:
            return SendRefused("No channel leads to the reporter any more.")
        return SendRefused(f"{_whom(message)} is no longer in the people file.")
    try:
        await desk.notifier.send(address, message.subject, message.body)
    except SendFailed as error:
        return error
    return None


def _write_down(desk: Desk, tx: Transaction, taken: Taken, error: SendFailed | None) -> None:
    now, message = desk.clock.now(), taken.message
    known = tx.tickets.one(message.ticket_id, locked=True)
    change = Change.of(known.ticket, known.clocks)
    if error is None:
        tx.messages.mark(message.id, MessageState.SENT, sent_at=now)
        close_bundle(desk, tx, taken.parts)
        _note(desk, change, message, f"Told {_whom(message)}.", "sent")
    elif message.person == REPORTER and (error.permanent or message.tries >= MOST_TRIES_TO_REPORTERS):
        keep_for_telling(desk, tx, change, message, why=str(error))
        change.count("messages_total", channel=channel_kind(desk, message), outcome="failed")
    elif error.permanent:
        _give_up(desk, tx, change, message, str(error))
    else:
        _try_again(desk, tx, change, message, error)
    tx.apply([change], now)


def _give_up(desk: Desk, tx: Transaction, change: Change, message: Message, why: str) -> None:
    tx.messages.mark(message.id, MessageState.FAILED, error=why)
    _note(desk, change, message, f"Could not tell {_whom(message)}: {why}", "failed")
    if is_bundle(message.purpose):
        lose_bundle(desk, tx, message, why)
    elif not try_the_next_channel(desk, tx, change, message):
        call_the_next_if_nobody_is_left(desk, tx, change, message)


def _try_again(desk: Desk, tx: Transaction, change: Change, message: Message, error: SendFailed) -> None:
    """Never given up: an acknowledgement, an all-clear or a newer message ends it."""
    is_busy = isinstance(error, ChannelBusy)
    again = timedelta(seconds=5 if is_busy else min(5 * 2 ** min(message.tries - 1, 6), 300))
    due_at = desk.clock.now() + again
    tx.messages.mark(message.id, MessageState.FAILED_FOR_NOW, error=str(error), due_at=due_at)
    change.promise(delivery_kind(desk, change.after.grade), due_at, **delivery_args(message.id, due_at))
    if is_busy and message.person != REPORTER:
        # A letter to a reporter has no other end than the number of its tries.
        tx.messages.uncount_try(message.id)
    if not is_busy:
        text = f"Not through to {_whom(message)} yet (try {message.tries}, the next in {spoken(again)}): {error}"
        _note(desk, change, message, text, "")
    if is_bundle(message.purpose):
        report_late(desk, tx, message)
    else:
        call_the_next_if_nobody_is_left(desk, tx, change, message)


def _note(desk: Desk, change: Change, message: Message, text: str, outcome: str) -> None:
    change.note(desk.clock.now(), EventKind.MESSAGE, text, message=message.id)
    if outcome:
        change.count("messages_total", channel=channel_kind(desk, message), outcome=outcome)


def _whom(message: Message) -> str:
    what = " (a list of what was bundled)" if is_bundle(message.purpose) else ""
    return "the reporter" if message.person == REPORTER else f"{message.person} by {message.channel}{what}"
