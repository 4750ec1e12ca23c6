"""Console: accounts, sessions, the audit log, saved views, and answers to requests that are sent twice"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _accounts()
    op.create_table(
        "audit_log",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("via", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("audit_log_by_time", "audit_log", ["at"])
    op.create_index("audit_log_by_actor", "audit_log", ["actor", "at"])
    op.create_index("audit_log_by_object", "audit_log", ["object", "at"])
    op.create_index("audit_log_by_action", "audit_log", ["action", "at"])
    op.create_index("audit_log_by_outcome", "audit_log", ["outcome", "at"])
    _keep_the_log()
    op.create_table(
        "answers",
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("identity"),
    )
    op.create_index("answers_by_time", "answers", ["at"])


def _accounts() -> None:
    op.create_table(
        "users",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("teams", sa.Text(), nullable=False),
        sa.Column("teamless", sa.Boolean(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("disabled_at", sa.BigInteger(), nullable=True),
        sa.Column("seen_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("folded"),
    )
    op.create_table(
        "sessions",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index("sessions_by_user", "sessions", ["user_id"])
    op.create_table(
        "login_failures",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("around", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("is_told", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("login_failures_by_time", "login_failures", ["at"])
    op.create_index("login_failures_told", "login_failures", ["is_told", "user_id", "at"])
    op.create_table(
        "saved_views",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("user_id", "name", name="one_view_of_a_name"),
    )
    op.create_table(
        "observations",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("acknowledge", sa.BigInteger(), nullable=True),
        sa.Column("restore", sa.BigInteger(), nullable=True),
        sa.Column("resolve", sa.BigInteger(), nullable=True),
        sa.Column("ends", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("observations_by_time", "observations", ["at"])
    op.create_index("tickets_by_opening", "tickets", ["opened_at", "grade", "kind", "team"])
    op.create_index(
        "tickets_listed",
        "tickets",
        ["id", "status", "grade", "kind", "team", "signal", "source", "acknowledged_at", "acknowledged_by", "assignee",
         "opened_at"],
    )  # fmt: skip
    op.create_index(
        "runs_listed",
        "runs",
        ["started_at", "id", "runbook", "outcome", "verified", "ordered_by", "target", "ticket_id"],
    )
    is_quarantined = sa.text("quarantined_because <> ''")
    op.create_index(
        "bodies_quarantined",
        "bodies",
        ["received_at", "id"],
        sqlite_where=is_quarantined,
        postgresql_where=is_quarantined,
    )
    op.add_column("messages", sa.Column("tried_at", sa.BigInteger(), nullable=True))
    _heartbeats()


def _heartbeats() -> None:
    """Tells when one was heard from since when it is watched; which of the two was written down nobody knows."""
    with op.batch_alter_table("heartbeats") as batch:
        batch.add_column(sa.Column("watched_since", sa.BigInteger(), nullable=True))
        batch.alter_column("last_at", existing_type=sa.BigInteger(), nullable=True)
    op.execute("UPDATE heartbeats SET watched_since = last_at, last_at = NULL")
    with op.batch_alter_table("heartbeats") as batch:
        batch.alter_column("watched_since", existing_type=sa.BigInteger(), nullable=False)


_SAYS = "the audit log is append-only"


def _keep_the_log() -> None:
    """Rows of the log can be added, and neither changed nor removed."""
    if op.get_bind().dialect.name == "sqlite":
        for event in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_log_keeps_{event.lower()} BEFORE {event} ON audit_log "
                f"BEGIN SELECT RAISE(ABORT, '{_SAYS}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION audit_log_stays() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_SAYS}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_log_keeps BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_log_stays()"
    )


def downgrade() -> None:
    op.execute("UPDATE heartbeats SET last_at = watched_since WHERE last_at IS NULL")
    with op.batch_alter_table("heartbeats") as batch:
        batch.alter_column("last_at", existing_type=sa.BigInteger(), nullable=False)
        batch.drop_column("watched_since")
    op.drop_column("messages", "tried_at")
    op.drop_index("bodies_quarantined", "bodies")
    op.drop_index("runs_listed", "runs")
    op.drop_index("tickets_listed", "tickets")
    op.drop_index("tickets_by_opening", "tickets")
    op.drop_table("observations")
    op.drop_table("answers")
    op.drop_table("audit_log")
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION audit_log_stays()")
    op.drop_table("saved_views")
    op.drop_table("login_failures")
    op.drop_table("sessions")
    op.drop_table("users")
