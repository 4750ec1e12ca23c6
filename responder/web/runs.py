"""Runs: the pages and the API. What ran, why, what it saw and did, and what objected."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web
from multidict import MultiMapping

from responder.clock import microseconds
from responder.domain.run_filter import AT_WORK, RunFilter, RunPage, RunPlace
from responder.domain.runbook import RunOutcome
from responder.errors import NotFound
from responder.flows.desk import Desk
from responder.store.run_search import RunSearch
from responder.store.transaction import Transaction
from responder.web.bodies import desk_of, json_answer
from responder.web.console import console_page, visitor_of
from responder.web.context import needs
from responder.web.invalid import unknown
from responder.web.operations import LINK, OF_ONE, operation
from responder.web.paging import cursor_of, instant_of, limit_in, page_answer, place_in
from responder.web.run_shapes import listed_run, whole_run
from responder.web.schemas import console
from responder.web.ticket_filter import instant_asked

OUTCOMES = (AT_WORK, *RunOutcome)
_LARGEST_PAGE = 500
_ON_A_PAGE = 100
_LONGEST = 255


@needs("read")
@operation(query=console.RunQuery, answers=console.RunPage, headers=LINK)
async def list_runs(request: web.Request) -> web.StreamResponse:
    """Runs by a filter, the newest first."""
    desk = desk_of(request)
    limit = limit_in(request.query, _ON_A_PAGE, _LARGEST_PAGE)
    found = await desk.store.read(lambda tx: _page(tx, desk, request.query, desk.policy.zone, limit))
    return page_answer(request, "runs", [listed_run(run) for run in found.runs], _cursor(found.next))


@needs("read")
@operation(answers=console.WholeRun, whole=OF_ONE)
async def show_run(request: web.Request) -> web.StreamResponse:
    """One run with every step: what it looked at, what it did, what that printed."""
    return json_answer(await _whole(request))


# --- pages ---------------------------------------------------------------------------------------------------


@needs("read")
async def runs_page(request: web.Request) -> web.StreamResponse:
    """What ran, a line each."""
    desk, visitor = desk_of(request), await visitor_of(request)
    zone = ZoneInfo(visitor.zone)
    found = await desk.store.read(lambda tx: _page(tx, desk, request.query, zone, _ON_A_PAGE))
    following = _cursor(found.next)
    return await console_page(
        request,
        "runs.html",
        title="Runs",
        runs=found.runs,
        asked=_typed(request.query),
        outcomes=OUTCOMES,
        runbooks=sorted(desk.configuration.runbooks),
        targets=[target.name for target in desk.configuration.targets],
        next_url=str(request.rel_url.update_query(cursor=following)) if following else "",
        first_url=str(request.rel_url.without_query_params("cursor")) if "cursor" in request.query else "",
    )


@needs("read")
async def run_page(request: web.Request) -> web.StreamResponse:
    """One run on one page."""
    found = await _whole(request)
    desk = desk_of(request)
    return await console_page(
        request,
        "run.html",
        title=("Run", str(found["id"])),
        run=found,
        is_known=found["runbook"] in desk.configuration.runbooks,
    )


def routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/runs", list_runs),
        web.get(r"/api/v1/runs/{id:\d{1,12}}", show_run),
        web.get("/runs", runs_page),
        web.get(r"/runs/{id:\d{1,12}}", run_page),
    ]


# --- what is asked -------------------------------------------------------------------------------------------


async def _whole(request: web.Request) -> dict[str, Any]:
    desk, run_id = desk_of(request), int(request.match_info["id"])
    return await desk.store.read(lambda tx: whole_run(tx, run_id, desk.configuration.secrets))


def _page(tx: Transaction, desk: Desk, query: MultiMapping[str], zone: ZoneInfo, limit: int) -> RunPage:
    """Raises Invalid. Of a ticket that is not there nothing ran."""
    place = place_in(query, 2)
    after = RunPlace(started_at=instant_of(place[0]), run_id=place[1]) if place else None
    asked = _filter(tx, desk, query, zone)
    return RunSearch(tx.connection).page(asked, after=after, limit=limit) if asked else RunPage(runs=())


def _filter(tx: Transaction, desk: Desk, query: MultiMapping[str], zone: ZoneInfo) -> RunFilter | None:
    now, ticket = desk.clock.now(), _text(query, "ticket")
    try:
        ticket_id = tx.tickets.find(ticket).ticket.id if ticket else None
    except NotFound:
        return None
    return RunFilter(
        runbook=_text(query, "runbook"),
        target=_text(query, "target"),
        ticket_id=ticket_id,
        outcomes=_outcomes(query),
        by=_text(query, "by"),
        started_from=instant_asked(query, "started_from", zone, now),
        started_to=instant_asked(query, "started_to", zone, now, to_the_end=True),
    )


def _outcomes(query: MultiMapping[str]) -> tuple[str, ...]:
    given = (one.strip() for text in query.getall("outcome", ()) for one in text.split(","))
    found = tuple(dict.fromkeys(one for one in given if one))
    for one in found:
        if one not in OUTCOMES:
            raise unknown(one, OUTCOMES, parameter="outcome")
    return found


def _text(query: MultiMapping[str], name: str) -> str:
    return " ".join(query.get(name, "").replace("\x00", "").split())[:_LONGEST]


def _typed(query: MultiMapping[str]) -> dict[str, Any]:
    """What the form shows again."""
    names = ("runbook", "target", "ticket", "by", "started_from", "started_to")
    return {**{name: _text(query, name) for name in names}, "outcome": _outcomes(query)}


def _cursor(place: RunPlace | None) -> str | None:
    return None if place is None else cursor_of(microseconds(place.started_at), place.run_id)
