"""First aid: runs, the hosts they hold, their steps and what was attempted."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, text

from responder.store.tables.columns import Instant, Json, key, metadata, ticket_key

runs = Table(
    "runs",
    metadata,
    key(),
    ticket_key(),
    Column("runbook", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("snapshot", Json, nullable=False),
    Column("step", Integer, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("leg", Integer, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("outcome", Text),
    Column("sentence", Text, nullable=False),
    Column("ordered_by", Text, nullable=False),
    Column("verified", Boolean),
    Index("runs_by_ticket", "ticket_id", "id"),
    Index("runs_by_runbook", "runbook", "started_at"),
    Index("runs_by_start", "started_at"),
    # All that lists of runs ask for: whatever the filter, no row is read that is not shown.
    Index("runs_listed", "started_at", "id", "runbook", "outcome", "verified", "ordered_by", "target", "ticket_id"),
)

run_hosts = Table(
    "run_hosts",
    metadata,
    Column("run_id", BigInteger, ForeignKey("runs.id"), primary_key=True, autoincrement=False),
    Column("host", Text, primary_key=True),
    Column("at_work", Boolean, nullable=False),
    # Promise 5: one run per target at a time, on any number of replicas; a run holds every host it may touch.
    Index(
        "one_run_per_host",
        "host",
        unique=True,
        sqlite_where=text("at_work"),
        postgresql_where=text("at_work"),
    ),
    Index("run_hosts_by_host", "host", "run_id"),
)

run_steps = Table(
    "run_steps",
    metadata,
    Column("run_id", BigInteger, ForeignKey("runs.id"), primary_key=True, autoincrement=False),
    Column("step", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("first", Json),
    Column("ended_at", Instant),
    Column("outcome", Text, nullable=False),
    Column("sentence", Text, nullable=False),
)

attempts = Table(
    "attempts",
    metadata,
    key(),
    Column("run_id", BigInteger, ForeignKey("runs.id"), nullable=False),
    Column("step", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("command", Json, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("exit_code", Integer),
    Column("output", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("become", Boolean, nullable=False),
    Column("host", Text, nullable=False),
    Column("label", Text, nullable=False),
    Index("attempts_by_run", "run_id", "id"),
)

approvals = Table(
    "approvals",
    metadata,
    key(),
    ticket_key(),
    Column("episode", Integer, nullable=False),
    # A step of a run waits for it; without a run, the run itself does.
    Column("run_id", BigInteger, ForeignKey("runs.id")),
    Column("step", Integer),
    Column("runbook", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("question", Text, nullable=False),
    Column("roles", Json, nullable=False),
    Column("needed", Integer, nullable=False),
    Column("go_on_without", Boolean, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("due_at", Instant),
    Column("state", Text, nullable=False),
    Column("answers", Json, nullable=False),
    Column("ended_at", Instant),
    Column("snapshot", Json, nullable=False),
    Column("sentence", Text, nullable=False),
    # A gate of the policy, and whether every one of its roles must say yes.
    Column("gate", Text, nullable=False),
    Column("each_role", Boolean, nullable=False),
    # A question is asked once, however often the step that asks is come to.
    UniqueConstraint("run_id", "step", name="one_approval_per_step"),
    Index("approvals_by_ticket", "ticket_id", "id"),
    Index(
        "approvals_waiting",
        "due_at",
        sqlite_where=text("state = 'waiting'"),
        postgresql_where=text("state = 'waiting'"),
    ),
)
