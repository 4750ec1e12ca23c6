"""What handlers are given, and what every answer has in common."""

from __future__ import annotations

import contextlib
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import quote

from aiohttp import web

from responder.clock import EPOCH
from responder.config.configuration import Credential
from responder.config.settings import digest
from responder.domain.access import Identity, Scope
from responder.domain.throttle import Throttle
from responder.domain.vitals import Process
from responder.errors import NotFound
from responder.flows.batcher import Batcher
from responder.flows.desk import Desk
from responder.store.changes import Changes
from responder.store.transaction import Transaction
from responder.web.audited import OF_STRANGERS, SAFE, audited, refused, refused_stranger
from responder.web.identity import refuse_other_sites as _refuse_other_sites
from responder.web.identity import shown_secret, who_asks


def _unknown() -> Process:
    return Process(started_at=EPOCH)


@dataclass(frozen=True, kw_only=True)
class Context:
    """The running service, as far as handlers need it."""

    desk: Desk
    batcher: Batcher
    reload: Callable[[], Awaitable[None]]
    is_ready: Callable[[], Awaitable[str]]
    strangers: Throttle = field(default_factory=Throttle)
    changes: Changes = field(default_factory=Changes)
    process: Callable[[], Process] = _unknown


CONTEXT = web.AppKey("context", Context)
ACTOR = web.RequestKey("actor", str)
IDENTITY = web.RequestKey("identity", Identity)
SIGN_IN, _FORM = "/sign-in", "/feedback"
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def is_valid(credential: Credential | None, request: web.Request) -> bool:
    """True if the request may send for this source; compared in constant time. None: the source is open."""
    if credential is None:
        return True
    user, secret = shown_secret(request)
    same_user = hmac.compare_digest(user.encode(), credential.user.encode())
    return hmac.compare_digest(digest(secret), credential.digest) and same_user


def identity_of(request: web.Request) -> Identity:
    """Who asks, behind the guard."""
    return request[IDENTITY]


async def allowed_actor(request: web.Request, scope: str) -> str | None:
    """The name of whoever asks, if that may do what `scope` says; None if not."""
    who = request.get(IDENTITY)
    if who is None:
        with contextlib.suppress(web.HTTPForbidden):
            who = await who_asks(request, request.app[CONTEXT].desk)
    return who.name if who is not None and who.may(scope) else None


def refuse_other_sites(request: web.Request) -> None:
    """Refuses what another site makes a browser send. Raises HTTPForbidden."""
    _refuse_other_sites(request, request.app[CONTEXT].desk.configuration.settings)


def needs(scope: str) -> Callable[[_Handler], _Handler]:
    """Marks a handler: it answers only to who may do what `scope` says.

    Whatever is more than reading, and every refusal, is written into the audit log.
    """

    def mark(handler: _Handler) -> _Handler:
        async def guarded(request: web.Request) -> web.StreamResponse:
            desk = request.app[CONTEXT].desk
            who = await _known(request, desk, scope)
            request[ACTOR], request[IDENTITY] = who.name, who
            await _refuse_without(request, desk, who, scope)
            # What comes in has its own records; the log is for what somebody does.
            if request.method in SAFE or scope == Scope.INGEST:
                return await handler(request)
            return await audited(request, desk, who, lambda: handler(request))

        guarded.scope = scope  # type: ignore[attr-defined]
        guarded.__wrapped__ = handler  # type: ignore[attr-defined]
        guarded.__doc__, guarded.__name__, guarded.__module__ = handler.__doc__, handler.__name__, handler.__module__
        return guarded

    return mark


async def _known(request: web.Request, desk: Desk, scope: str) -> Identity:
    """Who asks. Raises HTTPUnauthorized, or for somebody who looks at a page HTTPSeeOther to the sign-in."""
    try:
        who = await who_asks(request, desk)
    except web.HTTPForbidden as error:
        await refused_stranger(request, desk, request.app[CONTEXT].strangers, error)
        raise
    if who is not None:
        return who
    if wants_page(request) and not shown_secret(request)[1]:
        raise web.HTTPSeeOther(f"{SIGN_IN}?next={quote(request.path_qs, safe='/')}")
    shown = "The token is unknown or has expired. " if shown_secret(request)[1] else ""
    text = (
        f"{shown}This needs somebody who is signed in, or a token with the scope {scope} in RESPONDER_TOKEN "
        f"(responder token create NAME --scope {scope})."
    )
    unknown = web.HTTPUnauthorized(text=text, headers={"WWW-Authenticate": 'Bearer realm="responder"'})
    if request.method not in SAFE:
        await refused_stranger(request, desk, request.app[CONTEXT].strangers, unknown)
    raise unknown


async def _refuse_without(request: web.Request, desk: Desk, who: Identity, scope: str) -> None:
    """Raises HTTPForbidden for a lesser role or token, and for tickets of other teams.

    Who may only report is led from the first page to the form.
    """
    if request.path == "/" and not who.may(Scope.READ) and desk.configuration.settings.feedback.is_on:
        raise web.HTTPSeeOther(_FORM)
    why = who.objection(scope)
    if not why and not who.acts_for_all and scope in (Scope.ACT, Scope.APPROVE):
        why = who.objection_to_team(await _team(request, desk))
    if why:
        await _written(request, desk, who, why)
        raise web.HTTPForbidden(text=why)


async def demand(request: web.Request, scope: str) -> None:
    """What some answers of a handler need that itself needs less. Raises HTTPForbidden; the log says so."""
    await _refuse_without(request, request.app[CONTEXT].desk, identity_of(request), scope)


async def _written(request: web.Request, desk: Desk, who: Identity, why: str) -> None:
    """The log never shrinks: what somebody merely may not look at is written down so often in an hour."""
    strangers = request.app[CONTEXT].strangers
    if (
        request.method not in SAFE
        or strangers.knock(f"reads {who.via} {who.name}", OF_STRANGERS, desk.clock.now()) is None
    ):
        await refused(request, desk, who, why)


async def _team(request: web.Request, desk: Desk) -> str:
    """The team whose ticket a route is about; empty if it is about none."""
    resource, values = request.match_info.route.resource, request.match_info
    path = resource.canonical if resource else ""

    def body(tx: Transaction) -> str:
        if "/tickets/{key}" in path:
            return tx.tickets.find(values["key"]).ticket.team
        if "/approvals/{id}" in path:
            return tx.tickets.one(tx.approvals.one(int(values["id"])).ticket_id).ticket.team
        if "/actions/{id}" in path:
            return tx.tickets.one(tx.actions.one(int(values["id"])).ticket_id).ticket.team
        return ""

    with contextlib.suppress(NotFound, ValueError):
        return await desk.store.read(body)
    return ""


def wants_page(request: web.Request) -> bool:
    """True for a browser that opens a page."""
    is_page = not request.path.startswith(("/api/", "/-/", "/metrics"))
    return is_page and request.method in ("GET", "HEAD") and "text/html" in request.headers.get("Accept", "")
