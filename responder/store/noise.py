"""What tickets led to: pages, and whether a person or a run did anything."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.engine import Connection

from responder.domain.message import Purpose
from responder.domain.noise import Heard
from responder.domain.reporter import REPORTER
from responder.domain.ticket import EventKind, Status
from responder.store.tables import events, messages, runs, tickets

_NOT_PEOPLE = ("responder", "policy", REPORTER)
_OVER = (Status.RESTORED.value, Status.RESOLVED.value, Status.CLOSED.value)


class NoiseStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def heard(self, since: datetime) -> list[Heard]:
        """The tickets of alerts that were opened since then, with what they led to."""
        pages = (
            select(func.count())
            .where(messages.c.ticket_id == tickets.c.id, messages.c.sent_at.is_not(None))
            .where(messages.c.person != REPORTER, messages.c.purpose.not_like(f"{Purpose.BUNDLE}-%"))
            .scalar_subquery()
        )
        by_people = (
            select(events.c.id)
            .where(events.c.ticket_id == tickets.c.id, events.c.actor.not_in(_NOT_PEOPLE))
            .where(events.c.kind != EventKind.REPORTER.value)
            .exists()
        )
        by_run = select(runs.c.id).where(runs.c.ticket_id == tickets.c.id).exists()
        query = select(
            tickets.c.number,
            tickets.c.labels,
            tickets.c.grade_rule,
            tickets.c.opened_at,
            tickets.c.status,
            tickets.c.disposition,
            pages.label("pages"),
            or_(by_people, by_run).label("was_touched"),
        ).where(tickets.c.opened_at >= since)
        found = self._connection.execute(query.order_by(tickets.c.id))
        return [
            Heard(
                number=row.number,
                alert=row.labels["alertname"],
                rule=row.grade_rule,
                opened_at=row.opened_at,
                is_over=row.status in _OVER,
                was_touched=bool(row.was_touched),
                disposition=row.disposition,
                pages=row.pages,
            )
            for row in found
            if row.labels.get("alertname")
        ]
