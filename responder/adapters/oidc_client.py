"""A provider of sign-ins as settings name it; without the libraries that reach it, which take their time to load."""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from responder.adapters.notifier import Secret
from responder.errors import SignInRefused


@dataclass(frozen=True, kw_only=True, slots=True)
class Client:
    """What the provider knows of us. Without a secret we are a public client. `auth_method` is how the secret is shown;
    if empty, as the provider says. `wanted` are the claims that userinfo is asked for when the ID token lacks them.
    `ca_file` holds the certificate of an own authority."""

    issuer: str
    client_id: str
    client_secret: Secret | None
    redirect_uri: str
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    auth_method: str = ""
    wanted: tuple[str, ...] = ()
    ca_file: Path | None = None
    timeout: timedelta = timedelta(seconds=10)


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """What the browser keeps for us while it is at the provider; nobody else may know it."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def new(cls) -> Attempt:
        """256 random bits each; a verifier has 43 letters or more (RFC 7636, section 4.1)."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        return cls(state=state, nonce=nonce, verifier=verifier)


def must_belong(answer: Mapping[str, str], attempt: Attempt) -> None:
    """Raises SignInRefused for an answer to what was not asked. Source: RFC 6749, section 10.12 (state)."""
    if not hmac.compare_digest(answer.get("state", "").encode(errors="replace"), attempt.state.encode()):
        raise SignInRefused("This answer belongs to another sign-in, perhaps one in another tab. Begin again.")


def is_safe(url: str) -> bool:
    """True for https, and for plain http within this machine only.

    Source: OpenID Connect Core 1.0, section 16.17, and Discovery 1.0, section 7.1: TLS is a must.
    """
    try:
        parsed = urlsplit(url)
        host, _ = parsed.hostname or "", parsed.port
    except ValueError:
        return False
    is_whole = bool(host) and "@" not in parsed.netloc and not parsed.fragment and url.isprintable()
    return is_whole and (parsed.scheme == "https" or (parsed.scheme == "http" and _is_here(host)))


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
