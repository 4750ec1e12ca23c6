"""Many bodies in one commit: each answers for itself, and none is answered before the commit."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from responder.domain.ticket import Sums
from responder.errors import Conflict, Refused
from responder.store import schema
from responder.store.database import Database
from responder.store.transaction import Transaction


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path / 'one.db'}")
    schema.upgrade(made)
    yield made
    made.close()


def add(name: str) -> Sums:
    return Sums({(name, ()): 1})


async def held(database: Database) -> tuple[threading.Event, asyncio.Future[None]]:
    """Keeps the writer busy until the event is set."""
    gate, begun = threading.Event(), threading.Event()

    def hold(_tx: Transaction) -> None:
        begun.set()
        gate.wait()

    first = asyncio.ensure_future(database.write(hold))
    await asyncio.to_thread(begun.wait)
    return gate, first


async def together(database: Database, *bodies: object) -> list[object]:
    """Runs all bodies in one commit: the first one holds the writer until all are waiting."""
    gate, first = await held(database)
    waiting: list[asyncio.Future[object]] = [
        asyncio.ensure_future(database.write(body))  # type: ignore[arg-type]
        for body in bodies
    ]
    await asyncio.sleep(0)
    gate.set()
    await first
    answers: list[object] = list(await asyncio.gather(*waiting, return_exceptions=True))
    return answers


async def test_a_body_that_fails_is_undone_alone(sqlite: Database) -> None:
    def fails(tx: Transaction) -> None:
        tx.sums.add(add("wrong"))
        raise Refused("no")

    def collides(tx: Transaction) -> None:
        tx.sums.add(add("wrong too"))
        for _ in range(2):
            tx.connection.exec_driver_sql("INSERT INTO switches (name, reason, actor, at) VALUES ('a', '', '', 0)")

    answers = await together(
        sqlite, lambda tx: tx.sums.add(add("one")), fails, collides, lambda tx: tx.sums.add(add("two"))
    )
    assert [type(answer) for answer in answers] == [type(None), Refused, Conflict, type(None)]
    assert sorted(name for name, _, _ in await sqlite.read(lambda tx: tx.sums.all())) == ["one", "two"]


async def test_a_body_that_fails_alone_leaves_nothing(sqlite: Database) -> None:
    def fails(tx: Transaction) -> None:
        tx.sums.add(add("wrong"))
        raise Refused("no")

    with pytest.raises(Refused):
        await sqlite.write(fails)
    assert await sqlite.read(lambda tx: tx.sums.all()) == []


async def test_when_the_commit_fails_every_body_of_it_hears_so_and_the_next_one_goes_on(sqlite: Database) -> None:
    def breaks_the_transaction(tx: Transaction) -> None:
        # Ends the transaction behind the writer's back, so that its own commit cannot succeed.
        raw = tx.connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        raw.execute("ROLLBACK")

    answers = await together(sqlite, lambda tx: tx.sums.add(add("lost")), breaks_the_transaction)
    assert all(isinstance(answer, Exception) for answer in answers)
    await sqlite.write(lambda tx: tx.sums.add(add("next")))
    assert [name for name, _, _ in await sqlite.read(lambda tx: tx.sums.all())] == ["next"]


async def test_what_waits_outside_goes_before_what_waits_inside(sqlite: Database) -> None:
    order: list[str] = []
    gate, first = await held(sqlite)
    inside = [asyncio.ensure_future(sqlite.write(lambda _: order.append("inside"))) for _ in range(5)]
    await asyncio.sleep(0)
    outside = asyncio.ensure_future(sqlite.write(lambda _: order.append("outside"), urgent=True))
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(first, outside, *inside)
    assert order[0] == "outside"
    assert len(order) == 6
