"""Letters to reporters as mails: threaded with what they wrote, answered to the address of their ticket."""

from __future__ import annotations

from responder.adapters.mail_names import MailNames
from responder.adapters.smtp import Letter, send
from responder.domain.letter import Letter as Occasion
from responder.domain.mail_record import Taken
from responder.domain.message import Message
from responder.errors import SendFailed, SendRefused
from responder.flows.desk import Desk
from responder.flows.mail_desk import mail_desk
from responder.flows.reporter_letters import letter_of
from responder.flows.reporter_talk import goes_by_mail
from responder.store.transaction import Transaction

_THEIRS = (Taken.REPORT, Taken.ANSWER)


def letter_for(desk: Desk, tx: Transaction, message: Message) -> Letter | None:
    """The mail that a letter goes out as; None where letters to this reporter go by another way."""
    reporter, mails, setup = tx.reporters.of_ticket(message.ticket_id), mail_desk(desk), desk.configuration.mail
    if reporter is None or mails is None or setup is None or not goes_by_mail(desk, reporter):
        return None
    names, domain = mails.names, mails.own.id_domain
    theirs = [one for one in tx.mails.of_ticket(message.ticket_id) if one.taken in _THEIRS]
    ours = [one for one in tx.reporters.letters(message.ticket_id) if one.id < message.id]
    known = [(one.received_at, one.message_id) for one in theirs]
    known += [(one.created_at, names.message_id(one.id, domain)) for one in ours]
    references = [message_id for _, message_id in sorted(known)]
    is_answer = bool(theirs) and letter_of(message.purpose) is Occasion.RECEIVED
    return Letter(
        id=names.message_id(message.id, domain),
        sender=mails.own.address,
        sender_name=setup.settings.name,
        reply_to=_tagged(mails.own.address, names, message.ticket_id) if setup.settings.plus else "",
        to=reporter.contact,
        subject=message.subject,
        text=message.body,
        at=message.created_at,
        in_reply_to=theirs[-1].message_id if theirs else "",
        references=references,
        auto_submitted="auto-replied" if is_answer else "auto-generated",
        language=reporter.language,
    )


def _tagged(address: str, names: MailNames, ticket_id: int) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local}+{names.tag(ticket_id)}@{domain}"


async def post(desk: Desk, letter: Letter) -> SendFailed | None:
    """Hands the letter to the mail server; gives why that was not possible."""
    server = desk.configuration.mail.server if desk.configuration.mail else None
    if server is None:
        return SendRefused("No mail server takes letters any more.")
    try:
        await send(letter, server)
    except SendFailed as error:
        return error
    return None
