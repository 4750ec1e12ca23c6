"""Wrong passwords in the audit log, which never shrinks: a flood of them is counted, and nothing else is lost in it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from responder.adapters.passwords import hashed
from responder.domain.access import Role
from responder.domain.accounts import Failure, User
from responder.domain.audit import Entry
from responder.errors import SignInRefused, TooManyTries
from responder.flows.sign_in import Visit, sign_in
from responder.flows.wrong_passwords import keep, tell_of_the_rest
from responder.store.audit_log import AuditFilter
from responder.store.transaction import Transaction
from tests.world import World

PASSWORD = "correct horse battery"
HASH = hashed(PASSWORD)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
async def mei(world: World) -> User:
    now = world.clock.now()
    world.clock.advance(HOUR - timedelta(minutes=now.minute, seconds=now.second, microseconds=now.microsecond))
    user = User(name="Mei", role=Role.VIEWER, password_hash=HASH, created_at=now)
    made: User = await world.database.write(lambda tx: tx.accounts.add(user))
    return made


async def fails(world: World, *tried: tuple[str, str, User | None]) -> None:
    """What a wrong password leaves behind: names, addresses, and whose account that is."""
    now = world.clock.now()

    def body(tx: Transaction) -> None:
        for name, address, user in tried:
            keep(tx, Failure(name=name, address=address, at=now), user, "wrong password")

    await world.database.write(body)


async def log(world: World) -> list[Entry]:
    found: list[Entry] = await world.read(lambda tx: tx.audit_log.listed(AuditFilter(action="sign in"), 1000))
    return found


async def flood(world: World, mei: User) -> None:
    """What many addresses try: 230 names that nobody has, and 30 times Mei."""
    await fails(world, *((f"nobody{n}", f"192.0.2.{n}", None) for n in range(230)))
    await fails(world, *(("mei", f"198.51.100.{n}", mei) for n in range(30)))


async def test_of_a_flood_only_the_first_of_an_hour_have_entries_of_their_own(world: World, mei: User) -> None:
    await flood(world, mei)
    assert Counter(one.actor for one in await log(world)) == {"": 200, "Mei": 20}
    await sign_in(world.desk, "mei", PASSWORD, Visit(address="203.0.113.9"))
    newest = (await log(world))[0]
    assert (newest.actor, newest.outcome) == ("Mei", "done")


async def test_the_others_are_counted_once_the_hour_is_over(world: World, mei: User) -> None:
    at = world.clock.now()
    await flood(world, mei)
    world.clock.advance(HOUR + 14 * MINUTE)
    assert await tell_of_the_rest(world.desk) == 0
    world.clock.advance(MINUTE)

    assert await tell_of_the_rest(world.desk) == 2

    between = (
        f"between {at:%Y-%m-%d %H:%M} and {at + HOUR:%H:%M} UTC; only the first of an hour have entries of their own"
    )
    assert {(one.actor, one.outcome, one.text) for one in (await log(world))[:2]} == {
        ("", "refused", f"30 more tries with names that nobody has, from 30 addresses, {between}"),
        ("Mei", "refused", f"10 more wrong passwords, from 10 addresses, {between}"),
    }
    assert len(await log(world)) == 222
    assert await tell_of_the_rest(world.desk) == 0
    assert await world.read(lambda tx: tx.accounts.failures("mei", "", at - HOUR)) == []


async def test_in_the_next_hour_they_are_told_one_by_one_again(world: World, mei: User) -> None:
    await flood(world, mei)
    world.clock.advance(HOUR)
    await fails(world, ("mei", "198.51.100.1", mei), ("somebody", "198.51.100.1", None))
    assert len(await log(world)) == 222


async def test_who_then_knew_the_password_is_forgiven_and_still_counted(world: World, mei: User) -> None:
    await flood(world, mei)
    await sign_in(world.desk, "mei", PASSWORD, Visit(address="198.51.100.29"))
    world.clock.advance(2 * HOUR)
    await tell_of_the_rest(world.desk)
    assert "10 more wrong passwords" in "".join(one.text for one in await log(world))


async def test_who_knows_the_password_of_a_disabled_account_is_always_told(world: World, mei: User) -> None:
    await flood(world, mei)
    await world.database.write(lambda tx: tx.accounts.change(replace(mei, disabled_at=world.clock.now())))
    with pytest.raises(SignInRefused):
        await sign_in(world.desk, "mei", PASSWORD, Visit(address="203.0.113.9"))
    newest = (await log(world))[0]
    assert (newest.actor, newest.text, newest.address) == ("Mei", "the account is disabled", "203.0.113.9")


async def test_who_has_many_networks_of_ipv6_has_not_as_many_tries(world: World, mei: User) -> None:
    await fails(world, *(("mei", f"2001:db8:7:{n:x}::/64", mei) for n in range(19)))
    near, elsewhere = Visit(address="2001:db8:7:ffff::/64"), Visit(address="2001:db8:8:1::/64")
    with pytest.raises(SignInRefused, match="wrong"):
        await sign_in(world.desk, "mei", "wrong", near)
    with pytest.raises(TooManyTries):
        await sign_in(world.desk, "mei", PASSWORD, near)

    await fails(world, *((f"nobody{n}", f"2001:db8:7:{n + 99:x}::/64", None) for n in range(60)))
    with pytest.raises(TooManyTries):
        await sign_in(world.desk, "lars", PASSWORD, near)
    assert (await sign_in(world.desk, "mei", PASSWORD, elsewhere)).user.name == "Mei"
