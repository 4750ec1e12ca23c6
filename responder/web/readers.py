"""In which language a page speaks to whoever opens it."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler

from responder.domain.reporter import LANGUAGES
from responder.web.bodies import desk_of

_KEPT = "responder_language"
_YEAR = 365 * 24 * 3600


def language_of(request: web.Request, person: str = "") -> str:
    """As `asked_language`, for the person whom a link was made for; for nobody's what the browser asks for."""
    known = desk_of(request).configuration.people.get(person)
    return asked_language(request, known.language if known else "")


def asked_language(request: web.Request, otherwise: str = "", *, of_account: str = "") -> str:
    """What the address says (`?lang=`), else what somebody chose in their account, else by a link in this browser,
    else `otherwise`, else the first language of ours that the browser asks for."""
    asked, kept = request.query.get("lang", ""), request.cookies.get(_KEPT, "")
    if asked in LANGUAGES:
        return asked
    wanted = [one.split(";")[0].strip().lower() for one in request.headers.get("Accept-Language", "").split(",")]
    browsers = next((own for one in wanted for own in LANGUAGES if one.split("-")[0] == own), LANGUAGES[0])
    return of_account or (kept if kept in LANGUAGES else otherwise or browsers)


@web.middleware
async def keep_language(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A language that somebody chose by a link is kept in their browser, also before they have signed in."""
    answer = await handler(request)
    asked = request.query.get("lang", "")
    if asked in LANGUAGES and answer.content_type == "text/html" and not answer.prepared:
        is_secure = desk_of(request).configuration.settings.base_url.startswith("https://")
        answer.set_cookie(_KEPT, asked, max_age=_YEAR, path="/", secure=is_secure, httponly=True, samesite="Lax")
    return answer


def no_link(request: web.Request, person: str = "") -> dict[str, str]:
    """Language and title of the page about a link that does not act."""
    return {"language": language_of(request, person), "title": "This link does not act"}
