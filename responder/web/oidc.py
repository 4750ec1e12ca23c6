"""Signing in at an OpenID provider: the way there, and the way back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from aiohttp import web

from responder.adapters.oidc_client import Attempt, Client, must_belong
from responder.config.oidc import CALLBACK, OidcSetup
from responder.config.settings import Settings
from responder.domain.arrivals import Arrival, arrival
from responder.domain.throttle import Rates, Throttle
from responder.errors import Refused, SignInFailed, SignInRefused
from responder.flows.sign_in_oidc import admit
from responder.web.audited import refused_stranger
from responder.web.bodies import desk_of
from responder.web.context import CONTEXT, SIGN_IN
from responder.web.identity import address_of
from responder.web.sign_in import local_path, sign_in_form, signed_in, visit_of

if TYPE_CHECKING:
    from responder.adapters.oidc import OpenId

log = structlog.get_logger()
START = f"{SIGN_IN}/oidc"
_VALID_FOR = timedelta(minutes=10)
"""So long somebody may take at the provider: for a password, a second factor, perhaps a phone that is charging."""
_LONGEST_PATH = 1000
_RATES = Rates(per_address=120, in_all=10_000)
_OTHER_BROWSER = (
    "This sign-in was begun in another browser, or more than 10 minutes ago, or it is over already. Begin again."
)


class Door:
    """The one connection to the provider, with what is known of it; another after the settings have changed."""

    def __init__(self) -> None:
        self._client: Client | None = None
        self._open: OpenId | None = None
        self.throttle = Throttle()

    async def to(self, client: Client) -> OpenId:
        if self._open is not None and self._client == client:
            return self._open
        # Here, because few sign in this way and its libraries take their time.
        from responder.adapters.oidc import OpenId

        # Nothing is waited for before the new one is there: whoever signs in meanwhile comes to the same one.
        former, opened = self._open, OpenId(client)
        self._client, self._open = client, opened
        if former is not None:
            await former.close()
        return opened

    async def close(self, _: web.Application | None = None) -> None:
        if self._open is not None:
            await self._open.close()


DOOR = web.AppKey("door", Door)


def add_to(application: web.Application) -> None:
    """Adds the door and its routes."""
    application[DOOR] = door = Door()
    application.on_cleanup.append(door.close)
    # Without HEAD: what looks at links must not use up a code.
    application.add_routes(
        [
            web.get(START, start, allow_head=False),
            web.get(CALLBACK, finish, allow_head=False),
            web.get(f"{START}/leave", leave, allow_head=False),
        ]
    )


async def start(request: web.Request) -> web.StreamResponse:
    """Sends the browser to the provider, with a cookie by which it is known when it comes back."""
    desk, setup = desk_of(request), _setup(request)
    attempt, now = Attempt.new(), desk.clock.now()
    onward = request.query.get("next", "")
    try:
        provider = await request.app[DOOR].to(setup.client)
        address = await provider.where_to_go(attempt, now)
    except SignInFailed as error:
        return _told(request, error, onward)
    answer = web.Response(status=303, headers={"Location": address})
    stamp = desk.links.sign_in_stamp(attempt, onward if len(onward) <= _LONGEST_PATH else "", int(now.timestamp()))
    settings = desk.configuration.settings
    answer.set_cookie(
        cookie_name(settings),
        stamp,
        max_age=int(_VALID_FOR.total_seconds()),
        path="/",
        secure=settings.base_url.startswith("https://"),
        httponly=True,
        # The way back begins at another site: a strict cookie would not come along.
        samesite="Lax",
    )
    return answer


async def finish(request: web.Request) -> web.StreamResponse:
    """The browser comes back with a code; whoever it belongs to is signed in, once."""
    desk, setup, onward = desk_of(request), _setup(request), "/"
    settings = desk.configuration.settings
    try:
        attempt, onward = _begun(request, settings)
        met = await _met(request, setup, attempt)
        answer = signed_in(request, await admit(desk, met, visit_of(request)), local_path(onward))
    except SignInFailed as error:
        answer = _told(request, error, onward)
    is_https = settings.base_url.startswith("https://")
    answer.del_cookie(cookie_name(settings), path="/", secure=is_https, httponly=True, samesite="Lax")
    return answer


async def leave(request: web.Request) -> web.StreamResponse:
    """Who has signed out here is sent to the provider, to sign out there, too; it asks whether that is meant."""
    desk, setup = desk_of(request), _setup(request)
    back = f"{desk.configuration.settings.base_url}{SIGN_IN}"
    try:
        provider = await request.app[DOOR].to(setup.client)
        address = await provider.where_to_sign_out(back, desk.clock.now())
    except SignInFailed as error:
        return _told(request, error)
    return web.Response(status=303, headers={"Location": address or f"{SIGN_IN}?left=1"})


def cookie_name(settings: Settings) -> str:
    """Over https a name that no other host can set for us."""
    return "__Host-responder_oidc" if settings.base_url.startswith("https://") else "responder_oidc"


async def _met(request: web.Request, setup: OidcSetup, attempt: Attempt) -> Arrival:
    """Who came back. Raises SignInFailed."""
    desk, door = desk_of(request), request.app[DOOR]
    now, settings = desk.clock.now(), desk.configuration.settings
    try:
        answer = _parameters(request)
        # Before it is counted: what nobody began here uses up nothing of what others have.
        must_belong(answer, attempt)
        if door.throttle.knock(address_of(request, settings), _RATES, now) is not None:
            raise SignInFailed("Too many sign-ins come from this address; try again in an hour.")
        provider = await door.to(setup.client)
        return arrival(await provider.claims(answer, attempt, now), setup.rules)
    except SignInRefused as error:
        await refused_stranger(request, desk, request.app[CONTEXT].strangers, web.HTTPForbidden(text=str(error)))
        raise


def _begun(request: web.Request, settings: Settings) -> tuple[Attempt, str]:
    """The attempt of this browser, and where it wants to go then. Raises SignInRefused."""
    desk = desk_of(request)
    try:
        attempt, onward, at = desk.links.read_sign_in_stamp(request.cookies.get(cookie_name(settings), ""))
    except Refused as error:
        raise SignInRefused(_OTHER_BROWSER) from error
    if not 0 <= desk.clock.now().timestamp() - at < _VALID_FOR.total_seconds():
        raise SignInRefused(_OTHER_BROWSER)
    return attempt, onward


def _parameters(request: web.Request) -> dict[str, str]:
    """What the browser brings. A parameter that comes twice is nothing that a provider sends (RFC 6749, 3.1)."""
    if len(set(request.query)) < len(request.query):
        raise SignInRefused("The answer of the sign-in provider says something twice. Begin again.")
    return dict(request.query)


def _setup(request: web.Request) -> OidcSetup:
    setup = desk_of(request).configuration.oidc
    if setup is None:
        raise web.HTTPNotFound(text="Nobody signs in by OpenID Connect here.")
    return setup


def _told(request: web.Request, error: SignInFailed, onward: str = "") -> web.Response:
    """The sign-in page with the reason why not."""
    log.warning("nobody was signed in", error=str(error))
    return sign_in_form(request, status=403 if error.permanent else 503, problem=str(error), onward=onward)
