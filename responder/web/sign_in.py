"""The pages on which people sign in and out."""

from __future__ import annotations

from datetime import timedelta
from math import ceil
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from responder.config.settings import digest
from responder.domain.access import Via
from responder.errors import SignInRefused, TooManyTries
from responder.flows.sign_in import SignedIn, Visit, sign_in, sign_out
from responder.web.bodies import desk_of
from responder.web.context import SIGN_IN
from responder.web.identity import address_of, cookie_name, refuse_other_sites, who_asks
from responder.web.readers import asked_language
from responder.web.rendering import page

_MOST = 4096


async def show(request: web.Request) -> web.StreamResponse:
    """The form; who has signed in already is sent on."""
    who = await who_asks(request, desk_of(request))
    if who is not None and who.via is not Via.TOKEN:
        raise web.HTTPSeeOther(local_path(request.query.get("next", "")))
    return sign_in_form(request)


async def send(request: web.Request) -> web.StreamResponse:
    """Name and password. What was typed stays, but for the password."""
    desk = desk_of(request)
    refuse_other_sites(request, desk.configuration.settings)
    if (request.content_length or 0) > _MOST:
        raise web.HTTPRequestEntityTooLarge(_MOST, request.content_length or 0, text="That is too long for a form.")
    form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    name, onward = form.get("name", "").replace("\x00", "\ufffd").strip(), local_path(form.get("next", ""))
    try:
        made = await sign_in(desk, name, form.get("password", "")[:_MOST], visit_of(request))
    except TooManyTries as error:
        answer = sign_in_form(request, status=429, name=name, problem=str(error))
        answer.headers["Retry-After"] = str(ceil(error.after.total_seconds()))
        return answer
    except SignInRefused as error:
        return sign_in_form(request, status=401, name=name, problem=str(error))
    return signed_in(request, made, onward)


async def leave(request: web.Request) -> web.StreamResponse:
    """Ends the session that asks, here and in the browser."""
    desk = desk_of(request)
    refuse_other_sites(request, desk.configuration.settings)
    who = await who_asks(request, desk)
    if who is not None and who.session:
        await sign_out(desk, who, address_of(request, desk.configuration.settings))
    answer = web.Response(status=303, headers={"Location": f"{SIGN_IN}?left=1"})
    settings = desk.configuration.settings
    is_secure = settings.base_url.startswith("https://")
    answer.del_cookie(cookie_name(settings), path="/", secure=is_secure, httponly=True, samesite="Lax")
    return answer


def routes() -> list[web.RouteDef]:
    return [web.get(SIGN_IN, show), web.post(SIGN_IN, send), web.post("/sign-out", leave)]


def visit_of(request: web.Request) -> Visit:
    """From where somebody signs in."""
    settings = desk_of(request).configuration.settings
    had = request.cookies.get(cookie_name(settings), "")
    return Visit(
        address=address_of(request, settings),
        agent=request.headers.get("User-Agent", ""),
        had=digest(had) if had else "",
    )


def signed_in(request: web.Request, made: SignedIn, onward: str) -> web.Response:
    """Sends somebody on with the cookie of a fresh session."""
    desk = desk_of(request)
    settings = desk.configuration.settings
    answer = web.Response(status=303, headers={"Location": onward})
    answer.set_cookie(
        cookie_name(settings),
        made.secret.value,
        max_age=int((made.expires_at - desk.clock.now()) / timedelta(seconds=1)),
        path="/",
        secure=settings.base_url.startswith("https://"),
        httponly=True,
        # Not strict: then a link in a message would open the sign-in page for somebody who is signed in.
        samesite="Lax",
    )
    return answer


def local_path(wanted: str) -> str:
    """Where to go after signing in: a path of ours, else the first page. Never another site."""
    is_ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable()
    return wanted if is_ours and "\\" not in wanted and not wanted.startswith(SIGN_IN) else "/"


def sign_in_form(
    request: web.Request, *, status: int = 200, name: str = "", problem: str = "", onward: str = ""
) -> web.Response:
    """The page on which people sign in, perhaps with the reason why it was not done."""
    desk = desk_of(request)
    oidc, language = desk.configuration.oidc, asked_language(request)
    given: dict[str, Any] = {
        "name": name,
        "problem": problem,
        "onward": local_path(onward or request.query.get("next", "")),
        "providers": [{"path": f"{SIGN_IN}/oidc", "label": oidc.label}] if oidc else [],
    }
    return page(
        "sign_in.html",
        status=status,
        language=language,
        other_language=f"{SIGN_IN}?{urlencode({'next': given['onward'], 'lang': 'en' if language == 'zh' else 'zh'})}",
        title="Sign in",
        by_password=desk.configuration.settings.sign_in.local,
        has_left="left" in request.query,
        **given,
    )
