"""Who signs in, and what they did."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from responder.store.tables.columns import Instant, Json, key, metadata

users = Table(
    "users",
    metadata,
    key(),
    Column("name", Text, nullable=False),
    # Two names that differ in case only would be taken for each other by people.
    Column("folded", Text, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("teams", Json, nullable=False),
    Column("teamless", Boolean, nullable=False),
    Column("language", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("disabled_at", Instant),
    Column("seen_at", Instant),
)

sessions = Table(
    "sessions",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("user_id", BigInteger, ForeignKey("users.id"), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("address", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Index("sessions_by_user", "user_id"),
)

login_failures = Table(
    "login_failures",
    metadata,
    key(),
    Column("name", Text, nullable=False),
    Column("address", Text, nullable=False),
    # The network around the address, where one holder has many.
    Column("around", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("user_id", BigInteger),
    Column("is_told", Boolean, nullable=False),
    Index("login_failures_by_time", "at"),
    Index("login_failures_told", "is_told", "user_id", "at"),
)

saved_views = Table(
    "saved_views",
    metadata,
    key(),
    Column("user_id", BigInteger, ForeignKey("users.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("query", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("user_id", "name", name="one_view_of_a_name"),
)

audit_log = Table(
    "audit_log",
    metadata,
    key(),
    Column("at", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("via", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("object", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Index("audit_log_by_time", "at"),
    Index("audit_log_by_actor", "actor", "at"),
    Index("audit_log_by_object", "object", "at"),
    Index("audit_log_by_action", "action", "at"),
    Index("audit_log_by_outcome", "outcome", "at"),
)

answers = Table(
    "answers",
    metadata,
    Column("identity", Text, primary_key=True),
    Column("content", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Index("answers_by_time", "at"),
)
