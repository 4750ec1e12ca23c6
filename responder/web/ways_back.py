"""The addresses that forms are sent to, opened as pages: what was refused stands there, and people reload it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from responder.web.console import NO_PAGES
from responder.web.context import needs

_NOT_BELOW = {"/views": "/tickets"}
"""Where a form's address does not stand below its page."""
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def add_to(application: web.Application) -> None:
    """Gives every page address that only takes a form the way to the page it belongs to. After all other routes."""
    taking: dict[str, set[str]] = {}
    for route in application.router.routes():
        if isinstance(route.resource, web.Resource):
            taking.setdefault(route.resource.canonical, set()).add(route.method)
    shown = {path for path, methods in taking.items() if methods & {"GET", "*"}}
    for resource in application.router.resources():
        path = resource.canonical
        if isinstance(resource, web.Resource) and path not in shown and not path.startswith(NO_PAGES):
            back = _way_back(path, shown)
            resource.add_route("GET", back)
            resource.add_route("HEAD", back)


def _way_back(path: str, shown: set[str]) -> _Handler:
    """To the next page above, or to the one that is told."""
    above = path
    while above not in shown:
        above = above.rpartition("/")[0] or "/"
    depth = len(_parts(above))

    @needs("report")
    async def back(request: web.Request) -> web.StreamResponse:
        """To the page that the form belongs to, as it was filtered and in the language it was asked in."""
        parts, query = _parts(request.rel_url.raw_path)[:depth], request.rel_url.raw_query_string
        there = _NOT_BELOW.get(path.split("/{", maxsplit=1)[0]) or "/" + "/".join(parts)
        raise web.HTTPSeeOther(f"{there}?{query}" if query else there)

    return back


def _parts(path: str) -> list[str]:
    return path.strip("/").split("/") if path != "/" else []
