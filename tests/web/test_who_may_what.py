"""Every route × every kind of credential: it is let in, or it is not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from responder.domain.access import Role
from responder.store.database import Database
from tests.databases import opened
from tests.web.conftest import GUARDED, MONITORED, Client, cookie, header
from tests.world import World, alert

# Written out on purpose: what the code says of itself proves nothing.
TOKENS = {
    "ingest": {"ingest", "report"},
    "read": {"ingest", "report", "read"},
    "act": {"ingest", "report", "read", "act", "approve"},
    "admin": {"ingest", "report", "read", "act", "approve", "admin"},
}
ROLES = {
    "reporter": {"report"},
    "viewer": {"report", "read"},
    "responder": {"report", "read", "act"},
    "approver": {"report", "read", "act", "approve"},
    "admin": {"ingest", "report", "read", "act", "approve", "admin"},
}
# Each shows a credential of its own, is how one gets one, or tells nothing: see docs/api.md.
OWN_DOOR = {
    "/-/healthy", "/-/ready", "/static", "/favicon.ico", "/sign-in", "/sign-out",
    "/sign-in/oidc", "/sign-in/oidc/callback", "/sign-in/oidc/leave",
    "/webhooks/alertmanager", "/webhooks/alertmanager/{source}",
    "/heartbeat/{name}/{key}", "/heartbeat/{name}/{key}/{what}", "/calendars/{token}.ics",
    "/ack/{token}", "/approve/{token}", "/drill/{token}", "/report/{token}",
    "/feedback", "/feedback/sent/{token}",
}  # fmt: skip
OF_METRICS = "/metrics"
# What only somebody who has signed in has: a token has no views.
OF_PEOPLE = (("POST", "/views"),)
# They change nothing that others see: a question about an alert, and one's own account and views.
HARMLESS = ("/api/v1/explain",)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = opened(tmp_path / "responder.db")
    yield made
    made.close()


@pytest.fixture
async def world(tmp_path: Path, database: Database) -> World:
    made = World(tmp_path, database, main=GUARDED.replace(MONITORED, ""))
    await made.post(alert())
    return made


def routes(client: Client) -> list[tuple[str, str, str | None]]:
    """Every route as (method, path, scope); None: it asks for none."""
    assert client.app is not None
    return [
        (route.method, route.resource.canonical, getattr(route.handler, "scope", None))
        for route in client.app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    ]


def address(path: str) -> str:
    known = {"verb": "acknowledge", "key": "none", "table": "none", "person": "mei"}
    return re.sub(r"\{(\w+)\}", lambda one: known.get(one[1], "77"), path)


async def is_let_in(client: Client, method: str, path: str, headers: dict[str, str]) -> bool:
    async with client.request(method, address(path), headers=headers, allow_redirects=False) as answer:
        return answer.status not in (401, 403)


async def test_a_route_has_a_scope_or_a_door_of_its_own(client: Client) -> None:
    without = {path for _, path, scope in routes(client) if scope is None}
    assert without == OWN_DOOR | {OF_METRICS}


async def test_whoever_changes_something_needs_more_than_to_read(client: Client) -> None:
    weak = {
        path
        for method, path, scope in routes(client)
        if method not in ("GET", "HEAD") and scope == "read" and not path.startswith(("/me", "/api/v1/me", "/views"))
    }
    assert weak <= set(HARMLESS)


async def test_without_a_credential_nothing_is_answered(client: Client) -> None:
    for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic bm9uZTpub25l"}):
        open_ = {path for method, path, _ in routes(client) if await is_let_in(client, method, path, headers)}
        assert open_ <= OWN_DOOR, open_ - OWN_DOOR


@pytest.mark.parametrize("token", list(TOKENS))
async def test_a_token_opens_what_its_scope_says(client: Client, world: World, token: str) -> None:
    headers, wrong = await header(world, token), []
    for method, path, scope in guarded(client):
        may = scope in TOKENS[token] and (method, path) not in OF_PEOPLE
        if await is_let_in(client, method, path, headers) != may:
            wrong.append(f"{method} {path} ({scope})")
    assert wrong == []


@pytest.mark.parametrize("role", list(ROLES))
async def test_a_session_opens_what_the_role_says(client: Client, world: World, role: str) -> None:
    wrong = []
    for method, path, scope in guarded(client):
        # Some of them end sessions.
        headers = await cookie(world, role, "mei")
        if await is_let_in(client, method, path, headers) != (scope in ROLES[role]):
            wrong.append(f"{method} {path} ({scope})")
    assert wrong == []


def test_there_are_no_other_roles() -> None:
    assert set(ROLES) == set(Role)


def guarded(client: Client) -> Iterator[tuple[str, str, str]]:
    yield from ((method, path, scope) for method, path, scope in routes(client) if scope is not None)
    yield "GET", OF_METRICS, "read"
