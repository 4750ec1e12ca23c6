"""The outbox: messages are rows before they are sent."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import and_, bindparam, case, func, or_, select, text
from sqlalchemy.engine import Connection, Row
from sqlalchemy.sql.elements import ColumnElement

from responder.clock import microseconds
from responder.domain.delivery import Window
from responder.domain.message import Message, MessageState
from responder.errors import NotFound
from responder.store.changes import touch
from responder.store.tables import messages, page_windows

_WAITING = (MessageState.WAITING.value, MessageState.SENDING.value, MessageState.FAILED_FOR_NOW.value)


_WRITE = text(
    "INSERT INTO messages "
    "(ticket_id, episode, purpose, person, channel, subject, body, state, tries, created_at, due_at, error) "
    "VALUES "
    "(:ticket_id, :episode, :purpose, :person, :channel, :subject, :body, 'waiting', 0, :created_at, :due_at, '') "
    "ON CONFLICT DO NOTHING RETURNING id"
)
_WINDOW = text(
    "INSERT INTO page_windows (person, channel, since_at, sent) VALUES (:person, :channel, 0, 0) ON CONFLICT DO NOTHING"
)
_AT_ONCE = 500
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
            "due_at": microseconds(message.due_at) if message.due_at else None,
        }
        found: int | None = self._connection.execute(_WRITE, values).scalar()
        touch(self._connection, "messages", tickets=[message.ticket_id])
        return found

    def one(self, message_id: int) -> Message:
        row = self._connection.execute(_ONE, {"wanted": message_id}).first()
        if row is None:
            raise NotFound(f"There is no message {message_id}.")
        return _message(row)

    def of_ticket(self, ticket_id: int) -> list[Message]:
        query = select(messages).where(messages.c.ticket_id == ticket_id).order_by(messages.c.id)
        return [_message(row) for row in self._connection.execute(query)]

    def mark(
        self,
        message_id: int,
        state: MessageState,
        *,
        error: str = "",
        sent_at: datetime | None = None,
        due_at: datetime | None = None,
    ) -> None:
        values = {"state": state.value, "error": error, "sent_at": sent_at, "due_at": due_at}
        self._change(messages.c.id == message_id, values)

    def begin_sending(self, message_id: int, now: datetime) -> None:
        values = {"state": MessageState.SENDING.value, "tries": messages.c.tries + 1, "tried_at": now}
        self._change(messages.c.id == message_id, values)

    def uncount_try(self, message_id: int) -> None:
        """What was not handed to its channel at all was no try."""
        self._change(messages.c.id == message_id, {"tries": messages.c.tries - 1})

    def _change(self, which: ColumnElement[bool], values: Mapping[str, object]) -> None:
        query = messages.update().where(which).values(values).returning(messages.c.ticket_id)
        touch(self._connection, "messages", tickets=[row.ticket_id for row in self._connection.execute(query)])

    def waiting(self, now: datetime) -> tuple[int, datetime | None]:
        """How many messages should have left and have not, and since when the oldest of them should have."""
        # What waits for its time is not late; what failed was due when it was written.
        failed = messages.c.state == MessageState.FAILED_FOR_NOW.value
        is_due = or_(failed, messages.c.due_at.is_(None), messages.c.due_at <= now)
        since = case((failed, messages.c.created_at), else_=func.coalesce(messages.c.due_at, messages.c.created_at))
        query = select(func.count(), func.min(since)).where(messages.c.state.in_(_WAITING), is_due)
        count, oldest = self._connection.execute(query).one()
        return count, oldest

    # --- bundles -----------------------------------------------------------------------------------

    def bundled(self, person: str, channel: str) -> list[Message]:
        """What waits for the next bundle of a person on a channel, the oldest first."""
        query = select(messages).where(_in_bundle(person, channel)).order_by(messages.c.id)
        return [_message(row) for row in self._connection.execute(query)]

    def leave_bundle(
        self, ids: Collection[int], state: MessageState, *, error: str = "", sent_at: datetime | None = None
    ) -> None:
        """Ends the waiting of those whose bundle has left, or who need none any more."""
        values = {"state": state.value, "error": error, "sent_at": sent_at, "due_at": None}
        wanted = list(ids)
        for first in range(0, len(wanted), _AT_ONCE):
            self._change(messages.c.id.in_(wanted[first : first + _AT_ONCE]), values)

    def rewrite(self, message_id: int, subject: str, body: str) -> None:
        """Another text, for what is composed only when it leaves."""
        self._change(messages.c.id == message_id, {"subject": subject, "body": body})

    def window(self, person: str, channel: str) -> Window | None:
        """The window of a person's channel; until its end no other transaction changes it."""
        key = {"person": person, "channel": channel}
        self._connection.execute(_WINDOW, key)
        mine = and_(page_windows.c.person == person, page_windows.c.channel == channel)
        row = self._connection.execute(select(page_windows).where(mine).with_for_update()).one()
        return Window(since_at=row.since_at, sent=row.sent, bundle_at=row.bundle_at) if row.sent else None

    def keep_window(self, person: str, channel: str, window: Window) -> None:
        """Writes the window as it is now; the caller holds it."""
        mine = and_(page_windows.c.person == person, page_windows.c.channel == channel)
        values = {"since_at": window.since_at, "sent": window.sent, "bundle_at": window.bundle_at}
        self._connection.execute(page_windows.update().where(mine).values(values))


def _in_bundle(person: str, channel: str) -> ColumnElement[bool]:
    mine = and_(messages.c.person == person, messages.c.channel == channel)
    return and_(mine, text("state = 'bundled' AND sent_at IS NULL"))


def _message(row: Row[tuple[object, ...]]) -> Message:
    values = dict(row._mapping)
    return Message(**{**values, "state": MessageState(values["state"])})
