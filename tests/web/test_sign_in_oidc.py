"""Signing in at an OpenID provider, by the pages: a browser, our server, and a provider that checks both."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from responder.adapters.notifier import Secret
from responder.adapters.oidc_client import Client as OidcClient
from responder.config.configuration import read
from responder.domain.access import Role
from responder.domain.accounts import Source, User
from responder.flows.batcher import Batcher
from responder.store.audit_log import AuditFilter
from responder.store.database import Database
from responder.web.context import Context
from responder.web.oidc import Door
from responder.web.server import build
from tests.fakes import HOUR, MINUTE, NOW, SECOND
from tests.servers.oidc_provider import OidcProvider, answering
from tests.web.conftest import GUARDED, Client, _not_here, _ready
from tests.world import World, alert, write_files

BACK = "https://responder.test/sign-in/oidc/callback"
COOKIE = "__Host-responder_oidc"
SESSION = "__Host-responder_session"
SIGN_IN = """
sign_in:
  oidc:
    issuer: {issuer}
    client_id: responder
    client_secret_file: oidc.secret
    label: Our house
    roles: {{viewer: [staff], responder: [ops], admin: [leads]}}
    teams: {{ops: [ops]}}
"""


@pytest.fixture
async def provider() -> AsyncIterator[OidcProvider]:
    async with OidcProvider() as made:
        made.knows("responder", BACK, secret="oidc-s3cret")
        made.seats("mei-1", preferred_username="mei.lin", groups=["ops"])
        yield made


@pytest.fixture
def world(tmp_path: Path, database: Database, provider: OidcProvider) -> World:
    (tmp_path / "oidc.secret").write_text("oidc-s3cret\n")
    made = World(tmp_path, database, main=GUARDED + SIGN_IN.format(issuer=provider.issuer))
    provider.now = made.clock.now
    return made


@pytest.fixture
async def client(world: World, aiohttp_client: Any) -> Client:
    """Without cookies of its own: tests show them as a browser would over https."""
    context = Context(desk=world.desk, batcher=Batcher(world.desk, 3), reload=_not_here, is_ready=_ready)
    made: Client = await aiohttp_client(TestServer(build(context)), cookie_jar=aiohttp.DummyCookieJar())
    return made


class Browser:
    """Goes where it is sent, between our server and the provider, and keeps our cookies."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.cookies: dict[str, str] = {}

    async def begin(self, onward: str = "") -> str:
        """Where the button on the sign-in page leads: an address at the provider."""
        answer = await self.get("/sign-in/oidc", params={"next": onward} if onward else {})
        assert answer.status == 303, await answer.text()
        return answer.headers["Location"]

    async def at_provider(self, address: str) -> str:
        """Where the provider sends it back to: a path of ours."""
        async with aiohttp.ClientSession() as session, session.get(address, allow_redirects=False) as answer:
            assert answer.status == 302, await answer.text()
            back = answer.headers["Location"]
        assert back.startswith(BACK)
        return back.removeprefix("https://responder.test")

    async def sign_in(self, onward: str = "") -> aiohttp.ClientResponse:
        return await self.get(await self.at_provider(await self.begin(onward)))

    def _shown(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    async def post(self, path: str) -> aiohttp.ClientResponse:
        headers = {"Cookie": self._shown(), "Sec-Fetch-Site": "same-origin"}
        return await self._client.post(path, headers=headers, allow_redirects=False)

    async def get(self, path: str, **more: Any) -> aiohttp.ClientResponse:
        headers = {"Cookie": self._shown(), "Accept": "text/html"}
        answer = await self._client.get(path, headers=headers, allow_redirects=False, **more)
        for name, morsel in answer.cookies.items():
            self.cookies[name] = morsel.value
            if not morsel.value:
                del self.cookies[name]
        return answer


@pytest.fixture
def browser(client: Client) -> Browser:
    return Browser(client)


async def users(world: World) -> list[User]:
    found: list[User] = await world.read(lambda tx: tx.accounts.all())
    return found


async def log(world: World) -> list[tuple[str, str, str, str]]:
    entries = await world.read(lambda tx: tx.audit_log.listed(AuditFilter(), 50))
    return [(one.actor, one.action, one.outcome, one.text) for one in entries]


async def add(world: World, **given: Any) -> User:
    user = User(**{"name": "mei.lin", "role": Role.VIEWER, "created_at": world.clock.now(), **given})
    added: User = await world.database.write(lambda tx: tx.accounts.add(user))
    return added


# --- the good way ----------------------------------------------------------------------------------


async def test_the_sign_in_page_offers_the_provider_and_keeps_the_way_onward(browser: Browser) -> None:
    text = await (await browser.get("/sign-in?next=/tickets/1")).text()
    assert 'href="/sign-in/oidc?next=/tickets/1"' in text
    assert "Our house" in text


async def test_somebody_signs_in_and_comes_to_the_page_that_was_wanted(
    world: World, browser: Browser, provider: OidcProvider
) -> None:
    answer = await browser.sign_in("/tickets?q=disk")
    assert (answer.status, answer.headers["Location"]) == (303, "/tickets?q=disk")
    assert SESSION in browser.cookies
    assert COOKIE not in browser.cookies
    assert (await browser.get("/api/v1/tickets")).status == 200
    (user,) = await users(world)
    assert (user.name, user.role, user.teams, user.source) == ("mei.lin", Role.RESPONDER, ("ops",), Source.OIDC)
    assert user.subject == f"{provider.issuer} mei-1"
    assert ("mei.lin", "sign in", "done", "") in await log(world)


async def test_the_cookie_on_the_way_is_for_this_host_short_lived_and_out_of_reach_of_scripts(browser: Browser) -> None:
    answer = await browser.get("/sign-in/oidc")
    cookie = answer.cookies[COOKIE]
    assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "Lax")
    assert (cookie["path"], cookie["max-age"], cookie["domain"]) == ("/", "600", "")
    assert urlsplit(answer.headers["Location"]).query.count(answer.cookies[COOKIE].value[:20]) == 0


async def test_role_and_teams_are_those_of_today_at_each_sign_in(
    world: World, browser: Browser, provider: OidcProvider
) -> None:
    await browser.sign_in()
    provider.seats("mei-1", preferred_username="mei.wu", groups=["leads"])
    await browser.sign_in()
    (user,) = await users(world)
    assert (user.name, user.role, user.teams) == ("mei.lin", Role.ADMIN, ())
    assert ("OpenID Connect", "renew the role", "done", "responder of ops → admin of all teams") in await log(world)


async def test_whose_groups_give_no_team_touches_no_ticket_of_a_team_and_is_told_so(
    world: World, browser: Browser, provider: OidcProvider
) -> None:
    await world.post(alert())
    rules = world.desk.configuration.settings.sign_in.oidc
    assert rules is not None
    rules.roles[Role.RESPONDER] = ("ops", "sre")
    provider.seats("mei-1", preferred_username="mei.lin", groups=["sre"])
    await browser.sign_in()
    (user,) = await users(world)
    assert (user.role, user.teams, user.acts_for) == (Role.RESPONDER, (), "no team")

    why = "acts for no team: none of their groups gives one"
    answer = await browser.post("/api/v1/tickets/1/acknowledge")
    assert (answer.status, why in await answer.text()) == (403, True)
    page = await (await browser.get("/tickets/1")).text()
    assert (why in page, "/tickets/INC" in page, 'action="/tickets/' in page) == (True, True, False)
    assert "You act for no team" in await (await browser.get("/me")).text()
    assert (await (await browser.get("/api/v1/me")).json())["teamless"] is True

    provider.seats("mei-1", preferred_username="mei.lin", groups=["sre", "ops"])
    await browser.sign_in()
    assert ("OpenID Connect", "renew the role", "done", "responder of no team → responder of ops") in await log(world)
    assert (await browser.post("/api/v1/tickets/1/acknowledge")).status == 200
    assert "You act for no team" not in await (await browser.get("/me")).text()


async def test_the_same_subject_of_another_provider_is_somebody_else(world: World, browser: Browser) -> None:
    await add(world, name="other", source=Source.OIDC, subject="https://other.example mei-1")
    await browser.sign_in()
    assert [user.name for user in await users(world)] == ["mei.lin", "other"]


async def test_what_somebody_chose_here_is_kept_at_the_next_sign_in(world: World, browser: Browser) -> None:
    await browser.sign_in()
    (user,) = await users(world)
    await world.database.write(lambda tx: tx.accounts.change(replace(user, language="zh", zone="Asia/Shanghai")))
    await browser.sign_in()
    (user,) = await users(world)
    assert (user.language, user.zone) == ("zh", "Asia/Shanghai")


async def test_who_signed_out_here_can_sign_out_there_too(browser: Browser, provider: OidcProvider) -> None:
    assert "/sign-in/oidc/leave" not in await (await browser.get("/sign-in")).text()
    assert 'href="/sign-in/oidc/leave"' in await (await browser.get("/sign-in?left=1")).text()
    there = (await browser.get("/sign-in/oidc/leave")).headers["Location"]
    async with aiohttp.ClientSession() as session, session.get(there, allow_redirects=False) as answer:
        assert answer.headers["Location"] == "https://responder.test/sign-in"
    assert provider.person == ""


async def test_a_provider_without_a_way_out_leaves_one_here(browser: Browser, provider: OidcProvider) -> None:
    provider.metadata["end_session_endpoint"] = None
    assert (await browser.get("/sign-in/oidc/leave")).headers["Location"] == "/sign-in?left=1"


# --- who stays out ---------------------------------------------------------------------------------


@pytest.mark.parametrize("source", [Source.LOCAL, Source.PROXY, Source.OIDC])
@pytest.mark.parametrize("name", ["mei.lin", "MEI.LIN"])
async def test_an_account_of_the_same_name_is_never_taken_over(
    world: World, browser: Browser, source: Source, name: str
) -> None:
    before = await add(world, name=name, source=source, subject="x")
    answer = await browser.sign_in()
    text = await answer.text()
    assert (answer.status, SESSION in browser.cookies) == (403, False)
    assert "nobody takes over the account of another" in text
    assert await users(world) == [before]
    assert [row[:3] for row in await log(world)] == [("mei.lin", "sign in", "refused")]


async def test_somebody_who_is_disabled_stays_out(world: World, browser: Browser) -> None:
    await browser.sign_in()
    (user,) = await users(world)
    await world.database.write(lambda tx: tx.accounts.change(replace(user, disabled_at=world.clock.now())))
    answer = await browser.sign_in()
    assert (answer.status, "is disabled here" in await answer.text()) == (403, True)
    (user,) = await users(world)
    assert user.disabled_at is not None


async def test_somebody_without_a_role_is_told_why_and_leaves_no_account(
    world: World, browser: Browser, provider: OidcProvider
) -> None:
    provider.seats("guest", preferred_username="guest", groups=["guests"])
    answer = await browser.sign_in("/tickets/1")
    text = await answer.text()
    assert (answer.status, "None of your groups gives you a role here" in text) == (403, True)
    assert 'href="/sign-in/oidc?next=/tickets/1"' in text
    assert await users(world) == []
    assert [row[1:3] for row in await log(world)] == [("GET /sign-in/oidc/callback", "refused")]


async def test_a_provider_that_fails_is_a_sentence_on_the_sign_in_page(
    world: World, browser: Browser, provider: OidcProvider
) -> None:
    provider.instead["openid-configuration"] = answering(503)
    answer = await browser.get("/sign-in/oidc?next=/tickets")
    text = await answer.text()
    assert (answer.status, "status 503" in text, "oidc-s3cret" in text) == (503, True, False)
    assert 'href="/sign-in/oidc?next=/tickets"' in text


async def test_a_token_of_another_nonce_signs_nobody_in(browser: Browser, provider: OidcProvider) -> None:
    provider.claims = {"nonce": "of another"}
    answer = await browser.sign_in()
    assert (answer.status, SESSION in browser.cookies) == (403, False)


# --- answers that were not asked for ---------------------------------------------------------------


async def test_an_answer_in_a_browser_that_did_not_ask_signs_nobody_in(
    client: Client, browser: Browser, provider: OidcProvider
) -> None:
    """Login CSRF: RFC 6749, section 10.12."""
    stolen = await browser.at_provider(await browser.begin())
    other = Browser(client)
    answer = await other.get(stolen)
    assert (answer.status, "begun in another browser" in await answer.text()) == (403, True)
    await other.begin()
    answer = await other.get(stolen)
    assert (answer.status, "belongs to another sign-in" in await answer.text()) == (403, True)
    assert provider.asked["token"] == 0


async def test_an_answer_counts_once(browser: Browser) -> None:
    back = await browser.at_provider(await browser.begin())
    kept = dict(browser.cookies)
    assert (await browser.get(back)).status == 303
    assert (await browser.get(back)).status == 403
    browser.cookies = kept
    assert "invalid_grant" in await (await browser.get(back)).text()


async def test_a_sign_in_may_take_ten_minutes(world: World, browser: Browser) -> None:
    back = await browser.at_provider(await browser.begin())
    world.clock.advance(10 * MINUTE - SECOND)
    assert (await browser.get(back)).status == 303


async def test_a_sign_in_takes_no_longer_than_ten_minutes(world: World, browser: Browser) -> None:
    back = await browser.at_provider(await browser.begin())
    world.clock.advance(10 * MINUTE)
    assert "more than 10 minutes ago" in await (await browser.get(back)).text()


async def test_a_cookie_that_was_changed_is_none(browser: Browser) -> None:
    back = await browser.at_provider(await browser.begin())
    said, _, signature = browser.cookies[COOKIE].rpartition(".")
    browser.cookies[COOKIE] = f"{said}.{'x' if signature[0] != 'x' else 'y'}{signature[1:]}"
    assert (await browser.get(back)).status == 403


@pytest.mark.parametrize(
    "query", ["", "state=", "state=%ED%A0%80&code=x", "state=a&state=b", "error=access_denied", "code=%00&state=%ff"]
)
async def test_no_answer_is_an_accident(browser: Browser, query: str) -> None:
    await browser.begin()
    assert (await browser.get(f"/sign-in/oidc/callback?{query}")).status == 403


async def test_an_answer_that_says_something_twice_is_refused(browser: Browser, provider: OidcProvider) -> None:
    back = await browser.at_provider(await browser.begin())
    answer = await browser.get(f"{back}&{back.partition('?')[2]}")
    assert (answer.status, "says something twice" in await answer.text()) == (403, True)
    assert provider.asked["token"] == 0


async def test_what_only_looks_uses_no_code_up(client: Client) -> None:
    assert (await client.head("/sign-in/oidc/callback?code=x")).status == 405


@pytest.mark.parametrize("onward", ["https://evil.example/", "//evil.example", "/\\evil.example", "/sign-in", "x"])
async def test_the_way_onward_never_leads_elsewhere(browser: Browser, onward: str) -> None:
    assert (await browser.sign_in(onward)).headers["Location"] == "/"


async def test_a_way_onward_that_is_too_long_is_left_out(browser: Browser) -> None:
    assert (await browser.sign_in("/tickets?q=" + "x" * 1000)).headers["Location"] == "/"


async def test_many_answers_from_one_address_are_not_passed_on(
    world: World, browser: Browser, provider: OidcProvider
) -> None:
    wrong = _with_another_code(await browser.at_provider(await browser.begin()))
    kept = dict(browser.cookies)
    for _ in range(120):
        browser.cookies = dict(kept)
        assert (await browser.get(wrong)).status == 403
    browser.cookies = dict(kept)
    assert (await browser.get(wrong)).status == 503
    assert provider.asked["token"] == 120
    assert len(await log(world)) == 20
    world.clock.advance(HOUR)
    assert (await browser.sign_in()).status == 303


async def test_answers_to_what_nobody_began_keep_nobody_else_out(world: World, browser: Browser) -> None:
    await browser.begin()
    kept = dict(browser.cookies)
    for _ in range(121):
        browser.cookies = dict(kept)
        assert (await browser.get("/sign-in/oidc/callback?code=x&state=y")).status == 403
    assert (await browser.sign_in()).status == 303
    assert len(await log(world)) == 21


async def test_two_sign_ins_at_once_after_a_change_share_one_connection(provider: OidcProvider) -> None:
    door, now = Door(), NOW
    former = await door.to(_as_client(provider, "former"))
    await former.look(now)
    one, other = await asyncio.gather(*(door.to(_as_client(provider, "responder")) for _ in range(2)))
    await one.look(now)
    await door.close()
    assert one is other


def _as_client(provider: OidcProvider, name: str) -> OidcClient:
    return OidcClient(issuer=provider.issuer, client_id=name, client_secret=Secret("oidc-s3cret"), redirect_uri=BACK)


def _with_another_code(back: str) -> str:
    return re.sub("code=[^&]+", "code=x", back)


async def test_another_provider_after_a_reload_is_another_provider(
    world: World, browser: Browser, provider: OidcProvider, tmp_path: Path
) -> None:
    await browser.sign_in()
    before = dict(browser.cookies)
    async with OidcProvider(world.clock.now) as other:
        other.knows("responder", BACK, secret="oidc-s3cret")
        other.seats("lars-1", preferred_username="lars", groups=["staff"])
        write_files(tmp_path, main=GUARDED + SIGN_IN.format(issuer=other.issuer))
        world.desk.take_over(read(tmp_path / "responder.yml"))
        assert (await browser.sign_in()).status == 303
        assert (await browser.get("/api/v1/tickets")).status == 200
        browser.cookies = before
        assert (await browser.get("/api/v1/tickets")).status == 401
    assert [user.name for user in await users(world)] == ["lars", "mei.lin"]


async def test_without_a_provider_there_is_no_such_way(world: World, client: Client, tmp_path: Path) -> None:
    write_files(tmp_path, main=GUARDED)
    world.desk.take_over(read(tmp_path / "responder.yml"))
    assert (await client.get("/sign-in/oidc")).status == 404
    assert (await client.get("/sign-in/oidc/callback")).status == 404
