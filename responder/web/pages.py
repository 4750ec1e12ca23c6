"""Plain pages: the tickets, one ticket with its whole history, and the confirmation of an acknowledgement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Any

from aiohttp import web

from responder.errors import NotFound, Refused
from responder.flows import handle
from responder.flows.maintenance import in_maintenance_now
from responder.flows.switches import (
    known_scope,
    lenient_scope,
    switched_off,
    turn_off_automation,
    turn_on_automation,
)
from responder.store.transaction import Transaction
from responder.web.audited import by_link
from responder.web.bodies import actor_of, duration_in, name_in, text_in
from responder.web.context import CONTEXT, allowed_actor, needs
from responder.web.readers import language_of, no_link
from responder.web.rendering import page
from responder.web.shapes import shown_approval, whole_ticket

_HERE = Path(__file__).parent
_SHOWN = 200
_CLOSED_SHOWN = 30


@needs("read")
async def tickets(request: web.Request) -> web.StreamResponse:
    """Open tickets, the highest grade first, and the latest closed ones below; how many of each grade above."""
    desk = request.app[CONTEXT].desk

    now = desk.clock.now()

    def gather(tx: Transaction) -> dict[str, Any]:
        return {
            "tickets": [*tx.tickets.urgent_first(_SHOWN), *tx.tickets.lately_closed(_CLOSED_SHOWN)],
            "counts": tx.tickets.open_counts(),
            "off": switched_off(desk, tx),
            "maintenance": in_maintenance_now(tx, now),
        }

    found = await desk.store.read(gather)
    grades: Counter[str] = Counter()
    for grade, _, _, count in found.pop("counts"):
        grades[grade] += count
    return page("tickets.html", **found, grades=grades, most=_SHOWN, now=now, title="Tickets")


@needs("read")
async def ticket(request: web.Request) -> web.StreamResponse:
    """One ticket with everything that is known of it."""
    desk, key = request.app[CONTEXT].desk, request.match_info["key"]
    may_see, secrets = await allowed_actor(request, "act") is not None, desk.configuration.secrets

    def gather(tx: Transaction) -> dict[str, Any]:
        return _with_approvals(tx, whole_ticket(tx, key, may_see=may_see, policy=desk.policy), secrets)

    try:
        shown = await desk.store.read(gather)
    except NotFound as error:
        return page("message.html", status=404, title="Not found", text=str(error))
    return page("ticket.html", ticket=shown, now=desk.clock.now(), title=shown["number"])


async def confirm(request: web.Request) -> web.StreamResponse:
    """What a signed link opens: it asks, and changes nothing, since mail scanners follow links."""
    desk = request.app[CONTEXT].desk
    try:
        claim = desk.links.read_acknowledge(request.match_info["token"])
        found = await handle.read_ticket(desk, str(claim.ticket_id))
    except (Refused, NotFound) as error:
        return page("message.html", status=403, **no_link(request), text=str(error))
    language, title = language_of(request, claim.person), ("Acknowledge", found.number)
    return page("ack.html", language=language, ticket=found, person=claim.person, now=desk.clock.now(), title=title)


async def acknowledge(request: web.Request) -> web.StreamResponse:
    """The confirmation itself."""
    desk, person = request.app[CONTEXT].desk, ""
    try:
        claim = desk.links.read_acknowledge(request.match_info["token"])
        person = claim.person
        async with by_link(request, desk, person):
            found = await handle.acknowledge_by_link(desk, claim)
    except (Refused, NotFound) as error:
        return page(
            "message.html", status=409, language=language_of(request, person), title="Not acknowledged", text=str(error)
        )
    language = language_of(request, claim.person)
    text = f"{found.number} is yours, {claim.person}. Nobody else will be told about it."
    return page("message.html", language=language, title="Acknowledged", text=text, ticket=found.number)


@needs("act")
async def automation_off(request: web.Request) -> web.StreamResponse:
    """The form of the kill switch: everything, a runbook or a target, perhaps only for a while."""
    desk, form = request.app[CONTEXT].desk, dict(await request.post())
    try:
        scope = known_scope(desk.configuration, name_in(form, "runbook"), name_in(form, "target"))
        lasting, reason = duration_in(form, "for"), text_in(form, "reason")
    except (Refused, NotFound, web.HTTPUnprocessableEntity) as error:
        text = getattr(error, "text", None) or str(error)
        return page("message.html", status=422, title="Nothing was switched off", text=text)
    await turn_off_automation(desk, reason, actor_of(request, form), scope, lasting=lasting)
    return _back()


@needs("act")
async def automation_on(request: web.Request) -> web.StreamResponse:
    """The button beside a switch that is on."""
    desk, form = request.app[CONTEXT].desk, dict(await request.post())
    if not {"runbook", "target"} <= form.keys():
        return page("message.html", status=422, title="Nothing was switched on", text="The form is not whole.")
    await turn_on_automation(desk, lenient_scope(desk.configuration, name_in(form, "runbook"), name_in(form, "target")))
    return _back()


def routes() -> list[web.AbstractRouteDef]:
    return [
        web.get("/", tickets),
        web.get("/tickets/{key}", ticket),
        web.get("/ack/{token}", confirm),
        web.post("/ack/{token}", acknowledge),
        web.post("/automation/off", automation_off),
        web.post("/automation/on", automation_on),
        web.static("/static", _HERE / "static"),
    ]


def _with_approvals(tx: Transaction, ticket: dict[str, Any], secrets: Collection[str]) -> dict[str, Any]:
    """The ticket with what exactly would run for each question that waits."""
    asked = ticket["approvals"]
    shown = [shown_approval(tx, one["id"], secrets) if one["state"] == "waiting" else one for one in asked]
    return {**ticket, "approvals": shown}


def _back() -> web.Response:
    return web.Response(status=303, headers={"Location": "/"})
