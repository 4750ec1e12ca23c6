"""What the console shows of many tickets at once."""

from __future__ import annotations

from sqlalchemy import func, select, text
from sqlalchemy.engine import Connection

from responder.store.tables import tickets

# The index of open tickets is used only where its own condition stands, with no value bound to it.
_IS_OPEN = text("tickets.status <> 'closed'")
_OPEN_COUNT = select(func.count()).select_from(tickets).where(_IS_OPEN)


class Overview:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def open_count(self) -> int:
        """How many tickets are open."""
        found: int = self._connection.execute(_OPEN_COUNT).scalar_one()
        return found
