"""What handlers are given, and what every answer has in common."""

from __future__ import annotations

import hmac
from base64 import b64decode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web
from yarl import URL

from responder.config.configuration import Credential
from responder.config.settings import digest
from responder.flows.batcher import Batcher
from responder.flows.desk import Desk
from responder.store.changes import Changes
from responder.store.switchboard import SCOPES


@dataclass(frozen=True, kw_only=True)
class Context:
    """The running service, as far as handlers need it."""

    desk: Desk
    batcher: Batcher
    reload: Callable[[], Awaitable[None]]
    is_ready: Callable[[], Awaitable[str]]
    changes: Changes = field(default_factory=Changes)


CONTEXT = web.AppKey("context", Context)
ACTOR = web.RequestKey("actor", str)


def shown_secret(request: web.Request) -> tuple[str, str]:
    """User name and secret that a request shows: basic authentication, or a bearer token without a name."""
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return "", rest.strip()
    if scheme.lower() == "basic":
        try:
            user, _, password = b64decode(rest, validate=True).decode().partition(":")
        except ValueError:
            return "", ""
        return user, password
    return "", ""


def is_valid(credential: Credential | None, request: web.Request) -> bool:
    """True if the request may send for this source; compared in constant time. None: the source is open."""
    if credential is None:
        return True
    user, secret = shown_secret(request)
    same_user = hmac.compare_digest(user.encode(), credential.user.encode())
    return hmac.compare_digest(digest(secret), credential.digest) and same_user


async def allowed_actor(request: web.Request, scope: str) -> str | None:
    """The name of the token that may do what `scope` says; None if there is no such credential."""
    desk = request.app[CONTEXT].desk
    if desk.configuration.settings.console == "open":
        return "console"
    _, secret = shown_secret(request)
    if not secret:
        return None
    token = await desk.store.read(lambda tx: tx.switchboard.token(digest(secret)))
    if token is None or (token.expires_at is not None and token.expires_at <= desk.clock.now()):
        return None
    return token.name if SCOPES.index(token.scope) >= SCOPES.index(scope) else None


def refuse_other_sites(request: web.Request) -> None:
    """Browsers send credentials along with requests that other sites make them send; they also say who asks.

    Raises HTTPForbidden.
    """
    if request.method in ("GET", "HEAD"):
        return
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    # A page that sends no referrer makes browsers say "null" of their own site's forms, too.
    is_ours = site == "same-origin" if origin == "null" else not origin or URL(origin).authority == request.host
    if site not in (None, "none", "same-origin") or not is_ours:
        raise web.HTTPForbidden(text="This came from another site, so it was not done.")


def needs(scope: str) -> Callable[[Callable[[web.Request], Awaitable[web.StreamResponse]]], _Handler]:
    """Marks a handler: it answers only to a token of this scope or a higher one."""

    def mark(handler: _Handler) -> _Handler:
        async def guarded(request: web.Request) -> web.StreamResponse:
            refuse_other_sites(request)
            actor = await allowed_actor(request, scope)
            if actor is None:
                shown = "The token is unknown, has expired, or has a lesser scope. " if shown_secret(request)[1] else ""
                raise web.HTTPUnauthorized(
                    text=f"{shown}This needs a token with the scope {scope}, in RESPONDER_TOKEN or as the page's "
                    f"password (responder token create NAME --scope {scope}).",
                    headers={"WWW-Authenticate": 'Basic realm="responder", charset="UTF-8"'},
                )
            request[ACTOR] = actor
            return await handler(request)

        return guarded

    return mark


_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
