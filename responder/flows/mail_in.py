"""Mail in: bytes from any way in become a report, an answer, a note or alerts, once; nothing is lost on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import structlog

from responder.domain.mail import Address, Mail
from responder.domain.mail_loop import Kind, as_written, in_thread, nature
from responder.domain.mail_orders import order_in
from responder.domain.mail_record import MailRecord, Taken, earlier_or_new, identity_of
from responder.domain.mail_thread import Led, Role, Thread, Trace, thread_of
from responder.domain.mail_trust import authentication
from responder.errors import BadForm, Conflict, StoreUnavailable
from responder.flows.desk import Desk
from responder.flows.mail_alerts import alerted, claim_in, is_by_a_person
from responder.flows.mail_answers import answered, noted
from responder.flows.mail_bounces import bounced
from responder.flows.mail_budget import objection_by_count
from responder.flows.mail_commands import commanded
from responder.flows.mail_desk import Delivered, Incoming, MailDesk, is_certain
from responder.flows.mail_masking import as_answer, shown
from responder.flows.mail_pages import told_of_pages
from responder.flows.mail_reports import reported
from responder.flows.mail_threads import led, sender_of
from responder.flows.receive import about_quarantine, file_reports, receipt
from responder.intake.mail.addresses import plain_address
from responder.intake.mail.reading import read_mail
from responder.store.reports import Body
from responder.store.transaction import Transaction
from responder.worker.handlers import described

log = structlog.get_logger()
_REFUSED_FOR = timedelta(days=7)


async def take_mail(desk: Desk, mails: MailDesk, delivered: Delivered) -> MailRecord:
    """Takes one mail; it is durable when this returns. The same mail again gives what became of it the first time.

    Raises StoreUnavailable; then it was not taken.
    """
    sender, limits = delivered.envelope_from, mails.limits
    mail = await asyncio.to_thread(read_mail, delivered.content, envelope_from=sender, limits=limits)
    mail = sent_to(mail, tuple(plain_address(one) for one in delivered.envelope_to))
    if delivered.is_cut:
        mail = replace(mail, oddities=(*mail.oddities, "The mail is too large; only its beginning was fetched."))
    now = desk.clock.now()
    body = Body(id=delivered.receipt or receipt(now), source=delivered.way, received_at=now, body=delivered.content)
    taking = asyncio.ensure_future(desk.store.write(lambda tx: _take(desk, tx, mails, mail, body)))
    # As a value: whatever goes wrong with one mail concerns that mail alone.
    await asyncio.wait([taking])
    error = taking.exception()
    if error is None:
        return taking.result()
    if isinstance(error, StoreUnavailable | Conflict):
        raise StoreUnavailable(str(error)) from error
    log.error("a mail could not be taken", receipt=body.id, exc_info=error)
    why = described(error) if isinstance(error, Exception) else type(error).__name__
    body, record = replace(body, quarantined_because=why), _record(mail, mails, body)
    return await desk.store.write(lambda tx: _set_aside(desk, tx, mail, record, body))


def sent_to(mail: Mail, recipients: tuple[str, ...]) -> Mail:
    """The mail as it was sent to these. They come before what it says: a hidden copy bears the ticket's address only
    there."""
    named = tuple(Address(address=one) for one in recipients)
    return replace(mail, recipients=(*named, *mail.recipients), envelope_to=recipients)


def _take(desk: Desk, tx: Transaction, mails: MailDesk, mail: Mail, body: Body) -> MailRecord:
    record = _record(mail, mails, body)
    record = earlier_or_new(tx.mails.known(record), record, mail)
    if record.id:
        return record
    incoming = Incoming(desk=desk, tx=tx, mails=mails, mail=mail, nature=nature(mail, mails.own), record=record)
    made = decided(incoming)
    tx.reports.keep([replace(body, quarantined_because=made.why if made.taken is Taken.QUARANTINED else "")])
    return _written(tx, made)


def _written(tx: Transaction, made: MailRecord) -> MailRecord:
    tx.sums.add({("mails_total", (("taken", made.taken.value), ("way", made.way))): 1})
    return replace(made, id=tx.mails.add(made))


def _record(mail: Mail, mails: MailDesk, body: Body) -> MailRecord:
    written = as_written(mail, mails.own)
    return MailRecord(
        identity=identity_of(mail),
        message_id=mail.id,
        digest=mail.digest,
        way=body.source,
        receipt=body.id,
        sender=written.sender.address.lower(),
        taken=Taken.LEFT,
        why="",
        received_at=body.received_at,
        envelope_from=mail.envelope_from,
        envelope_to=" ".join(mail.envelope_to),
        is_proven=authentication(written, mails.trusted).is_authentic,
    )


def decided(incoming: Incoming) -> MailRecord:
    """What the mail is: the first of these that it can be."""
    kind = incoming.nature.kind
    if kind is Kind.OWN:
        return _left(incoming)
    if kind is Kind.BOUNCE:
        return told_of_pages(incoming, bounced(incoming))
    incoming = shown(incoming)
    found = led(incoming)
    if kind is Kind.AUTO_REPLY or _answers_us(found):
        return _words(incoming, found)
    claim = claim_in(incoming)
    if claim is None:
        return _words(incoming, found)
    if is_by_a_person(incoming.mail, incoming.nature, incoming.mails, claim):
        odd = replace(incoming.mail, oddities=(*incoming.mail.oddities, claim.why))
        return _words(replace(incoming, mail=odd), found)
    return alerted(incoming, claim)


def _answers_us(found: Sequence[Led]) -> bool:
    """Whether it bears what only a letter of ours can have told."""
    return any(one.trace is not Trace.NUMBER for one in found)


def _left(incoming: Incoming) -> MailRecord:
    return replace(incoming.record, why=f"Left: {incoming.nature.why}")


def _words(given: Incoming, found: Sequence[Led]) -> MailRecord:
    """What somebody writes: about a ticket that is there, or about something new."""
    incoming = replace(given, mail=as_written(given.mail, given.mails.own))
    thread = thread_of(found, sender_of(incoming))
    if thread.ticket_id is not None:
        answering = as_answer(replace(incoming, nature=in_thread(incoming.nature)))
        return _of_a_ticket(answering, thread, thread.ticket_id)
    may_be_left = incoming.nature.kind in (Kind.AUTO_REPLY, Kind.LIST)
    if may_be_left and (found or is_certain(incoming.mail, incoming.nature, incoming.mails)):
        return _left(incoming)
    try:
        return reported(incoming, thread, objection=_objection(incoming, found))
    except BadForm as error:
        return _quarantined(incoming.desk, incoming.tx, incoming.record, str(error))


def _of_a_ticket(incoming: Incoming, thread: Thread, ticket_id: int) -> MailRecord:
    if command := order_in(thread, incoming.nature.kind, incoming.mail.said):
        return commanded(incoming, thread, ticket_id, command)
    if incoming.nature.kind is Kind.PERSON and thread.role is Role.REPORTER:
        return answered(incoming, thread, ticket_id)
    return noted(incoming, thread, ticket_id)


def _objection(incoming: Incoming, found: Sequence[Led]) -> str:
    """Why the mail gets no answer; empty if it may be answered."""
    if _answers_us(found):
        # A machine that answers each letter from a new address would be answered for ever.
        return "It gets no answer: it answers a letter to somebody else."
    sender = incoming.record.sender
    refused = incoming.tx.mails.refused(sender)
    is_old = refused is not None and incoming.now - refused.refused_at > _REFUSED_FOR
    if refused is not None and (is_old or incoming.record.is_proven):
        # Somebody surely writes from there, or long after it was refused: perhaps it takes mail again.
        incoming.tx.mails.take_back(sender)
    elif refused is not None and refused.is_permanent:
        return f"It gets no answer: its address takes no mail ({refused.why})."
    return objection_by_count(incoming)


# --- what cannot be taken -------------------------------------------------------------------------------------


def _set_aside(desk: Desk, tx: Transaction, mail: Mail, record: MailRecord, body: Body) -> MailRecord:
    """A mail on which the decision itself fails stays with its bytes, and is a ticket about itself."""
    record = earlier_or_new(tx.mails.known(record), record, mail)
    if record.id:
        return record
    tx.reports.keep([body])
    return _written(tx, _quarantined(desk, tx, record, body.quarantined_because))


def _quarantined(desk: Desk, tx: Transaction, record: MailRecord, why: str) -> MailRecord:
    about = Body(
        id=record.receipt, source=record.way, received_at=record.received_at, body=b"", quarantined_because=why
    )
    file_reports(tx, [about_quarantine(about, record.received_at)], desk.policy, record.received_at)
    return replace(record, taken=Taken.QUARANTINED, why=why)
