"""A mail that was set aside is decided on again, after what was wrong has been mended; or it is dropped."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import structlog

from responder.domain.mail import Mail
from responder.domain.mail_loop import nature
from responder.domain.mail_record import MailRecord, Taken
from responder.domain.report import Signal
from responder.errors import Refused, ResponderError
from responder.flows.desk import Desk
from responder.flows.mail_desk import Incoming, MailDesk
from responder.flows.mail_in import decided, sent_to
from responder.flows.receive import about_quarantine, file_reports
from responder.intake.mail.reading import read_mail
from responder.store.reports import Body
from responder.store.transaction import Transaction
from responder.worker.handlers import described

log = structlog.get_logger()
_TAKEN = "Only a mail that was set aside is taken again; this one was taken as {taken}."
_NOT_DROPPED = "Only a mail that was set aside is dropped; this one was taken as {taken}."


async def take_again(desk: Desk, mails: MailDesk, mail_id: int, *, actor: str) -> MailRecord:
    """What becomes of the mail now. If nothing does, all stays as it is.

    Raises NotFound, and Refused for a mail that is not set aside, whose bytes are gone, or that still cannot be taken.
    """
    record, body = await desk.store.read(lambda tx: _kept(tx, mail_id))
    mail = await asyncio.to_thread(read_mail, body.body, envelope_from=record.envelope_from, limits=mails.limits)
    mail = sent_to(mail, tuple(record.envelope_to.split()))
    taking = asyncio.ensure_future(desk.store.write(lambda tx: _take(desk, tx, mails, (mail, body, record), actor)))
    # As a value: what goes wrong with a mail is what people must read here.
    await asyncio.wait([taking])
    error = taking.exception()
    if error is None:
        return taking.result()
    if not isinstance(error, Exception) or isinstance(error, ResponderError):
        raise error
    log.error("a mail could not be taken again", mail=mail_id, exc_info=error)
    raise Refused(f"It still cannot be taken: {described(error)}") from error


def _kept(tx: Transaction, mail_id: int) -> tuple[MailRecord, Body]:
    record = tx.mails.one(mail_id)
    if record.taken is not Taken.QUARANTINED:
        raise Refused(_TAKEN.format(taken=record.taken.value))
    body = tx.reports.body(record.receipt)
    if body is None:
        raise Refused("Its bytes are not kept any more: the retention is over.")
    return record, body


def _take(desk: Desk, tx: Transaction, mails: MailDesk, kept: tuple[Mail, Body, MailRecord], actor: str) -> MailRecord:
    mail, body, record = kept
    now = desk.clock.now()
    # What follows from it happens now, however long it has lain there.
    begun = replace(record, received_at=now)
    made = decided(Incoming(desk=desk, tx=tx, mails=mails, mail=mail, nature=nature(mail, mails.own), record=begun))
    if made.taken is Taken.QUARANTINED:
        raise Refused(f"It still cannot be taken: {made.why}")
    found = replace(made, why=f"{made.why} Taken again by {actor}.".strip(), received_at=record.received_at)
    if not tx.mails.decide_again(found):
        raise Refused(_TAKEN.format(taken=tx.mails.one(record.id).taken.value))
    tx.reports.take_out_of_quarantine(body.id)
    _clear(desk, tx, record)
    return found


async def drop_mail(desk: Desk, mail_id: int, *, actor: str, reason: str) -> MailRecord:
    """Nothing is to become of it. Its bytes stay until the retention is over.

    Raises NotFound, and Refused for a mail that is not set aside.
    """
    return await desk.store.write(lambda tx: _drop(desk, tx, mail_id, f"Dropped by {actor}: {reason}"))


def _drop(desk: Desk, tx: Transaction, mail_id: int, why: str) -> MailRecord:
    record = tx.mails.one(mail_id)
    found = replace(record, taken=Taken.LEFT, why=f"{record.why} {why}".strip())
    if not tx.mails.decide_again(found):
        raise Refused(_NOT_DROPPED.format(taken=tx.mails.one(mail_id).taken.value))
    tx.reports.take_out_of_quarantine(record.receipt)
    _clear(desk, tx, record)
    return found


def _clear(desk: Desk, tx: Transaction, record: MailRecord) -> None:
    """The ticket about what was not understood clears once nothing of this way in is set aside any more."""
    now = desk.clock.now()
    since = now - desk.configuration.settings.retention
    if tx.reports.quarantined_since(record.way, since) == 0:
        why = "all of it has been taken again, or dropped"
        body = Body(id=record.receipt, source=record.way, received_at=now, body=b"", quarantined_because=why)
        about = about_quarantine(body, now)
        file_reports(tx, [replace(about, signal=Signal.CLEARED, ended_at=now)], desk.policy, now)
