"""The API of the audit of pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from responder.clock import from_microseconds
from responder.flows.audit_pages import accept, compare
from responder.flows.desk import Desk
from responder.web.bodies import actor_of, content_of, desk_of, json_answer, text_in
from responder.web.context import needs
from responder.web.operations import PRESENT, operation
from responder.web.schemas import service
from responder.web.shapes import plain


@needs("read")
@operation(answers=service.PageAudit, whole=PRESENT)
async def show(request: web.Request) -> web.StreamResponse:
    """Who should have been told, compared with what is stored, now."""
    return json_answer(await _compared(desk_of(request)))


@needs("act")
@operation(body=service.LookedAt, answers=service.PageAudit)
async def look_at(request: web.Request) -> web.StreamResponse:
    """Somebody has looked at a difference. Body: key, reason, and perhaps actor."""
    content = await content_of(request)
    await accept(desk_of(request), text_in(content, "key"), text_in(content, "reason"), actor_of(request, content))
    return json_answer(await _compared(desk_of(request)))


async def _compared(desk: Desk) -> dict[str, Any]:
    found = await compare(desk)
    return {**plain(found), "differences": [plain({**one, "accepted": _mark(one)}) for one in found["differences"]]}


def _mark(difference: Mapping[str, Any]) -> dict[str, Any] | None:
    """Who has looked at a difference, and when: the round keeps that as it is counted in the database."""
    mark = difference["accepted"]
    return {**mark, "at": from_microseconds(mark["at"])} if mark else None


def routes() -> list[web.RouteDef]:
    return [web.get("/api/v1/audit/pages", show), web.post("/api/v1/audit/pages/accept", look_at)]
