"""What a ticket is and has: its history, its clocks, its dossier."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, text

from responder.store.tables.columns import Instant, Json, key, metadata, ticket_key

tickets = Table(
    "tickets",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("number", Text, nullable=False, unique=True),
    Column("trouble", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("signal", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("grade", Text, nullable=False),
    Column("grade_rule", Text, nullable=False),
    Column("grade_reason", Text, nullable=False),
    Column("team", Text, nullable=False),
    Column("runbook", Text, nullable=False),
    Column("labels", Json, nullable=False),
    Column("annotations", Json, nullable=False),
    Column("links", Json, nullable=False),
    Column("firing", Json, nullable=False),
    Column("toggles", Json, nullable=False),
    Column("flapping", Boolean, nullable=False),
    Column("incomplete", Boolean, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("episode", Integer, nullable=False),
    Column("episode_at", Instant, nullable=False),
    Column("first_aid_at", Instant),
    Column("handed_over_at", Instant),
    Column("acknowledged_at", Instant),
    Column("acknowledged_by", Text, nullable=False),
    Column("cleared_at", Instant),
    Column("restored_at", Instant),
    Column("restored_by", Text, nullable=False),
    Column("resolved_at", Instant),
    Column("closed_at", Instant),
    Column("previous_id", BigInteger),
    Column("kind", Text, nullable=False),
    Column("tier", Integer, nullable=False),
    Column("assignee", Text, nullable=False),
    Column("waiting_for", Text, nullable=False),
    Column("disposition", Text, nullable=False),
    Column("merged_into", BigInteger),
    Column("version", Integer, nullable=False),
    # Promise 2: one open ticket per trouble, held by the database on any number of replicas.
    Index(
        "one_open_ticket_per_trouble",
        "trouble",
        unique=True,
        sqlite_where=text("status <> 'closed'"),
        postgresql_where=text("status <> 'closed'"),
    ),
    Index("tickets_by_trouble", "trouble", "id"),
    # All that statistics ask of every ticket of a period, so that its long texts are not read.
    # All that lists of tickets are narrowed down by: what matches is found without reading the tickets themselves.
    Index(
        "tickets_listed",
        "id",
        "status",
        "grade",
        "kind",
        "team",
        "signal",
        "source",
        "acknowledged_at",
        "acknowledged_by",
        "assignee",
        "opened_at",
    ),
    Index("tickets_by_opening", "opened_at", "grade", "kind", "team"),
    Index(
        "tickets_open",
        "status",
        "grade",
        sqlite_where=text("status <> 'closed'"),
        postgresql_where=text("status <> 'closed'"),
    ),
)

events = Table(
    "events",
    metadata,
    key(),
    ticket_key(),
    Column("at", Instant, nullable=False),
    Column("kind", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("data", Json, nullable=False),
    Index("events_by_ticket", "ticket_id", "id"),
)

clocks = Table(
    "clocks",
    metadata,
    Column("ticket_id", BigInteger, ForeignKey("tickets.id"), primary_key=True, autoincrement=False),
    Column("name", Text, primary_key=True),
    Column("started_at", Instant, nullable=False),
    # Empty while it is paused, and for a grade that has no target.
    Column("due_at", Instant),
    Column("next_at", Instant),
    Column("stopped_at", Instant),
    Column("breached_at", Instant),
    Column("warned", Integer, nullable=False),
    Column("counted", Boolean, nullable=False),
    Column("marks", Json, nullable=False),
    Index(
        "clocks_running",
        "next_at",
        sqlite_where=text("next_at IS NOT NULL"),
        postgresql_where=text("next_at IS NOT NULL"),
    ),
)

dossiers = Table(
    "dossiers",
    metadata,
    Column("ticket_id", BigInteger, ForeignKey("tickets.id"), primary_key=True, autoincrement=False),
    Column("cause_class", Text, nullable=False),
    Column("satisfaction", Integer),
    Column("content", Json, nullable=False),
)

attachments = Table(
    "attachments",
    metadata,
    key(),
    ticket_key(),
    Column("run_id", BigInteger, ForeignKey("runs.id")),
    Column("name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Index("attachments_by_ticket", "ticket_id", "id"),
)
