"""The API of the noise report."""

from __future__ import annotations

from dataclasses import asdict

from aiohttp import web

from responder.flows.noise_report import USUAL, noise_report
from responder.web.bodies import desk_of, duration_in, json_answer
from responder.web.context import needs
from responder.web.operations import operation
from responder.web.schemas import service
from responder.web.shapes import plain


@needs("read")
@operation(query=service.NoiseQuery, answers=service.Noise, whole="One line for each rule.")
async def show_noise(request: web.Request) -> web.StreamResponse:
    """Alerts that nobody ever acted on, by rule, the most pages first. Query: since (a duration, 30d if not said)."""
    found = await noise_report(desk_of(request), duration_in(dict(request.query), "since") or USUAL)
    return json_answer({**plain(asdict(found)), "wasted": found.wasted})


def routes() -> list[web.RouteDef]:
    return [web.get("/api/v1/noise", show_noise)]
