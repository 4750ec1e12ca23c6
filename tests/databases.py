"""SQLite files with the schema of this version, copied: to migrate each of them would take longer than most tests."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import TypeVar

from sqlalchemy import event

from responder.store import schema
from responder.store.database import Database

D = TypeVar("D", bound=Database)


def opened(path: Path) -> Database:
    """A fresh database in this file. It need not survive a power cut."""
    return opened_as(Database, path)


def opened_as(kind: type[D], path: Path) -> D:
    path.write_bytes(_migrated())
    made = kind(f"sqlite:///{path}")
    event.listen(made.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    return made


@cache
def _migrated() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template.db"
        made = Database(f"sqlite:///{path}")
        schema.upgrade(made)
        made.close()
        return path.read_bytes()
