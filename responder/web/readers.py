"""In which language a page speaks to whoever opens a signed link."""

from __future__ import annotations

from aiohttp import web

from responder.web.bodies import desk_of


def language_of(request: web.Request, person: str = "") -> str:
    """The person's, or for a link that names nobody what the browser asks for."""
    known = desk_of(request).configuration.people.get(person)
    if known is not None:
        return known.language
    return "zh" if request.headers.get("Accept-Language", "").strip().lower().startswith("zh") else "en"


def no_link(request: web.Request) -> dict[str, str]:
    """Language and title of the page about a link that does not act."""
    return {"language": language_of(request), "title": "This link does not act"}
