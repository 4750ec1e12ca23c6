"""The API of maintenance windows of alerts; that of targets is beside the kill switch."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from aiohttp import web

from responder.flows.desk import Desk
from responder.flows.maintenance_windows import begin_window, end_window, open_windows
from responder.store.transaction import Transaction
from responder.web.bodies import actor_of, content_of, desk_of, duration_in, json_answer, text_in
from responder.web.context import needs
from responder.web.operations import PRESENT, operation
from responder.web.schemas import asked, service
from responder.web.shapes import plain

_KNOWN = ("match", "everything", "for", "reason", "actor")


@needs("read")
@operation(answers=service.Windows, whole=PRESENT)
async def list_windows(request: web.Request) -> web.StreamResponse:
    """The windows that are open now, of the policy and of people."""
    return await _windows(request)


@needs("act")
@operation(body=service.WindowBody, answers=service.NewWindow)
async def start_window(request: web.Request) -> web.StreamResponse:
    """Opens a maintenance window of alerts.

    Body: match (matchers), or everything; for (a duration), reason, and perhaps actor.
    """
    desk, content = desk_of(request), await content_of(request)
    if unknown := sorted(set(content) - set(_KNOWN)):
        raise web.HTTPUnprocessableEntity(
            text=f"“{unknown[0][:100]}” is not known here; there are {', '.join(_KNOWN)}."
        )
    lasting = duration_in(content, "for")
    if lasting is None:
        raise web.HTTPUnprocessableEntity(text="“for” is missing: how long, such as 2h. A window ends by itself.")
    number = await begin_window(
        desk,
        _matchers(content),
        text_in(content, "reason"),
        actor_of(request, content),
        lasting=lasting,
        everything=content.get("everything") is True,
    )
    return await _windows(request, id=number)


@needs("act")
@operation(body=asked.ActorBody, answers=service.Windows)
async def finish_window(request: web.Request) -> web.StreamResponse:
    """Ends one before its time."""
    await end_window(desk_of(request), int(request.match_info["id"]), actor_of(request, await content_of(request)))
    return await _windows(request)


def routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/maintenance/windows", list_windows),
        web.post("/api/v1/maintenance/windows", start_window),
        web.delete(r"/api/v1/maintenance/windows/{id:\d{1,12}}", finish_window),
    ]


def window_lines(desk: Desk, tx: Transaction) -> list[dict[str, Any]]:
    """The open windows for programs."""
    return [plain(asdict(window)) for window in open_windows(desk, tx, desk.clock.now())]


async def _windows(request: web.Request, **more: Any) -> web.Response:
    desk = desk_of(request)
    return json_answer({**more, "windows": await desk.store.read(lambda tx: window_lines(desk, tx))})


def _matchers(content: dict[str, Any]) -> list[str]:
    """`match` as one text or a list of them."""
    given = content.get("match") or []
    found = given if isinstance(given, list) else [given]
    if not all(isinstance(one, str) for one in found):
        raise web.HTTPUnprocessableEntity(text='“match” is a matcher or a list of them, such as job="db".')
    return found
