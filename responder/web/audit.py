"""The API of the audit of pages."""

from __future__ import annotations

from aiohttp import web

from responder.flows.audit_pages import accept, compare
from responder.web.bodies import actor_of, content_of, desk_of, json_answer, text_in
from responder.web.context import needs
from responder.web.operations import operation
from responder.web.schemas import asked, service
from responder.web.shapes import plain


@needs("read")
@operation(answers=service.PageAudit)
async def show(request: web.Request) -> web.StreamResponse:
    """Who should have been told, compared with what is stored, now."""
    return json_answer(plain(await compare(desk_of(request))))


@needs("act")
@operation(body=asked.LookedAt, answers=service.PageAudit)
async def look_at(request: web.Request) -> web.StreamResponse:
    """Somebody has looked at a difference. Body: key, reason, and perhaps actor."""
    content = await content_of(request)
    await accept(desk_of(request), text_in(content, "key"), text_in(content, "reason"), actor_of(request, content))
    return json_answer(plain(await compare(desk_of(request))))


def routes() -> list[web.RouteDef]:
    return [web.get("/api/v1/audit/pages", show), web.post("/api/v1/audit/pages/accept", look_at)]
