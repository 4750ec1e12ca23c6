"""Files of a mail, kept with the ticket; what was left out is said."""

from __future__ import annotations

from responder.flows.mail_desk import Incoming
from responder.store.attachments import Attachment


def keep_files(incoming: Incoming, ticket_id: int) -> None:
    """Stores what came with the mail; never served but as a download."""
    for one in incoming.mail.files:
        if one.content:
            kept = Attachment(
                ticket_id=ticket_id,
                name=one.name,
                at=incoming.now,
                content=one.content,
                media_type=one.media_type,
                actor="mail",
            )
            incoming.tx.attachments.keep(kept)
