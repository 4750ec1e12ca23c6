"""What is made at once is there whole, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from responder.errors import StoreUnavailable
from responder.store import schema
from responder.store.at_once import AtOnce
from responder.store.switchboard import Token
from responder.store.transaction import Transaction


@pytest.fixture
def store(tmp_path: Path) -> Iterator[AtOnce]:
    made = AtOnce(f"sqlite:///{tmp_path / 'made.db'}")
    schema.upgrade(made)
    yield made
    made.close()


def _add(tx: Transaction) -> None:
    tx.switchboard.add_token(Token(name="one", digest="d", scope="read", created_at=datetime(2026, 1, 1, tzinfo=UTC)))


def _names(tx: Transaction) -> list[str]:
    return [token.name for token in tx.switchboard.tokens()]


async def test_what_is_written_is_read_at_once_and_kept_at_the_end(store: AtOnce) -> None:
    with store.whole():
        await store.write(_add)
        assert await store.read(_names) == ["one"]
    with store.whole():
        assert await store.read(_names) == ["one"]


async def test_an_error_leaves_nothing_of_it(store: AtOnce) -> None:
    async def interrupted() -> None:
        with store.whole():
            await store.write(_add)
            raise RuntimeError("the power is gone")

    with pytest.raises(RuntimeError):
        await interrupted()
    with store.whole():
        assert await store.read(_names) == []


async def test_outside_of_it_there_is_no_store(store: AtOnce) -> None:
    with pytest.raises(StoreUnavailable):
        await store.write(_add)
