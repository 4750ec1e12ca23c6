"""The API of absences, and of calendars that come in as files and go out as feeds."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from responder.adapters.links import CalendarClaim
from responder.domain.rota import Override
from responder.errors import NotFound
from responder.flows.calendars import Calendar, add_absence, feed_link, feed_of, import_absences, import_shifts
from responder.flows.duty import rota_of
from responder.flows.overrides import end_override
from responder.web.bodies import actor_of, content_of, desk_of, json_answer, name_in, number_in, text_in
from responder.web.context import ACTOR, needs
from responder.web.rotas import instant_in, needed, only, override_line

_ABSENCES = "/api/v1/absences"


@needs("read")
async def list_absences(request: web.Request) -> web.StreamResponse:
    """Who is away, now or later."""
    desk = desk_of(request)
    now = desk.clock.now()
    found = await desk.store.read(lambda tx: tx.overrides.since(now))
    return _absences([one for one in found if not one.person and one.holds_after(now)])


@needs("act")
async def make_absence(request: web.Request) -> web.StreamResponse:
    """Body: person, until, reason, and perhaps from (now), actor. In times without an offset, the policy's zone."""
    desk, content = desk_of(request), await content_of(request)
    only(content, "person", "from", "until", "reason", "actor")
    zone, now = desk.policy.zone, desk.clock.now()
    absence = Override(
        rota="",
        person="",
        instead_of=text_in(content, "person"),
        start=instant_in(content, "from", zone) or now,
        until=needed(instant_in(content, "until", zone)),
        reason=text_in(content, "reason")[:500],
        actor=actor_of(request, content),
        made_at=now,
    )
    return _absences([await add_absence(desk, absence)])


@needs("act")
async def end_absence(request: web.Request) -> web.StreamResponse:
    """Somebody is back, or will not be away."""
    content = await content_of(request)
    number = number_in(request.match_info["id"], 0)
    return _absences(await end_override(desk_of(request), "", number, actor_of(request, content)))


@needs("act")
async def put_absences(request: web.Request) -> web.StreamResponse:
    """Body: a calendar (.ics); each event is a time in which the person is away. Query: source, actor."""
    person = request.match_info["person"]
    return _absences(await import_absences(desk_of(request), person, await _calendar(request)))


@needs("act")
async def put_shifts(request: web.Request) -> web.StreamResponse:
    """Body: a calendar (.ics); each event names who is on call. Query: source, actor."""
    desk = desk_of(request)
    rota = rota_of(desk, request.match_info["name"])
    found = await import_shifts(desk, rota.name, await _calendar(request))
    return json_answer({"zone": rota.zone.key, "overrides": [override_line(one) for one in found]})


@needs("act")
async def show_feed(request: web.Request) -> web.StreamResponse:
    """The address of a feed. Query: rota or person. Whoever has it can read the shifts, so it is told to those who may
    act."""
    rota, person = name_in(request.query, "rota"), name_in(request.query, "person")
    if bool(rota) == bool(person):
        raise web.HTTPUnprocessableEntity(text="Name either a rota or a person.")
    return json_answer({"url": feed_link(desk_of(request), CalendarClaim(rota=rota, person=person))})


async def calendar(request: web.Request) -> web.StreamResponse:
    """The feed itself: its link is the credential."""
    desk = desk_of(request)
    claim = desk.links.read_calendar(request.match_info["token"])
    if claim.person and claim.person not in desk.configuration.people:
        raise NotFound("There is nobody of this name any more.")
    body = await feed_of(desk, claim)
    headers = {"Content-Type": "text/calendar; charset=utf-8", "Cache-Control": "private, max-age=300"}
    return web.Response(body=body, headers=headers)


def routes() -> list[web.RouteDef]:
    return [
        web.get(_ABSENCES, list_absences),
        web.post(_ABSENCES, make_absence),
        web.delete(_ABSENCES + r"/{id:\d+}", end_absence),
        web.put(_ABSENCES + "/{person}", put_absences),
        web.put("/api/v1/rotas/{name}/calendar", put_shifts),
        web.get("/api/v1/calendar-feeds", show_feed),
        web.get("/calendars/{token}.ics", calendar),
    ]


async def _calendar(request: web.Request) -> Calendar:
    only(request.query, "source", "actor")
    actor = actor_of(request, {"actor": request.query.get("actor", request[ACTOR])})
    return Calendar(content=await request.read(), source=(name_in(request.query, "source") or "file")[:80], actor=actor)


def _absences(found: list[Override]) -> web.Response:
    lines: list[dict[str, Any]] = [override_line(one) for one in found]
    return json_answer({"zone": "UTC", "overrides": lines})
