"""The API of runbooks: how far each may go by itself, and how it has earned that."""

from __future__ import annotations

from dataclasses import asdict

from aiohttp import web

from responder.flows.track_record import runbook_history, runbook_lines
from responder.store.audit_log import names_too
from responder.web.bodies import content_of, desk_of, json_answer, name_in
from responder.web.context import needs
from responder.web.operations import CHANGES_NOTHING, CONFIGURED, operation
from responder.web.runbook_pages import DRY_RUNS
from responder.web.schemas import console, service
from responder.web.shapes import plain


@needs("read")
@operation(answers=service.Runbooks, whole=CONFIGURED)
async def list_runbooks(request: web.Request) -> web.StreamResponse:
    """Every runbook with its rules, its autonomy and its record."""
    desk = desk_of(request)
    return json_answer({"runbooks": plain(await desk.store.read(lambda tx: runbook_lines(desk, tx)))})


@needs("read")
@operation(answers=service.RunbookShown, whole="The latest judged runs, of which its record is made; /runs has all.")
async def show_runbook(request: web.Request) -> web.StreamResponse:
    """One runbook with every judged run, and when it was promoted or lost that again."""
    desk, name = desk_of(request), request.match_info["name"]
    return json_answer(plain(await desk.store.read(lambda tx: runbook_history(desk, tx, name))))


@needs("act")
@operation(body=console.DryRunBody, answers=console.DryRunShown, unkeyed=CHANGES_NOTHING)
async def rehearse_runbook(request: web.Request) -> web.StreamResponse:
    """A dry run: every step looks at the target for real and says what it would do; nothing is changed.

    Body: target, and labels as an alert would have them.
    """
    desk, content = desk_of(request), await content_of(request)
    target, labels = name_in(content, "target"), content.get("labels") or {}
    names_too(target)
    found = await request.app[DRY_RUNS].dry_run(desk, request.match_info["name"], target, labels)
    return json_answer(plain(asdict(found)))


def routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/runbooks", list_runbooks),
        web.get("/api/v1/runbooks/{name}", show_runbook),
        web.post("/api/v1/runbooks/{name}/dry-run", rehearse_runbook),
    ]
