"""The service itself: jobs, sums, serial numbers, switches and heartbeats."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, Table, Text, text

from responder.store.tables.columns import Instant, Json, key, metadata

jobs = Table(
    "jobs",
    metadata,
    key(),
    Column("kind", Text, nullable=False),
    Column("args", Json, nullable=False),
    Column("lock", Text, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("set_aside_at", Instant),
    Column("error", Text, nullable=False),
    Column("priority", Integer, nullable=False, server_default="0"),
    Index(
        "jobs_due",
        "kind",
        "priority",
        "due_at",
        sqlite_where=text("set_aside_at IS NULL"),
        postgresql_where=text("set_aside_at IS NULL"),
    ),
)

sums = Table(
    "sums",
    metadata,
    Column("name", Text, primary_key=True),
    Column("labels", Text, primary_key=True),
    Column("value", Float, nullable=False),
)

counters = Table(
    "counters",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

switches = Table(
    "switches",
    metadata,
    Column("name", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("until", Instant),
)

heartbeats = Table(
    "heartbeats",
    metadata,
    Column("source", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("last_at", Instant),
    Column("silent_since", Instant),
    Column("watched_since", Instant, nullable=False),
)
