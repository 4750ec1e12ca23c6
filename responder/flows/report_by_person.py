"""Reports by people: each opens one ticket of its own, and its reporter is told that it has come in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime

from responder.domain import lifecycle
from responder.domain.access import Identity
from responder.domain.correlation import Known
from responder.domain.enclosed import Enclosure, Sending, Sent, digest_of, plain_names
from responder.domain.facts import Fact
from responder.domain.letter import Letter
from responder.domain.masking import masked
from responder.domain.report_form import Form, Opening, complaints, open_ticket, opening_of
from responder.domain.reporter import REPORTER, Reporter, contact_of
from responder.domain.ticket import Change, EventKind, Ticket
from responder.errors import BadForm, KeyUsed, Refused
from responder.flows.desk import Desk
from responder.flows.moves import refuse_other_teams
from responder.flows.receive import receipt
from responder.flows.report_reading import read_in_form
from responder.flows.reporter_letters import Draft, write_letter
from responder.flows.reporter_talk import Talk
from responder.store.attachments import Attachment
from responder.store.transaction import Numbering, Transaction

BY_A_PERSON = "by a person"
"""How the troubles of reports by people begin: each is its own. No correlation rule can have this name."""
_WHY = "Reported by a person."


async def open_report(desk: Desk, form: Form, sending: Sending | None = None) -> Ticket:
    """Opens a ticket for what somebody reports; what was sent under the same key before gives its first ticket. Fields
    that the form leaves empty are read in its texts.

    Raises BadForm, which names everything that is wrong with it, and KeyUsed for a key of another report.
    """
    sending = sending or Sending()
    now = desk.clock.now()
    if wrong := complaints(form, desk.policy, now):
        raise BadForm(" ".join(wrong))
    sent = Sent(identity=sending.identity, content=_content(form, sending), ticket_id=0, at=now)
    files = _without_secrets_in_names(desk, form, sending.files)
    read = read_in_form(desk.policy, without_secrets(desk, form), now)
    opening = opening_of(read.form, desk.policy, new_trouble(desk), now, how=read.how)
    return await desk.store.write(lambda tx: _opened_once(desk, tx, opening, files, sent))


def _opened_once(desk: Desk, tx: Transaction, opening: Opening, files: Sequence[Enclosure], sent: Sent) -> Ticket:
    if not sent.identity:
        return opened_with_reporter(desk, tx, opening, files)
    known = tx.sendings.known(sent.identity)
    if known is None:
        ticket = opened_with_reporter(desk, tx, opening, files)
        tx.sendings.add(replace(sent, ticket_id=ticket.id))
        return ticket
    if known.content != sent.content:
        raise KeyUsed("This Idempotency-Key was used for another report; a new report needs a new key.")
    return tx.tickets.one(known.ticket_id).ticket


def _content(form: Form, sending: Sending) -> str:
    said = asdict(form)
    pairs = [*said.pop("fields").items(), "labels", *said.pop("labels").items(), "form", *said.items()]
    return digest_of([str(pair) for pair in pairs], sending.files)


def _without_secrets_in_names(desk: Desk, form: Form, files: Sequence[Enclosure]) -> list[Enclosure]:
    known = {*desk.configuration.secrets, form.contact}
    names = plain_names([masked(one.name, known) for one in files])
    return [replace(one, name=name) for one, name in zip(files, names, strict=True)]


async def add_reporter(desk: Desk, key: str, actor: str, form: Form, *, who: Identity | None = None) -> Ticket:
    """Gives a ticket that has none a reporter, such as one that an alert has opened.

    Of the form only the reporter and the fields count. Raises NotFound, NotTheirs, BadForm, Refused.
    """
    about = replace(form, title=form.title or key, channel=form.channel or "other")
    if wrong := complaints(about, desk.policy, desk.clock.now()):
        raise BadForm(" ".join(wrong))

    def body(tx: Transaction) -> Ticket:
        known = tx.tickets.one(tx.tickets.find(key).ticket.id, locked=True)
        refuse_other_teams(who, known.ticket)
        return _add(desk, tx, known, without_secrets(desk, about), actor=actor)

    return await desk.store.write(body)


def _add(desk: Desk, tx: Transaction, known: Known, form: Form, *, actor: str) -> Ticket:
    ticket, now = known.ticket, desk.clock.now()
    if tx.reporters.of_ticket(ticket.id) is not None:
        raise Refused(f"{ticket.number} has a reporter already; what somebody else reports is a report of its own.")
    if not ticket.is_open:
        raise Refused(f"{ticket.number} is closed; open a new report.")
    change = Change.of(ticket, known.clocks)
    dossier = tx.dossiers.of_ticket(ticket.id)
    change.dossier = replace(dossier, fields={**dossier.fields, **form.all_fields})
    change.note(now, EventKind.REPORTER, f"{actor} says that somebody has reported it.", actor, fact=Fact.REPORTED)
    reporter = _reporter(form, ticket)
    tx.reporters.add(reporter)
    lifecycle.happened(change, desk.policy, Fact.REPORTED, now=now)
    talk = Talk(desk=desk, tx=tx, change=change, reporter=reporter)
    write_letter(talk, Draft(letter=Letter.RECEIVED))
    return talk.write()


def opened_with_reporter(
    desk: Desk, tx: Transaction, opening: Opening, files: Sequence[Enclosure] = (), *, is_answered: bool = True
) -> Ticket:
    """Writes the new ticket, its form with its files, its reporter and the first letter, unless there is to be none."""
    change = _opened(desk, tx, opening, files)
    reporter = _reporter(opening.form, change.after)
    tx.reporters.add(reporter)
    talk = Talk(desk=desk, tx=tx, change=change, reporter=reporter)
    if is_answered:
        write_letter(talk, Draft(letter=Letter.RECEIVED))
    return talk.write()


def opened_without_reporter(desk: Desk, tx: Transaction, opening: Opening) -> Ticket:
    """As `opened_with_reporter`, of what a machine reports: nobody is there to be answered."""
    change = _opened(desk, tx, opening, ())
    return next(iter(tx.apply([change], desk.clock.now())), change.after)


def _opened(desk: Desk, tx: Transaction, opening: Opening, files: Sequence[Enclosure]) -> Change:
    """The new ticket, written, and what is still to be written of it."""
    now, form = desk.clock.now(), opening.form
    new = open_ticket(opening, desk.policy, now)
    tx.apply([new], now, Numbering.of(desk.policy, now))
    # Only now has it the number that the letter names.
    change = Change.of(new.after, new.clocks)
    change.dossier = replace(tx.dossiers.of_ticket(new.after.id), fields=form.all_fields)
    for file in files:
        _attach(tx, change, file, now)
    if opening.runbook:
        change.promise("first_aid")
    else:
        change.promise("hand_over", why=_WHY)
    return change


def _attach(tx: Transaction, change: Change, file: Enclosure, now: datetime) -> None:
    kept = Attachment(
        ticket_id=change.after.id,
        name=file.name,
        at=now,
        content=file.content,
        media_type="application/octet-stream",
        actor=REPORTER,
    )
    made = tx.attachments.keep(kept)
    change.note(now, EventKind.REPORTER, f"Attached: {file.name}", REPORTER, attachment=made)


def new_trouble(desk: Desk) -> str:
    """A trouble that no other report has."""
    return f"{BY_A_PERSON}:{receipt(desk.clock.now())}"


def without_secrets(desk: Desk, form: Form) -> Form:
    """The form as it may be shown to everybody who reads tickets: the contact stands in the reporter's row only."""
    contact = contact_of(form.contact)
    known = {*desk.configuration.secrets, contact, form.contact}
    return replace(
        form,
        contact=contact,
        title=masked(form.title, known),
        fields={name: masked(text, known) for name, text in form.fields.items()},
        labels={name: masked(text, known) for name, text in form.labels.items()},
    )


def _reporter(form: Form, ticket: Ticket) -> Reporter:
    return Reporter(
        ticket_id=ticket.id, name=form.name, contact=form.contact, kind=form.reporter_kind, language=form.language
    )
