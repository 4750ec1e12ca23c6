"""Signatures of ID tokens: by which published key, and by no algorithm that anybody could use."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt
import orjson

from responder.adapters.kept import Kept
from responder.errors import SignInFailed, SignInRefused

_KINDS = {
    **{f"{kind}{bits}": "RSA" for kind in ("RS", "PS") for bits in (256, 384, 512)},
    **{f"ES{bits}": "EC" for bits in (256, 384, 512)},
    "EdDSA": "OKP",
}
"""The kind of key of each algorithm. Neither `none`, nor HS*, for which the published key would be the secret."""
ALGORITHMS = frozenset(_KINDS)
_PUBLIC = ("kty", "crv", "x", "y", "n", "e")
_LONGEST = timedelta(hours=1)
_PAUSE = timedelta(minutes=1)
_UNKNOWN = "The ID token is signed with a key that the provider does not publish."


@dataclass(frozen=True, kw_only=True, slots=True)
class Verified:
    """What a token says whose signature is good, and the algorithm of that."""

    claims: dict[str, Any]
    algorithm: str


class Keys:
    """The keys of one provider. They are asked for again each hour; for an unknown one at most once a minute."""

    def __init__(self, ask: Callable[[datetime], Awaitable[Sequence[Mapping[str, Any]]]]) -> None:
        self._kept = Kept(ask, longest=_LONGEST)

    async def verified(self, token: str, algorithms: frozenset[str], now: datetime) -> Verified:
        """What is in a token, if it is signed by one of the keys with one of the algorithms.

        Raises SignInRefused, and SignInFailed when the keys cannot be had. Source: RFC 7515, OpenID Connect Core 1.0,
        sections 3.1.3.7 (6 to 8) and 10.1.
        """
        header = _header(token)
        algorithm = header.get("alg")
        if not isinstance(algorithm, str) or algorithm not in algorithms & ALGORITHMS:
            raise SignInRefused("The ID token is signed in a way that the provider does not announce, or not at all.")
        key = _one_of(await self._kept.value(now), header)
        if key is None:
            key = _one_of(await self._kept.value(now, at_most_old=_PAUSE), header)
        if key is None:
            raise SignInRefused(_UNKNOWN)
        return Verified(claims=_signed_by(key, token, algorithm), algorithm=algorithm)

    async def published(self, now: datetime) -> int:
        """How many keys there are that could sign a token. Raises SignInFailed."""
        return sum(_may_sign(key) for key in await self._kept.value(now))


def read_keys(document: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The keys of a JWK set (RFC 7517, section 5). Raises SignInFailed."""
    keys = document.get("keys")
    if not isinstance(keys, list):
        raise SignInFailed("The keys of the sign-in provider are no JWK set.")
    return [key for key in keys if isinstance(key, dict)]


def _header(token: str) -> dict[str, Any]:
    if token.count(".") == 4:
        raise SignInRefused("The ID token is encrypted; let the provider only sign it.")
    try:
        return jwt.get_unverified_header(token)
    except jwt.PyJWTError as error:
        raise SignInRefused("The ID token is no signed token.") from error


def _one_of(keys: Sequence[Mapping[str, Any]], header: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The key that a header means. Without a name there must be only one that fits (Core 10.1)."""
    fitting = [key for key in keys if _may_sign(key) and _fits(key, header)]
    if "kid" in header:
        return next((key for key in fitting if key.get("kid") == header["kid"]), None)
    return fitting[0] if len(fitting) == 1 else None


def _may_sign(key: Mapping[str, Any]) -> bool:
    return key.get("use", "sig") == "sig" and key.get("kty") in _KINDS.values()


def _fits(key: Mapping[str, Any], header: Mapping[str, Any]) -> bool:
    algorithm = header["alg"]
    return bool(key["kty"] == _KINDS[algorithm] and key.get("alg", algorithm) == algorithm)


def _signed_by(key: Mapping[str, Any], token: str, algorithm: str) -> dict[str, Any]:
    public = {name: key[name] for name in _PUBLIC if name in key}
    try:
        known = jwt.PyJWK(public, algorithm=algorithm)
        read = jwt.PyJWS(options={"enforce_minimum_key_length": True}).decode_complete(
            token, key=known, algorithms=[algorithm]
        )
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise SignInRefused("The signature of the ID token is wrong, or its key is too weak.") from error
    return _claims(read["payload"])


def _claims(payload: bytes) -> dict[str, Any]:
    try:
        claims = orjson.loads(payload)
    except ValueError:
        claims = None
    if not isinstance(claims, dict):
        raise SignInRefused("The ID token holds no claims.")
    return claims
