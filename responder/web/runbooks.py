"""The API of runbooks: how far each may go by itself, and how it has earned that."""

from __future__ import annotations

from aiohttp import web

from responder.flows.track_record import runbook_history, runbook_lines
from responder.web.bodies import desk_of, json_answer
from responder.web.context import needs
from responder.web.operations import operation
from responder.web.schemas import service
from responder.web.shapes import plain


@needs("read")
@operation(answers=service.Runbooks)
async def list_runbooks(request: web.Request) -> web.StreamResponse:
    """Every runbook with its rules, its autonomy and its record."""
    desk = desk_of(request)
    return json_answer({"runbooks": plain(await desk.store.read(lambda tx: runbook_lines(desk, tx)))})


@needs("read")
@operation(answers=service.RunbookShown)
async def show_runbook(request: web.Request) -> web.StreamResponse:
    """One runbook with every judged run, and when it was promoted or lost that again."""
    desk, name = desk_of(request), request.match_info["name"]
    return json_answer(plain(await desk.store.read(lambda tx: runbook_history(desk, tx, name))))


def routes() -> list[web.RouteDef]:
    return [web.get("/api/v1/runbooks", list_runbooks), web.get("/api/v1/runbooks/{name}", show_runbook)]
