"""Reports that were sent under a key, so that a second send is known."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Table, Text

from responder.store.tables.columns import Instant, metadata

sendings = Table(
    "sendings",
    metadata,
    Column("identity", Text, primary_key=True),
    Column("content", Text, nullable=False),
    Column("ticket_id", BigInteger, nullable=False),
    Column("at", Instant, nullable=False),
    Index("sendings_by_time", "at"),
)
