"""Tickets that wait: what holds each, and the job that takes it on when that is over."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text, text

from responder.store.tables.columns import Instant, Json, metadata

holds = Table(
    "holds",
    metadata,
    Column("ticket_id", BigInteger, ForeignKey("tickets.id"), primary_key=True, autoincrement=False),
    Column("episode", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("occasion", Text, nullable=False),
    # The job that goes on with the ticket, and when; a job that was promised for another time does nothing.
    Column("kind", Text, nullable=False),
    Column("args", Json, nullable=False),
    Column("due_at", Instant, nullable=False),
    # Not empty: it never went on, for it cleared or somebody took it. Kept for what another ticket stood for.
    Column("ended_at", Instant),
    Index("holds_open", "due_at", sqlite_where=text("ended_at IS NULL"), postgresql_where=text("ended_at IS NULL")),
)
