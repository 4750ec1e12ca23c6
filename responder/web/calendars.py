"""The API of absences, and of calendars that come in as files and go out as feeds."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from responder.adapters.links import CalendarClaim
from responder.domain.rota import Override
from responder.errors import NotFound, Refused
from responder.flows.calendars import (
    Calendar,
    add_absence,
    feed_link,
    feed_of,
    import_absences,
    import_shifts,
    zones_of,
)
from responder.flows.desk import Desk
from responder.flows.duty import rota_of
from responder.flows.link_holders import refuse_who_left
from responder.flows.overrides import end_override
from responder.store.transaction import Transaction
from responder.web.bodies import actor_of, content_of, desk_of, json_answer, name_in, number_in, text_in
from responder.web.context import ACTOR, needs
from responder.web.duty_answers import outcome_answer, overrides_told
from responder.web.operations import PRESENT, Media, operation
from responder.web.rotas import instant_in, needed, only
from responder.web.schemas import asked, duty

_ABSENCES = "/api/v1/absences"
_CALENDAR = Media(type="text/calendar", text="A calendar (.ics).", is_text=True)


@needs("read")
@operation(answers=duty.Overrides, whole=PRESENT)
async def list_absences(request: web.Request) -> web.StreamResponse:
    """Who is away, now or later."""
    desk = desk_of(request)
    now = desk.clock.now()

    def gather(tx: Transaction) -> list[dict[str, Any]]:
        found = tx.overrides.since(now)
        return overrides_told(tx, [one for one in found if not one.person and one.holds_after(now)])

    return json_answer({"zone": desk.policy.zone.key, "overrides": await desk.store.read(gather)})


@needs("act")
@operation(body=duty.AbsenceBody, answers=duty.DutyChanged)
async def make_absence(request: web.Request) -> web.StreamResponse:
    """Somebody will be away.

    Body: person, until, reason, and perhaps from (now), actor. Times without an offset are of the zone of the person's
    rotas, or of the person's own if they are in none.
    """
    desk, content = desk_of(request), await content_of(request)
    only(content, "person", "from", "until", "reason", "actor")
    person, now = text_in(content, "person"), desk.clock.now()
    start = _instant(desk, content, "from", person) or now
    absence = Override(
        rota="",
        person="",
        instead_of=person,
        start=start,
        until=needed(_instant(desk, content, "until", person, after=start)),
        reason=text_in(content, "reason")[:500],
        actor=actor_of(request, content),
        made_at=now,
    )
    return outcome_answer(desk, _zone(desk, person), await add_absence(desk, absence))


@needs("act")
@operation(body=asked.ActorBody, answers=duty.DutyChanged)
async def end_absence(request: web.Request) -> web.StreamResponse:
    """Somebody is back, or will not be away."""
    desk, content = desk_of(request), await content_of(request)
    number = number_in(request.match_info["id"], 0)
    ended = await end_override(desk, "", number, actor_of(request, content))
    return outcome_answer(desk, _zone(desk, ended.overrides[0].instead_of), ended)


@needs("act")
@operation(query=duty.CalendarQuery, body=_CALENDAR, answers=duty.DutyChanged)
async def put_absences(request: web.Request) -> web.StreamResponse:
    """Takes absences from a calendar.

    Body: a calendar (.ics); each event is a time in which the person is away. Query: source, actor.
    """
    desk, person = desk_of(request), request.match_info["person"]
    made = await import_absences(desk, person, await _calendar(request))
    return outcome_answer(desk, _zone(desk, person), made)


@needs("act")
@operation(query=duty.CalendarQuery, body=_CALENDAR, answers=duty.DutyChanged)
async def put_shifts(request: web.Request) -> web.StreamResponse:
    """Takes shifts from a calendar. Body: a calendar (.ics); each event names who is on call. Query: source, actor."""
    desk = desk_of(request)
    rota = rota_of(desk, request.match_info["name"])
    found = await import_shifts(desk, rota.name, await _calendar(request))
    return outcome_answer(desk, rota.zone, found)


@needs("act")
@operation(query=duty.FeedQuery, answers=duty.Url)
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
    if claim.person:
        await _refuse_who_left(desk, claim.person)
    body = await feed_of(desk, claim)
    headers = {"Content-Type": "text/calendar; charset=utf-8", "Cache-Control": "private, max-age=300"}
    return web.Response(body=body, headers=headers)


async def _refuse_who_left(desk: Desk, person: str) -> None:
    """Raises NotFound: calendar programs understand no more."""
    try:
        await refuse_who_left(desk, person)
    except Refused as error:
        raise NotFound(f"There is no calendar here any more. {error}") from error


def routes() -> list[web.RouteDef]:
    return [
        web.get(_ABSENCES, list_absences),
        web.post(_ABSENCES, make_absence),
        web.delete(_ABSENCES + r"/{id:\d+}", end_absence),
        # No number: those are absences.
        web.put(_ABSENCES + r"/{person:[^/]*[^/\d][^/]*}", put_absences),
        web.put("/api/v1/rotas/{name}/calendar", put_shifts),
        web.get("/api/v1/calendar-feeds", show_feed),
        web.get("/calendars/{token}.ics", calendar),
    ]


async def _calendar(request: web.Request) -> Calendar:
    only(request.query, "source", "actor")
    actor = actor_of(request, {"actor": request.query.get("actor", request[ACTOR])})
    return Calendar(content=await request.read(), source=(name_in(request.query, "source") or "file")[:80], actor=actor)


def _instant(
    desk: Desk, content: dict[str, Any], name: str, person: str, *, after: datetime | None = None
) -> datetime | None:
    """The instant given. Raises HTTPUnprocessableEntity for a time without an offset that is another instant in each
    zone of the person's rotas."""
    now = desk.clock.now()
    readings = {zone.key: instant_in(content, name, zone, now, after=after) for zone in zones_of(desk, person)}
    first = next(iter(readings.values()))
    if all(at == first for at in readings.values()):
        return first
    told = ", ".join(f"{at:%Y-%m-%d %H:%M} UTC in {zone}" for zone, at in readings.items() if at)
    why = f"{person} is in rotas of all these zones; write it with an offset"
    raise web.HTTPUnprocessableEntity(text=f"“{name}”: {content[name]} is {told}, and {why}.")


def _zone(desk: Desk, person: str) -> ZoneInfo:
    """The zone in which a person's absences are shown."""
    return zones_of(desk, person)[0]
