"""What is kept from tickets that are over: actions, articles, spare parts, health checks."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text, text

from responder.store.tables.columns import Instant, Json, key, metadata, ticket_key

actions = Table(
    "actions",
    metadata,
    key(),
    ticket_key(),
    Column("text", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("done_at", Instant),
    Column("done_by", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("escalated_at", Instant),
    Column("escalations", Integer, nullable=False),
    Index("actions_by_ticket", "ticket_id", "id"),
    Index("actions_open", "due_at", sqlite_where=text("done_at IS NULL"), postgresql_where=text("done_at IS NULL")),
)

articles = Table(
    "articles",
    metadata,
    key(),
    Column("ticket_id", BigInteger, ForeignKey("tickets.id")),
    Column("title", Text, nullable=False),
    Column("symptom", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("solution", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("labels", Json, nullable=False),
    Column("actor", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Index("articles_by_ticket", "ticket_id"),
)

parts = Table(
    "parts",
    metadata,
    Column("number", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("stock", Integer, nullable=False),
    Column("minimum", Integer, nullable=False),
    Column("changed_at", Instant, nullable=False),
)

reservations = Table(
    "reservations",
    metadata,
    key(),
    ticket_key(),
    Column("part", Text, ForeignKey("parts.number"), nullable=False),
    Column("count", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("ended_at", Instant),
    Index("reservations_by_ticket", "ticket_id", "id"),
    Index("reservations_by_part", "part", "state"),
)

stock_moves = Table(
    "stock_moves",
    metadata,
    key(),
    Column("part", Text, ForeignKey("parts.number"), nullable=False),
    Column("count", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Index("stock_moves_by_part", "part", "id"),
)

health_checks = Table(
    "health_checks",
    metadata,
    key(),
    Column("name", Text, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("content", Json, nullable=False),
    Index("health_checks_by_name", "name", "id"),
)
