"""Promised work on SQLite: what is due first, and that a flood that waits does not slow down the look at it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from responder.store.database import Database
from responder.store.jobs import Job
from responder.store.transaction import Transaction
from tests.databases import opened

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
LANES = ((("deliver",), 2), (("hand_over", "escalate"), 3))


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    made = opened(tmp_path / "one.db")
    yield made
    made.close()


def due(database: Database) -> list[list[str]]:
    with database.engine.connect() as connection:
        found = Transaction(connection).local_jobs.due(LANES, NOW, without=(), locked=("held",))
        return [[str(job.args["name"]) for job in jobs] for jobs in found]


async def test_of_what_is_due_the_greater_priority_comes_first_then_the_older(sqlite: Database) -> None:
    minute = timedelta(minutes=1)

    def job(name: str, kind: str, due_at: datetime, priority: int = 0, lock: str = "") -> Job:
        return Job(kind=kind, args={"name": name}, due_at=due_at, priority=priority, lock=lock)

    jobs = [
        job("old", "hand_over", NOW - 3 * minute),
        job("older", "escalate", NOW - 4 * minute),
        job("grave", "escalate", NOW - minute, 1),
        job("graver", "hand_over", NOW - 2 * minute, 1),
        job("to come", "hand_over", NOW + minute, 1),
        job("locked", "hand_over", NOW - 5 * minute, 1, "held"),
        job("alone", "deliver", NOW),
    ]
    await sqlite.write(lambda tx: tx.promise(jobs))
    assert due(sqlite) == [["alone"], ["graver", "grave", "older"]]


async def test_what_waits_in_a_flood_is_read_in_the_order_of_its_index(sqlite: Database) -> None:
    asked: list[tuple[str, Any]] = []

    @event.listens_for(sqlite.engine, "before_cursor_execute")
    def ask(*said: Any) -> None:
        asked.append((said[2], said[3]))

    due(sqlite)
    (statement, values), *_ = [one for one in asked if "FROM jobs" in one[0]]
    with sqlite.engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        searches = [row.detail for row in plan if "jobs" in row.detail]
    assert len(searches) == 4
    assert all("jobs_due (kind=? AND priority=? AND due_at<?)" in search for search in searches)
