"""What the forms of the page On call do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from zoneinfo import ZoneInfo

from aiohttp import web

from responder.errors import BadForm, NotFound, Refused
from responder.flows.calendars import add_absence
from responder.flows.desk import Desk
from responder.flows.duty_news import Outcome
from responder.flows.overrides import add_override, end_override, swap
from responder.web.bodies import actor_of, desk_of, name_in, number_in, text_in
from responder.web.console import visitor_of
from responder.web.context import needs
from responder.web.duty_forms import absence_in, halves_in, override_in
from responder.web.on_call import shown
from responder.web.tried import refused

_Act = Callable[[Desk, Mapping[str, str], ZoneInfo, str], Awaitable[Outcome]]


@needs("act")
async def make_override(request: web.Request) -> web.StreamResponse:
    """The form that puts somebody on call for a while."""

    async def act(desk: Desk, typed: Mapping[str, str], zone: ZoneInfo, actor: str) -> Outcome:
        return await add_override(desk, override_in(desk, typed, zone, actor))

    return await _done(request, "override", act)


@needs("act")
async def make_swap(request: web.Request) -> web.StreamResponse:
    """The form by which two people exchange their shifts."""

    async def act(desk: Desk, typed: Mapping[str, str], zone: ZoneInfo, actor: str) -> Outcome:
        rota, halves = text_in(dict(typed), "rota"), halves_in(desk, typed, zone)
        return await swap(desk, rota, halves, actor=actor, reason=text_in(dict(typed), "reason"))

    return await _done(request, "swap", act)


@needs("act")
async def make_absence(request: web.Request) -> web.StreamResponse:
    """The form that says when somebody is away."""

    async def act(desk: Desk, typed: Mapping[str, str], zone: ZoneInfo, actor: str) -> Outcome:
        return await add_absence(desk, absence_in(desk, typed, zone, actor))

    return await _done(request, "absence", act)


@needs("act")
async def end(request: web.Request) -> web.StreamResponse:
    """The button beside an override or an absence; the other half of a swap ends with it."""
    number = number_in(request.match_info["id"], 0)

    async def act(desk: Desk, typed: Mapping[str, str], _zone: ZoneInfo, actor: str) -> Outcome:
        return await end_override(desk, name_in(typed, "rota"), number, actor)

    return await _done(request, "end", act)


def routes() -> list[web.RouteDef]:
    return [
        web.post("/on-call/overrides", make_override),
        web.post(r"/on-call/overrides/{id:\d+}/end", end),
        web.post("/on-call/swaps", make_swap),
        web.post("/on-call/absences", make_absence),
    ]


async def _done(request: web.Request, form: str, act: _Act) -> web.Response:
    """What was refused comes back with the page of now and what was typed; what was done leads to it."""
    given, visitor = await request.post(), await visitor_of(request)
    typed = {name: value for name, value in given.items() if isinstance(value, str)}
    try:
        made = await act(desk_of(request), typed, ZoneInfo(visitor.zone), actor_of(request, dict(typed)))
    except (Refused, NotFound, BadForm, web.HTTPUnprocessableEntity) as error:
        place = "rota" if isinstance(error, NotFound) and form != "end" else ""
        return await shown(request, refused(form, error, typed, place=place))
    done = f"{form}-gap" if made.gaps else form
    return web.Response(status=303, headers={"Location": f"/on-call?done={done}#overrides"})
