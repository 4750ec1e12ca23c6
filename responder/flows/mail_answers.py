"""What a mail says to a ticket that is there: the reporter's answer, or a note of somebody else."""

from __future__ import annotations

from dataclasses import replace

from responder.domain.mail_commands import Command, Verb, command_in
from responder.domain.mail_record import MailRecord, Taken
from responder.domain.mail_thread import Thread
from responder.domain.masking import masked
from responder.domain.report_form import cleaned
from responder.domain.reporter import Asked
from responder.domain.reporter_answers import LONGEST_ANSWER, Answer, AnswerKind, Unheard
from responder.domain.ticket import Change, EventKind
from responder.flows.mail_desk import Incoming
from responder.flows.mail_files import keep_files
from responder.flows.mail_masking import unspoken
from responder.flows.mail_notices import tell_of_note
from responder.flows.reporter_answers import heard_in
from responder.flows.reporter_fields import filled_in_quote
from responder.flows.reporter_talk import Talk

_LONGEST_NOTE = 4000
_KINDS = {Verb.SOLVED: AnswerKind.SOLVED, Verb.NOT_SOLVED: AnswerKind.NOT_SOLVED, Verb.SCORE: AnswerKind.SCORE}


def answered(incoming: Incoming, thread: Thread, ticket_id: int) -> MailRecord:
    """Hears the reporter; what does not count is a note, so that nothing is lost."""
    keep_files(incoming, ticket_id)
    try:
        asked = incoming.tx.reporters.one(ticket_id).asked_for
        answer = _answer(incoming, ticket_id, asked)
        heard = heard_in(incoming.desk, incoming.tx, ticket_id, answer)
        _hear_score(incoming, ticket_id, answer)
    except Unheard as error:
        return noted(incoming, thread, ticket_id, because=str(error), with_files=False)
    return replace(incoming.record, taken=Taken.ANSWER, why=thread.why, ticket_id=heard.ticket.id)


def _hear_score(incoming: Incoming, ticket_id: int, answer: Answer) -> None:
    """Whoever says that it is solved may say at once how it was. Raises Unheard."""
    if answer.kind is AnswerKind.SOLVED and answer.score is not None:
        heard_in(incoming.desk, incoming.tx, ticket_id, replace(answer, kind=AnswerKind.SCORE, text=""))


def _answer(incoming: Incoming, ticket_id: int, asked: Asked) -> Answer:
    mail = incoming.mail
    command = command_in(mail.said, is_asked_for_score=asked is Asked.SCORE)
    kind = _KINDS.get(command.verb) if command else None
    if command is None or kind is None:
        text = (mail.said.strip() or _without_words(incoming, ticket_id))[:LONGEST_ANSWER]
        return Answer(kind=AnswerKind.INFORMATION, text=text, whole=mail.text, at=mail.sent_at)
    return Answer(kind=kind, text=_beside(command), score=command.score)


def _without_words(incoming: Incoming, ticket_id: int) -> str:
    """What a mere quote says: what was filled in there, or the names of its files, such as that of a picture."""
    talk = Talk.about(incoming.desk, incoming.tx, ticket_id)
    names = ", ".join(one.name for one in incoming.mail.files if one.content)
    return filled_in_quote(talk, cleaned(incoming.mail.text)) or (f"({names})" if names else "")


def _beside(command: Command) -> str:
    return command.text[:LONGEST_ANSWER]


def noted(
    incoming: Incoming,
    thread: Thread,
    ticket_id: int,
    *,
    because: str = "",
    with_files: bool = True,
    is_told: bool = True,
) -> MailRecord:
    """Writes the mail down on its ticket, and tells whoever has that; it moves nothing."""
    if with_files:
        keep_files(incoming, ticket_id)
    known = incoming.tx.tickets.one(ticket_id, locked=True)
    change = Change.of(known.ticket, known.clocks)
    said = masked(cleaned(incoming.mail.said), unspoken(incoming, ticket_id))[:_LONGEST_NOTE]
    too_many = tell_of_note(incoming, thread, change, said) if is_told else ""
    why = " ".join(filter(None, (thread.why, because, too_many)))
    text = f"A mail came in ({incoming.nature.kind.replace('_', ' ')}). {why}\n{said or 'It says nothing new.'}"
    change.note(incoming.now, EventKind.NOTE, text, receipt=incoming.record.receipt)
    incoming.tx.apply([change], incoming.now)
    return replace(incoming.record, taken=Taken.NOTE, why=why, ticket_id=ticket_id)
