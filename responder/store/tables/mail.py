"""Mails that came in, and addresses that take none."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text, UniqueConstraint

from responder.store.tables.columns import Instant, key, metadata

mails = Table(
    "mails",
    metadata,
    key(),
    Column("identity", Text, nullable=False),
    Column("nth", Integer, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("way", Text, nullable=False),
    Column("receipt", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("taken", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("ticket_id", BigInteger),
    Column("answered", Boolean, nullable=False),
    Column("is_proven", Boolean, nullable=False),
    Column("envelope_from", Text),
    Column("envelope_to", Text, nullable=False),
    UniqueConstraint("identity", "nth"),
    Index("mails_by_ticket", "ticket_id", "id"),
    Index("mails_by_sender", "sender", "received_at"),
    Index("mails_by_time", "received_at"),
    Index("mails_by_message", "message_id"),
    Index("mails_by_digest", "digest"),
)

mail_addresses = Table(
    "mail_addresses",
    metadata,
    Column("address", Text, primary_key=True),
    Column("refused_at", Instant, nullable=False),
    Column("is_permanent", Boolean, nullable=False),
    Column("why", Text, nullable=False),
)
