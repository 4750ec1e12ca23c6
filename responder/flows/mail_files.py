"""Files of a mail, kept with the ticket; what was left out is said."""

from __future__ import annotations

from responder.flows.mail_desk import Incoming
from responder.flows.mail_masking import file_names, unspoken
from responder.store.attachments import Attachment

BY_MAIL = "mail"
"""As what files of mails are kept: who sent them stands nowhere else than in the row of the reporter."""


def keep_files(incoming: Incoming, ticket_id: int) -> None:
    """Stores what came with the mail; never served but as a download."""
    names = file_names(incoming.mail, unspoken(incoming, ticket_id))
    for name, one in zip(names, incoming.mail.files, strict=True):
        if one.content:
            kept = Attachment(
                ticket_id=ticket_id,
                name=name,
                at=incoming.now,
                content=one.content,
                media_type=one.media_type,
                actor=BY_MAIL,
            )
            incoming.tx.attachments.keep(kept)
