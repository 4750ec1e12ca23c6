"""Who is on call, as far as people have changed it by hand, who is told of that, and what was seen of the rotas."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, Table, Text

from responder.store.tables.columns import Instant, Json, key, metadata

overrides = Table(
    "overrides",
    metadata,
    key(),
    Column("rota", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("instead_of", Text, nullable=False),
    Column("start", Instant, nullable=False),
    Column("until", Instant, nullable=False),
    Column("reason", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("ended_by", Text, nullable=False),
    # What was made in one go, such as the two halves of a swap, is ended in one go.
    Column("act", Text, nullable=False),
    Column("source", Text, nullable=False),
    Index("overrides_until", "until"),
)

duty_notices = Table(
    "duty_notices",
    metadata,
    key(),
    Column("person", Text, nullable=False),
    Column("changes", Json, nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("has_ended", Boolean, nullable=False),
    Column("override_ids", Json, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("state", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("due_at", Instant),
    Column("told_at", Instant),
    Column("error", Text, nullable=False),
    Index("duty_notices_of_person", "person", "state"),
    Index("duty_notices_made", "made_at"),
)

rota_watches = Table(
    "rota_watches",
    metadata,
    Column("rota", Text, primary_key=True),
    Column("empty_since", Instant),
    Column("gap_at", Instant),
)
