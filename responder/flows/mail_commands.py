"""Commands of colleagues by mail: the verbs of the API and of signed links, in the transaction that takes the mail."""

from __future__ import annotations

from dataclasses import replace

from responder.domain.access import Via
from responder.domain.accounts import objection_to_mail
from responder.domain.audit import Entry
from responder.domain.handling import Acting
from responder.domain.mail_commands import Command, Verb
from responder.domain.mail_orders import SPOKEN, objection_to, question_meant
from responder.domain.mail_record import MailRecord, Taken
from responder.domain.mail_thread import Thread
from responder.domain.masking import masked
from responder.domain.report_form import cleaned
from responder.domain.ticket import Change, EventKind, Ticket
from responder.flows.consent import answer_in
from responder.flows.mail_answers import noted
from responder.flows.mail_desk import Incoming
from responder.flows.mail_masking import unspoken
from responder.flows.mail_notices import tell_sender
from responder.flows.moves import act_in, sentence
from responder.flows.reporter_merged import holder_of
from responder.flows.verbs import VERBS
from responder.store.audit_log import refusal


def commanded(incoming: Incoming, thread: Thread, ticket_id: int, command: Command) -> MailRecord:
    """Does what a person of the service asks for. What is refused is on the ticket, and the person is told."""
    done = f"Command by mail, as {thread.person}: {SPOKEN[command.verb]}."
    noted(incoming, thread, ticket_id, because=done, is_told=False)
    refused = _refused(incoming, thread, ticket_id, command)
    _log(incoming, thread, ticket_id, command, refused)
    if refused:
        tell_sender(incoming, thread, ticket_id, f"{thread.person} could not {SPOKEN[command.verb]}: {refused}")
        return replace(incoming.record, taken=Taken.NOTE, why=f"{done} Not carried out: {refused}", ticket_id=ticket_id)
    return replace(incoming.record, taken=Taken.COMMAND, why=f"{thread.why} {done}", ticket_id=ticket_id)


def _log(incoming: Incoming, thread: Thread, ticket_id: int, command: Command, refused: str) -> None:
    tx, number = incoming.tx, incoming.tx.tickets.one(ticket_id).ticket.number
    entry = Entry(at=incoming.now, actor=thread.person, via=Via.MAIL, action=f"mail {command.verb}", object=number)
    tx.audit_log.add(refusal(entry, 409, refused) if refused else entry)
    # It was this command's, and not that of whoever handed the mail in.
    tx.refusal = ""


def _refused(incoming: Incoming, thread: Thread, ticket_id: int, command: Command) -> str:
    """Carries it out; gives the sentence why not."""
    # Its own time: a mail that was set aside may be taken days later.
    tx, mail, now = incoming.tx, incoming.mail, incoming.desk.clock.now()
    ticket = tx.tickets.one(ticket_id, locked=True).ticket
    why = objection_to_mail(thread.person, tx.accounts.named(thread.person)) or _merged(incoming, ticket)
    if why := why or objection_to(command, thread, ticket, mail.sent_at, now):
        return _written_down(incoming, thread, ticket_id, command, why)
    if command.verb in (Verb.APPROVE, Verb.REJECT):
        return _decided(incoming, thread, ticket, command)
    return _moved(incoming, thread, ticket, command)


def _merged(incoming: Incoming, ticket: Ticket) -> str:
    """What somebody wrote about one ticket moves no other, which they may not have seen."""
    if ticket.merged_into is None:
        return ""
    return f"{ticket.number} was merged into {holder_of(incoming.tx, ticket).number}; write about that one."


def _moved(incoming: Incoming, thread: Thread, ticket: Ticket, command: Command) -> str:
    person, text = thread.person, _text(incoming, ticket.id, command)
    if command.verb is Verb.CLOSE:
        name, reason = "close", f"{text} (by mail)" if text else f"{person} closes it, by mail."
    elif ticket.is_open and ticket.acknowledged_by == person:
        # As by the link of a message: who has it is still on it.
        name, reason = "still-on-it", ""
    else:
        name, reason = "acknowledge", f"{person} has taken it, by mail."
    content = {"reason": reason}
    desk = incoming.desk
    acting = Acting(actor=person, now=desk.clock.now(), policy=desk.policy)
    outcome = act_in(desk, incoming.tx, VERBS[name], str(ticket.id), acting=acting, content=content)
    return outcome if isinstance(outcome, str) else ""


def _decided(incoming: Incoming, thread: Thread, ticket: Ticket, command: Command) -> str:
    desk, tx, person, sent_at = incoming.desk, incoming.tx, thread.person, incoming.mail.sent_at
    asked, people = tx.approvals.of_ticket(ticket.id), desk.configuration.people
    meant = question_meant(asked, person, people, ticket, sent_at=sent_at or ticket.opened_at)
    if isinstance(meant, str):
        return _written_down(incoming, thread, ticket.id, command, meant)
    is_yes = command.verb is Verb.APPROVE
    outcome = answer_in(desk, tx, meant.id, person, yes=is_yes, reason=_text(incoming, ticket.id, command))
    return outcome if isinstance(outcome, str) else ""


def _text(incoming: Incoming, ticket_id: int, command: Command) -> str:
    return masked(cleaned(command.text), unspoken(incoming, ticket_id))


def _written_down(incoming: Incoming, thread: Thread, ticket_id: int, command: Command, why: str) -> str:
    """What no verb was asked about; their own refusals they write down themselves."""
    known = incoming.tx.tickets.one(ticket_id, locked=True)
    change, said = Change.of(known.ticket, known.clocks), sentence(why)
    text = f"{thread.person} could not {SPOKEN[command.verb]}: {said}"
    change.note(incoming.now, EventKind.REFUSED, text, thread.person, verb=command.verb.value)
    incoming.tx.apply([change], incoming.now)
    return said
