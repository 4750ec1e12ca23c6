"""What a signed link opens to acknowledge, the forms of the kill switch, and what is served as it is."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from responder.adapters.links import AckClaim
from responder.domain.ticket import Ticket
from responder.errors import LinkUsed, NotFound, Refused
from responder.flows import handle
from responder.flows.desk import Desk
from responder.flows.switches import (
    known_scope,
    lenient_scope,
    turn_off_automation,
    turn_on_automation,
)
from responder.web.audited import by_link_once, link_is_used
from responder.web.bodies import actor_of, duration_in, name_in, text_in
from responder.web.console import console_page
from responder.web.context import CONTEXT, needs
from responder.web.readers import language_of, no_link
from responder.web.rendering import page

_HERE = Path(__file__).parent


async def confirm(request: web.Request) -> web.StreamResponse:
    """What a signed link opens: it asks, and changes nothing, since mail scanners follow links."""
    desk = request.app[CONTEXT].desk
    try:
        claim = desk.links.read_acknowledge(request.match_info["token"])
        found = await handle.read_ticket(desk, str(claim.ticket_id))
    except (Refused, NotFound) as error:
        return page("message.html", status=403, **no_link(request), text=str(error))
    language, title = language_of(request, claim.person), ("Acknowledge", found.number)
    used, now = await link_is_used(request, desk), desk.clock.now()
    return page("ack.html", language=language, ticket=found, person=claim.person, is_used=used, now=now, title=title)


async def acknowledge(request: web.Request) -> web.StreamResponse:
    """The confirmation itself."""
    desk, person = request.app[CONTEXT].desk, ""
    try:
        claim = desk.links.read_acknowledge(request.match_info["token"])
        person = claim.person
        found = await _by_link(request, desk, claim)
    except (Refused, NotFound) as error:
        return page(
            "message.html", status=409, language=language_of(request, person), title="Not acknowledged", text=str(error)
        )
    language = language_of(request, claim.person)
    text = f"{found.number} is yours, {claim.person}. Nobody else will be told about it."
    return page("message.html", language=language, title="Acknowledged", text=text, ticket=found.number)


async def _by_link(request: web.Request, desk: Desk, claim: AckClaim) -> Ticket:
    """Who presses twice is told the same twice; anybody else, that the link is used up. Raises Refused, NotFound."""
    try:
        async with by_link_once(request, desk, claim.person, claim.ticket_id):
            return await handle.acknowledge_by_link(desk, claim)
    except LinkUsed:
        found = await handle.read_ticket(desk, str(claim.ticket_id))
        if found.acknowledged_by == claim.person:
            return found
        raise


@needs("act")
async def automation_off(request: web.Request) -> web.StreamResponse:
    """The form of the kill switch: everything, a runbook or a target, perhaps only for a while."""
    desk, form = request.app[CONTEXT].desk, dict(await request.post())
    try:
        scope = known_scope(desk.configuration, name_in(form, "runbook"), name_in(form, "target"))
        lasting, reason = duration_in(form, "for"), text_in(form, "reason")
    except (Refused, NotFound, web.HTTPUnprocessableEntity) as error:
        text = getattr(error, "text", None) or str(error)
        return await _nothing_done(request, "Nothing was switched off", text)
    await turn_off_automation(desk, reason, actor_of(request, form), scope, lasting=lasting)
    return _back()


@needs("act")
async def automation_on(request: web.Request) -> web.StreamResponse:
    """The button beside a switch that is on."""
    desk, form = request.app[CONTEXT].desk, dict(await request.post())
    if not {"runbook", "target"} <= form.keys():
        return await _nothing_done(request, "Nothing was switched on", "The form is not whole.")
    await turn_on_automation(desk, lenient_scope(desk.configuration, name_in(form, "runbook"), name_in(form, "target")))
    return _back()


async def _nothing_done(request: web.Request, title: str, text: str) -> web.Response:
    return await console_page(request, "problem.html", status=422, title=title, refusal=text, text=text)


def routes() -> list[web.AbstractRouteDef]:
    return [
        web.get("/ack/{token}", confirm),
        web.post("/ack/{token}", acknowledge),
        web.post("/automation/off", automation_off),
        web.post("/automation/on", automation_on),
        web.static("/static", _HERE / "static"),
    ]


def _back() -> web.Response:
    return web.Response(status=303, headers={"Location": "/"})
