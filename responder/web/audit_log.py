"""The audit log: a page, its API, and the whole of it as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import asdict, replace
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from aiohttp import web

from responder.clock import microseconds
from responder.domain.access import Scope
from responder.domain.audit import Entry, Outcome, as_cell
from responder.errors import NotFound, Refused
from responder.flows.audit_pages import accept, last_round
from responder.flows.desk import Desk
from responder.store.audit_log import AuditFilter
from responder.web.bodies import actor_of, desk_of, text_in
from responder.web.console import console_page, visitor_of
from responder.web.context import identity_of, needs
from responder.web.operations import LINK, Media, operation
from responder.web.paging import cursor_of, instant_of, limit_in, page_answer, place_in
from responder.web.rotas import instant_in
from responder.web.schemas import audit
from responder.web.shapes import plain
from responder.web.tried import Tried, refused

_SHOWN, _LARGEST_PAGE = 100, 1000
_NAMES = ("id", "at", "actor", "via", "address", "action", "object", "outcome", "status", "text")
_ASKED = ("actor", "action", "object", "outcome", "from", "to")
_LONGEST = 500


# --- the API -----------------------------------------------------------------------------------------


@needs("admin")
@operation(query=audit.AuditQuery, answers=audit.AuditPage, headers=LINK)
async def list_entries(request: web.Request) -> web.StreamResponse:
    """Who did what, or was refused, newest first. Query: actor, action, object, outcome, from, to, limit, cursor."""
    desk = desk_of(request)
    most = limit_in(request.query, _SHOWN, _LARGEST_PAGE)
    found, following = await _page(desk, wanted_in(request, desk.policy.zone), most)
    return page_answer(request, "entries", [entry_line(one) for one in found], following)


@needs("admin")
@operation(query=audit.AuditQuery, answers=Media(type="application/jsonl", is_text=True))
async def as_json_lines(request: web.Request) -> web.StreamResponse:
    """The audit log as JSON Lines, newest first. Query as that of the list; without a limit it is the whole log."""
    return await _streamed(request, "jsonl", "application/jsonl", _json_lines)


@needs("admin")
@operation(query=audit.AuditQuery, answers=Media(type="text/csv", is_text=True))
async def as_table(request: web.Request) -> web.StreamResponse:
    """The audit log as CSV, newest first. Query as that of the list; without a limit it is the whole log."""
    return await _streamed(request, "csv", "text/csv", _table_lines)


# --- the page ----------------------------------------------------------------------------------------


@needs("admin")
async def audit_page(request: web.Request) -> web.StreamResponse:
    """The audit log by a filter that is the address, and beside it what the audit of pages found."""
    return await _shown(request, Tried())


async def _shown(request: web.Request, tried: Tried) -> web.Response:
    desk, visitor = desk_of(request), await visitor_of(request)
    found, following = await _page(desk, wanted_in(request, ZoneInfo(visitor.zone)), _SHOWN)
    asked = {name: request.query.get(name, "")[:_LONGEST] for name in _ASKED}
    return await console_page(
        request,
        "audit.html",
        status=tried.status,
        refusal=tried.why,
        title="Audit",
        tried=tried,
        entries=found,
        asked=asked,
        is_asked=any(asked.values()),
        outcomes=list(Outcome),
        export=request.rel_url.without_query_params("cursor", "lang").query_string,
        here_with=lambda **given: str(request.rel_url.without_query_params("cursor").update_query(given)),
        following=str(request.rel_url.update_query(cursor=following)) if following else "",
        pages=await desk.store.read(last_round),
    )


@needs("act")
async def look_at(request: web.Request) -> web.StreamResponse:
    """The form beside a difference that the audit of pages found."""
    form = dict(await request.post())
    try:
        await accept(desk_of(request), text_in(form, "key"), text_in(form, "reason"), actor_of(request, form))
    except (NotFound, Refused, web.HTTPUnprocessableEntity) as error:
        if not identity_of(request).may(Scope.ADMIN):
            raise
        return await _shown(request, refused("accept", error, form))
    return web.Response(status=303, headers={"Location": "/audit#pages"})


def routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/audit", list_entries),
        web.get("/api/v1/audit.jsonl", as_json_lines),
        web.get("/api/v1/audit.csv", as_table),
        web.get("/audit", audit_page),
        web.post("/audit/pages/accept", look_at),
    ]


def wanted_in(request: web.Request, zone: ZoneInfo) -> AuditFilter:
    """The filter in a query; times without an offset are of this zone. Raises Invalid, HTTPUnprocessableEntity."""
    query, now = request.query, desk_of(request).clock.now()
    place = place_in(query, 2)
    outcome = query.get("outcome", "")
    if outcome and outcome not in list(Outcome):
        raise web.HTTPUnprocessableEntity(text=f"“outcome”: there are {', '.join(Outcome)}.")
    named = {name: query.get(name, "").replace("\x00", "").strip()[:_LONGEST] for name in ("actor", "action", "object")}
    return AuditFilter(
        **named,
        outcome=outcome,
        since=instant_in(query, "from", zone, now),
        until=instant_in(query, "to", zone, now),
        before=(instant_of(place[0]), place[1]) if place else None,
    )


def entry_line(entry: Entry) -> dict[str, Any]:
    line: dict[str, Any] = plain(asdict(entry))
    return line


async def _page(desk: Desk, wanted: AuditFilter, limit: int) -> tuple[list[Entry], str | None]:
    found = await desk.store.read(lambda tx: tx.audit_log.listed(wanted, limit + 1))
    shown = found[:limit]
    return shown, cursor_of(microseconds(shown[-1].at), shown[-1].id) if len(found) > limit else None


# --- the whole log -----------------------------------------------------------------------------------

_Lines = Callable[[Sequence[Entry], bool], str]


async def _streamed(request: web.Request, ending: str, kind: str, lines: _Lines) -> web.StreamResponse:
    desk = desk_of(request)
    wanted, most = wanted_in(request, desk.policy.zone), request.query.get("limit")
    pages = _pages(desk, wanted, None if most is None else limit_in(request.query, _SHOWN, 10**9))
    first: list[Entry] = await anext(pages, [])
    name = f"audit-{desk.clock.now():%Y-%m-%d}.{ending}"
    headers = {
        "Content-Type": f"{kind}; charset=utf-8",
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    answer = web.StreamResponse(headers=headers)
    await answer.prepare(request)
    await answer.write(lines(first, True).encode())
    async for page in pages:
        await answer.write(lines(page, False).encode())
    await answer.write_eof()
    return answer


async def _pages(desk: Desk, wanted: AuditFilter, most: int | None) -> AsyncIterator[list[Entry]]:
    """All of it, page by page: neither the database nor the memory ever holds the whole."""
    while most is None or most > 0:
        limit = _LARGEST_PAGE if most is None else min(most, _LARGEST_PAGE)
        found = await desk.store.read(lambda tx, asked=wanted, limit=limit: tx.audit_log.listed(asked, limit))  # type: ignore[misc]
        if not found:
            return
        yield found
        wanted = replace(wanted, before=(found[-1].at, found[-1].id))
        most = None if most is None else most - len(found)


def _json_lines(entries: Sequence[Entry], _is_first: bool) -> str:
    return "".join(f"{orjson.dumps(entry_line(one)).decode()}\n" for one in entries)


def _table_lines(entries: Sequence[Entry], is_first: bool) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    if is_first:
        writer.writerow(_NAMES)
    for one in entries:
        line = entry_line(one)
        writer.writerow([as_cell(str(line[name])) for name in _NAMES])
    return text.getvalue()
