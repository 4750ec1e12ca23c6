"""Drills by API, and the page on which a person confirms."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from aiohttp import web

from responder.domain.drill import Drill
from responder.errors import NotFound, Refused
from responder.flows.drill import confirm, order_drill
from responder.flows.link_holders import refuse_who_left
from responder.web.audited import by_link
from responder.web.bodies import actor_of, content_of, desk_of, json_answer
from responder.web.context import CONTEXT, needs
from responder.web.operations import LINK, operation
from responder.web.paging import before_in, cursor_of, limit_in, page_answer
from responder.web.readers import language_of, no_link
from responder.web.rendering import page
from responder.web.schemas import asked, duty
from responder.web.shapes import plain

_LARGEST_PAGE = 100


@needs("read")
@operation(query=asked.Listed, answers=duty.DrillPage, headers=LINK)
async def list_drills(request: web.Request) -> web.StreamResponse:
    """The drills that have begun, newest first, each with everybody's answer. Query: limit."""
    limit, before = limit_in(request.query, 10, _LARGEST_PAGE), before_in(request.query)
    found = await desk_of(request).store.read(lambda tx: tx.drills.listed(limit, before))
    following = cursor_of(found[-1].id) if len(found) == limit else None
    return page_answer(request, "drills", [drill_line(one) for one in found], following)


@needs("act")
@operation(body=asked.ActorBody, answers=duty.DrillLine)
async def start_drill(request: web.Request) -> web.StreamResponse:
    """Begins a drill now. Body: perhaps actor."""
    content = await content_of(request)
    return json_answer(drill_line(await order_drill(desk_of(request), actor_of(request, content))))


async def ask_to_confirm(request: web.Request) -> web.StreamResponse:
    """What the signed link opens: it asks, and changes nothing, since mail scanners follow links."""
    desk, person = request.app[CONTEXT].desk, ""
    try:
        claim = desk.links.read_drill(request.match_info["token"])
        person = claim.person
        await refuse_who_left(desk, person)
        drill = await desk.store.read(lambda tx: tx.drills.one(claim.drill_id))
    except (Refused, NotFound) as error:
        return page("message.html", status=403, **no_link(request, person), text=str(error))
    answer = drill.answer_of(claim.person)
    if answer is None:
        text = f"{claim.person} was not asked in drill {drill.id}."
        return page("message.html", status=403, **no_link(request), text=text)
    language, title = language_of(request, claim.person), ("Drill", str(drill.id))
    return page("drill.html", language=language, answer=answer, person=claim.person, title=title)


async def confirmed(request: web.Request) -> web.StreamResponse:
    """The confirmation itself."""
    desk, person = request.app[CONTEXT].desk, ""
    try:
        claim = desk.links.read_drill(request.match_info["token"])
        person = claim.person
        async with by_link(request, desk, person, f"drill {claim.drill_id}"):
            await refuse_who_left(desk, person)
            drill = await confirm(desk, claim)
    except (Refused, NotFound) as error:
        language = language_of(request, person)
        return page("message.html", status=409, language=language, title="Not confirmed", text=str(error))
    language = language_of(request, claim.person)
    late = " The drill was over by then." if drill.ended_at is not None else ""
    return page("message.html", language=language, title="Confirmed", text=f"Thank you, {claim.person}.{late}")


def drill_line(drill: Drill) -> dict[str, Any]:
    """A drill as the API answers it."""
    line: dict[str, Any] = plain(asdict(drill))
    return {**line, "silent": list(drill.silent)}


def routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/drills", list_drills),
        web.post("/api/v1/drills", start_drill),
        web.get("/drill/{token}", ask_to_confirm),
        web.post("/drill/{token}", confirmed),
    ]
