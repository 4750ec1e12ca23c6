"""Maintenance of alerts that people began by hand; that of targets is a switch."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Table, Text

from responder.store.tables.columns import Instant, Json, key, metadata

maintenance_windows = Table(
    "maintenance_windows",
    metadata,
    key(),
    # The matchers as they were written; read anew each time, so that what is not understood holds nothing.
    Column("matchers", Json, nullable=False),
    Column("is_everything", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("until", Instant, nullable=False),
    Column("ended_by", Text, nullable=False),
    Index("maintenance_windows_open", "until"),
)
