"""Who is told, and who may: messages and tokens."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table, Text, UniqueConstraint, text

from responder.store.tables.columns import Instant, key, metadata, ticket_key

messages = Table(
    "messages",
    metadata,
    key(),
    ticket_key(),
    Column("episode", Integer, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("sent_at", Instant),
    Column("due_at", Instant),
    Column("error", Text, nullable=False),
    Column("tried_at", Instant),
    # A page is promised once per episode, person and channel, however often its reason is processed.
    UniqueConstraint("ticket_id", "episode", "purpose", "person", "channel", name="one_message_each"),
    Index(
        "messages_waiting",
        "created_at",
        sqlite_where=text("state IN ('waiting', 'sending', 'failed_for_now')"),
        postgresql_where=text("state IN ('waiting', 'sending', 'failed_for_now')"),
    ),
    Index(
        "messages_bundled",
        "person",
        "channel",
        sqlite_where=text("state = 'bundled' AND sent_at IS NULL"),
        postgresql_where=text("state = 'bundled' AND sent_at IS NULL"),
    ),
)

page_windows = Table(
    "page_windows",
    metadata,
    Column("person", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("since_at", Instant, nullable=False),
    Column("sent", Integer, nullable=False),
    Column("bundle_at", Instant),
)

tokens = Table(
    "tokens",
    metadata,
    Column("name", Text, primary_key=True),
    Column("digest", Text, nullable=False, unique=True),
    Column("scope", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
)
