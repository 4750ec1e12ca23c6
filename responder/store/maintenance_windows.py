"""Maintenance windows that people began by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.engine import Connection

from responder.store.changes import touch
from responder.store.tables import Instant
from responder.store.tables import maintenance_windows as windows

# Asked for every new ticket, so it is built once.
_OPEN = select(windows).where(windows.c.until > bindparam("now", type_=Instant)).order_by(windows.c.id)


@dataclass(frozen=True, kw_only=True, slots=True)
class AdHocWindow:
    """Whose alerts are expected, until when, why and by whom; `matchers` as they were written."""

    id: int = 0
    matchers: tuple[str, ...] = ()
    is_everything: bool = False
    reason: str
    actor: str
    at: datetime
    until: datetime
    ended_by: str = ""


class MaintenanceStore:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def begin(self, window: AdHocWindow) -> int:
        """Writes it down; gives its number."""
        values: dict[str, Any] = {
            "matchers": list(window.matchers),
            "is_everything": window.is_everything,
            "reason": window.reason,
            "actor": window.actor,
            "at": window.at,
            "until": window.until,
            "ended_by": window.ended_by,
        }
        found: int = self._connection.execute(insert(windows).values(values).returning(windows.c.id)).scalar_one()
        touch(self._connection, "switches")
        return found

    def open_at(self, now: datetime) -> list[AdHocWindow]:
        """Those that are open, the oldest first."""
        rows = self._connection.execute(_OPEN, {"now": now})
        return [AdHocWindow(**{**row._mapping, "matchers": tuple(row.matchers)}) for row in rows]

    def end(self, number: int, actor: str, now: datetime) -> bool:
        """Ends one before its time; False if there is none of that number that is still open."""
        here = (windows.c.id == number) & (windows.c.until > now)
        ended = self._connection.execute(update(windows).where(here).values(until=now, ended_by=actor))
        touch(self._connection, "switches")
        return ended.rowcount == 1
