"""In which language a page speaks to whoever opens a signed link."""

from __future__ import annotations

from aiohttp import web

from responder.domain.reporter import LANGUAGES
from responder.web.bodies import desk_of


def language_of(request: web.Request, person: str = "") -> str:
    """The person's, or for a link that names nobody what the browser asks for."""
    known = desk_of(request).configuration.people.get(person)
    if known is not None:
        return known.language
    return "zh" if request.headers.get("Accept-Language", "").strip().lower().startswith("zh") else "en"


def asked_language(request: web.Request, otherwise: str = "") -> str:
    """What the address says (`?lang=`), else `otherwise`, else the first language of ours that the browser asks for."""
    asked = request.query.get("lang", "")
    if asked in LANGUAGES:
        return asked
    wanted = [one.split(";")[0].strip().lower() for one in request.headers.get("Accept-Language", "").split(",")]
    browsers = next((own for one in wanted for own in LANGUAGES if one.split("-")[0] == own), LANGUAGES[0])
    return otherwise or browsers


def no_link(request: web.Request) -> dict[str, str]:
    """Language and title of the page about a link that does not act."""
    return {"language": language_of(request), "title": "This link does not act"}
