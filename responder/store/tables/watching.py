"""What is watched for silence: cron jobs that report to us, and our own rounds."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, Table, Text

from responder.store.tables.columns import Instant, Json, metadata

cron_jobs = Table(
    "cron_jobs",
    metadata,
    Column("name", Text, primary_key=True),
    Column("since", Instant, nullable=False),
    Column("last_at", Instant),
    Column("heard_at", Instant),
    # Runs that have begun and not ended: name of the run → µs UTC.
    Column("started", Json, nullable=False),
    Column("failed_at", Instant),
    Column("exit_code", Integer),
    Column("took", BigInteger),
    Column("words", Text, nullable=False),
    # The labels of the report that it is in trouble; empty if all is well.
    Column("told", Json, nullable=False),
)

rounds = Table(
    "rounds",
    metadata,
    Column("name", Text, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("result", Json, nullable=False),
)
