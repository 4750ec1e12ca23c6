"""What of a mail may be shown on a ticket: not our signed names, and no address that only few may see."""

from __future__ import annotations

from dataclasses import replace

from responder.domain.enclosed import plain_names
from responder.domain.mail import Mail
from responder.domain.masking import masked
from responder.flows.mail_desk import Incoming


def shown(incoming: Incoming) -> Incoming:
    """The mail without our signed links, tags and Message-IDs: whoever reads a ticket must not be able to write as the
    one who got them."""
    mail = incoming.mail
    made = replace(
        mail,
        subject=_without_ours(incoming, mail.subject),
        text=_without_ours(incoming, mail.text),
        said=_without_ours(incoming, mail.said),
        files=tuple(replace(one, name=_without_ours(incoming, one.name)) for one in mail.files),
    )
    return replace(incoming, mail=made, quotes_us=made.text != mail.text)


def _without_ours(incoming: Incoming, text: str) -> str:
    return incoming.mails.names.masked(incoming.desk.links.masked(text))


def as_answer(incoming: Incoming) -> Incoming:
    """The mail as one about a ticket that is there: a mere quote says nothing new; a forward does if it is not of a
    letter of ours."""
    mail = incoming.mail
    if mail.has_own_words or (mail.is_forward and not incoming.quotes_us):
        return incoming
    return replace(incoming, mail=replace(mail, said=""))


def unspoken(incoming: Incoming, ticket_id: int | None = None) -> set[str]:
    """What must not be shown: secrets, the sender's address, and that of the ticket's reporter."""
    reporter = incoming.tx.reporters.of_ticket(ticket_id) if ticket_id is not None else None
    contact = {reporter.contact} if reporter and reporter.contact else set()
    return {*incoming.desk.configuration.secrets, incoming.record.sender, incoming.mail.sender.address} | contact


def file_names(mail: Mail, known: set[str]) -> list[str]:
    """How the files of a mail are called where everybody reads it."""
    return plain_names([masked(one.name, known) for one in mail.files])
