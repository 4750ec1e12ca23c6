"""What happens to an account while its owner signs in: nothing of it is undone, and many tries at once are many."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from responder.adapters.passwords import hashed
from responder.config.settings import digest
from responder.domain.access import Role
from responder.domain.accounts import User
from responder.errors import SignInRefused, TooManyTries
from responder.flows.sign_in import Visit, begin_session, sign_in, whose_session
from responder.store.audit_log import AuditFilter
from tests.world import World

FROM = Visit(address="192.0.2.1")


async def added(world: World, password: str = "", name: str = "mei") -> User:
    secret = hashed(password) if password else ""
    user = User(name=name, role=Role.ADMIN, password_hash=secret, created_at=world.clock.now())
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


async def log(world: World) -> list[tuple[str, str, str, str]]:
    """Whose entries there are, about what, and what they say; oldest first."""
    found = await world.read(lambda tx: tx.audit_log.listed(AuditFilter(), 10))
    return [(one.actor, one.action, one.object, one.text) for one in reversed(found)]


async def test_who_signs_in_over_the_session_of_another_ends_it_in_their_name(world: World) -> None:
    mei, lars = await added(world), await added(world, name="lars")
    hers = await begin_session(world.desk, mei, FROM, by="password")
    await begin_session(world.desk, lars, replace(FROM, had=digest(hers.secret.value)), by="password")
    assert await whose_session(world.desk, hers.secret.value) is None
    assert await log(world) == [
        ("mei", "sign in", "password", ""),
        ("mei", "sign out", "", "ended: somebody else signed in with this browser"),
        ("lars", "sign in", "password", ""),
    ]


@pytest.mark.parametrize("is_over", [False, True])
async def test_the_own_session_and_one_that_is_over_are_no_entry(world: World, is_over: bool) -> None:
    mei, lars = await added(world), await added(world, name="lars")
    hers = await begin_session(world.desk, mei, FROM, by="password")
    if is_over:
        world.clock.advance(timedelta(days=8))
    again = lars if is_over else mei
    await begin_session(world.desk, again, replace(FROM, had=digest(hers.secret.value)), by="password")
    assert [action for _, action, _, _ in await log(world)] == ["sign in", "sign in"]


async def test_of_many_wrong_passwords_at_once_only_a_few_are_looked_at(world: World) -> None:
    await added(world, "correct horse battery")
    tries = (sign_in(world.desk, "mei", f"wrong horse {number}", FROM) for number in range(20))
    found = await asyncio.gather(*tries, return_exceptions=True)
    looked_at = [one for one in found if isinstance(one, SignInRefused) and not isinstance(one, TooManyTries)]
    # Two are behind the door at once, so one more than five may come in before it shuts.
    assert 5 <= len(looked_at) <= 6
