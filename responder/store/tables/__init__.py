"""The tables, one module per noun."""

from responder.store.tables.accounts import answers, audit_log, login_failures, saved_views, sessions, users
from responder.store.tables.afterwards import actions, articles, health_checks, parts, reservations, stock_moves
from responder.store.tables.columns import Instant, Json, dumped, metadata
from responder.store.tables.drills import drills
from responder.store.tables.escalation import chains
from responder.store.tables.holds import holds
from responder.store.tables.intake import bodies, reporters, reports
from responder.store.tables.mail import mail_addresses, mails
from responder.store.tables.maintenance import maintenance_windows
from responder.store.tables.observed import observations
from responder.store.tables.people import messages, page_windows, tokens
from responder.store.tables.rotas import duty_notices, overrides, rota_watches
from responder.store.tables.runs import approvals, attempts, run_hosts, run_steps, runs
from responder.store.tables.sendings import sendings
from responder.store.tables.service import counters, heartbeats, jobs, sums, switches
from responder.store.tables.tickets import attachments, clocks, dossiers, events, tickets
from responder.store.tables.watching import cron_jobs, rounds

__all__ = [
    "Instant",
    "Json",
    "actions",
    "answers",
    "approvals",
    "articles",
    "attachments",
    "attempts",
    "audit_log",
    "bodies",
    "chains",
    "clocks",
    "counters",
    "cron_jobs",
    "dossiers",
    "drills",
    "dumped",
    "duty_notices",
    "events",
    "health_checks",
    "heartbeats",
    "holds",
    "jobs",
    "login_failures",
    "mail_addresses",
    "mails",
    "maintenance_windows",
    "messages",
    "metadata",
    "observations",
    "overrides",
    "page_windows",
    "parts",
    "reporters",
    "reports",
    "reservations",
    "rota_watches",
    "rounds",
    "run_hosts",
    "run_steps",
    "runs",
    "saved_views",
    "sendings",
    "sessions",
    "stock_moves",
    "sums",
    "switches",
    "tickets",
    "tokens",
    "users",
]
