"""Raw bodies as they came in, and what became of each report in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, literal_column, or_, select
from sqlalchemy.engine import Connection

from responder.domain.correlation import Filed
from responder.store.bulk import Bulk
from responder.store.changes import touch
from responder.store.tables import bodies, reports

_INSERT_BODY = Bulk(bodies, "id", "source", "received_at", "body", "quarantined_because")
_INSERT_REPORT = Bulk(reports, "body_id", "ticket_id", "source", "received_at", "signal", "outcome", "fingerprint")
# As the index says it: a parameter would hide from a database that the two are one.
_IS_QUARANTINED = bodies.c.quarantined_because != literal_column("''")


@dataclass(frozen=True, kw_only=True, slots=True)
class Body:
    """One request's bytes, kept until the retention ends."""

    id: str
    source: str
    received_at: datetime
    body: bytes
    quarantined_because: str = ""


class ReportStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def keep(self, received: Sequence[Body]) -> None:
        rows = ((one.id, one.source, one.received_at, one.body, one.quarantined_because) for one in received)
        _INSERT_BODY.insert(self._connection, rows)
        if any(one.quarantined_because for one in received):
            touch(self._connection, "health")

    def file(self, filed: Sequence[Filed], ticket_ids: dict[str, int], now: datetime) -> None:
        rows = (
            (
                one.report.receipt,
                ticket_ids.get(one.trouble),
                one.report.source,
                now,
                one.report.signal.value,
                one.outcome.value,
                one.report.fingerprint,
            )
            for one in filed
        )
        _INSERT_REPORT.insert(self._connection, rows)
        touch(self._connection, tickets=[ticket_ids.get(one.trouble) for one in filed])

    def of_ticket(self, ticket_id: int) -> list[tuple[str, int, datetime, datetime]]:
        """What came in for a ticket, as (outcome, how often, first, last)."""
        query = (
            select(reports.c.outcome, func.count(), func.min(reports.c.received_at), func.max(reports.c.received_at))
            .where(reports.c.ticket_id == ticket_id)
            .group_by(reports.c.outcome)
        )
        return [tuple(row) for row in self._connection.execute(query)]

    def arrived(
        self, since: datetime, until: datetime, *, after: tuple[datetime, str] | None = None, most: int = 50
    ) -> list[Body]:
        """The bodies of a period in the order of their arrival; `after` is where the page before ended."""
        query = select(bodies).where(bodies.c.received_at >= since, bodies.c.received_at < until)
        if after is not None:
            at, receipt = after
            same = and_(bodies.c.received_at == at, bodies.c.id > receipt)
            # The first condition says nothing new; it is what an index can begin with.
            query = query.where(bodies.c.received_at >= at, or_(bodies.c.received_at > at, same))
        query = query.order_by(bodies.c.received_at, bodies.c.id).limit(most)
        return [Body(**row._mapping) for row in self._connection.execute(query)]

    def body(self, receipt: str) -> Body | None:
        """The bytes behind a receipt; None if they are not kept any more."""
        row = self._connection.execute(select(bodies).where(bodies.c.id == receipt)).first()
        return None if row is None else Body(**row._mapping)

    def take_out_of_quarantine(self, receipt: str) -> None:
        self._connection.execute(bodies.update().where(bodies.c.id == receipt).values(quarantined_because=""))
        touch(self._connection, "health")

    def quarantined(self, limit: int = 50, *, before: tuple[datetime, str] | None = None) -> list[Body]:
        """Bodies that could not be understood, the latest first; `before` is where the page before ended."""
        newest_first = bodies.c.received_at.desc(), bodies.c.id.desc()
        query = select(bodies).where(_IS_QUARANTINED).order_by(*newest_first).limit(limit)
        if before is not None:
            at, receipt = before
            # The first half is what an index is asked.
            is_behind = or_(bodies.c.received_at < at, bodies.c.id < receipt)
            query = query.where(bodies.c.received_at <= at, is_behind)
        return [Body(**row._mapping) for row in self._connection.execute(query)]

    def quarantined_since(self, source: str, since: datetime) -> int:
        """How many bodies of a source were set aside since then."""
        query = (
            select(func.count())
            .select_from(bodies)
            .where(bodies.c.received_at >= since, bodies.c.source == source, _IS_QUARANTINED)
        )
        return self._connection.execute(query).scalar_one()

    def forget_before(self, limit: datetime, most: int = 5000) -> int:
        """Ends the retention of bodies and of what became of them, so many at a time; how many that were. The
        tickets' histories stay."""
        forgotten = 0
        for table in (bodies, reports):
            old = select(table.c.id).where(table.c.received_at < limit).limit(most)
            forgotten += self._connection.execute(table.delete().where(table.c.id.in_(old))).rowcount
        return forgotten
