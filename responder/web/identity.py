"""Who asks: by a token, by the session in a cookie, or by the word of a proxy in front of us."""

from __future__ import annotations

import ipaddress
from base64 import b64decode
from dataclasses import replace

from aiohttp import web
from yarl import URL

from responder.config.settings import Settings, digest
from responder.config.sign_in import Proxy
from responder.domain.access import OF_TOKEN, Identity, Scope, Via
from responder.domain.accounts import Source, User, objection_to_name
from responder.domain.throttle import sender_of
from responder.flows.desk import Desk
from responder.flows.sign_in import whose_session
from responder.store.transaction import Transaction

HERE = "responder_session"
_OPEN = Identity(name="console", via=Via.OPEN, scopes=frozenset(Scope))
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
    return sender_of(request.remote or "", request.headers.get("X-Forwarded-For", ""), proxies)


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
    found = await _by_session(request, desk) or await _by_proxy(request, desk)
    if found is not None:
        refuse_other_sites(request, settings, must_tell=True)
    return found


def refuse_other_sites(request: web.Request, settings: Settings, *, must_tell: bool = False) -> None:
    """Browsers send credentials along with requests that other sites make them send; they also say who asks.

    `must_tell`: a request that says nothing of its page is refused, too. (OWASP CSRF Prevention Cheat Sheet, "Fetch
    Metadata" and "Verifying Origin".) Raises HTTPForbidden.
    """
    if request.method in ("GET", "HEAD"):
        return
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if must_tell and site is None and origin is None:
        raise web.HTTPForbidden(text="The browser did not say from which page this came, so it was not done.")
    # A page that sends no referrer makes browsers say "null" of their own site's forms, too.
    is_ours = site == "same-origin" if origin == "null" else not origin or _is_here(origin, request, settings)
    if site not in (None, "none", "same-origin") or not is_ours:
        raise web.HTTPForbidden(text="This came from another site, so it was not done.")


def _is_here(origin: str, request: web.Request, settings: Settings) -> bool:
    """True for our own pages, also behind a proxy that passes on another Host than browsers see."""
    return URL(origin).authority in (request.host, URL(settings.base_url).authority)


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
    return await whose_session(desk, secret) if secret else None


# --- a proxy in front of us --------------------------------------------------------------------------


async def _by_proxy(request: web.Request, desk: Desk) -> Identity | None:
    """Whom the proxy names. Raises HTTPForbidden for somebody who has no place here."""
    rules = desk.configuration.settings.sign_in.proxy
    if rules is None or not _is_from(request.remote or "", rules):
        return None
    name = request.headers.get(rules.header, "").strip()
    if not name:
        return None
    if objection := objection_to_name(name):
        raise web.HTTPForbidden(text=objection)
    listed = request.headers.get(rules.groups_header, "") if rules.groups_header else ""
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
        created_at=now,
        seen_at=now,
    )
    return (await _kept(desk, wanted)).identity(Via.PROXY)


async def _kept(desk: Desk, wanted: User) -> User:
    """The account that belongs to a name, made or brought up to date where it must be."""
    known = await desk.store.read(lambda tx: tx.accounts.named(wanted.name))
    if known is None:
        return await desk.store.write(lambda tx: _added(tx, wanted))
    if known.source is not Source.PROXY or known.disabled_at is not None:
        why = "is disabled" if known.disabled_at else f"is a {known.source} account, which no proxy can speak for"
        raise web.HTTPForbidden(text=f"{known.name} {why}.")
    if (known.role, known.teams) == (wanted.role, wanted.teams):
        return known
    current = replace(known, role=wanted.role, teams=wanted.teams)
    await desk.store.write(lambda tx: tx.accounts.change(current))
    return current


def _added(tx: Transaction, wanted: User) -> User:
    """Two first requests at once make one account."""
    return tx.accounts.named(wanted.name) or tx.accounts.add(wanted)


def _is_from(address: str, rules: Proxy) -> bool:
    try:
        return any(ipaddress.ip_address(address) in network for network in rules.networks)
    except ValueError:
        return False
