"""Mails: what became of each that came in, and which addresses take none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, text
from sqlalchemy.engine import Connection, Row

from responder.clock import microseconds
from responder.domain.mail_record import MailRecord, Taken
from responder.errors import NotFound
from responder.store.changes import touch
from responder.store.tables import bodies, mail_addresses, mails

_MARK = text(
    "INSERT INTO mail_addresses (address, refused_at, is_permanent, why) VALUES (:address, :at, :permanent, :why) "
    "ON CONFLICT (address) DO UPDATE SET refused_at = :at, is_permanent = :permanent, why = :why"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class RefusedAddress:
    """An address of which a delivery report said that it takes no mail."""

    address: str
    refused_at: datetime
    is_permanent: bool
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class MailFilter:
    """Which mails are listed: of one kind, of a sender, of a ticket, since an instant, older than the one `before`."""

    taken: Taken | None = None
    sender: str = ""
    ticket_id: int | None = None
    since: datetime | None = None
    before: int | None = None

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        if self.taken is not None:
            yield mails.c.taken == self.taken.value
        if self.sender:
            yield mails.c.sender == self.sender.lower()
        if self.ticket_id is not None:
            yield mails.c.ticket_id == self.ticket_id
        if self.since is not None:
            yield mails.c.received_at >= self.since
        if self.before is not None:
            yield mails.c.id < self.before


class MailStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def known(self, record: MailRecord) -> list[MailRecord]:
        """The mails of this identity, or of these bytes, that came in before, the newest first; at most twenty."""
        is_it = (mails.c.identity == record.identity) | (mails.c.digest == record.digest)
        query = select(mails).where(is_it).order_by(mails.c.id.desc()).limit(20)
        return [_record(row) for row in self._connection.execute(query)]

    def add(self, record: MailRecord) -> int:
        """Writes a mail down; gives its number. A second one that is the same of its identity is a Conflict."""
        values = {**asdict(record), "taken": record.taken.value}
        del values["id"]
        row = self._connection.execute(mails.insert().values(values).returning(mails.c.id)).one()
        what_waits = ("health",) if record.taken is Taken.QUARANTINED else ()
        touch(self._connection, *what_waits, tickets=[record.ticket_id])
        return int(row.id)

    def by_message_id(self, message_id: str) -> MailRecord | None:
        """The newest mail with this Message-ID that belongs to a ticket."""
        is_it = (mails.c.message_id == message_id) & mails.c.ticket_id.is_not(None)
        return self._first(select(mails).where(is_it).order_by(mails.c.id.desc()).limit(1))

    def of_ticket(self, ticket_id: int) -> list[MailRecord]:
        """The oldest first."""
        query = select(mails).where(mails.c.ticket_id == ticket_id).order_by(mails.c.id)
        return [_record(row) for row in self._connection.execute(query)]

    def listed(self, limit: int, wanted: MailFilter = MailFilter()) -> list[MailRecord]:
        """The newest first."""
        query = select(mails).where(*wanted.conditions()).order_by(mails.c.id.desc()).limit(limit)
        return [_record(row) for row in self._connection.execute(query)]

    def one(self, mail_id: int) -> MailRecord:
        """Raises NotFound."""
        found = self._first(select(mails).where(mails.c.id == mail_id))
        if found is None:
            raise NotFound(f"There is no mail {mail_id}.")
        return found

    def decide_again(self, made: MailRecord) -> bool:
        """Writes down what a mail has become that was set aside; False if it is not set aside any more."""
        is_it = (mails.c.id == made.id) & (mails.c.taken == Taken.QUARANTINED.value)
        values = {
            "taken": made.taken.value,
            "why": made.why,
            "ticket_id": made.ticket_id,
            "answered": made.answered,
        }
        touch(self._connection, "health", tickets=[made.ticket_id])
        return self._connection.execute(mails.update().where(is_it).values(values)).rowcount == 1

    def answered_since(self, sender: str, since: datetime) -> int:
        """How many mails of a sender were answered since then."""
        is_it = (mails.c.sender == sender) & mails.c.answered & (mails.c.received_at >= since)
        return int(self._connection.execute(select(func.count()).select_from(mails).where(is_it)).scalar_one())

    def answered_at(self, domain: str, since: datetime, *, is_proven: bool) -> int:
        """How many mails of senders at a domain, proven or not, were answered since then."""
        is_there = mails.c.sender.endswith(f"@{domain}", autoescape=True) & (mails.c.is_proven == is_proven)
        is_it = is_there & mails.c.answered & (mails.c.received_at >= since)
        return int(self._connection.execute(select(func.count()).select_from(mails).where(is_it)).scalar_one())

    def answered_unproven(self, since: datetime) -> int:
        """How many mails were answered since then of whose senders nothing is proven."""
        is_it = mails.c.answered & (mails.c.received_at >= since) & mails.c.is_proven.is_(False)
        return int(self._connection.execute(select(func.count()).select_from(mails).where(is_it)).scalar_one())

    def forget_before(self, limit: datetime, most: int = 5000) -> int:
        """Ends the retention of addresses, and of mails that belong to no ticket, so many at a time; how many."""
        is_old = (mails.c.received_at < limit) & mails.c.ticket_id.is_(None)
        old = select(mails.c.id).where(is_old).limit(most)
        addresses = delete(mail_addresses).where(mail_addresses.c.refused_at < limit)
        gone = self._connection.execute(addresses).rowcount
        return gone + self._connection.execute(delete(mails).where(mails.c.id.in_(old))).rowcount

    def erase(self, ticket_id: int, contact: str) -> None:
        """Overwrites who wrote the mails of a ticket, and what is known against their addresses; their bytes go.

        So it is with what else came from the reporter's contact and became nothing, unless it waits to be decided anew.
        """
        senders, addresses = select(mails.c.sender).where(mails.c.ticket_id == ticket_id), mail_addresses.c.address
        is_theirs = addresses.in_(senders) | (addresses == contact.lower())
        self._connection.execute(delete(mail_addresses).where(is_theirs))
        is_left = mails.c.ticket_id.is_(None) & (mails.c.taken != Taken.QUARANTINED.value) & (mails.c.sender != "")
        is_gone = (mails.c.ticket_id == ticket_id) | (is_left & (mails.c.sender == contact.lower()))
        receipts = select(mails.c.receipt).where(is_gone)
        self._connection.execute(delete(bodies).where(bodies.c.id.in_(receipts)))
        self._connection.execute(
            mails.update().where(is_gone).values({"sender": "", "envelope_from": None, "envelope_to": ""})
        )

    # --- addresses ---------------------------------------------------------------------------------

    def mark(self, refused: RefusedAddress) -> None:
        """Writes down that an address takes no mail, in place of what was known of it."""
        at, permanent = microseconds(refused.refused_at), refused.is_permanent
        values = {"address": refused.address, "at": at, "permanent": permanent, "why": refused.why}
        self._connection.execute(_MARK, values)

    def refused(self, address: str) -> RefusedAddress | None:
        """What is known against an address."""
        row = self._connection.execute(select(mail_addresses).where(mail_addresses.c.address == address)).first()
        return RefusedAddress(**row._mapping) if row else None

    def take_back(self, address: str) -> None:
        """The address is as good as any other again: it wrote to us, or a letter arrived."""
        self._connection.execute(delete(mail_addresses).where(mail_addresses.c.address == address))

    def _first(self, query: Any) -> MailRecord | None:
        row = self._connection.execute(query).first()
        return None if row is None else _record(row)


def _record(row: Row[Any]) -> MailRecord:
    return MailRecord(**{**row._mapping, "taken": Taken(row.taken)})
