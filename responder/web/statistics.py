"""Statistics: the page of reports, the same numbers over the API, as CSV and as Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aiohttp import web

from responder.domain.policy import Policy
from responder.domain.statistics import LONGEST, Statistics, Wish
from responder.flows.desk import Desk
from responder.web.bodies import desk_of, json_answer
from responder.web.charts import charts
from responder.web.console import console_page, visitor_of
from responder.web.context import needs
from responder.web.operations import Media, operation
from responder.web.query_words import refuse_odd
from responder.web.rendering import rendered
from responder.web.schemas import statistics as schema
from responder.web.statistics_tables import TABLES, as_csv, as_plain, tables

PRESETS = (7, 30, 90, 365)
_USUAL = 30
_LONGEST_NAME = 200
_FIRST, _LAST = date(1971, 1, 1), date(9000, 1, 1)


@needs("read")
async def reports(request: web.Request) -> web.StreamResponse:
    """The page. Query: `days` or `from` and `to`, `team`, `kind`, `grade`, `zone`."""
    visitor, desk = await visitor_of(request), desk_of(request)
    wish = wish_of(request.query, desk, visitor.zone)
    found = await _found(desk, wish)
    return await console_page(
        request,
        "reports.html",
        title="Reports",
        found=found,
        wish=wish,
        charts=charts(found, desk.policy),
        query=query_of(wish),
        today=_today(desk, wish.zone),
        presets=_presets(desk, wish),
        choices=_choices(desk.policy, wish),
        zone=wish.zone.key,
        zones=list(dict.fromkeys([visitor.zone, desk.policy.zone.key, "UTC", wish.zone.key])),
    )


@needs("read")
async def reports_as_markdown(request: web.Request) -> web.StreamResponse:
    """The summary of a period, to be pasted into a report."""
    refuse_odd(request)
    visitor, desk = await visitor_of(request), desk_of(request)
    wish = wish_of(request.query, desk, visitor.zone)
    found = await _found(desk, wish)
    content = {"found": found, "wish": wish, "charts": charts(found, desk.policy)}
    return web.Response(text=rendered("reports.md", visitor.language, content), content_type="text/markdown")


@needs("read")
@operation(query=schema.PeriodQuery, answers=schema.Statistics, whole="As many as the period has days or weeks.")
async def show_statistics(request: web.Request) -> web.StreamResponse:
    """The numbers of a period of local days. Query as that of the page; the zone is the policy's if none is named."""
    desk = desk_of(request)
    return json_answer(as_plain(await _found(desk, wish_of(request.query, desk, desk.policy.zone.key))))


@needs("read")
@operation(query=schema.PeriodQuery, answers=Media(type="text/csv", is_text=True))
async def show_table(request: web.Request) -> web.StreamResponse:
    """One of the tables as CSV."""
    desk, name = desk_of(request), request.match_info["table"]
    if name not in TABLES:
        raise web.HTTPNotFound(text=f"There is no table {name[:100]}; there are {', '.join(TABLES)}.")
    wish = wish_of(request.query, desk, desk.policy.zone.key)
    text = as_csv(tables(await _found(desk, wish))[name])
    shown = f'attachment; filename="{name}-{wish.first}-{wish.last}.csv"'
    return web.Response(text=text, content_type="text/csv", charset="utf-8", headers={"Content-Disposition": shown})


def routes() -> list[web.RouteDef]:
    return [
        web.get("/reports", reports),
        web.get("/reports.md", reports_as_markdown),
        web.get("/api/v1/statistics", show_statistics),
        web.get("/api/v1/statistics/{table}.csv", show_table),
    ]


async def _found(desk: Desk, wish: Wish) -> Statistics:
    return await desk.store.read(lambda tx: tx.statistics.of(wish))


# --- what is asked for -------------------------------------------------------------------------------------


def wish_of(query: Mapping[str, str], desk: Desk, zone: str) -> Wish:
    """What a query asks for. Raises HTTPUnprocessableEntity with what is wrong with it."""
    here = _zone(query.get("zone") or zone)
    last = _day(query, "to") or _today(desk, here)
    first = _day(query, "from") or last - timedelta(days=_days(query) - 1)
    if first > last:
        raise web.HTTPUnprocessableEntity(text=f"“from” ({first}) is after “to” ({last}).")
    if (last - first).days >= LONGEST:
        raise web.HTTPUnprocessableEntity(text=f"A period has at most {LONGEST} days.")
    named = {name: query.get(name, "").replace("\x00", "")[:_LONGEST_NAME] for name in ("team", "kind", "grade")}
    return Wish(first=first, last=last, zone=here, **named)


def query_of(wish: Wish) -> dict[str, str]:
    """The query that asks for the same again, whenever it is opened."""
    said = {"from": wish.first.isoformat(), "to": wish.last.isoformat(), "zone": wish.zone.key}
    return {**said, **_names(wish)}


def _names(wish: Wish) -> dict[str, str]:
    named = {"team": wish.team, "kind": wish.kind, "grade": wish.grade}
    return {name: text for name, text in named.items() if text}


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        shown = f"There is no time zone {name[:100]!r}; write it like Europe/Berlin."
        raise web.HTTPUnprocessableEntity(text=shown) from error


def _today(desk: Desk, zone: ZoneInfo) -> date:
    return desk.clock.now().astimezone(zone).date()


def _day(query: Mapping[str, str], name: str) -> date | None:
    text = query.get(name, "")
    if not text:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError as error:
        raise web.HTTPUnprocessableEntity(text=f"“{name}” is no day; write it like 2026-01-31.") from error
    if not _FIRST <= found <= _LAST:
        raise web.HTTPUnprocessableEntity(text=f"“{name}” must be between {_FIRST} and {_LAST}.")
    return found


def _days(query: Mapping[str, str]) -> int:
    text = query.get("days", "") or str(_USUAL)
    if not (text.isascii() and text.isdigit() and len(text) < 5 and 0 < int(text) <= LONGEST):
        raise web.HTTPUnprocessableEntity(text=f"“days” is a whole number from 1 to {LONGEST}.")
    return int(text)


# --- what the page offers ----------------------------------------------------------------------------------


def _presets(desk: Desk, wish: Wish) -> list[dict[str, Any]]:
    """Periods that end today, as queries; the one that is shown is marked."""
    ends_today = wish.last == _today(desk, wish.zone)
    return [
        {
            "days": days,
            "query": {"days": str(days), "zone": wish.zone.key, **_names(wish)},
            "is_here": ends_today and wish.days == days,
        }
        for days in PRESETS
    ]


def _choices(policy: Policy, wish: Wish) -> list[tuple[str, str, list[str]]]:
    """What can be chosen of each name: the name, what is chosen, and all that the policy knows."""
    teams = {policy.default_team, *(rule.team for rule in policy.teams), *(kind.team for kind in policy.kinds.values())}
    known = {"team": sorted(teams - {""}), "kind": list(policy.kinds), "grade": list(policy.grades)}
    chosen = {"team": wish.team, "kind": wish.kind, "grade": wish.grade}
    return [
        (name, chosen[name], [*names, *[chosen[name]] * (bool(chosen[name]) and chosen[name] not in names)])
        for name, names in known.items()
        if names
    ]
