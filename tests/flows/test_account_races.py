"""Accounts are locked from the read to the change: what another replica changes meanwhile is not undone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from responder.adapters.passwords import hashed
from responder.domain.access import Role
from responder.domain.accounts import Source, User
from responder.domain.arrivals import Arrival
from responder.flows.accounts import Wanted, change_account, change_own_password, choose, give_password
from responder.flows.sign_in import Visit, sign_in
from responder.flows.sign_in_oidc import admit
from responder.flows.sign_in_proxy import known_by_proxy
from responder.store.accounts import AccountStore
from responder.store.database import Database
from responder.store.transaction import Transaction
from tests.servers.postgres import Postgres
from tests.world import World

PASSWORD, OTHER = "correct horse battery", "another horse battery"
HASH = hashed(PASSWORD)
HERE = Visit(address="192.0.2.7")


class Watched(AccountStore):
    """Sees whether a row that is about to be changed is held since it was read."""

    def __init__(self, connection: Any, seen: list[bool]) -> None:
        super().__init__(connection)
        self._seen = seen

    def change(self, user: User) -> None:
        with self._connection.engine.connect() as other:
            try:
                other.execute(text("SELECT id FROM users WHERE id = :id FOR UPDATE NOWAIT"), {"id": user.id})
                self._seen.append(False)
            except OperationalError:
                self._seen.append(True)
        super().change(user)


class WatchedDatabase(Database):
    def watch(self, seen: list[bool]) -> None:
        make = self._transaction

        def watched(connection: Any) -> Transaction:
            made = make(connection)
            made.__dict__["accounts"] = Watched(connection, seen)
            return made

        self.__dict__["_transaction"] = watched


@pytest.fixture
async def world(tmp_path: Path, postgres: Postgres) -> AsyncIterator[World]:
    name = postgres.create(template="template_of_ours")
    database = WatchedDatabase(postgres.url(name))
    yield World(tmp_path, database)
    database.close()
    postgres.drop(name)


def user(world: World, name: str, **more: Any) -> User:
    return User(name=name, role=Role.ADMIN, created_at=world.clock.now(), **more)


async def _chooses(world: World) -> object:
    return await choose(world.desk, 1, language="zh")


async def _is_demoted(world: World) -> object:
    return await change_account(world.desk, "mei", Wanted(role=Role.VIEWER))


async def _gets_a_password(world: World) -> object:
    await give_password(world.desk, "mei", OTHER)
    return None


async def _changes_their_password(world: World) -> object:
    await change_own_password(world.desk, 1, "", PASSWORD, OTHER, address="192.0.2.7")
    return None


async def _signs_in(world: World) -> object:
    return await sign_in(world.desk, "mei", PASSWORD, HERE)


async def _comes_by_a_provider(world: World) -> object:
    arrival = Arrival(issuer="https://id.test", subject="7", name="lars", role=Role.VIEWER, teams=())
    return await admit(world.desk, arrival, HERE)


async def _comes_by_a_proxy(world: World) -> object:
    return await known_by_proxy(world.desk, replace(user(world, "ines"), role=Role.VIEWER, source=Source.PROXY))


@pytest.mark.needs("postgresql")
@pytest.mark.parametrize(
    "changes",
    [
        _chooses,
        _is_demoted,
        _gets_a_password,
        _changes_their_password,
        _signs_in,
        _comes_by_a_provider,
        _comes_by_a_proxy,
    ],
)
async def test_whoever_changes_an_account_holds_it_since_they_read_it(
    world: World, changes: Callable[[World], Awaitable[object]]
) -> None:
    seen: list[bool] = []
    made = (
        user(world, "mei", password_hash=HASH),
        user(world, "lars", source=Source.OIDC, subject="https://id.test 7"),
        user(world, "ines", source=Source.PROXY, subject="ines"),
        user(world, "rosa"),
    )
    for one in made:
        await world.database.write(lambda tx, one=one: tx.accounts.add(one))  # type: ignore[misc]
    assert isinstance(world.database, WatchedDatabase)
    world.database.watch(seen)

    await changes(world)

    assert seen
    assert all(seen)
