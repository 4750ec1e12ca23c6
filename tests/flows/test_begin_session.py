"""What happens to an account while its owner signs in: nothing of it is undone, and many tries at once are many."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from responder.adapters.passwords import hashed
from responder.domain.access import Role
from responder.domain.accounts import User
from responder.errors import SignInRefused, TooManyTries
from responder.flows.sign_in import Visit, begin_session, sign_in
from tests.world import World

FROM = Visit(address="192.0.2.1")


async def added(world: World, password: str = "") -> User:
    secret = hashed(password) if password else ""
    user = User(name="mei", role=Role.ADMIN, password_hash=secret, created_at=world.clock.now())
    made: User = await world.database.write(lambda tx: tx.accounts.add(user))
    return made


async def changed(world: World, user: User) -> None:
    await world.database.write(lambda tx: tx.accounts.change(user))


async def current(world: World, user: User) -> User:
    found: User = await world.read(lambda tx: tx.accounts.one(user.id))
    return found


async def test_an_account_that_is_disabled_meanwhile_stays_disabled(world: World) -> None:
    user = await added(world)
    await changed(world, replace(user, disabled_at=world.clock.now()))
    with pytest.raises(SignInRefused):
        await begin_session(world.desk, user, FROM, by="password")
    assert (await current(world, user)).disabled_at is not None


async def test_a_role_that_is_taken_meanwhile_stays_taken(world: World) -> None:
    user = await added(world)
    await changed(world, replace(user, role=Role.VIEWER))
    await begin_session(world.desk, user, FROM, by="password")
    assert (await current(world, user)).role is Role.VIEWER


async def test_a_password_that_is_reset_meanwhile_is_the_one_that_counts(world: World) -> None:
    user = await added(world)
    await changed(world, replace(user, password_hash="the new one"))
    with pytest.raises(SignInRefused):
        await begin_session(world.desk, user, FROM, by="password", newer_hash="of the old one")
    assert (await current(world, user)).password_hash == "the new one"


async def test_of_many_wrong_passwords_at_once_only_a_few_are_looked_at(world: World) -> None:
    await added(world, "correct horse battery")
    tries = (sign_in(world.desk, "mei", f"wrong horse {number}", FROM) for number in range(20))
    found = await asyncio.gather(*tries, return_exceptions=True)
    looked_at = [one for one in found if isinstance(one, SignInRefused) and not isinstance(one, TooManyTries)]
    # Two are behind the door at once, so one more than five may come in before it shuts.
    assert 5 <= len(looked_at) <= 6
