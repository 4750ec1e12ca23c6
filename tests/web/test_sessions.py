"""Sessions: the cookie, what is kept of it, and when it is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from responder.flows.batcher import Batcher
from responder.store.database import Database
from responder.web.context import Context
from responder.web.server import build
from tests.web.conftest import GUARDED, Client, account, cookie
from tests.web.signing_in import FROM_HERE, HASH, PASSWORD, given_cookie, log, no_reload, ready, sign_in
from tests.world import World


@pytest.fixture
async def mei(world: World) -> None:
    await account(world, "responder", "mei", password_hash=HASH)


async def test_the_cookie_is_for_this_host_only_and_no_script_can_read_it(client: Client, mei: None) -> None:
    (kept,) = (await sign_in(client)).cookies.values()

    assert kept.key == "__Host-responder_session"
    assert (kept["secure"], kept["httponly"], kept["samesite"], kept["path"], kept["domain"]) == (
        True,
        True,
        "Lax",
        "/",
        "",
    )


async def test_who_signs_in_gets_a_session_of_their_own_whatever_the_browser_had(
    client: Client, world: World, mei: None
) -> None:
    """Session fixation: somebody else may have put the cookie there."""
    planted = {"Cookie": "__Host-responder_session=chosen-by-somebody-else", **FROM_HERE}
    form = {"name": "mei", "password": PASSWORD}
    answer = await client.post("/sign-in", data=form, headers=planted, allow_redirects=False)
    assert given_cookie(answer)["Cookie"] != planted["Cookie"]
    assert (await client.get("/api/v1/tickets", headers=planted)).status == 401


async def test_the_session_that_the_browser_had_before_is_over(client: Client, world: World, mei: None) -> None:
    elsewhere, before = given_cookie(await sign_in(client)), await cookie(world, "admin", "lars")
    form = {"name": "mei", "password": PASSWORD}
    now = given_cookie(await client.post("/sign-in", data=form, headers=before, allow_redirects=False))
    statuses = [(await client.get("/api/v1/tickets", headers=one)).status for one in (before, now, elsewhere)]
    assert statuses == [401, 200, 200]


async def test_without_https_the_cookie_has_another_name_and_is_as_far_from_scripts_and_other_sites(
    tmp_path: Path, database: Database, aiohttp_client: Any
) -> None:
    world = World(tmp_path, database, main=GUARDED.replace("https://responder.test", "http://127.0.0.1:9180"))
    await account(world, "responder", "mei", password_hash=HASH)
    context = Context(desk=world.desk, batcher=Batcher(world.desk, 3), reload=no_reload, is_ready=ready)
    (kept,) = (await sign_in(await aiohttp_client(build(context)))).cookies.values()
    assert (kept.key, kept["secure"], kept["httponly"], kept["samesite"]) == ("responder_session", "", True, "Lax")


async def test_the_secret_of_a_session_is_kept_nowhere(client: Client, world: World, mei: None) -> None:
    (kept,) = (await sign_in(client)).cookies.values()

    sessions = await world.read(lambda tx: tx.accounts.sessions_of(1))
    assert len(sessions) == 1
    assert kept.value not in repr(sessions)
    assert PASSWORD not in repr(await log(world))


async def test_signing_out_ends_the_session_here_and_not_elsewhere(client: Client, world: World, mei: None) -> None:
    here, elsewhere = given_cookie(await sign_in(client)), given_cookie(await sign_in(client))

    left = await client.post("/sign-out", headers=here, allow_redirects=False)

    assert left.headers["Location"] == "/sign-in?left=1"
    assert (await client.get("/api/v1/tickets", headers=here)).status == 401
    assert (await client.get("/api/v1/tickets", headers=elsewhere)).status == 200
    assert [one.action for one in await log(world)] == ["sign out", "sign in", "sign in"]


async def test_a_session_survives_a_restart_and_not_its_end(
    client: Client, world: World, mei: None, aiohttp_client: Any
) -> None:
    inside = given_cookie(await sign_in(client))
    context = Context(desk=world.another_desk(), batcher=Batcher(world.desk, 3), reload=no_reload, is_ready=ready)
    restarted: Client = await aiohttp_client(build(context))

    assert (await restarted.get("/api/v1/tickets", headers=inside)).status == 200
    world.clock.advance(timedelta(hours=11))
    assert (await restarted.get("/api/v1/tickets", headers=inside)).status == 200
    world.clock.advance(timedelta(hours=11))
    assert (await restarted.get("/api/v1/tickets", headers=inside)).status == 200
    world.clock.advance(timedelta(hours=12))
    assert (await restarted.get("/api/v1/tickets", headers=inside)).status == 401


async def test_an_open_page_by_itself_keeps_nobody_signed_in(client: Client, world: World, mei: None) -> None:
    inside = given_cookie(await sign_in(client))
    for _ in range(12):
        world.clock.advance(timedelta(hours=1))
        await client.get("/api/v1/tickets", headers={**inside, "X-Requested-With": "live"})
    assert (await client.get("/api/v1/tickets", headers=inside)).status == 401


async def test_without_passwords_their_sessions_are_over(client: Client, world: World, mei: None) -> None:
    inside = given_cookie(await sign_in(client))
    settings = world.desk.configuration.settings
    without = settings.model_copy(update={"sign_in": settings.sign_in.model_copy(update={"local": False})})
    world.desk.take_over(replace(world.desk.configuration, settings=without))
    assert (await client.get("/api/v1/tickets", headers=inside)).status == 401


async def test_the_browser_forgets_the_cookie_of_who_signs_out(client: Client, mei: None) -> None:
    left = await client.post("/sign-out", headers=given_cookie(await sign_in(client)), allow_redirects=False)
    (gone,) = left.cookies.values()
    assert (gone.key, gone.value, gone["secure"], gone["max-age"]) == ("__Host-responder_session", "", True, "0")


async def test_no_session_lasts_longer_than_a_week_however_busy(client: Client, world: World, mei: None) -> None:
    inside = given_cookie(await sign_in(client))
    for _ in range(16):
        world.clock.advance(timedelta(hours=10))
        await client.get("/api/v1/tickets", headers=inside)
    assert (await client.get("/api/v1/tickets", headers=inside)).status == 200
    world.clock.advance(timedelta(hours=8))
    assert (await client.get("/api/v1/tickets", headers=inside)).status == 401
