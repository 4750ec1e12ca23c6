"""Sign-in by OpenID Connect against a provider that checks us, and against what it may do wrong."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from responder.adapters.notifier import Secret
from responder.adapters.oidc import OpenId
from responder.adapters.oidc_client import Attempt, Client, is_safe
from responder.adapters.oidc_line import LARGEST
from responder.errors import SignInFailed, SignInRefused
from tests.fakes import HOUR, MINUTE, NOW, SECOND
from tests.servers.oidc_provider import (
    Key,
    OidcProvider,
    answering,
    broken_off,
    browsed,
    rsa_key,
    signed_by,
    signed_with_the_public_key,
    silent,
    unsigned,
)
from tests.servers.ports import free_port

BACK = "https://responder.test/sign-in/oidc/callback"
SECRET = "s3cret:+%&"
SOON = timedelta(milliseconds=100)


@pytest.fixture
async def provider() -> AsyncIterator[OidcProvider]:
    async with OidcProvider(lambda: NOW) as made:
        made.knows("responder", BACK, secret=SECRET)
        made.seats("mei-1", preferred_username="mei", name="Mei Lin", groups=["ops"])
        yield made


@pytest.fixture
def client(provider: OidcProvider) -> Client:
    return Client(
        issuer=provider.issuer,
        client_id="responder",
        client_secret=Secret(SECRET),
        redirect_uri=BACK,
        scopes=("openid", "profile"),
        wanted=("preferred_username", "groups"),
    )


@pytest.fixture
async def ours(client: Client) -> AsyncIterator[OpenId]:
    made = OpenId(client)
    yield made
    await made.close()


async def signed_in(ours: OpenId, now_later: timedelta = timedelta()) -> dict[str, Any]:
    """The whole way with a browser that does as it is told."""
    attempt, now = Attempt.new(), NOW + now_later
    return await ours.claims(await browsed(await ours.where_to_go(attempt, now)), attempt, now)


async def refusal(ours: OpenId, kind: type[SignInFailed] = SignInRefused) -> str:
    with pytest.raises(SignInFailed) as raised:
        await signed_in(ours)
    assert type(raised.value) is kind, raised.value
    assert SECRET not in str(raised.value)
    return str(raised.value)


# --- the good way ----------------------------------------------------------------------------------


async def test_somebody_signs_in(provider: OidcProvider, ours: OpenId) -> None:
    claims = await signed_in(ours)
    assert (claims["sub"], claims["preferred_username"], claims["groups"]) == ("mei-1", "mei", ["ops"])
    assert provider.asked["userinfo"] == 0


async def test_the_provider_is_shown_a_challenge_and_never_the_verifier_before_the_code(ours: OpenId) -> None:
    attempt = Attempt.new()
    asked = dict(parse_qsl(urlsplit(await ours.where_to_go(attempt, NOW)).query))
    assert asked.keys() == {
        *("response_type", "client_id", "redirect_uri", "scope", "state", "nonce"),
        *("code_challenge", "code_challenge_method"),
    }
    assert (asked["scope"], asked["code_challenge_method"]) == ("openid profile", "S256")
    assert attempt.verifier not in asked.values()


async def test_no_two_attempts_have_anything_in_common() -> None:
    first, second = Attempt.new(), Attempt.new()
    said = {first.state, first.nonce, first.verifier, second.state, second.nonce, second.verifier}
    assert len(said) == 6
    assert all(len(one) >= 43 for one in said)


@pytest.mark.parametrize(
    ("methods", "is_in_the_form"),
    [(["client_secret_basic", "client_secret_post"], False), (None, False), (["client_secret_post"], True)],
)
async def test_the_secret_is_shown_in_the_way_that_the_provider_takes(
    provider: OidcProvider, ours: OpenId, methods: list[str] | None, is_in_the_form: bool
) -> None:
    provider.metadata["token_endpoint_auth_methods_supported"] = methods
    await signed_in(ours)
    assert ("client_secret" in provider.forms[0]) is is_in_the_form


async def test_a_provider_that_takes_no_secrets_is_named(provider: OidcProvider, ours: OpenId) -> None:
    provider.metadata["token_endpoint_auth_methods_supported"] = ["private_key_jwt"]
    assert "neither by client_secret_basic nor client_secret_post" in await refusal(ours, SignInFailed)


async def test_a_public_client_proves_itself_by_the_verifier_alone(provider: OidcProvider, client: Client) -> None:
    provider.knows("responder", BACK, secret=None)
    public = OpenId(replace(client, client_secret=None))
    assert (await signed_in(public))["sub"] == "mei-1"
    assert provider.forms[0]["client_id"] == "responder"
    await public.close()


@pytest.mark.parametrize(
    "key",
    [
        Key("rsa", rsa_key(), "RS256"),
        Key("pss", rsa_key(), "PS256"),
        Key("curve", ec.generate_private_key(ec.SECP256R1()), "ES256"),
        Key("edwards", ed25519.Ed25519PrivateKey.generate(), "EdDSA"),
        Key("plain", rsa_key(), "RS256", {"alg": None, "use": None}),
    ],
    ids=lambda key: key.kid,
)
async def test_signatures_of_many_kinds_are_known(provider: OidcProvider, ours: OpenId, key: Key) -> None:
    provider.keys = [Key("first", rsa_key(2)), key]
    assert (await signed_in(ours))["sub"] == "mei-1"


async def test_what_the_id_token_lacks_is_asked_of_userinfo(provider: OidcProvider, ours: OpenId) -> None:
    provider.in_token = ("preferred_username",)
    provider.userinfo = {"preferred_username": "somebody"}
    claims = await signed_in(ours)
    assert (claims["preferred_username"], claims["groups"]) == ("mei", ["ops"])


async def test_a_provider_without_userinfo_says_what_it_says(provider: OidcProvider, ours: OpenId) -> None:
    provider.in_token = ("preferred_username",)
    provider.metadata["userinfo_endpoint"] = None
    assert "groups" not in await signed_in(ours)


# --- what comes back by the browser ----------------------------------------------------------------


async def test_an_answer_to_another_attempt_is_refused_before_the_provider_hears_of_it(
    provider: OidcProvider, ours: OpenId
) -> None:
    stolen = await browsed(await ours.where_to_go(Attempt.new(), NOW))
    with pytest.raises(SignInRefused, match="belongs to another sign-in"):
        await ours.claims(stolen, Attempt.new(), NOW)
    assert provider.asked["token"] == 0


@pytest.mark.parametrize("state", ["", "\ud800", "é"])
async def test_an_answer_with_a_made_up_state_is_refused(ours: OpenId, state: str) -> None:
    with pytest.raises(SignInRefused, match="belongs to another sign-in"):
        await ours.claims({"state": state, "code": "c"}, Attempt.new(), NOW)


async def test_an_answer_without_a_state_is_refused(provider: OidcProvider, ours: OpenId) -> None:
    provider.returns_state = False
    assert "belongs to another sign-in" in await refusal(ours)


async def changed_answer(ours: OpenId, **changed: str | None) -> dict[str, Any]:
    attempt = Attempt.new()
    answer = {**await browsed(await ours.where_to_go(attempt, NOW)), **changed}
    return await ours.claims({name: value for name, value in answer.items() if value is not None}, attempt, NOW)


@pytest.mark.parametrize("issuer", ["https://evil.example", None])
async def test_an_answer_must_name_the_provider_that_announces_to_name_itself(ours: OpenId, issuer: str | None) -> None:
    with pytest.raises(SignInRefused, match="not from the sign-in provider that was asked"):
        await changed_answer(ours, iss=issuer)


async def test_a_provider_that_names_itself_without_a_word_must_be_the_right_one(
    provider: OidcProvider, ours: OpenId
) -> None:
    provider.metadata["authorization_response_iss_parameter_supported"] = False
    assert (await changed_answer(ours))["sub"] == "mei-1"
    with pytest.raises(SignInRefused, match="not from the sign-in provider that was asked"):
        await changed_answer(ours, iss="https://evil.example")


async def test_a_no_of_the_provider_is_told_with_what_it_means(ours: OpenId) -> None:
    with pytest.raises(SignInRefused, match=r"said no: access_denied\. You said no there"):
        await changed_answer(ours, code=None, error="access_denied")


async def test_an_error_with_an_odd_name_is_not_repeated(ours: OpenId) -> None:
    with pytest.raises(SignInRefused, match="said no: an error without a name"):
        await changed_answer(ours, error="<b>call 555</b>")


async def test_an_answer_without_a_code_is_refused(ours: OpenId) -> None:
    with pytest.raises(SignInRefused, match="without a code"):
        await changed_answer(ours, code=None)


async def test_a_code_is_good_once(ours: OpenId) -> None:
    attempt = Attempt.new()
    answer = await browsed(await ours.where_to_go(attempt, NOW))
    await ours.claims(answer, attempt, NOW)
    with pytest.raises(SignInRefused, match=r"refused the code: invalid_grant\. The code was used before"):
        await ours.claims(answer, attempt, NOW)


async def test_a_stolen_code_is_of_no_use_without_the_verifier(ours: OpenId) -> None:
    attempt = Attempt.new()
    answer = await browsed(await ours.where_to_go(attempt, NOW))
    with pytest.raises(SignInRefused, match="invalid_grant"):
        await ours.claims(answer, replace(attempt, verifier=Attempt.new().verifier), NOW)


async def test_a_wrong_secret_is_told_without_the_secret(provider: OidcProvider, ours: OpenId) -> None:
    provider.knows("responder", BACK, secret="another")
    assert "look at client_id and client_secret_file" in await refusal(ours)


# --- ID tokens that sign nobody in -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("claims", "text"),
    [
        ({"iss": "https://evil.example"}, "another issuer"),
        ({"aud": "grafana"}, "for another client"),
        ({"aud": ["responder", "grafana"], "azp": "grafana"}, "given to another client"),
        ({"exp": NOW.timestamp() - 60}, "has expired"),
        ({"iat": NOW.timestamp() + 61}, "in the future"),
        ({"nonce": "of somebody else"}, "of another sign-in"),
        ({"at_hash": "77QmUPtjPfzWtF2AnpK9RQ"}, "does not belong to the ID token"),
        ({"sub": None}, "does not say who it is of"),
    ],
)
async def test_a_token_with_wrong_claims_signs_nobody_in(
    provider: OidcProvider, ours: OpenId, claims: dict[str, Any], text: str
) -> None:
    provider.claims = claims
    assert text in await refusal(ours)
    assert provider.asked["userinfo"] == 0


async def test_a_token_that_nobody_has_signed_is_refused(provider: OidcProvider, ours: OpenId) -> None:
    provider.signed = unsigned
    provider.metadata["id_token_signing_alg_values_supported"] = ["RS256", "none"]
    assert "not at all" in await refusal(ours)


async def test_a_token_signed_with_the_public_key_as_its_secret_is_refused(
    provider: OidcProvider, ours: OpenId
) -> None:
    provider.signed = signed_with_the_public_key(provider.keys[0])
    provider.metadata["id_token_signing_alg_values_supported"] = ["RS256", "HS256"]
    assert "in a way that the provider does not announce" in await refusal(ours)


async def test_a_provider_that_only_signs_with_secrets_is_not_trusted(provider: OidcProvider, ours: OpenId) -> None:
    provider.metadata["id_token_signing_alg_values_supported"] = ["HS256", "none"]
    assert "in no way that we trust" in await refusal(ours, SignInFailed)


async def test_an_algorithm_that_is_not_announced_is_refused(provider: OidcProvider, ours: OpenId) -> None:
    provider.metadata["id_token_signing_alg_values_supported"] = ["ES256"]
    assert "in a way that the provider does not announce" in await refusal(ours)


async def test_a_signature_with_one_bit_turned_is_refused(provider: OidcProvider, ours: OpenId) -> None:
    sign = signed_by(provider.keys[0])
    provider.signed = lambda claims: broken_off(sign(claims))
    assert "signature of the ID token is wrong" in await refusal(ours)


async def test_a_good_signature_by_a_key_of_the_same_name_is_refused(provider: OidcProvider, ours: OpenId) -> None:
    provider.signed = signed_by(Key("first", rsa_key(2)))
    assert "signature of the ID token is wrong" in await refusal(ours)


async def test_a_key_that_the_token_brings_along_counts_for_nothing(provider: OidcProvider, ours: OpenId) -> None:
    own = Key("own", rsa_key(2))
    provider.signed = signed_by(own, jwk=own.jwk(), jku="https://evil.example/jwks")
    assert "a key that the provider does not publish" in await refusal(ours)


@pytest.mark.parametrize(
    "published",
    [{"use": "enc"}, {"alg": "PS256"}, {"kty": "oct", "k": "c2VjcmV0"}, {"kid": None}, {"kty": "EC"}, {"kty": ["RSA"]}],
)
async def test_a_key_for_something_else_is_not_taken(
    provider: OidcProvider, ours: OpenId, published: dict[str, Any]
) -> None:
    provider.keys = [Key("first", rsa_key(), "RS256", published)]
    assert "a key that the provider does not publish" in await refusal(ours)


@pytest.mark.parametrize("published", [{"n": None}, {"n": "AQ"}, {"e": 3}, {"n": "***"}])
async def test_a_key_that_is_none_is_a_refusal_and_no_accident(
    provider: OidcProvider, ours: OpenId, published: dict[str, Any]
) -> None:
    provider.keys = [Key("first", rsa_key(), "RS256", published)]
    assert "signature of the ID token is wrong, or its key is too weak" in await refusal(ours)


@pytest.mark.filterwarnings("ignore:The RSA key is 1024 bits long")
async def test_a_key_that_can_be_broken_is_refused(provider: OidcProvider, ours: OpenId) -> None:
    provider.keys = [Key("first", rsa_key(bits=1024))]
    assert "its key is too weak" in await refusal(ours)


async def test_a_curve_of_another_algorithm_is_refused(provider: OidcProvider, ours: OpenId) -> None:
    good, other = Key("c", ec.generate_private_key(ec.SECP256R1()), "ES256"), ec.generate_private_key(ec.SECP384R1())
    provider.keys, provider.signed = [Key("c", other, "ES256")], signed_by(good)
    assert "signature of the ID token is wrong" in await refusal(ours)


async def test_a_demand_that_we_do_not_understand_is_not_passed_over(provider: OidcProvider, ours: OpenId) -> None:
    """RFC 7515, section 4.1.11."""
    provider.header = {"crit": ["urn:example:limits"], "urn:example:limits": 1}
    assert "ID token" in await refusal(ours)


@pytest.mark.parametrize(
    ("token", "text"),
    [
        ("eyJhbGciOiJSUzI1NiJ9", "no signed token"),
        ("a.b.c", "no signed token"),
        ("a.b.c.d.e", "is encrypted"),
        ("W10.W10.W10", "no signed token"),
        ("eyJhbGciOjF9.W10.", "in a way that the provider does not announce"),
        ("eyJhbGciOiJSUzI1NiIsImtpZCI6N30.W10.", "ID token"),
    ],
)
async def test_nonsense_in_place_of_a_token_is_refused(
    provider: OidcProvider, ours: OpenId, token: str, text: str
) -> None:
    provider.tokens["id_token"] = token
    assert text in await refusal(ours)


async def test_a_token_whose_claims_are_a_list_is_refused(provider: OidcProvider, ours: OpenId) -> None:
    provider.signed = lambda _: jwt.PyJWS().encode(b"[1]", rsa_key(), algorithm="RS256", headers={"kid": "first"})
    assert "holds no claims" in await refusal(ours)


# --- keys that change ------------------------------------------------------------------------------


async def test_a_key_of_since_then_is_asked_for_once_a_minute(provider: OidcProvider, ours: OpenId) -> None:
    await signed_in(ours)
    provider.keys = [provider.keys[0], Key("second", rsa_key(2))]
    with pytest.raises(SignInRefused, match="does not publish"):
        await signed_in(ours, MINUTE - SECOND)
    assert provider.asked["jwks"] == 1
    assert (await signed_in(ours, MINUTE))["sub"] == "mei-1"
    assert provider.asked["jwks"] == 2


async def test_a_key_that_was_taken_back_is_good_for_an_hour_at_most(provider: OidcProvider, ours: OpenId) -> None:
    await signed_in(ours)
    lost = provider.keys[0]
    provider.keys, provider.signed = [Key("second", rsa_key(2))], signed_by(lost)
    provider.claims = {"exp": (NOW + 2 * HOUR).timestamp()}
    assert (await signed_in(ours, HOUR - SECOND))["sub"] == "mei-1"
    with pytest.raises(SignInRefused, match="does not publish"):
        await signed_in(ours, HOUR)


async def test_a_token_that_names_no_key_is_good_if_only_one_can_be_meant(provider: OidcProvider, ours: OpenId) -> None:
    provider.keys = [Key("curve", ec.generate_private_key(ec.SECP256R1()), "ES256"), provider.keys[0]]
    provider.header = {"kid": None}
    assert (await signed_in(ours))["sub"] == "mei-1"


async def test_a_token_that_names_no_key_of_several_is_refused(provider: OidcProvider, ours: OpenId) -> None:
    provider.keys = [Key("other", rsa_key(2)), provider.keys[0]]
    provider.header = {"kid": None}
    assert "a key that the provider does not publish" in await refusal(ours)


async def test_however_many_sign_in_at_once_the_provider_describes_itself_once(
    provider: OidcProvider, ours: OpenId
) -> None:
    await asyncio.gather(*(signed_in(ours) for _ in range(5)))
    assert (provider.asked["openid-configuration"], provider.asked["jwks"]) == (1, 1)


async def test_whoever_goes_away_takes_the_answer_from_nobody(provider: OidcProvider, ours: OpenId) -> None:
    impatient = asyncio.ensure_future(ours.where_to_go(Attempt.new(), NOW))
    patient = asyncio.ensure_future(ours.where_to_go(Attempt.new(), NOW))
    await asyncio.sleep(0)
    impatient.cancel()
    assert (await patient).startswith(provider.issuer)


async def test_a_description_is_kept_for_an_hour(provider: OidcProvider, ours: OpenId) -> None:
    for later in (timedelta(), HOUR - SECOND, HOUR):
        await ours.where_to_go(Attempt.new(), NOW + later)
    assert provider.asked["openid-configuration"] == 2


async def test_an_error_is_not_kept(provider: OidcProvider, ours: OpenId) -> None:
    provider.instead["openid-configuration"] = answering(503)
    assert "status 503" in await refusal(ours, SignInFailed)
    provider.instead.clear()
    assert (await signed_in(ours))["sub"] == "mei-1"


# --- a provider that misbehaves --------------------------------------------------------------------


@pytest.mark.parametrize("issuer", ["https://id.example", "http://127.0.0.1:1/", None, ["x"]])
async def test_a_provider_must_call_itself_what_we_call_it(provider: OidcProvider, ours: OpenId, issuer: Any) -> None:
    provider.metadata["issuer"] = issuer
    assert "they must be the same to the letter" in await refusal(ours, SignInFailed)


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"])
@pytest.mark.parametrize("url", ["http://id.example/x", "file:///etc/passwd", "javascript:alert(1)", 7, ""])
async def test_an_endpoint_without_https_is_not_used(provider: OidcProvider, ours: OpenId, name: str, url: Any) -> None:
    provider.metadata[name] = url
    assert f"{name} is missing, or is no https address" in await refusal(ours, SignInFailed)


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
async def test_an_endpoint_that_is_missing_is_named(provider: OidcProvider, ours: OpenId, name: str) -> None:
    provider.metadata[name] = None
    assert f"{name} is missing" in await refusal(ours, SignInFailed)


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://id.example/realms/x", True),
        ("http://127.0.0.1:5556/dex", True),
        ("http://[::1]:5556", True),
        ("http://localhost", True),
        ("http://localhost.evil.example", False),
        ("http://id.example", False),
        ("https://user:word@id.example", False),
        ("https://id.example/#there", False),
        ("https://", False),
        ("//id.example", False),
        ("http://[::1", False),
    ],
)
def test_only_https_is_safe_outside_of_this_machine(url: str, safe: bool) -> None:
    assert is_safe(url) is safe


async def test_a_provider_outside_without_https_is_not_even_asked(client: Client) -> None:
    ours = OpenId(replace(client, issuer="http://id.example"))
    with pytest.raises(SignInFailed, match="is not asked without https"):
        await ours.where_to_go(Attempt.new(), NOW)


_CHANNELS = ["openid-configuration", "jwks", "token", "userinfo"]


@pytest.fixture
def asks_everything(provider: OidcProvider) -> None:
    provider.in_token = ()


@pytest.mark.parametrize("name", _CHANNELS)
@pytest.mark.parametrize(
    ("status", "body", "text"),
    [
        (500, "", "something else than a JSON object"),
        (500, "{}", "status 500"),
        (200, "", "something else than a JSON object"),
        (200, "[]", "something else than a JSON object"),
        (200, "<html>", "something else than a JSON object"),
        (200, "\xff\xfe", "something else than a JSON object"),
        (200, '{"a":' * 2000 + "1" + "}" * 2000, "something else than a JSON object"),
        (200, " " * (LARGEST + 1), "answers with more than 256 KiB"),
    ],
)
@pytest.mark.usefixtures("asks_everything")
async def test_an_answer_that_cannot_be_used_is_a_sentence(
    provider: OidcProvider, ours: OpenId, name: str, status: int, body: str, text: str
) -> None:
    provider.instead[name] = answering(status, body)
    assert text in await refusal(ours, SignInFailed)


@pytest.mark.parametrize("name", _CHANNELS)
@pytest.mark.usefixtures("asks_everything")
async def test_nobody_is_followed_elsewhere(provider: OidcProvider, ours: OpenId, name: str) -> None:
    provider.instead[name] = answering(307, "{}", Location=f"{provider.issuer}/elsewhere")
    assert "sends us elsewhere, which is not followed" in await refusal(ours, SignInFailed)
    assert provider.asked["elsewhere"] == 0


@pytest.mark.parametrize("name", _CHANNELS)
@pytest.mark.usefixtures("asks_everything")
async def test_a_provider_that_keeps_silent_is_waited_for_so_long(
    provider: OidcProvider, client: Client, name: str
) -> None:
    provider.instead[name] = silent
    ours = OpenId(replace(client, timeout=SOON))
    assert "gave no answer within 0.1 s" in await refusal(ours, SignInFailed)
    await ours.close()


async def test_a_provider_that_is_not_there_is_named(client: Client) -> None:
    issuer = f"http://127.0.0.1:{free_port()}"
    ours = OpenId(replace(client, issuer=issuer))
    assert f"cannot be reached: {issuer}/.well-known" in await refusal(ours, SignInFailed)
    await ours.close()


async def test_a_compressed_answer_is_measured_as_it_is_read(provider: OidcProvider, ours: OpenId) -> None:
    bomb = gzip.compress(b" " * 64 * LARGEST)
    provider.instead["jwks"] = answering(200, bomb, **{"Content-Encoding": "gzip"})
    assert "The list of keys of the sign-in provider" in await refusal(ours, SignInFailed)


@pytest.mark.parametrize("keys", [None, {}, [], ["x"], "x"])
async def test_a_list_of_keys_without_any_is_no_accident(provider: OidcProvider, ours: OpenId, keys: Any) -> None:
    provider.instead["jwks"] = answering(200, json.dumps({"keys": keys}))
    kind = SignInRefused if isinstance(keys, list) else SignInFailed
    assert "key" in await refusal(ours, kind)


@pytest.mark.parametrize("name", ["id_token", "access_token"])
@pytest.mark.parametrize("value", [None, "", 7, ["a.b.c"]])
async def test_an_answer_without_tokens_is_a_sentence(
    provider: OidcProvider, ours: OpenId, name: str, value: Any
) -> None:
    provider.tokens[name] = value
    assert "gave no ID token or no access token" in await refusal(ours, SignInFailed)


async def test_a_token_of_another_kind_than_bearer_is_a_sentence(provider: OidcProvider, ours: OpenId) -> None:
    provider.tokens["token_type"] = "DPoP"
    assert "another kind than bearer" in await refusal(ours, SignInFailed)


@pytest.mark.parametrize("subject", ["lars-1", None])
@pytest.mark.usefixtures("asks_everything")
async def test_userinfo_of_somebody_else_signs_nobody_in(
    provider: OidcProvider, ours: OpenId, subject: str | None
) -> None:
    provider.userinfo = {"sub": subject}
    assert "of somebody else than its ID token" in await refusal(ours)


# --- beside signing in -----------------------------------------------------------------------------


async def test_signing_out_goes_by_the_provider_if_it_has_a_place_for_it(provider: OidcProvider, ours: OpenId) -> None:
    address = await ours.where_to_sign_out("https://responder.test/sign-in", NOW)
    async with aiohttp.ClientSession() as session, session.get(address, allow_redirects=False) as answer:
        assert answer.headers["Location"] == "https://responder.test/sign-in"
    assert provider.person == ""


async def test_signing_out_stays_here_if_the_provider_has_no_place_for_it(provider: OidcProvider, ours: OpenId) -> None:
    provider.metadata["end_session_endpoint"] = None
    assert await ours.where_to_sign_out("https://responder.test/sign-in", NOW) == ""


async def test_a_look_finds_a_good_provider_good(ours: OpenId) -> None:
    await ours.look(NOW)


async def test_a_look_finds_what_would_go_wrong_at_night(provider: OidcProvider, ours: OpenId) -> None:
    provider.keys = [Key("first", rsa_key(), "RS256", {"use": "enc"})]
    with pytest.raises(SignInFailed, match="publishes no key"):
        await ours.look(NOW)
