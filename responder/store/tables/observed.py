"""What the sums behind the metrics are made of, each with its instant: what statistics of a period are read from."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Table, Text

from responder.store.tables.columns import Instant, Json, key, metadata, ticket_key

observations = Table(
    "observations",
    metadata,
    key(),
    ticket_key(),
    Column("at", Instant, nullable=False),
    Column("grade", Text, nullable=False),
    Column("team", Text, nullable=False),
    Column("kind", Text, nullable=False),
    # Whose the durations are: machine, human or itself; empty where there is none.
    Column("who", Text, nullable=False),
    # Durations in microseconds.
    Column("acknowledge", BigInteger),
    Column("restore", BigInteger),
    Column("resolve", BigInteger),
    # Rounds of clocks as lists of clock, result, count. All of one decision in one row: most tickets have a few.
    Column("ends", Json, nullable=False),
    Index("observations_by_time", "at"),
)
