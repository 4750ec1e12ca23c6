"""A mail of somebody becomes a report: a ticket like that of a form, with the mail's text and files."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from responder.domain.mail import Mail
from responder.domain.mail_loop import Kind
from responder.domain.mail_record import MailRecord, Taken
from responder.domain.mail_thread import Thread
from responder.domain.masking import masked
from responder.domain.policy import Policy
from responder.domain.report_form import Form, complaints, opening_of
from responder.domain.reporter import contact_of
from responder.domain.ticket import Change, EventKind
from responder.errors import BadForm
from responder.flows.mail_desk import Incoming
from responder.flows.mail_files import keep_files
from responder.flows.mail_masking import unspoken
from responder.flows.report_by_person import new_trouble, opened_with_reporter, opened_without_reporter, without_secrets
from responder.flows.report_reading import read_in_mail

_LONGEST_TITLE, _LONGEST_NAME, _LONGEST_TEXT = 200, 100, 4000


def reported(incoming: Incoming, thread: Thread, *, objection: str) -> MailRecord:
    """Opens the ticket; with an objection nobody is answered. Raises BadForm for a mail that names no sender."""
    desk, tx, now = incoming.desk, incoming.tx, incoming.now
    form = form_of(incoming.mail)
    if wrong := wrong_with(form, desk.policy, now):
        raise BadForm(" ".join(wrong))
    read = read_in_mail(desk.policy, without_secrets(desk, form), _plain(incoming), now)
    opening = opening_of(read.form, desk.policy, new_trouble(desk), now, how=read.how)
    if incoming.nature.kind is Kind.PERSON and contact_of(form.contact):
        ticket = opened_with_reporter(desk, tx, opening, is_answered=not objection)
    else:
        ticket = opened_without_reporter(desk, tx, opening)
    keep_files(incoming, ticket.id)
    _say_what_is_odd(incoming, ticket.id, thread, objection)
    why = objection or thread.why
    return replace(incoming.record, taken=Taken.REPORT, why=why, ticket_id=ticket.id, answered=not objection)


def wrong_with(form: Form, policy: Policy, now: datetime) -> list[str]:
    """What is wrong with the form of a mail. A sender to whom nobody can write is no reason to lose what it says."""
    if not (form.name and form.contact):
        return ["It names no sender."]
    return complaints(form, policy, now, wants_contact=False)


def _plain(incoming: Incoming) -> Mail:
    """The mail without secrets in its text, as it may be shown on the ticket."""
    return replace(incoming.mail, said=masked(incoming.mail.said, unspoken(incoming)))


def form_of(mail: Mail) -> Form:
    """What the mail says, as a form; the fields in its text are read later."""
    title = " ".join((mail.subject or mail.said or "A mail without a subject").split())
    name = mail.sender.name or mail.sender.address.partition("@")[0]
    return Form(
        title=title[:_LONGEST_TITLE],
        channel="mail",
        name=" ".join(name.split())[:_LONGEST_NAME],
        contact=mail.sender.address,
        language=mail.language,
        fields={"description": mail.said.strip()[:_LONGEST_TEXT]} if mail.said.strip() else {},
    )


def _say_what_is_odd(incoming: Incoming, ticket_id: int, thread: Thread, objection: str) -> None:
    files, hidden = incoming.mail.files, unspoken(incoming, ticket_id)
    left_out = [f"{one.name}: {one.left_out}" for one in files if one.left_out]
    named = [f"It names {', '.join(thread.mentions)}."] if thread.mentions else []
    given = incoming.mail.reply_to[:1]
    is_elsewhere = any(one.address.casefold() != incoming.record.sender for one in given)
    elsewhere = ["It asks for answers at another address (Reply-To); they go to its sender."] if is_elsewhere else []
    said = [*named, *elsewhere, *incoming.mail.oddities, *left_out, *([objection] if objection else [])]
    if not said:
        return
    known = incoming.tx.tickets.one(ticket_id, locked=True)
    change = Change.of(known.ticket, known.clocks)
    change.note(incoming.now, EventKind.NOTE, masked(" ".join(said), hidden)[:2000], receipt=incoming.record.receipt)
    incoming.tx.apply([change], incoming.now)
