"""The webhook of Alertmanager: durable before 2xx; a 4xx only for what can never succeed, and then kept."""

from __future__ import annotations

import time

from aiohttp import web

from responder.config.settings import Source
from responder.errors import BadReport, IntakeFull, StoreUnavailable
from responder.flows.receive import KEPT_OF_REFUSED, Post, quarantine, receipt
from responder.intake.alertmanager import NotJson, parse
from responder.metrics import intake_refused_total, intake_seconds
from responder.store.reports import Body
from responder.web.context import CONTEXT, is_valid
from responder.web.problems import problem

_RETRY_AFTER = "5"


async def alertmanager(request: web.Request) -> web.StreamResponse:
    """Takes one notification of Alertmanager."""
    began = time.perf_counter()
    try:
        answer = await _take(request)
    except IntakeFull as error:
        answer = _come_back(str(error))
    except StoreUnavailable:
        answer = _come_back("The database is away.")
    if answer.status < 300:
        intake_seconds.observe(time.perf_counter() - began)
    else:
        intake_refused_total.labels(str(answer.status)).inc()
    return answer


async def _take(request: web.Request) -> web.Response:
    context = request.app[CONTEXT]
    settings = context.desk.configuration.settings
    source = _source(request)
    if source is None:
        known = context.desk.configuration.source(request.match_info.get("source", ""))
        why = f"No source of this name accepts this credential (from {request.remote})."
        return await _refuse(request, known.name if known else "unknown", 401, why, limited=True)
    if (request.content_length or 0) > settings.intake.max_body:
        return await _refuse(request, source.name, 413, f"The body is larger than {settings.intake.max_body} bytes.")
    try:
        body = await request.read()
    except web.HTTPRequestEntityTooLarge:
        return await _refuse(request, source.name, 413, f"The body is larger than {settings.intake.max_body} bytes.")
    now = context.desk.clock.now()
    name = receipt(now)
    try:
        parsed = parse(body, source=source.name, received_at=now, receipt=name)
    except BadReport as error:
        status = 400 if isinstance(error, NotJson) else 422
        return await _refuse(request, source.name, status, str(error), body=body)
    kept = Body(id=name, source=source.name, received_at=now, body=body)
    await context.batcher.submit(Post(body=kept, reports=parsed.reports, complaints=parsed.complaints))
    return web.json_response({"receipt": name, "reports": len(parsed.reports), "not_understood": parsed.complaints})


def _source(request: web.Request) -> Source | None:
    """The source that the path names, or without a name the first that accepts the credential."""
    configuration = request.app[CONTEXT].desk.configuration
    wanted = request.match_info.get("source")
    for source in configuration.settings.sources:
        if wanted in (None, source.name) and is_valid(configuration.credentials[source.name], request):
            return source
    return None


async def _refuse(
    request: web.Request, source: str, status: int, why: str, *, body: bytes | None = None, limited: bool = False
) -> web.Response:
    """Keeps what was sent, as far as it is kept, and then says no for good."""
    desk = request.app[CONTEXT].desk
    kept = body if body is not None else await request.content.read(KEPT_OF_REFUSED)
    now = desk.clock.now()
    reason = f"{status}: {why}"
    what = Body(id=receipt(now), source=source, received_at=now, body=kept, quarantined_because=reason)
    await quarantine(desk, what, limited=limited)
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    return problem(status, why, headers=headers, receipt=what.id)


def _come_back(why: str) -> web.Response:
    """503 is the one answer that makes Alertmanager try again."""
    return problem(503, f"{why} Please send it again.", headers={"Retry-After": _RETRY_AFTER})
