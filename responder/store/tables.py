"""The tables. Instants are microseconds since 1970 in UTC, so both databases keep and order them alike."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from responder.clock import from_microseconds, microseconds

metadata = MetaData()


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime, stored as whole microseconds."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else microseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else from_microseconds(value)


class Json(TypeDecorator[Any]):
    """A small structure, stored as text: never queried inside, so the same in both databases."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:  # noqa: ARG002
        return dumped(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002
        return None if value is None else orjson.loads(value)


def dumped(value: Any) -> str:
    """A small structure as it is stored."""
    return orjson.dumps(value, default=_plain, option=orjson.OPT_NON_STR_KEYS).decode()


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} cannot be stored")


def _id() -> Column[int]:
    kind = BigInteger().with_variant(Integer, "sqlite")
    return Column("id", kind, primary_key=True, autoincrement=True)


def _ticket() -> Column[int]:
    return Column("ticket_id", BigInteger, ForeignKey("tickets.id"), nullable=False)


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
    _id(),
    _ticket(),
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

reporters = Table(
    "reporters",
    metadata,
    Column("ticket_id", BigInteger, ForeignKey("tickets.id"), primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("contact", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("asked_at", Instant),
    Column("asked_for", Text, nullable=False),
    Column("reminders", Integer, nullable=False),
    Column("told_up_to", BigInteger, nullable=False),
    Column("erase_at", Instant),
    Column("erased_at", Instant),
    Index(
        "reporters_to_erase",
        "erase_at",
        sqlite_where=text("erase_at IS NOT NULL AND erased_at IS NULL"),
        postgresql_where=text("erase_at IS NOT NULL AND erased_at IS NULL"),
    ),
)

actions = Table(
    "actions",
    metadata,
    _id(),
    _ticket(),
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
    _id(),
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
    _id(),
    _ticket(),
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
    _id(),
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
    _id(),
    Column("name", Text, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("content", Json, nullable=False),
    Index("health_checks_by_name", "name", "id"),
)

bodies = Table(
    "bodies",
    metadata,
    Column("id", Text, primary_key=True),
    Column("source", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("quarantined_because", Text, nullable=False),
    Index("bodies_by_time", "received_at"),
)

reports = Table(
    "reports",
    metadata,
    _id(),
    Column("body_id", Text, nullable=False),
    Column("ticket_id", BigInteger),
    Column("source", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("signal", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Index("reports_by_ticket", "ticket_id", "id"),
    Index("reports_by_time", "received_at"),
)

jobs = Table(
    "jobs",
    metadata,
    _id(),
    Column("kind", Text, nullable=False),
    Column("args", Json, nullable=False),
    Column("lock", Text, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("set_aside_at", Instant),
    Column("error", Text, nullable=False),
    Index(
        "jobs_due",
        "kind",
        "due_at",
        sqlite_where=text("set_aside_at IS NULL"),
        postgresql_where=text("set_aside_at IS NULL"),
    ),
)

runs = Table(
    "runs",
    metadata,
    _id(),
    _ticket(),
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
    _id(),
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
    _id(),
    _ticket(),
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

attachments = Table(
    "attachments",
    metadata,
    _id(),
    _ticket(),
    Column("run_id", BigInteger, ForeignKey("runs.id")),
    Column("name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Index("attachments_by_ticket", "ticket_id", "id"),
)

messages = Table(
    "messages",
    metadata,
    _id(),
    _ticket(),
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
    Column("error", Text, nullable=False),
    # A page is promised once per episode, person and channel, however often its reason is processed.
    UniqueConstraint("ticket_id", "episode", "purpose", "person", "channel", name="one_message_each"),
    Index(
        "messages_waiting",
        "created_at",
        sqlite_where=text("state IN ('waiting', 'sending', 'failed_for_now')"),
        postgresql_where=text("state IN ('waiting', 'sending', 'failed_for_now')"),
    ),
)

heartbeats = Table(
    "heartbeats",
    metadata,
    Column("source", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("last_at", Instant, nullable=False),
    Column("silent_since", Instant),
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

tokens = Table(
    "tokens",
    metadata,
    Column("name", Text, primary_key=True),
    Column("digest", Text, nullable=False, unique=True),
    Column("scope", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
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
