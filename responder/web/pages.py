"""What a signed link opens to acknowledge, and what is served as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aiohttp import web

from responder.adapters.links import AckClaim
from responder.domain.approval import ApprovalKind
from responder.domain.ticket import Ticket
from responder.errors import LinkUsed, NotFound, Refused
from responder.flows import handle
from responder.flows.desk import Desk
from responder.flows.link_holders import refuse_who_left
from responder.store.transaction import Transaction
from responder.web.audited import by_link_once, link_is_used, ticket_of_link
from responder.web.context import CONTEXT
from responder.web.readers import language_of, no_link
from responder.web.rendering import page

_HERE = Path(__file__).parent


async def confirm(request: web.Request) -> web.StreamResponse:
    """What a signed link opens: it asks, and changes nothing, since mail scanners follow links."""
    desk, person = request.app[CONTEXT].desk, ""
    try:
        claim = desk.links.read_acknowledge(request.match_info["token"])
        person = claim.person
        await refuse_who_left(desk, person)
        found = await handle.read_ticket(desk, str(claim.ticket_id))
    except (Refused, NotFound) as error:
        return page("message.html", status=403, **no_link(request, person), text=str(error))
    language, title = language_of(request, claim.person), ("Acknowledge", found.number)
    content: dict[str, Any] = {
        "ticket": found,
        "person": claim.person,
        "is_used": await link_is_used(request, desk),
        "ends": await desk.store.read(lambda tx: _ends(tx, found)),
        "now": desk.clock.now(),
    }
    return page("ack.html", language=language, title=title, **content)


def _ends(tx: Transaction, ticket: Ticket) -> list[str]:
    """What others are asked about a run: whoever takes the ticket ends that, as its page says, too."""
    asked = tx.approvals.of_ticket(ticket.id)
    return [one.question for one in asked if one.is_waiting and one.kind is ApprovalKind.RUN]


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
        async with by_link_once(request, desk, claim.person, await ticket_of_link(desk, claim.ticket_id)):
            return await handle.acknowledge_by_link(desk, claim)
    except LinkUsed:
        found = await handle.read_ticket(desk, str(claim.ticket_id))
        if found.acknowledged_by == claim.person:
            return found
        raise


async def favicon(_request: web.Request) -> web.StreamResponse:
    """Where browsers look that show no page of ours, but a text."""
    headers = {"Location": "/static/favicon.svg", "Cache-Control": "max-age=86400"}
    return web.Response(status=308, headers=headers)


def routes() -> list[web.AbstractRouteDef]:
    return [
        web.get("/ack/{token}", confirm),
        web.post("/ack/{token}", acknowledge),
        web.get("/favicon.ico", favicon),
        web.static("/static", _HERE / "static"),
    ]
