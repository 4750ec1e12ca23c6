"""How the database is, and what waits in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, case, func, or_, select, text
from sqlalchemy.engine import Connection

from responder.clock import EPOCH
from responder.domain.message import MessageState
from responder.store.tables import jobs, messages

_WAITING = text("state IN ('waiting', 'sending', 'failed_for_now')")
_FAILED = messages.c.state == MessageState.FAILED_FOR_NOW.value
_OLDEST_IN_CLUSTER = text(
    "SELECT one.task_name AS kind, min(coalesce(one.scheduled_at, event.at)) AS oldest FROM procrastinate_jobs one "
    "LEFT JOIN procrastinate_events event ON event.job_id = one.id AND event.type = 'deferred' "
    "WHERE one.status = 'todo' AND (one.scheduled_at IS NULL OR one.scheduled_at <= :now) GROUP BY one.task_name"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class DatabaseVitals:
    """`kind` is sqlite or postgresql; `size` in bytes, as far as the database says it."""

    kind: str
    size: int
    revision: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ChannelLoad:
    """What should have left by a channel and has not; `failing` of them were tried in vain and will be again."""

    channel: str
    waiting: int
    failing: int
    oldest_at: datetime | None


class VitalStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._is_sqlite = connection.dialect.name == "sqlite"

    def answer(self) -> None:
        """Asks for nothing: how long that takes is how fast the database is."""
        self._connection.execute(text("SELECT 1"))

    def database(self) -> DatabaseVitals:
        size = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        query = size if self._is_sqlite else "SELECT pg_database_size(current_database())"
        return DatabaseVitals(
            kind="sqlite" if self._is_sqlite else "postgresql",
            size=int(self._connection.execute(text(query)).scalar_one()),
            revision=str(self._connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or ""),
        )

    def oldest_jobs(self, now: datetime) -> dict[str, datetime]:
        """For each kind of jobs that are due and not done, since when the oldest is."""
        if not self._is_sqlite:
            found = self._connection.execute(_OLDEST_IN_CLUSTER, {"now": now})
            return {row.kind: row.oldest.astimezone(EPOCH.tzinfo) for row in found if row.oldest}
        is_due = and_(jobs.c.set_aside_at.is_(None), jobs.c.due_at <= now)
        query = select(jobs.c.kind, func.min(jobs.c.due_at).label("oldest")).where(is_due).group_by(jobs.c.kind)
        return {row.kind: row.oldest for row in self._connection.execute(query)}

    def channels(self, now: datetime) -> list[ChannelLoad]:
        """The messages that should have left, by channel; all of them are what `MessageStore.waiting` counts."""
        is_due = or_(_FAILED, messages.c.due_at.is_(None), messages.c.due_at <= now)
        since = case((_FAILED, messages.c.created_at), else_=func.coalesce(messages.c.due_at, messages.c.created_at))
        counts = func.count().label("waiting"), func.sum(case((_FAILED, 1), else_=0)).label("failing")
        query = select(messages.c.channel, *counts, func.min(since).label("oldest_at")).where(_WAITING, is_due)
        found = self._connection.execute(query.group_by(messages.c.channel).order_by(messages.c.channel))
        return [ChannelLoad(**row._mapping) for row in found]
