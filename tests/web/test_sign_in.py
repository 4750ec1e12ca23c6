"""Signing in by a password: who comes in, who stays out, and who waits."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from multidict import CIMultiDict

from responder.adapters.passwords import fits
from responder.domain.accounts import Failure
from responder.flows.batcher import Batcher
from responder.store.database import Database
from responder.web.context import Context
from responder.web.server import build
from tests.web.conftest import GUARDED, Client, account, cookie
from tests.web.signing_in import FROM_HERE, HASH, PAGE, PASSWORD, given_cookie, log, no_reload, ready, sign_in
from tests.world import World


@pytest.fixture
async def mei(world: World) -> None:
    await account(world, "responder", "mei", password_hash=HASH)


async def test_who_opens_a_page_without_a_session_is_sent_to_the_form_and_back(client: Client, mei: None) -> None:
    sent = await client.get("/tickets/1?x=1", headers=PAGE, allow_redirects=False)
    assert (sent.status, sent.headers["Location"]) == (303, "/sign-in?next=/tickets/1?x%3D1")

    form = await (await client.get(sent.headers["Location"])).text()
    assert 'value="/tickets/1?x=1"' in form

    answer = await sign_in(client, next="/tickets/1?x=1")
    assert (answer.status, answer.headers["Location"]) == (303, "/tickets/1?x=1")


@pytest.mark.parametrize("name", ["mei", "nobody", "MEI"])
async def test_every_way_to_be_wrong_is_told_the_same(client: Client, mei: None, name: str) -> None:
    answer = await sign_in(client, name, "wrong")

    assert answer.status == 401
    assert "The name or the password is wrong." in await answer.text()
    assert "wrong" not in answer.cookies


async def test_a_password_in_the_field_of_the_name_is_not_kept(client: Client, world: World, mei: None) -> None:
    assert (await sign_in(client, PASSWORD, "")).status == 401
    (entry,) = await log(world)
    assert (entry.actor, entry.text) == ("", "there is no such account")
    assert PASSWORD not in repr(entry)


async def test_the_case_of_the_name_does_not_matter(client: Client, mei: None) -> None:
    assert (await sign_in(client, "Mei")).status == 303


async def test_a_disabled_account_stays_out_and_is_out_at_once(client: Client, world: World) -> None:
    inside = await cookie(world, "responder", "mei", password_hash=HASH)
    assert (await client.get("/api/v1/tickets", headers=inside)).status == 200

    user = await account(world, "responder", "mei")
    await world.database.write(lambda tx: tx.accounts.change(replace(user, disabled_at=world.clock.now())))

    assert (await client.get("/api/v1/tickets", headers=inside)).status == 401
    assert (await sign_in(client)).status == 401
    assert "disabled" in (await log(world))[0].text


async def test_after_five_wrong_passwords_even_the_right_one_waits(client: Client, world: World, mei: None) -> None:
    for _ in range(5):
        assert (await sign_in(client, password="wrong")).status == 401

    late = await sign_in(client)
    assert (late.status, late.headers["Retry-After"]) == (429, "900")
    assert "Too many wrong passwords; try again in 15m." in await late.text()

    world.clock.advance(timedelta(minutes=15))
    assert (await sign_in(client)).status == 303


async def test_what_is_not_looked_at_does_not_fill_the_log(client: Client, world: World, mei: None) -> None:
    for _ in range(12):
        await sign_in(client, password="wrong")
    assert len(await log(world)) == 5


async def test_where_somebody_is_signed_in_strangers_do_not_count(client: Client, world: World, mei: None) -> None:
    now = world.clock.now()
    elsewhere = given_cookie(await sign_in(client))
    for n in range(50):
        wrong = Failure(name="mei", address=f"2001:db8:{n}::/64", at=now)
        await world.database.write(lambda tx, wrong=wrong: tx.accounts.failed(wrong))  # type: ignore[misc]
    assert (await sign_in(client)).status == 303
    await client.post("/sign-out", headers=elsewhere)


async def test_of_a_flood_of_passwords_few_wait(client: Client, world: World, mei: None) -> None:
    answers = await asyncio.gather(*(sign_in(client, f"nobody{n}", "wrong") for n in range(20)))
    statuses = Counter(answer.status for answer in answers)
    assert set(statuses) == {401, 429}
    assert (await sign_in(client)).status in (303, 429)


async def test_a_name_that_is_none_is_no_fault_of_ours(client: Client, world: World) -> None:
    for name in ("mei\x00", "\x00", "x" * 300, "\udcff"):
        assert (await sign_in(client, name.encode("utf-8", "replace").decode(), "wrong")).status == 401


async def test_addresses_count_behind_every_line_that_proxies_write(
    tmp_path: Path, database: Database, aiohttp_client: Any
) -> None:
    main = GUARDED + "feedback: {open: true, proxies: [127.0.0.1/32]}\n"
    world = World(tmp_path, database, main=main)
    await account(world, "responder", "mei", password_hash=HASH)
    context = Context(desk=world.desk, batcher=Batcher(world.desk, 3), reload=no_reload, is_ready=ready)
    client: Client = await aiohttp_client(build(context))
    statuses = []
    for n in range(6):
        lines = [
            ("X-Forwarded-For", f"198.51.100.{n}"),
            ("X-Forwarded-For", f"203.0.113.9:{5000 + n}"),
            *FROM_HERE.items(),
        ]
        form = {"name": "mei", "password": "wrong"}
        statuses.append((await client.post("/sign-in", data=form, headers=CIMultiDict(lines))).status)
    assert statuses == [401, 401, 401, 401, 401, 429]
    assert {one.address for one in await log(world)} == {"203.0.113.9"}


async def test_a_stranger_elsewhere_does_not_lock_somebody_out(client: Client, world: World, mei: None) -> None:
    now = world.clock.now()
    for _ in range(20):
        await world.database.write(lambda tx: tx.accounts.failed(Failure(name="mei", address="203.0.113.9", at=now)))

    assert (await sign_in(client)).status == 303


@pytest.mark.parametrize(
    ("onward", "goes"),
    [
        ("//evil.example", "/"),
        ("https://evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("/tickets\r\nX: y", "/"),
        ("/\t/evil.example", "/"),
        ("///evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("evil.example", "/"),
        ("", "/"),
        ("/sign-in?next=/", "/"),
        ("/tickets?grade=P1", "/tickets?grade=P1"),
    ],
)
async def test_nobody_is_sent_to_another_site(client: Client, mei: None, onward: str, goes: str) -> None:
    answer = await sign_in(client, next=onward)
    assert answer.headers["Location"] == goes


async def test_a_name_that_nobody_has_takes_as_long_as_one_that_somebody_has(world: World, mei: None) -> None:
    """Otherwise it could be measured who has an account."""
    assert fits("wrong", "") is False

    def lasting(kept: str) -> float:
        began = time.process_time()
        assert not fits("wrong horse battery", kept)
        return time.process_time() - began

    of_nobody, of_somebody = (min(lasting(kept) for _ in range(3)) for kept in ("", HASH))
    assert of_nobody > of_somebody / 10, "without any look at a hash it is a thousand times less"


async def test_another_site_signs_nobody_in(client: Client, mei: None) -> None:
    form = {"name": "mei", "password": PASSWORD}
    answer = await client.post("/sign-in", data=form, headers={"Origin": "https://evil.example"}, allow_redirects=False)
    assert (answer.status, len(answer.cookies)) == (403, 0)
