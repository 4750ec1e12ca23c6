"""Who asks: by a token, by the session in a cookie, or by the word of a proxy in front of us."""

from __future__ import annotations

import ipaddress
from base64 import b64decode

from aiohttp import web
from yarl import URL

from responder.config.settings import Settings, digest
from responder.config.sign_in import Proxy
from responder.domain.access import OF_TOKEN, Identity, Scope, Via
from responder.domain.accounts import Source, User, objection_to_name
from responder.domain.throttle import sender_of
from responder.errors import SignInRefused
from responder.flows.desk import Desk
from responder.flows.sign_in import whose_session
from responder.flows.sign_in_proxy import known_by_proxy

HERE = "responder_session"
_OPEN = Identity(name="console", via=Via.OPEN, scopes=frozenset(Scope))
_STREAM = "/api/v1/events"
_HOME = ("localhost", "127.0.0.1", "::1")


def cookie_name(settings: Settings) -> str:
    """Over https a name that browsers take from this very host only, and encrypted only."""
    return f"__Host-{HERE}" if settings.base_url.startswith("https://") else HERE


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


def address_of(request: web.Request, settings: Settings) -> str:
    """Where a request comes from: the peer, or whom a proxy of ours names."""
    proxies = (*settings.feedback.proxies, *(settings.sign_in.proxy.networks if settings.sign_in.proxy else ()))
    return sender_of(request.remote or "", forwarded(request), proxies)


def forwarded(request: web.Request) -> str:
    """All that proxies have written down of the way here; some append a line of their own."""
    return ",".join(request.headers.getall("X-Forwarded-For", []))


async def who_asks(request: web.Request, desk: Desk) -> Identity | None:
    """Whoever shows a valid credential; None if nobody does. A token that is shown counts alone.

    Raises HTTPForbidden for a credential that a browser sends by itself when another site makes it ask.
    """
    settings = desk.configuration.settings
    if settings.console == "open":
        _refuse_other_names(request, settings)
        refuse_other_sites(request, settings)
        return _OPEN
    _, secret = shown_secret(request)
    if secret:
        refuse_other_sites(request, settings)
        return await _by_token(desk, secret)
    named = await _by_proxy(request, desk)
    found = await _by_session(request, desk)
    # On a browser that several use, the proxy knows who sits there now.
    if found is None or (named is not None and named.name != found.name):
        found = named
    if found is not None:
        refuse_other_sites(request, settings, must_tell=True)
    return found


async def still_asks(request: web.Request, desk: Desk, known: Identity) -> Identity | None:
    """Who holds the credential of a request that lasts, as they are by now; None if it is good no more.

    What a proxy said when it began is old by now: its account has what the proxy has said since. Raises HTTPForbidden.
    """
    if known.via is not Via.PROXY:
        return await who_asks(request, desk)
    rules = desk.configuration.settings.sign_in.proxy
    if rules is None or not _is_from(request.remote or "", rules):
        return None
    user = await desk.store.read(lambda tx: tx.accounts.one(known.user_id or 0))
    return user.identity(Via.PROXY) if user is not None and user.disabled_at is None else None


def refuse_other_sites(request: web.Request, settings: Settings, *, must_tell: bool = False) -> None:
    """Browsers send credentials along with requests that other sites make them send; they also say who asks.

    `must_tell`: a request that says nothing of its page is refused, too. (OWASP CSRF Prevention Cheat Sheet, "Fetch
    Metadata" and "Verifying Origin".) Raises HTTPForbidden.
    """
    if request.method in ("GET", "HEAD"):
        return
    site, origin = request.headers.get("Sec-Fetch-Site") or None, request.headers.get("Origin") or None
    if must_tell and site is None and origin is None:
        raise web.HTTPForbidden(text="The browser did not say from which page this came, so it was not done.")
    # A page that sends no referrer makes browsers say "null" of their own site's forms, too.
    is_ours = site == "same-origin" if origin == "null" else not origin or _is_here(origin, request, settings)
    if site not in (None, "none", "same-origin") or not is_ours:
        raise web.HTTPForbidden(text="This came from another site, so it was not done.")


def _is_here(origin: str, request: web.Request, settings: Settings) -> bool:
    """True for our own pages, also behind a proxy that passes on another Host than browsers see.

    Where people come by https, a page of that host without it is not ours: anybody on the way may have written it.
    """
    base = URL(settings.base_url)
    try:
        given = URL(origin)
        if given.authority == base.authority:
            return base.scheme in ("http", given.scheme)
        return given.authority == request.host
    except ValueError:
        return False


def _refuse_other_names(request: web.Request, settings: Settings) -> None:
    """Without any credential, a site whose name was pointed at this machine must not get in (DNS rebinding)."""
    name = URL.build(scheme="http", authority=request.host).host or ""
    if name not in (*_HOME, URL(settings.base_url).host):
        raise web.HTTPForbidden(text=f"This console is open only under its own address, {settings.base_url}.")


async def _by_token(desk: Desk, secret: str) -> Identity | None:
    token = await desk.store.read(lambda tx: tx.switchboard.token(digest(secret)))
    if token is None or (token.expires_at is not None and token.expires_at <= desk.clock.now()):
        return None
    return Identity(name=token.name, via=Via.TOKEN, scopes=OF_TOKEN[token.scope])


async def _by_session(request: web.Request, desk: Desk) -> Identity | None:
    secret = request.cookies.get(cookie_name(desk.configuration.settings), "")
    # What a page asks by itself is no sign that somebody sits before it.
    is_used = request.path != _STREAM and request.headers.get("X-Requested-With") != "live"
    return await whose_session(desk, secret, is_used=is_used) if secret else None


# --- a proxy in front of us --------------------------------------------------------------------------


async def _by_proxy(request: web.Request, desk: Desk) -> Identity | None:
    """Whom the proxy names. Raises HTTPForbidden for somebody who has no place here."""
    rules = desk.configuration.settings.sign_in.proxy
    if rules is None or not _is_from(request.remote or "", rules):
        return None
    name = _one_line(request, rules.header)
    if not name:
        return None
    if objection := objection_to_name(name):
        raise web.HTTPForbidden(text=objection)
    listed = _one_line(request, rules.groups_header) if rules.groups_header else ""
    groups = frozenset(one.strip() for one in listed.split(",") if one.strip())
    role = rules.role_of(groups)
    if role is None:
        raise web.HTTPForbidden(text=f"None of the groups of {name} gives a role here.")
    now = desk.clock.now()
    wanted = User(
        name=name,
        role=role,
        source=Source.PROXY,
        subject=name,
        teams=rules.teams_of(groups),
        teamless=rules.leave_teamless(groups),
        created_at=now,
        seen_at=now,
    )
    try:
        return (await known_by_proxy(desk, wanted)).identity(Via.PROXY)
    except SignInRefused as error:
        raise web.HTTPForbidden(text=str(error)) from error


def _one_line(request: web.Request, header: str) -> str:
    """Raises HTTPForbidden where somebody has put a line of their own beside the proxy's."""
    lines = request.headers.getall(header, [])
    if len(lines) > 1:
        raise web.HTTPForbidden(text=f"The header {header} came more than once.")
    return lines[0].strip() if lines else ""


def _is_from(address: str, rules: Proxy) -> bool:
    try:
        return any(ipaddress.ip_address(address) in network for network in rules.networks)
    except ValueError:
        return False
