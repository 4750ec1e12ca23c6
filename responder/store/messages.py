"""The outbox: messages are rows before they are sent."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, func, select, text
from sqlalchemy.engine import Connection, Row

from responder.clock import microseconds
from responder.domain.message import Message, MessageState
from responder.errors import NotFound
from responder.store.tables import messages

_WAITING = (MessageState.WAITING.value, MessageState.SENDING.value, MessageState.FAILED_FOR_NOW.value)


_WRITE = text(
    "INSERT INTO messages "
    "(ticket_id, episode, purpose, person, channel, subject, body, state, tries, created_at, error) "
    "VALUES (:ticket_id, :episode, :purpose, :person, :channel, :subject, :body, 'waiting', 0, :created_at, '') "
    "ON CONFLICT DO NOTHING RETURNING id"
)
_ONE = select(messages).where(messages.c.id == bindparam("wanted"))


class MessageStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def write(self, message: Message) -> int | None:
        """Puts a message into the outbox; None if the same one is there already."""
        values = {
            "ticket_id": message.ticket_id,
            "episode": message.episode,
            "purpose": str(message.purpose),
            "person": message.person,
            "channel": message.channel,
            "subject": message.subject,
            "body": message.body,
            "created_at": microseconds(message.created_at),
        }
        found: int | None = self._connection.execute(_WRITE, values).scalar()
        return found

    def one(self, message_id: int) -> Message:
        row = self._connection.execute(_ONE, {"wanted": message_id}).first()
        if row is None:
            raise NotFound(f"There is no message {message_id}.")
        return _message(row)

    def of_ticket(self, ticket_id: int) -> list[Message]:
        query = select(messages).where(messages.c.ticket_id == ticket_id).order_by(messages.c.id)
        return [_message(row) for row in self._connection.execute(query)]

    def mark(self, message_id: int, state: MessageState, *, error: str = "", sent_at: datetime | None = None) -> None:
        values = {"state": state.value, "error": error, "sent_at": sent_at}
        self._connection.execute(messages.update().where(messages.c.id == message_id).values(values))

    def begin_sending(self, message_id: int) -> None:
        query = messages.update().where(messages.c.id == message_id)
        self._connection.execute(query.values(state=MessageState.SENDING.value, tries=messages.c.tries + 1))

    def waiting(self) -> tuple[int, datetime | None]:
        """How many messages have not left yet, and since when the oldest waits."""
        query = select(func.count(), func.min(messages.c.created_at)).where(messages.c.state.in_(_WAITING))
        count, oldest = self._connection.execute(query).one()
        return count, oldest


def _message(row: Row[tuple[object, ...]]) -> Message:
    values = dict(row._mapping)
    return Message(**{**values, "state": MessageState(values["state"])})
