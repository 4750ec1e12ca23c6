"""Health for machines: alive, ready, reload."""

from __future__ import annotations

from aiohttp import web

from responder.flows import dead_man
from responder.web.context import CONTEXT, needs
from responder.web.problems import problem


async def healthy(_request: web.Request) -> web.StreamResponse:
    """The process answers."""
    return web.Response(text="healthy\n")


async def ready(request: web.Request) -> web.StreamResponse:
    """The service can take reports: its database answers and its worker runs."""
    why_not = await request.app[CONTEXT].is_ready()
    if why_not:
        return problem(503, why_not)
    desk = request.app[CONTEXT].desk
    detail = await desk.store.read(lambda tx: dead_man.spoken_state(desk, tx))
    return web.Response(text=f"ready\n{detail}\n" if detail else "ready\n")


@needs("admin")
async def reload(request: web.Request) -> web.StreamResponse:
    """Reads all files again; a mistake in one of them changes nothing."""
    await request.app[CONTEXT].reload()
    return web.Response(text="reloaded\n")


def routes() -> list[web.RouteDef]:
    return [web.get("/-/healthy", healthy), web.get("/-/ready", ready), web.post("/-/reload", reload)]
