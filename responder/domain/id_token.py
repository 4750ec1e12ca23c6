"""What an ID token must say before anybody is signed in by it. Its signature is looked at elsewhere.

Source: OpenID Connect Core 1.0, sections 2 and 3.1.3.6 to 3.1.3.8. One check is one function; all are asked.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

LEEWAY = timedelta(seconds=60)
"""So far the provider's clock may differ from ours."""
_LONGEST_SUBJECT = 255

Claims = Mapping[str, object]


@dataclass(frozen=True, kw_only=True, slots=True)
class Expected:
    """What we know of the token before it comes. `algorithm` is that of its signature, such as RS256."""

    issuer: str
    client_id: str
    nonce: str
    access_token: str
    algorithm: str


def objection_to_token(claims: Claims, expected: Expected, now: datetime) -> str:
    """Why nobody is signed in by these claims, as a sentence; empty if nothing speaks against it."""
    return next((text for check in _CHECKS if (text := check(claims, expected, now))), "")


def _issuer(claims: Claims, expected: Expected, _: datetime) -> str:
    """Core 3.1.3.7, 2: exactly the provider that was asked."""
    return "" if claims.get("iss") == expected.issuer else "The ID token is from another issuer."


def _audience(claims: Claims, expected: Expected, _: datetime) -> str:
    """Core 3.1.3.7, 3: made for us."""
    return "" if expected.client_id in _audiences(claims) else "The ID token is for another client."


def _authorized_party(claims: Claims, expected: Expected, _: datetime) -> str:
    """Core 3.1.3.7, 4 and 5: of several that it is for, it was given to us."""
    party = claims.get("azp")
    if party is None:
        return "The ID token is for several clients and names none." if len(_audiences(claims)) > 1 else ""
    return "" if party == expected.client_id else "The ID token was given to another client."


def _expiry(claims: Claims, _: Expected, now: datetime) -> str:
    """Core 3.1.3.7, 9."""
    at = _seconds(claims, "exp")
    if at is None:
        return "The ID token does not say when it ends."
    return "" if now.timestamp() < at + LEEWAY.total_seconds() else "The ID token has expired."


def _issued(claims: Claims, _: Expected, now: datetime) -> str:
    """Core section 2: `iat` is required. One from the future is of a wrong clock, or made up."""
    at = _seconds(claims, "iat")
    if at is None:
        return "The ID token does not say when it was made."
    return "" if at <= now.timestamp() + LEEWAY.total_seconds() else "The ID token was made in the future."


def _beginning(claims: Claims, _: Expected, now: datetime) -> str:
    """RFC 7519, section 4.1.5."""
    if "nbf" not in claims:
        return ""
    at = _seconds(claims, "nbf")
    is_good = at is not None and at <= now.timestamp() + LEEWAY.total_seconds()
    return "" if is_good else "The ID token is not valid yet."


def _nonce(claims: Claims, expected: Expected, _: datetime) -> str:
    """Core 3.1.3.7, 11: made for this attempt, not replayed from another."""
    return "" if _is_same(claims.get("nonce"), expected.nonce) else "The ID token is of another sign-in."


def _subject(claims: Claims, _: Expected, __: datetime) -> str:
    """Core section 2: at most 255 ASCII characters. Without it nobody is known again."""
    subject = claims.get("sub")
    is_good = isinstance(subject, str) and 0 < len(subject) <= _LONGEST_SUBJECT and subject.isascii()
    return "" if is_good and str(subject).isprintable() else "The ID token does not say who it is of."


def _access_token(claims: Claims, expected: Expected, _: datetime) -> str:
    """Core 3.1.3.8: the token for userinfo came with this ID token."""
    if "at_hash" not in claims:
        return ""
    is_same = _is_same(claims["at_hash"], left_half_hash(expected.access_token, expected.algorithm))
    return "" if is_same else "The access token does not belong to the ID token."


_CHECKS: tuple[Callable[[Claims, Expected, datetime], str], ...] = (
    _issuer,
    _audience,
    _authorized_party,
    _expiry,
    _issued,
    _beginning,
    _nonce,
    _subject,
    _access_token,
)


def left_half_hash(token: str, algorithm: str) -> str:
    """What `at_hash` must be: Core 3.1.3.6; EdDSA with Ed25519 hashes by SHA-512 (RFC 8032)."""
    bits = "512" if algorithm == "EdDSA" else algorithm[-3:]
    whole = hashlib.new(f"sha{bits}", token.encode()).digest()
    return urlsafe_b64encode(whole[: len(whole) // 2]).rstrip(b"=").decode()


def _audiences(claims: Claims) -> tuple[object, ...]:
    given = claims.get("aud")
    return tuple(given) if isinstance(given, list) else (given,)


def _seconds(claims: Claims, name: str) -> float | None:
    """Seconds since 1970; None for what is no number."""
    given = claims.get(name)
    return given if isinstance(given, int | float) and not isinstance(given, bool) else None


def _is_same(given: object, wanted: str) -> bool:
    return isinstance(given, str) and hmac.compare_digest(given.encode(), wanted.encode())
