"""Who is told, call by call."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, Table, Text

from responder.store.tables.columns import Instant, Json, metadata

chains = Table(
    "chains",
    metadata,
    Column("ticket_id", BigInteger, ForeignKey("tickets.id"), primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("episode", Integer, nullable=False),
    Column("plan", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("calls", Json, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("position", Integer, nullable=False),
    Column("ended_at", Instant),
    Column("ended_because", Text, nullable=False),
)
