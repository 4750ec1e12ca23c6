"""The forms of the kill switch, on the page Now and on a page of their own."""

from __future__ import annotations

from aiohttp import web

from responder.errors import NotFound, Refused
from responder.flows.switches import known_scope, lenient_scope, turn_off_automation, turn_on_automation
from responder.web.bodies import actor_of, desk_of, duration_in, name_in, text_in
from responder.web.console import console_page
from responder.web.context import needs
from responder.web.tried import Tried, refused, typed_in

_OFF = "/automation/off"


@needs("act")
async def off_page(request: web.Request) -> web.StreamResponse:
    """The form alone; the address may fill it in."""
    return await _shown(request, Tried(form="off", typed=typed_in(request.query)))


@needs("act")
async def switch_off(request: web.Request) -> web.StreamResponse:
    """The form of the kill switch: everything, a runbook or a target, perhaps only for a while."""
    desk, form = desk_of(request), dict(await request.post())
    try:
        scope = known_scope(desk.configuration, name_in(form, "runbook"), name_in(form, "target"))
        lasting, reason = duration_in(form, "for"), text_in(form, "reason")
        actor = actor_of(request, form)
    except (Refused, NotFound, web.HTTPUnprocessableEntity, web.HTTPForbidden) as error:
        place = "runbook" if form.get("runbook") else "target"
        return await _shown(request, refused("off", error, form, place=place))
    await turn_off_automation(desk, reason, actor, scope, lasting=lasting)
    return _back()


@needs("act")
async def switch_on(request: web.Request) -> web.StreamResponse:
    """The button beside a switch that is on."""
    desk, form = desk_of(request), dict(await request.post())
    if not {"runbook", "target"} <= form.keys():
        title, text = "Nothing was switched on", "The form is not whole."
        return await console_page(request, "problem.html", status=422, title=title, refusal=text, text=text)
    await turn_on_automation(desk, lenient_scope(desk.configuration, name_in(form, "runbook"), name_in(form, "target")))
    return _back()


def routes() -> list[web.RouteDef]:
    return [web.get(_OFF, off_page), web.post(_OFF, switch_off), web.post("/automation/on", switch_on)]


async def _shown(request: web.Request, tried: Tried) -> web.Response:
    title = "Nothing was switched off" if tried.why else "Switch automation off"
    return await console_page(
        request, "automation.html", status=tried.status, refusal=tried.why, title=title, tried=tried
    )


def _back() -> web.Response:
    return web.Response(status=303, headers={"Location": "/"})
