"""What came in, and what it became."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, text

from responder.store.tables.columns import Instant, key, metadata

bodies = Table(
    "bodies",
    metadata,
    Column("id", Text, primary_key=True),
    Column("source", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("quarantined_because", Text, nullable=False),
    Index("bodies_by_time", "received_at"),
    Index(
        "bodies_quarantined",
        "received_at",
        "id",
        sqlite_where=text("quarantined_because <> ''"),
        postgresql_where=text("quarantined_because <> ''"),
    ),
)

reports = Table(
    "reports",
    metadata,
    key(),
    Column("body_id", Text, nullable=False),
    Column("ticket_id", BigInteger),
    Column("source", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("signal", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Index("reports_by_ticket", "ticket_id", "id"),
    Index("reports_by_time", "received_at"),
)

reporters = Table(
    "reporters",
    metadata,
    Column("ticket_id", BigInteger, ForeignKey("tickets.id"), primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("contact", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("asked_at", Instant),
    Column("asked_for", Text, nullable=False),
    Column("reminders", Integer, nullable=False),
    Column("told_up_to", BigInteger, nullable=False),
    Column("erase_at", Instant),
    Column("erased_at", Instant),
    Index(
        "reporters_to_erase",
        "erase_at",
        sqlite_where=text("erase_at IS NOT NULL AND erased_at IS NULL"),
        postgresql_where=text("erase_at IS NOT NULL AND erased_at IS NULL"),
    ),
)
