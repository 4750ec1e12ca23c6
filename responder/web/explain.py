"""The API of explain: what would become of an alert, with all that only the server knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from responder.flows.explain_live import explain_live
from responder.web.bodies import content_of, desk_of, json_answer
from responder.web.context import needs
from responder.web.operations import CHANGES_NOTHING, operation
from responder.web.rotas import instant_in
from responder.web.schemas import explain

_KNOWN = ("labels", "annotations", "at")


@needs("read")
@operation(body=explain.AlertBody, answers=explain.Explained, unkeyed=CHANGES_NOTHING)
async def explain_alert(request: web.Request) -> web.StreamResponse:
    """What would become of an alert.

    Body: labels, and perhaps annotations and at (an instant, now if it is not given). Changes nothing.
    """
    desk, content = desk_of(request), await content_of(request)
    if unknown := sorted(set(content) - set(_KNOWN)):
        raise web.HTTPUnprocessableEntity(
            text=f"“{unknown[0][:100]}” is not known here; there are {', '.join(_KNOWN)}."
        )
    at = instant_in(content, "at", desk.policy.zone, desk.clock.now())
    return json_answer(await explain_live(desk, _texts(content, "labels"), _texts(content, "annotations"), at))


def routes() -> list[web.RouteDef]:
    return [web.post("/api/v1/explain", explain_alert)]


def _texts(content: Mapping[str, Any], name: str) -> dict[str, str]:
    found = content.get(name) or {}
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise web.HTTPUnprocessableEntity(text=f'“{name}” are names with texts, such as {{"job": "db"}}.')
    return found
