"""Reports that were sent under a key: a second send finds the ticket of the first."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.engine import Connection

from responder.domain.enclosed import Sent
from responder.store.tables import sendings


class SendingStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def known(self, identity: str) -> Sent | None:
        """What was sent under this key before."""
        row = self._connection.execute(select(sendings).where(sendings.c.identity == identity)).first()
        return Sent(**row._mapping) if row else None

    def add(self, sent: Sent) -> None:
        """Remembers a key. A second one of the same identity is a Conflict: then it is decided again."""
        self._connection.execute(sendings.insert().values(asdict(sent)))

    def forget_before(self, limit: datetime, most: int = 5000) -> int:
        """Ends the retention of keys, so many at a time; how many that were."""
        old = select(sendings.c.identity).where(sendings.c.at < limit).limit(most)
        return self._connection.execute(delete(sendings).where(sendings.c.identity.in_(old))).rowcount
