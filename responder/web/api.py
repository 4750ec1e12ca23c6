"""The REST API, /api/v1."""

from __future__ import annotations

from aiohttp import web

from responder.flows import explain_clock, handle
from responder.flows.verbs import VERBS
from responder.web.bodies import LONGEST_TEXT as _LONGEST_TEXT
from responder.web.bodies import actor_of as _actor
from responder.web.bodies import content_of as _content
from responder.web.bodies import desk_of as _desk
from responder.web.bodies import json_answer as _json
from responder.web.bodies import number_in as _number
from responder.web.context import allowed_actor, needs
from responder.web.shapes import plain, ticket_line, whole_ticket

_LARGEST_PAGE = 500


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
    """One ticket; name and contact of its reporter only for who may act."""
    key, may_see = request.match_info["key"], await allowed_actor(request, "act") is not None
    desk = _desk(request)
    return _json(await desk.store.read(lambda tx: whole_ticket(tx, key, may_see=may_see, policy=desk.policy)))


@needs("act")
async def move(request: web.Request) -> web.StreamResponse:
    """Does what a verb says, under the rules of the policy. `version`: the one that was seen, if it matters."""
    content = await _content(request)
    version = content.get("version")
    if version is not None and (isinstance(version, bool) or not isinstance(version, int)):
        raise web.HTTPUnprocessableEntity(text="“version” is not a whole number.")
    ticket = await handle.do(
        _desk(request),
        request.match_info["verb"],
        request.match_info["key"],
        actor=_actor(request, content),
        content=content,
        version=version,
    )
    return _json(ticket_line(ticket))


@needs("read")
async def list_verbs(request: web.Request) -> web.StreamResponse:  # noqa: ARG001
    """What people may do to a ticket, with the fields that each verb reads."""
    return _json([{"verb": one.name, "fields": one.fields, "text": one.text} for one in VERBS.values()])


@needs("read")
async def explain_clocks(request: web.Request) -> web.StreamResponse:
    """Why each clock of a ticket is due when it is. Query: clock (one of them)."""
    key, name = request.match_info["key"], request.query.get("clock", "")
    number, stories = await explain_clock.explain_clocks(_desk(request), key, name)
    return _json({"number": number, "clocks": [explain_clock.story_as_plain(story) for story in stories]})


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
        web.get("/api/v1/tickets/{key}/clocks", explain_clocks),
        web.post("/api/v1/tickets/{key}/{verb}", move),
        web.get("/api/v1/verbs", list_verbs),
        web.get("/api/v1/quarantine", list_quarantine),
    ]
