"""The REST API, /api/v1."""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web

from responder.flows import handle
from responder.flows.desk import Desk
from responder.flows.switches import kill_switch, turn_off_automation, turn_on_automation
from responder.web.context import ACTOR, CONTEXT, needs
from responder.web.shapes import plain, ticket_line, whole_ticket

_LARGEST_PAGE = 500
_LONGEST_TEXT = 10_000


@needs("read")
async def list_tickets(request: web.Request) -> web.StreamResponse:
    """Tickets, newest first. Query: open, status, grade, limit, before (an id, for the next page)."""
    query = request.query
    limit, before = _number(query.get("limit"), 100), _number(query.get("before"), 0)
    found = await _desk(request).store.read(
        lambda tx: tx.tickets.listed(
            open_only=query.get("open") in ("1", "true"),
            status=query.get("status", ""),
            grade=query.get("grade", ""),
            before=before or None,
            limit=min(limit, _LARGEST_PAGE),
        )
    )
    tickets = [ticket_line(ticket) for ticket in found]
    following = found[-1].id if len(found) == min(limit, _LARGEST_PAGE) and found else None
    return _json({"tickets": tickets, "before": following})


@needs("read")
async def show_ticket(request: web.Request) -> web.StreamResponse:
    key = request.match_info["key"]
    return _json(await _desk(request).store.read(lambda tx: whole_ticket(tx, key)))


@needs("act")
async def acknowledge(request: web.Request) -> web.StreamResponse:
    content = await _content(request)
    ticket = await handle.acknowledge(_desk(request), request.match_info["key"], _actor(request, content))
    return _json(ticket_line(ticket))


@needs("act")
async def note(request: web.Request) -> web.StreamResponse:
    content = await _content(request)
    text = _text(content, "text")
    ticket = await handle.note(_desk(request), request.match_info["key"], _actor(request, content), text)
    return _json(ticket_line(ticket))


@needs("act")
async def restore(request: web.Request) -> web.StreamResponse:
    content = await _content(request)
    reason = _text(content, "reason")
    ticket = await handle.restore(_desk(request), request.match_info["key"], _actor(request, content), reason)
    return _json(ticket_line(ticket))


@needs("read")
async def show_kill_switch(request: web.Request) -> web.StreamResponse:
    desk = _desk(request)
    reason = await desk.store.read(lambda tx: kill_switch(desk, tx))
    return _json({"on": bool(reason), "reason": reason})


@needs("act")
async def set_kill_switch(request: web.Request) -> web.StreamResponse:
    content = await _content(request)
    await turn_off_automation(_desk(request), _text(content, "reason"), _actor(request, content))
    return await show_kill_switch(request)


@needs("act")
async def clear_kill_switch(request: web.Request) -> web.StreamResponse:
    await turn_on_automation(_desk(request))
    return await show_kill_switch(request)


@needs("read")
async def list_quarantine(request: web.Request) -> web.StreamResponse:
    """The latest bodies that were not understood, with the reason and the first of their bytes as text."""
    found = await _desk(request).store.read(lambda tx: tx.reports.quarantined())
    return _json(
        [
            {
                "receipt": one.id,
                "source": one.source,
                "received_at": plain(one.received_at),
                "reason": one.quarantined_because,
                "body": one.body[:_LONGEST_TEXT].decode("utf-8", "replace"),
            }
            for one in found
        ]
    )


def routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/tickets", list_tickets),
        web.get("/api/v1/tickets/{key}", show_ticket),
        web.post("/api/v1/tickets/{key}/acknowledge", acknowledge),
        web.post("/api/v1/tickets/{key}/note", note),
        web.post("/api/v1/tickets/{key}/restore", restore),
        web.get("/api/v1/quarantine", list_quarantine),
        web.get("/api/v1/kill-switch", show_kill_switch),
        web.put("/api/v1/kill-switch", set_kill_switch),
        web.delete("/api/v1/kill-switch", clear_kill_switch),
    ]


def _desk(request: web.Request) -> Desk:
    return request.app[CONTEXT].desk


def _json(content: object) -> web.Response:
    return web.Response(body=orjson.dumps(content), content_type="application/json")


async def _content(request: web.Request) -> dict[str, Any]:
    body = await request.read()
    try:
        content = orjson.loads(body) if body else {}
    except orjson.JSONDecodeError as error:
        raise web.HTTPBadRequest(text=f"The body is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise web.HTTPUnprocessableEntity(text="The body is not a JSON object.")
    return content


def _actor(request: web.Request, content: dict[str, Any]) -> str:
    """Who acts: the name given, by the token that vouches for it."""
    name = content.get("actor")
    if isinstance(name, str) and 0 < len(name.strip()) <= 80:
        return " ".join(name.replace("\x00", "").split())
    return request[ACTOR]


def _text(content: dict[str, Any], name: str) -> str:
    text = content.get(name)
    if not isinstance(text, str) or not text.strip():
        raise web.HTTPUnprocessableEntity(text=f"“{name}” is missing: a text that says why or what.")
    return text.replace("\x00", "\ufffd").strip()[:_LONGEST_TEXT]


def _number(text: str | None, default: int) -> int:
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise web.HTTPBadRequest(text=f"{text!r} is not a whole number.")
    return int(text)
