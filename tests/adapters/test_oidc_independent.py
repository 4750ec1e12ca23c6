"""Sign-in by OpenID Connect at a provider that others wrote (oidc-provider-mock, on Authlib and joserfc)."""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest

from responder.adapters.notifier import Secret
from responder.adapters.oidc import OpenId
from responder.adapters.oidc_client import Attempt, Client
from responder.config.sign_in import GroupRules
from responder.domain.access import Role
from responder.domain.arrivals import ClaimRules, arrival
from responder.errors import SignInRefused

BACK = "http://127.0.0.1:9180/sign-in/oidc/callback"
RULES = ClaimRules(groups=GroupRules(roles={Role.VIEWER: ("staff",), Role.RESPONDER: ("ops",)}))


@pytest.fixture
def issuer(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    # Its library demands https everywhere, unless it is told that this is a test.
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import oidc_provider_mock

        mei = oidc_provider_mock.User(
            sub="mei@example.com", claims={"preferred_username": "mei", "name": "Mei", "groups": ["ops"]}
        )
        with oidc_provider_mock.run_server_in_thread(
            require_client_registration=True, require_nonce=True, user_claims=[mei]
        ) as server:
            yield f"http://localhost:{server.server_port}"


@pytest.fixture(params=["client_secret_basic", "client_secret_post"])
async def client(request: pytest.FixtureRequest, issuer: str) -> Client:
    """Registered there; its scopes are those that it offers."""
    asked = {"redirect_uris": [BACK], "token_endpoint_auth_method": request.param, "scope": "openid profile email"}
    async with aiohttp.ClientSession() as session, session.post(f"{issuer}/oauth2/clients", json=asked) as answer:
        made = await answer.json()
    return Client(
        issuer=issuer,
        client_id=made["client_id"],
        client_secret=Secret(made["client_secret"]),
        redirect_uri=BACK,
        # It announces one way for all clients, and holds each to its own.
        auth_method=request.param,
        wanted=("preferred_username", "groups"),
    )


@pytest.fixture
async def ours(client: Client) -> AsyncIterator[OpenId]:
    made = OpenId(client)
    yield made
    await made.close()


async def come_back(address: str, **form: str) -> dict[str, str]:
    """What a browser brings back after its form was sent."""
    async with aiohttp.ClientSession() as session:
        async with session.get(address) as page:
            assert page.status == 200
        async with session.post(address, data=form, allow_redirects=False) as answer:
            assert answer.status == 302, await answer.text()
            return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))


async def test_somebody_signs_in_at_a_provider_that_others_wrote(ours: OpenId) -> None:
    attempt, now = Attempt.new(), datetime.now(UTC)
    answer = await come_back(await ours.where_to_go(attempt, now), sub="mei@example.com")
    met = arrival(await ours.claims(answer, attempt, now), RULES)
    assert (met.subject, met.name, met.role) == ("mei@example.com", "mei", "responder")
    with pytest.raises(SignInRefused, match="invalid_grant"):
        await ours.claims(answer, attempt, now)


async def test_it_can_be_looked_at(ours: OpenId) -> None:
    await ours.look(datetime.now(UTC))


async def test_a_no_given_there_is_a_no_here(ours: OpenId) -> None:
    attempt, now = Attempt.new(), datetime.now(UTC)
    answer = await come_back(await ours.where_to_go(attempt, now), action="deny")
    with pytest.raises(SignInRefused):
        await ours.claims(answer, attempt, now)
