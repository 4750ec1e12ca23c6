"""Whether people can be reached: one row per drill."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, Text, text

from responder.store.tables.columns import Instant, Json, key, metadata

drills = Table(
    "drills",
    metadata,
    key(),
    Column("due_at", Instant, nullable=False),
    Column("until", Instant, nullable=False),
    Column("ordered_by", Text, nullable=False),
    Column("started_at", Instant),
    Column("ended_at", Instant),
    Column("answers", Json, nullable=False),
    Index("drills_open", "id", sqlite_where=text("ended_at IS NULL"), postgresql_where=text("ended_at IS NULL")),
)
