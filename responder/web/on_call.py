"""The page On call: who is called now, the calendar of each rota, and the forms that change it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from responder.adapters.links import CalendarClaim
from responder.domain.duty_calendar import Day, days, first_instant, weeks
from responder.domain.lost_overrides import that_count
from responder.domain.rota import Override, Rota, Shift, shifts
from responder.errors import BadForm, NotFound, Refused
from responder.flows.calendars import feed_link
from responder.flows.desk import Desk
from responder.flows.duty import on_duty
from responder.flows.override_preview import Preview, preview
from responder.store.transaction import Transaction
from responder.web.bodies import desk_of
from responder.web.console import console_page, visitor_of
from responder.web.context import needs
from responder.web.duty_forms import override_in
from responder.web.tried import Tried, refused

_WEEKS = (2, 4)
_MOST_OVERRIDES = 200
_FARTHEST = timedelta(days=1000)
_NO_DAY = "“day” is a day such as 2026-01-31, at most 1000 days away; the calendar begins today."
_FIELDS = ("rota", "person", "instead_of", "from", "until", "reason", "first", "second", "first_at", "second_at")


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One rota in the calendar: which tiers call it, its days in weeks, and the times without anybody."""

    rota: Rota
    tiers: tuple[str, ...]
    weeks: list[Sequence[Day]]
    gaps: tuple[Shift, ...]


@needs("read")
async def on_call_page(request: web.Request) -> web.StreamResponse:
    """Who is on call, now and in the next weeks. A query with a person and an end shows what that would change."""
    query = request.query
    typed = {name: query[name][:500] for name in _FIELDS if name in query}
    if "person" not in query or "rota" not in query:
        return await shown(request, Tried(form="override", typed=typed))
    visitor, desk = await visitor_of(request), desk_of(request)
    try:
        wanted = override_in(desk, typed, ZoneInfo(visitor.zone), visitor.name)
        found = await desk.store.read(lambda tx: preview(desk, tx, wanted))
    except (Refused, NotFound, BadForm, web.HTTPUnprocessableEntity) as error:
        return await shown(
            request, refused("override", error, typed, place="rota" if isinstance(error, NotFound) else "")
        )
    return await shown(request, Tried(form="override", why=found.why_not, typed=typed), found)


def routes() -> list[web.RouteDef]:
    return [web.get("/on-call", on_call_page)]


async def shown(request: web.Request, tried: Tried, found: Preview | None = None) -> web.Response:
    """The page, with what somebody tried."""
    desk, visitor = desk_of(request), await visitor_of(request)
    zone, now = ZoneInfo(visitor.zone), desk.clock.now()
    count, today = _weeks(request.query), now.astimezone(zone).date()
    first = _first(request.query, today)
    content = await desk.store.read(lambda tx: _gather(desk, tx, (first, count * 7), zone))
    own = (
        CalendarClaim(person=visitor.name) if visitor.is_person and visitor.name in desk.configuration.people else None
    )
    return await console_page(
        request,
        "on_call.html",
        status=tried.status,
        refusal=tried.why,
        title="On call",
        tried=tried,
        preview=found if found and not found.why_not else None,
        count=count,
        first=first,
        today=today,
        earlier=first - timedelta(days=7 * count),
        later=first + timedelta(days=7 * count),
        local=lambda at: f"{at.astimezone(zone):%Y-%m-%dT%H:%M}",
        hour=lambda at: f"{at.astimezone(zone):%H:%M}",
        weekday=lambda at: f"{at.astimezone(zone):%a}",
        stamp=lambda at: f"{at.astimezone(zone):%Y-%m-%d %H:%M}",
        people=sorted(desk.configuration.people),
        feed=feed_link(desk, own) if own else "",
        done=request.query.get("done", ""),
        notes=[_NO_DAY] if request.query.get("day", str(first)) != str(first) else [],
        **content,
    )


def _weeks(query: Mapping[str, str]) -> int:
    return next((one for one in _WEEKS if query.get("weeks") == str(one)), _WEEKS[0])


def _first(query: Mapping[str, str], today: date) -> date:
    """The first day that is shown; a day that is none, or far away, is today."""
    try:
        found = date.fromisoformat(query.get("day", ""))
    except ValueError:
        return today
    return found if abs(found - today) <= _FARTHEST else today


# --- what is shown -----------------------------------------------------------------------------------


def _gather(desk: Desk, tx: Transaction, span: tuple[date, int], zone: ZoneInfo) -> dict[str, Any]:
    now, configuration = desk.clock.now(), desk.configuration
    start = first_instant(span[0], zone)
    overrides = tx.overrides.since(min(start, now))
    held = [one for one in overrides if one.holds_after(now)]
    lines = list(_lines(desk, that_count(overrides, configuration.people), span, zone))
    return {
        "teams": list(_teams(desk, tx, now)),
        "lines": lines,
        "gaps": [(line.rota.name, gap) for line in lines for gap in line.gaps],
        "overrides": [one for one in held if one.person][:_MOST_OVERRIDES],
        "absences": [one for one in held if not one.person][:_MOST_OVERRIDES],
        "rotas": list(configuration.rotas),
    }


def _teams(desk: Desk, tx: Transaction, now: datetime) -> Iterator[dict[str, Any]]:
    for team, tiers in desk.configuration.tiers.items():
        for tier in tiers:
            duty = on_duty(desk, tx, tier.rota, now) if tier.rota in desk.configuration.rotas else None
            yield {
                "team": team,
                "tier": tier.number,
                "rota": tier.rota,
                "people": duty.people if duty else tier.people,
                "since": duty.since if duty else None,
                "until": duty.until if duty else None,
                "why": duty.why if duty else "by name; the first one who has a channel is called",
            }


def _lines(desk: Desk, overrides: list[Override], span: tuple[date, int], zone: ZoneInfo) -> Iterator[Line]:
    first, count = span
    start, until = first_instant(first, zone), first_instant(first + timedelta(days=count), zone)
    for rota in desk.configuration.rotas.values():
        found = list(shifts(rota, overrides, start, until))
        empty = () if rota.may_be_empty else tuple(one for one in found if not one.people and one.until > start)
        yield Line(
            rota=rota,
            tiers=tuple(_tiers(desk, rota.name)),
            weeks=weeks(days(found, first, count, zone)),
            gaps=tuple(one for one in empty if one.until > desk.clock.now()),
        )


def _tiers(desk: Desk, rota: str) -> Iterator[str]:
    for team, tiers in desk.configuration.tiers.items():
        yield from (f"{team} {tier.number}" for tier in tiers if tier.rota == rota)
