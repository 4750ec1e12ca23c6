"""Files of a ticket, as downloads: never shown inline, whatever they are."""

from __future__ import annotations

from urllib.parse import quote

from aiohttp import web

from responder.domain.access import Scope
from responder.domain.reporter import REPORTER
from responder.flows.mail_files import BY_MAIL
from responder.web.context import CONTEXT, demand, needs
from responder.web.operations import Media, operation


@needs("read")
@operation(answers=Media(type="application/octet-stream"))
async def download(request: web.Request) -> web.StreamResponse:
    """The bytes of one attachment. What a reporter sent may say who that is: it needs the scope act."""
    wanted = request.match_info["id"]
    found = await request.app[CONTEXT].desk.store.read(lambda tx: tx.attachments.one(int(wanted)))
    if found.actor in (REPORTER, BY_MAIL):
        await demand(request, Scope.ACT)
    return web.Response(
        body=found.content,
        headers={
            # A browser must not take what a host printed for a page of ours.
            "Content-Type": "application/octet-stream",
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(found.name, safe='')}",
            "X-Content-Type-Options": "nosniff",
        },
    )


def routes() -> list[web.RouteDef]:
    return [web.get(r"/api/v1/attachments/{id:\d{1,15}}", download)]
