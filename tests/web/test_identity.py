"""A proxy's word, and a console that is open: who counts as whom."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestServer
from multidict import CIMultiDict

from responder.config.configuration import read
from responder.errors import ConfigError
from responder.flows.accounts import Wanted, change_account
from responder.flows.batcher import Batcher
from responder.store.audit_log import AuditFilter
from responder.store.database import Database
from responder.web.changes import HUB
from responder.web.context import Context
from responder.web.server import build
from tests.web.conftest import GUARDED, Client, account, cookie, header
from tests.world import MAIN, World, alert, write_files

PROXY = """sign_in:
  proxy:
    header: X-Remote-User
    networks: [127.0.0.0/8]
    groups_header: X-Remote-Groups
    roles: {admin: [leads], responder: [ops, sre]}
    teams: {ops: [ops]}
"""
OURS = {"Sec-Fetch-Site": "same-origin"}


async def _no() -> None: ...


async def _yes() -> str:
    return ""


async def visited(world: World, aiohttp_client: Any) -> Client:
    changes = world.database.changes
    context = Context(desk=world.desk, batcher=Batcher(world.desk, 3), reload=_no, is_ready=_yes, changes=changes)
    made: Client = await aiohttp_client(TestServer(build(context)))
    return made


@pytest.fixture
def behind_a_proxy(tmp_path: Path, database: Database) -> World:
    return World(tmp_path, database, main=GUARDED + PROXY)


def named(name: str, groups: str = "staff, ops") -> dict[str, str]:
    return {"X-Remote-User": name, "X-Remote-Groups": groups, **OURS}


async def test_whom_the_proxy_names_acts_with_the_role_of_the_groups(
    behind_a_proxy: World, aiohttp_client: Any
) -> None:
    world, client = behind_a_proxy, await visited(behind_a_proxy, aiohttp_client)
    await world.post(alert())
    await world.work()

    assert (await client.post("/api/v1/tickets/1/acknowledge", headers=named("mei"))).status == 200
    assert (await world.ticket())["acknowledged_by"] == "mei"
    user = await world.read(lambda tx: tx.accounts.named("mei"))
    assert (user.source, user.role, user.teams) == ("proxy", "responder", ("ops",))

    await client.get("/api/v1/tickets", headers=named("mei", "sre"))
    user = await world.read(lambda tx: tx.accounts.named("mei"))
    assert (user.role, user.teams, user.acts_for) == ("responder", (), "no team")
    assert (await client.post("/api/v1/tickets/1/note", json={"text": "x"}, headers=named("mei", "sre"))).status == 403

    await client.get("/api/v1/tickets", headers=named("mei", "leads"))
    user = await world.read(lambda tx: tx.accounts.named("mei"))
    assert (user.role, user.teams, user.acts_for) == ("admin", (), "all teams")
    assert (
        await client.post("/api/v1/tickets/1/note", json={"text": "x"}, headers=named("mei", "leads"))
    ).status == 200


async def test_what_the_proxy_makes_of_somebody_is_in_the_log(behind_a_proxy: World, aiohttp_client: Any) -> None:
    client = await visited(behind_a_proxy, aiohttp_client)
    for groups in ("ops", "ops", "leads"):
        await client.get("/api/v1/tickets", headers=named("mei", groups))

    found = await behind_a_proxy.read(lambda tx: tx.audit_log.listed(AuditFilter(), 9))
    assert [(one.action, one.object, one.text) for one in found] == [
        ("renew the role", "mei", "responder of ops → admin of all teams"),
        ("renew the role", "mei", "responder of ops"),
    ]


async def test_somebody_who_is_disabled_stays_so_whatever_the_proxy_says(
    behind_a_proxy: World, aiohttp_client: Any
) -> None:
    client = await visited(behind_a_proxy, aiohttp_client)
    await client.get("/api/v1/tickets", headers=named("mei", "ops"))
    await change_account(behind_a_proxy.desk, "mei", Wanted(is_disabled=True))

    answer = await client.get("/api/v1/tickets", headers=named("mei", "leads"))

    assert (answer.status, (await answer.json())["detail"]) == (403, "mei is disabled.")


async def test_what_the_proxy_said_long_ago_gives_no_role_back(behind_a_proxy: World, aiohttp_client: Any) -> None:
    """A stream that is open keeps the headers of its beginning."""
    world, client = behind_a_proxy, await visited(behind_a_proxy, aiohttp_client)
    hub = client.app[HUB]
    hub.beat = timedelta(milliseconds=20)
    async with client.get("/api/v1/events", headers=named("mei", "leads")) as stream, asyncio.timeout(10):
        await client.get("/api/v1/tickets", headers=named("mei", "ops"))
        for _ in range(30):
            assert b"ended" not in await stream.content.readline()
        assert (await world.read(lambda tx: tx.accounts.named("mei"))).role == "responder"
        await change_account(world.desk, "mei", Wanted(is_disabled=True))
        while b"event: ended" not in await stream.content.readline():
            pass
    found = await world.read(lambda tx: tx.audit_log.listed(AuditFilter(action="renew the role"), 9))
    assert [one.text for one in found] == ["admin of all teams → responder of ops", "admin of all teams"]


async def test_a_line_of_ones_own_beside_the_proxys_is_refused(behind_a_proxy: World, aiohttp_client: Any) -> None:
    client = await visited(behind_a_proxy, aiohttp_client)
    lines = CIMultiDict([("X-Remote-User", "root"), ("X-Remote-User", "mei"), ("X-Remote-Groups", "leads")])

    answer = await client.get("/api/v1/tickets", headers=lines)

    assert (answer.status, "more than once" in (await answer.json())["detail"]) == (403, True)


async def test_on_a_browser_of_several_people_the_proxy_knows_who_it_is(
    behind_a_proxy: World, aiohttp_client: Any
) -> None:
    world, client = behind_a_proxy, await visited(behind_a_proxy, aiohttp_client)
    await world.post(alert())
    await world.work()
    old = await cookie(world, "admin", "lars")

    await client.post("/api/v1/tickets/1/acknowledge", headers={**old, **named("mei")})

    assert (await world.ticket())["acknowledged_by"] == "mei"


async def test_without_a_group_that_counts_nobody_comes_in(behind_a_proxy: World, aiohttp_client: Any) -> None:
    client = await visited(behind_a_proxy, aiohttp_client)

    answer = await client.get("/api/v1/tickets", headers=named("mei", "staff"))

    assert (answer.status, (await answer.json())["detail"]) == (403, "None of the groups of mei gives a role here.")


async def test_the_proxy_takes_over_no_account_with_a_password(behind_a_proxy: World, aiohttp_client: Any) -> None:
    client = await visited(behind_a_proxy, aiohttp_client)
    await account(behind_a_proxy, "admin", "Mei", password_hash="x")

    answer = await client.get("/api/v1/tickets", headers=named("mei", "leads"))

    assert answer.status == 403
    assert "Mei is a local account" in (await answer.json())["detail"]


@pytest.mark.parametrize("name", ["a b", "../x", "x" * 80, "mei,lars"])
async def test_a_name_that_is_none_is_refused(behind_a_proxy: World, aiohttp_client: Any, name: str) -> None:
    client = await visited(behind_a_proxy, aiohttp_client)
    assert (await client.get("/api/v1/tickets", headers=named(name))).status == 403


async def test_another_site_cannot_use_what_the_proxy_says(behind_a_proxy: World, aiohttp_client: Any) -> None:
    world, client = behind_a_proxy, await visited(behind_a_proxy, aiohttp_client)
    await world.post(alert())

    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example", "Sec-Fetch-Site": ""}):
        answer = await client.post("/api/v1/tickets/1/acknowledge", headers={**named("mei"), **headers})
        assert answer.status == 403


@pytest.mark.parametrize("network", ["10.0.0.0/8", "fc00::/7", "192.0.2.7"])
def test_a_network_of_ones_own_may_be_believed(tmp_path: Path, network: str) -> None:
    main = GUARDED + f"sign_in: {{proxy: {{header: X-User, networks: ['{network}'], otherwise: viewer}}}}\n"
    assert read(write_files(tmp_path, main=main)).settings.sign_in.proxy is not None


@pytest.mark.parametrize("name", ["token", "access_token", "key", "api_key", "responder_session"])
async def test_no_credential_is_taken_from_an_address(
    tmp_path: Path, database: Database, aiohttp_client: Any, name: str
) -> None:
    world = World(tmp_path, database, main=GUARDED)
    client = await visited(world, aiohttp_client)
    secret = (await header(world, "admin"))["Authorization"].removeprefix("Bearer ")
    assert (await client.get("/api/v1/tickets", params={name: secret})).status == 401
    assert (await client.get("/api/v1/tickets", headers={"Authorization": f"Bearer {secret}"})).status == 200


async def test_from_elsewhere_the_header_means_nothing(tmp_path: Path, database: Database, aiohttp_client: Any) -> None:
    elsewhere = PROXY.replace("127.0.0.0/8", "192.0.2.0/24")
    client = await visited(World(tmp_path, database, main=GUARDED + elsewhere), aiohttp_client)
    assert (await client.get("/api/v1/tickets", headers=named("mei", "leads"))).status == 401


async def test_without_the_setting_the_header_means_nothing(
    tmp_path: Path, database: Database, aiohttp_client: Any
) -> None:
    client = await visited(World(tmp_path, database, main=GUARDED), aiohttp_client)
    assert (await client.get("/api/v1/tickets", headers=named("mei", "leads"))).status == 401


async def test_an_open_console_answers_under_its_own_address_only(
    tmp_path: Path, database: Database, aiohttp_client: Any
) -> None:
    world = World(tmp_path, database, main=MAIN)
    client = await visited(world, aiohttp_client)
    await world.post(alert())
    await world.work()

    for host in ("evil.example", "evil.example:9180", "127.0.0.1.evil.example"):
        rebound = await client.post("/api/v1/tickets/1/acknowledge", headers={"Host": host, **OURS})
        assert rebound.status == 403, host
        assert (await client.get("/api/v1/tickets", headers={"Host": host})).status == 403
    for host in ("127.0.0.1:9180", "localhost", "[::1]:9180", "responder.test"):
        assert (await client.get("/api/v1/tickets", headers={"Host": host})).status == 200, host
    assert (await client.post("/api/v1/tickets/1/acknowledge")).status == 200


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("sign_in: {proxy: {header: X-User, networks: []}}", "networks"),
        ("sign_in: {proxy: {header: 'X User', networks: [127.0.0.1]}}", "header"),
        ("sign_in: {proxy: {header: X-User, networks: [0.0.0.0/0]}}", "0.0.0.0/0 is nearly everybody"),
        ("sign_in: {proxy: {header: X-User, networks: [10.0.0.1, '::/0']}}", "::/0 is nearly everybody"),
        ("feedback: {open: true, proxies: [128.0.0.0/1]}", "128.0.0.0/1 is nearly everybody"),
        ("sign_in: {idle: 1s}", "idle"),
        ("sign_in: {proxy: {header: X-User, networks: [127.0.0.1], roles: {root: [a]}}}", "root"),
        ("sign_in: {remember: true}", "remember"),
    ],
)
def test_odd_settings_are_named_with_their_place(tmp_path: Path, given: str, why: str) -> None:
    with pytest.raises(ConfigError, match=rf"responder\.yml:\d+:\d+: .*{why}|{why}"):
        read(write_files(tmp_path, main=GUARDED + given + "\n"))
