"""The API of rotas: who is on call, when, why, and what people change of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from responder.config.rotas import as_instant
from responder.domain.oncall import Tier
from responder.domain.rota import Override, Rota, Shift
from responder.domain.spoken_times import written_out
from responder.flows.desk import Desk
from responder.flows.duty import Duty, on_duty, rota_of, shifts_of
from responder.flows.lost_overrides import lost_overrides
from responder.flows.overrides import Half, add_override, end_override, swap
from responder.store.transaction import Transaction
from responder.web.bodies import actor_of, content_of, desk_of, json_answer, name_in, number_in, text_in
from responder.web.context import needs
from responder.web.duty_answers import outcome_answer, override_line, overrides_told
from responder.web.operations import CONFIGURED, LINK, PRESENT, operation
from responder.web.paging import cursor_of, limit_in, page_answer, place_in
from responder.web.schemas import asked
from responder.web.schemas import duty as schemas
from responder.web.shapes import plain

_SHOWN = timedelta(days=28)
_LARGEST_PAGE = 1000


@needs("read")
@operation(query=schemas.OnCallQuery, answers=schemas.OnCall, whole=CONFIGURED)
async def show_on_call(request: web.Request) -> web.StreamResponse:
    """Who is on call in every tier. Query: at (an instant, now if it is not given), team."""
    desk = desk_of(request)
    at = instant_in(request.query, "at", desk.policy.zone, desk.clock.now()) or desk.clock.now()
    teams, asked = desk.configuration.tiers, request.query.get("team", "")
    if asked and asked not in teams:
        raise web.HTTPNotFound(text=f"There is no team {asked[:80]}; there are {', '.join(teams)}.")

    def gather(tx: Transaction) -> list[dict[str, Any]]:
        return [
            {"team": name, "tiers": [_tier(desk, tx, tier, at) for tier in tiers]}
            for name, tiers in teams.items()
            if asked in ("", name)
        ]

    return json_answer({"at": plain(at), "zone": desk.policy.zone.key, "teams": await desk.store.read(gather)})


@needs("read")
@operation(answers=schemas.Rotas, whole=CONFIGURED)
async def list_rotas(request: web.Request) -> web.StreamResponse:
    """Every rota with who is on call now."""
    desk = desk_of(request)

    def gather(tx: Transaction) -> list[dict[str, Any]]:
        now, rotas = desk.clock.now(), desk.configuration.rotas
        return [{**_about(rota), **_duty(on_duty(desk, tx, name, now))} for name, rota in rotas.items()]

    return json_answer({"rotas": await desk.store.read(gather)})


@needs("read")
@operation(query=schemas.ShiftQuery, answers=schemas.RotaShown, whole="The shifts of the time that is asked for.")
async def show_rota(request: web.Request) -> web.StreamResponse:
    """The shifts of a rota, those without anybody too. Query: from (now), until (four weeks later)."""
    desk = desk_of(request)
    rota = rota_of(desk, request.match_info["name"])
    now = desk.clock.now()
    start = instant_in(request.query, "from", rota.zone, now) or now
    until = instant_in(request.query, "until", rota.zone, now, after=start) or start + _SHOWN
    found = await desk.store.read(lambda tx: shifts_of(desk, tx, rota.name, start, until))
    gaps = [{"start": plain(one.start), "until": plain(one.until)} for one in found if not one.people]
    return json_answer({**_about(rota), "shifts": [_shift(one) for one in found], "gaps": gaps})


@needs("read")
@operation(query=schemas.OverrideQuery, answers=schemas.OverridePage, headers=LINK)
async def list_overrides(request: web.Request) -> web.StreamResponse:
    """The overrides of a rota that hold or will hold. Query: since (an instant), for older ones too; limit."""
    desk = desk_of(request)
    rota = rota_of(desk, request.match_info["name"])
    now = desk.clock.now()
    since = instant_in(request.query, "since", rota.zone, now) or now
    limit, after = limit_in(request.query, 200, _LARGEST_PAGE), place_in(request.query) or [0]

    def gather(tx: Transaction) -> tuple[list[dict[str, Any]], str | None]:
        found = tx.overrides.page(since, rota.name, after=after[0], limit=limit)
        following = cursor_of(found[-1].id) if len(found) == limit else None
        return overrides_told(tx, [one for one in found if one.holds_after(since)]), following

    lines, following = await desk.store.read(gather)
    return page_answer(request, "overrides", lines, following, zone=rota.zone.key)


@needs("read")
@operation(answers=schemas.LostOverrides, whole=PRESENT)
async def list_lost_overrides(request: web.Request) -> web.StreamResponse:
    """The overrides of rotas and people that the files do not know any more, each with why it counts no longer."""
    desk = desk_of(request)
    found = await desk.store.read(lambda tx: lost_overrides(desk, tx))
    lines = [{**override_line(one.override), "why": one.why} for one in found]
    return json_answer({"zone": desk.policy.zone.key, "overrides": lines})


@needs("act")
@operation(body=schemas.OverrideBody, answers=schemas.DutyChanged)
async def make_override(request: web.Request) -> web.StreamResponse:
    """Puts somebody on call for a while.

    Body: person, until, reason, and perhaps from (now), instead_of (everybody), actor.
    """
    desk, content = desk_of(request), await content_of(request)
    only(content, "person", "instead_of", "from", "until", "reason", "actor")
    rota, now = rota_of(desk, request.match_info["name"]), desk.clock.now()
    start = instant_in(content, "from", rota.zone, now) or now
    wanted = Override(
        rota=rota.name,
        person=text_in(content, "person"),
        instead_of=name_in(content, "instead_of"),
        start=start,
        until=needed(instant_in(content, "until", rota.zone, now, after=start)),
        reason=text_in(content, "reason"),
        actor=actor_of(request, content),
        made_at=now,
    )
    return outcome_answer(desk, rota.zone, await add_override(desk, wanted))


@needs("act")
@operation(body=asked.ActorBody, answers=schemas.DutyChanged)
async def finish_override(request: web.Request) -> web.StreamResponse:
    """Ends an override, and the other half of a swap; also of a rota that the files do not know any more."""
    desk, content = desk_of(request), await content_of(request)
    name, number = request.match_info["name"], number_in(request.match_info["id"], 0)
    rota = desk.configuration.rotas.get(name)
    ended = await end_override(desk, name, number, actor_of(request, content))
    return outcome_answer(desk, rota.zone if rota else desk.policy.zone, ended)


@needs("act")
@operation(body=schemas.SwapBody, answers=schemas.DutyChanged)
async def make_swap(request: web.Request) -> web.StreamResponse:
    """Swaps the shifts of two people.

    Body: first and second (people), reason, and perhaps first_at, second_at (an instant in the shift that each of them
    gives away; the next one if it is not given), actor.
    """
    desk, content = desk_of(request), await content_of(request)
    only(content, "first", "second", "first_at", "second_at", "reason", "actor")
    rota = rota_of(desk, request.match_info["name"])
    first, second = (
        Half(person=text_in(content, name), at=instant_in(content, f"{name}_at", rota.zone, desk.clock.now()))
        for name in ("first", "second")
    )
    actor, reason = actor_of(request, content), text_in(content, "reason")
    made = await swap(desk, rota.name, (first, second), actor=actor, reason=reason)
    return outcome_answer(desk, rota.zone, made)


def routes() -> list[web.RouteDef]:
    one = "/api/v1/rotas/{name}"
    return [
        web.get("/api/v1/on-call", show_on_call),
        web.get("/api/v1/rotas", list_rotas),
        web.get("/api/v1/lost-overrides", list_lost_overrides),
        web.get(one, show_rota),
        web.get(f"{one}/overrides", list_overrides),
        web.post(f"{one}/overrides", make_override),
        web.delete(one + r"/overrides/{id:\d+}", finish_override),
        web.post(f"{one}/swaps", make_swap),
    ]


def _about(rota: Rota) -> dict[str, Any]:
    return {"rota": rota.name, "zone": rota.zone.key, "may_be_empty": rota.may_be_empty}


def _duty(duty: Duty) -> dict[str, Any]:
    return {
        "people": list(duty.people),
        "since": plain(duty.since),
        "until": plain(duty.until),
        "why": duty.why,
    }


def _shift(shift: Shift) -> dict[str, Any]:
    return {
        "start": plain(shift.start),
        "until": plain(shift.until),
        "people": list(shift.people),
        "layer": shift.layer,
        "turn": shift.turn,
        "overrides": [one.id for one in shift.overrides],
        "why": shift.why,
    }


def _tier(desk: Desk, tx: Transaction, tier: Tier, at: datetime) -> dict[str, Any]:
    if tier.rota:
        return {"tier": tier.number, "rota": tier.rota, **_duty(on_duty(desk, tx, tier.rota, at))}
    people, why = list(tier.people), "by name; the first one who has a channel is called"
    return {"tier": tier.number, "rota": "", "people": people, "since": None, "until": None, "why": why}


def instant_in(
    given: Mapping[str, Any], name: str, zone: ZoneInfo, now: datetime, *, after: datetime | None = None
) -> datetime | None:
    """The instant given, in the zone if it has no offset, or as people say it (`tomorrow 09:00`); `after` is the begin
    of what ends then. Raises HTTPUnprocessableEntity for what is none."""
    text = given.get(name)
    if text is None or text == "":
        return None
    try:
        # In a query an unescaped plus is a blank.
        text = text.replace(" ", "+") if _has_blank_offset(text) else text
        return as_instant(written_out(text, zone, now, after), zone)
    except (ValueError, AttributeError, TypeError) as error:
        said = str(error) if isinstance(error, ValueError) else "it is no text"
        raise web.HTTPUnprocessableEntity(text=f"“{name}”: {said}.") from error


def _has_blank_offset(text: str) -> bool:
    """Whether the last blank stands where an offset's plus would, as in `2026-01-05T09:00 01:00`."""
    before, blank, after = text.rpartition(" ")
    return bool(blank) and "T" in before and ":" in after


def needed(until: datetime | None) -> datetime:
    """The end. Raises HTTPUnprocessableEntity where it is left out."""
    if until is None:
        raise web.HTTPUnprocessableEntity(text="“until” is missing: when it ends, such as 2026-01-05T09:00.")
    return until


def only(given: Mapping[str, Any], *known: str) -> None:
    """Raises HTTPUnprocessableEntity for a word that is not known."""
    if unknown := sorted(set(given) - set(known)):
        raise web.HTTPUnprocessableEntity(text=f"“{unknown[0][:100]}” is not known here; there are {', '.join(known)}.")
