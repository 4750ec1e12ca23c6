"""An OpenID provider on loopback: it checks what a provider must check, and misbehaves where a test says so.

Its keys, codes and checks are real. There is no page to sign in at: `person` is who sits at the browser.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
import threading
from base64 import b64decode, urlsafe_b64decode, urlsafe_b64encode
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, unquote_plus, urlsplit

import aiohttp
import jwt
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from yarl import URL

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, kw_only=True)
class Registered:
    """A client that the provider knows. Without a secret it is a public one."""

    secret: str | None
    redirect_uri: str


@dataclass(frozen=True, kw_only=True)
class _Code:
    client_id: str
    redirect_uri: str
    challenge: str
    nonce: str
    subject: str
    scopes: frozenset[str]


@dataclass
class Key:
    """A signing key under its name."""

    kid: str
    private: PrivateKey
    algorithm: str = "RS256"
    published: dict[str, Any] = field(default_factory=dict)
    """Members of its JWK that are not as usual."""

    def jwk(self) -> dict[str, Any]:
        public: Any = self.private.public_key()
        if isinstance(public, rsa.RSAPublicKey):
            made = RSAAlgorithm.to_jwk(public, as_dict=True)
        elif isinstance(public, ec.EllipticCurvePublicKey):
            made = ECAlgorithm.to_jwk(public, as_dict=True)
        else:
            made = OKPAlgorithm.to_jwk(public, as_dict=True)
        usual = {key: value for key, value in made.items() if key != "key_ops"}
        whole = {**usual, "kid": self.kid, "use": "sig", "alg": self.algorithm, **self.published}
        return {name: value for name, value in whole.items() if value is not None}

    def public_pem(self) -> bytes:
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )


@cache
def rsa_key(number: int = 1, bits: int = 2048) -> rsa.RSAPrivateKey:
    """Made once each: it takes its time."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


class OidcProvider:
    """Runs while it is entered. What is told to tokens and answers can be changed by the attributes."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.now = now
        self.issuer = ""
        self.clients: dict[str, Registered] = {}
        self.people: dict[str, dict[str, Any]] = {}
        self.person = ""
        self.keys = [Key("first", rsa_key())]
        self.metadata: dict[str, Any] = {}
        """What the discovery document says otherwise; None leaves a member out."""
        self.in_token: tuple[str, ...] = ("preferred_username", "name", "email", "email_verified", "groups")
        """Which claims of a person are in the ID token; userinfo tells all."""
        self.claims: dict[str, Any] = {}
        """What the ID token says otherwise; None leaves a claim out."""
        self.userinfo: dict[str, Any] = {}
        self.header: dict[str, Any] = {}
        self.tokens: dict[str, Any] = {}
        """What the token endpoint says otherwise; None leaves a member out."""
        self.signed: Callable[[Mapping[str, Any]], str] | None = None
        """Makes the ID token of its claims, instead of us."""
        self.instead: dict[str, Handler] = {}
        """Answers for us, by the last part of the path."""
        self.asked: Counter[str] = Counter()
        self.forms: list[dict[str, str]] = []
        """What the token endpoint was sent."""
        self.returns_state = True
        self._codes: dict[str, _Code] = {}
        self._access: dict[str, tuple[str, frozenset[str]]] = {}
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        application = web.Application(middlewares=[self._counted])
        application.add_routes(
            [
                web.get("/.well-known/openid-configuration", self._discovery),
                web.get("/jwks", self._jwks),
                web.get("/authorize", self._authorize),
                web.post("/token", self._token),
                web.get("/userinfo", self._userinfo),
                web.get("/end-session", self._end_session),
            ]
        )
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.issuer = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def knows(self, client_id: str, redirect_uri: str, *, secret: str | None = "s3cret:+%&") -> Registered:
        """Registers a client."""
        self.clients[client_id] = Registered(secret=secret, redirect_uri=redirect_uri)
        return self.clients[client_id]

    def seats(self, subject: str, **claims: Any) -> None:
        """From now on this person sits at the browser."""
        self.people[subject] = claims
        self.person = subject

    @web.middleware
    async def _counted(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        name = request.path.rpartition("/")[2]
        self.asked[name] += 1
        return await self.instead.get(name, handler)(request)

    # --- what everybody may ask --------------------------------------------------------------------

    async def _discovery(self, _: web.Request) -> web.Response:
        usual = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/jwks",
            "end_session_endpoint": f"{self.issuer}/end-session",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "PS256", "ES256", "EdDSA"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }
        return web.json_response(_without_none({**usual, **self.metadata}))

    async def _jwks(self, _: web.Request) -> web.Response:
        return web.json_response({"keys": [key.jwk() for key in self.keys]})

    # --- the front door ----------------------------------------------------------------------------

    async def _authorize(self, request: web.Request) -> web.Response:
        """RFC 6749, 4.1.1 and 4.1.2; RFC 7636, 4.3 and 4.4.1: whoever may not be trusted is sent nowhere."""
        asked = request.query
        client = self.clients.get(asked.get("client_id", ""))
        if client is None or asked.get("redirect_uri") != client.redirect_uri:
            return web.Response(status=400, text="unknown client, or another address than the registered one")
        if objection := _objection_to_request(asked):
            return self._sent_back(client, asked, error=objection)
        code = secrets.token_urlsafe(16)
        self._codes[code] = _Code(
            client_id=asked["client_id"],
            redirect_uri=asked["redirect_uri"],
            challenge=asked["code_challenge"],
            nonce=asked.get("nonce", ""),
            subject=self.person,
            scopes=frozenset(asked["scope"].split()),
        )
        return self._sent_back(client, asked, code=code)

    def _sent_back(self, client: Registered, asked: Mapping[str, str], **told: str) -> web.Response:
        if self.returns_state and "state" in asked:
            told["state"] = asked["state"]
        if self.metadata.get("authorization_response_iss_parameter_supported", True):
            told["iss"] = self.issuer
        return web.Response(status=302, headers={"Location": str(URL(client.redirect_uri).update_query(told))})

    # --- the back channel --------------------------------------------------------------------------

    async def _token(self, request: web.Request) -> web.Response:
        form = dict(parse_qsl(await request.text(), keep_blank_values=True))
        self.forms.append(form)
        client_id = self._authenticated(request, form)
        if client_id is None:
            return web.json_response({"error": "invalid_client"}, status=401)
        if form.get("grant_type") != "authorization_code":
            return web.json_response({"error": "unsupported_grant_type"}, status=400)
        # Taken away at once: a code is good once, whatever comes of it.
        code = self._codes.pop(form.get("code", ""), None)
        if code is None or not _belongs(code, client_id, form):
            return web.json_response({"error": "invalid_grant", "error_description": "s3cret"}, status=400)
        access_token = secrets.token_urlsafe(24)
        self._access[access_token] = (code.subject, code.scopes)
        told = {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": 300,
            "id_token": self._id_token(code, client_id, access_token),
        }
        return web.json_response(_without_none({**told, **self.tokens}), headers={"Cache-Control": "no-store"})

    def _authenticated(self, request: web.Request, form: Mapping[str, str]) -> str | None:
        """The client that has proven itself, in a way that we announce."""
        announced = self.metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "basic":
            user, _, password = b64decode(rest).decode().partition(":")
            client_id, secret = unquote_plus(user), unquote_plus(password)
            if announced is not None and "client_secret_basic" not in announced:
                return None
        else:
            client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
        client = self.clients.get(client_id)
        if client is None:
            return None
        return client_id if hmac.compare_digest((client.secret or "").encode(), secret.encode()) else None

    def _id_token(self, code: _Code, client_id: str, access_token: str) -> str:
        key, now = self.keys[-1], self.now()
        told = {name: self.people[code.subject][name] for name in self.in_token if name in self.people[code.subject]}
        usual = {
            "iss": self.issuer,
            "sub": code.subject,
            "aud": client_id,
            "iat": int(now.timestamp()),
            "exp": int((now + timedelta(minutes=5)).timestamp()),
            "nonce": code.nonce,
            "at_hash": _half_hash(access_token, key.algorithm),
        }
        claims = _without_none({**told, **usual, **self.claims})
        if self.signed is not None:
            return self.signed(claims)
        headers = _without_none({"kid": key.kid, **self.header})
        return jwt.encode(claims, key.private, algorithm=key.algorithm, headers=headers)

    async def _userinfo(self, request: web.Request) -> web.Response:
        subject, _ = self._access.get(request.headers.get("Authorization", "").removeprefix("Bearer "), ("", None))
        if not subject:
            return web.json_response({"error": "invalid_token"}, status=401)
        return web.json_response(_without_none({**self.people[subject], "sub": subject, **self.userinfo}))

    async def _end_session(self, request: web.Request) -> web.Response:
        self.person = ""
        return web.Response(status=302, headers={"Location": request.query["post_logout_redirect_uri"]})


@contextmanager
def in_a_thread(provider: OidcProvider) -> Iterator[OidcProvider]:
    """The provider beside a test that has no loop."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(provider.__aenter__(), loop).result(10)
    try:
        yield provider
    finally:
        asyncio.run_coroutine_threadsafe(provider.__aexit__(None, None, None), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


# --- misbehaving -----------------------------------------------------------------------------------


def unsigned(claims: Mapping[str, Any]) -> str:
    """RFC 7519, section 6: a token that nobody has signed."""
    return jwt.encode(dict(claims), "", algorithm="none")


def signed_with_the_public_key(key: Key) -> Callable[[Mapping[str, Any]], str]:
    """HS256 with what everybody knows as its secret (RFC 8725, section 2.1); by hand, since libraries refuse."""

    def sign(claims: Mapping[str, Any]) -> str:
        head = _b64(json.dumps({"alg": "HS256", "typ": "JWT", "kid": key.kid}).encode())
        signed = f"{head}.{_b64(json.dumps(claims).encode())}"
        return f"{signed}.{_b64(hmac.new(key.public_pem(), signed.encode(), hashlib.sha256).digest())}"

    return sign


def signed_by(key: Key, **header: Any) -> Callable[[Mapping[str, Any]], str]:
    """A good signature by this key, whatever is published."""
    headers = {"kid": key.kid, **header}
    return lambda claims: jwt.encode(dict(claims), key.private, algorithm=key.algorithm, headers=headers)


def broken_off(token: str) -> str:
    """The token with one bit of its signature turned."""
    head, payload, signature = token.split(".")
    turned = bytearray(urlsafe_b64decode(signature + "=="))
    turned[0] ^= 1
    return f"{head}.{payload}.{_b64(bytes(turned))}"


def answering(status: int = 200, body: str | bytes = b"", **headers: str) -> Handler:
    """Always says the same."""

    async def answer(_: web.Request) -> web.Response:
        content = body.encode() if isinstance(body, str) else body
        return web.Response(status=status, body=content, headers={"Content-Type": "application/json", **headers})

    return answer


async def silent(_: web.Request) -> web.StreamResponse:
    """Says nothing while it is waited for."""
    await asyncio.Event().wait()
    raise AssertionError("nobody waits so long")


# --- the browser -----------------------------------------------------------------------------------


async def browsed(address: str) -> dict[str, str]:
    """What a browser that opens an address of the provider brings back to the client."""
    async with aiohttp.ClientSession() as session, session.get(address, allow_redirects=False) as answer:
        if answer.status != 302:
            raise AssertionError(f"{answer.status} {await answer.text()}")
        return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))


def _objection_to_request(asked: Mapping[str, str]) -> str:
    if asked.get("response_type") != "code":
        return "unsupported_response_type"
    if "openid" not in asked.get("scope", "").split():
        return "invalid_scope"
    is_bound = asked.get("code_challenge_method") == "S256" and len(asked.get("code_challenge", "")) == 43
    return "" if is_bound else "invalid_request"


def _belongs(code: _Code, client_id: str, form: Mapping[str, str]) -> bool:
    digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    is_same_client = code.client_id == client_id and code.redirect_uri == form.get("redirect_uri")
    return is_same_client and hmac.compare_digest(_b64(digest), code.challenge)


def _half_hash(token: str, algorithm: str) -> str:
    digest = (hashlib.sha512 if algorithm == "EdDSA" else hashlib.sha256)(token.encode()).digest()
    return _b64(digest[: len(digest) // 2])


def _b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _without_none(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if value is not None}
