"""Files kept with a ticket: what diagnostics printed, and what people attach."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.engine import Connection

from responder.errors import NotFound
from responder.store.changes import touch
from responder.store.tables import attachments


@dataclass(frozen=True, kw_only=True, slots=True)
class Attachment:
    """One file of a ticket. It is only ever served as a download, whatever its media type says."""

    ticket_id: int
    name: str
    at: datetime
    content: bytes = b""
    media_type: str = "text/plain; charset=utf-8"
    actor: str = ""
    run_id: int | None = None
    digest: str = ""
    id: int = 0


class AttachmentStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def keep(self, attachment: Attachment) -> int:
        """Stores the file with its SHA-256; gives its id."""
        values = {
            "ticket_id": attachment.ticket_id,
            "run_id": attachment.run_id,
            "name": attachment.name,
            "media_type": attachment.media_type,
            "digest": hashlib.sha256(attachment.content).hexdigest(),
            "actor": attachment.actor,
            "at": attachment.at,
            "content": attachment.content,
        }
        row = self._connection.execute(attachments.insert().values(values).returning(attachments.c.id)).one()
        touch(self._connection, tickets=[attachment.ticket_id], run=attachment.run_id)
        return int(row.id)

    def one(self, attachment_id: int) -> Attachment:
        row = self._connection.execute(select(attachments).where(attachments.c.id == attachment_id)).first()
        if row is None:
            raise NotFound(f"There is no attachment {attachment_id}.")
        return Attachment(**row._mapping)

    def of_ticket(self, ticket_id: int) -> list[Attachment]:
        """The ticket's files without their content."""
        columns = [column for column in attachments.c if column.name != "content"]
        query = select(*columns).where(attachments.c.ticket_id == ticket_id).order_by(attachments.c.id)
        return [Attachment(**row._mapping) for row in self._connection.execute(query)]
