"""Health for machines: alive, ready, reload."""

from __future__ import annotations

import contextlib

from aiohttp import web

from responder.errors import StoreUnavailable
from responder.flows import dead_man
from responder.web.context import CONTEXT, allowed_actor, needs
from responder.web.identity import address_of
from responder.web.problems import problem


async def healthy(_request: web.Request) -> web.StreamResponse:
    """The process answers."""
    return web.Response(text="healthy\n")


async def ready(request: web.Request) -> web.StreamResponse:
    """The service can take reports: its database answers and its worker runs. Why not, and what else there is to say,
    only who may read is told."""
    why_not = await request.app[CONTEXT].is_ready()
    is_told = is_from_monitoring(request) or await _may_read(request)
    if why_not:
        return problem(503, why_not if is_told else "Not ready; who may read is told why, and the log says it.")
    if not is_told:
        return web.Response(text="ready\n")
    desk = request.app[CONTEXT].desk
    detail = await desk.store.read(lambda tx: dead_man.spoken_state(desk, tx))
    return web.Response(text=f"ready\n{detail}\n" if detail else "ready\n")


def is_from_monitoring(request: web.Request) -> bool:
    """True for a peer in one of the networks that need no token for what is measured."""
    settings = request.app[CONTEXT].desk.configuration.settings
    return settings.monitoring.is_open_to(address_of(request, settings))


async def _may_read(request: web.Request) -> bool:
    with contextlib.suppress(StoreUnavailable):
        return await allowed_actor(request, "read") is not None
    return False


@needs("admin")
async def reload(request: web.Request) -> web.StreamResponse:
    """Reads all files again; a mistake in one of them changes nothing."""
    await request.app[CONTEXT].reload()
    return web.Response(text="reloaded\n")


def routes() -> list[web.RouteDef]:
    return [web.get("/-/healthy", healthy), web.get("/-/ready", ready), web.post("/-/reload", reload)]
