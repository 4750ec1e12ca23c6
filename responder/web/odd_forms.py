"""Bodies that say of themselves what no form can be: refused before anybody reads them."""

from __future__ import annotations

import codecs
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.helpers import parse_mimetype

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_READ_OTHERWISE = ("/feedback", "/report/")
"""What reporters send has a reader of its own, and their page an answer to whatever it cannot read."""
_LONGEST_BOUNDARY = 70
"""RFC 2046, 5.1.1."""


@web.middleware
async def refuse_odd_forms(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Raises HTTPBadRequest."""
    is_form = request.content_type in FORMS and not request.path.startswith(_READ_OTHERWISE)
    if is_form and (why := _objection(request)):
        raise web.HTTPBadRequest(text=why)
    return await handler(request)


def _objection(request: web.Request) -> str:
    said = parse_mimetype(request.headers.get("Content-Type", ""))
    if said.type == "multipart" and not 0 < len(said.parameters.get("boundary", "")) <= _LONGEST_BOUNDARY:
        return "The form does not say what parts it: its Content-Type has no boundary of up to 70 characters."
    charset = request.charset or "utf-8"
    try:
        codecs.lookup(charset)
    except (LookupError, ValueError):
        return f"The form says that it is written in {charset[:40]!r}, which is no encoding."
    return ""
