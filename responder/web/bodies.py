"""What handlers read out of requests, and how they answer programs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import orjson
from aiohttp import web

from responder.domain.accounts import objection_to_actor
from responder.domain.durations import parse_duration
from responder.flows.desk import Desk
from responder.web.context import ACTOR, CONTEXT, identity_of
from responder.web.invalid import Invalid

LONGEST_TEXT = 10_000


def desk_of(request: web.Request) -> Desk:
    return request.app[CONTEXT].desk


def json_answer(content: object) -> web.Response:
    return web.Response(body=orjson.dumps(content), content_type="application/json")


async def content_of(request: web.Request) -> dict[str, Any]:
    return as_object(await request.read())


def as_object(body: bytes) -> dict[str, Any]:
    """The JSON object in a body; nothing is an empty one. Raises HTTPBadRequest, HTTPUnprocessableEntity."""
    try:
        content = orjson.loads(body) if body else {}
    except orjson.JSONDecodeError as error:
        raise web.HTTPBadRequest(text=f"The body is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise web.HTTPUnprocessableEntity(text="The body is not a JSON object.")
    return content


def actor_of(request: web.Request, content: dict[str, Any]) -> str:
    """Who acts: whoever has signed in, or the name given by the token that vouches for it.

    Raises HTTPForbidden when somebody who has signed in gives another name, HTTPUnprocessableEntity for one of ours.
    """
    name, own = content.get("actor"), request[ACTOR]
    if not isinstance(name, str) or not 0 < len(name.strip()) <= 80:
        return own
    given = " ".join(name.replace("\x00", "").split())
    if identity_of(request).is_person and given != own:
        raise web.HTTPForbidden(text=f"{own} acts as {own}; leave “actor” out.")
    refuse_our_names(request, given)
    return given


def refuse_our_names(request: web.Request, name: str) -> None:
    """Raises Invalid for a name under which we write ourselves what nobody did."""
    if name != request[ACTOR] and (objection := objection_to_actor(name)):
        raise Invalid(objection, pointer="/actor")


def text_in(content: dict[str, Any], name: str) -> str:
    text = content.get(name)
    if not isinstance(text, str) or not text.strip():
        raise web.HTTPUnprocessableEntity(text=f"“{name}” is missing: a text that says why or what.")
    return text.replace("\x00", "\ufffd").strip()[:LONGEST_TEXT]


def texts_in(content: Mapping[str, Any], name: str) -> dict[str, str]:
    """Texts with names, which may be left out."""
    found = content.get(name) or {}
    if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
        raise web.HTTPUnprocessableEntity(text=f"“{name}” is not an object of texts.")
    return {str(key).replace("\x00", ""): value.replace("\x00", "").strip() for key, value in found.items()}


def number_in(text: str | None, default: int) -> int:
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise web.HTTPBadRequest(text=f"{text!r} is not a whole number.")
    return int(text)


def flag_in(query: Mapping[str, str], name: str) -> bool:
    """Whether a query says yes to something."""
    return query.get(name) in ("1", "true", "yes")


def duration_in(content: dict[str, Any], name: str) -> timedelta | None:
    """How long, such as `2h`; None if it is not said or empty."""
    text = content.get(name)
    if text is None or text == "":
        return None
    try:
        found = parse_duration(text if isinstance(text, str) else "")
    except ValueError as error:
        raise web.HTTPUnprocessableEntity(text=f"“{name}”: {error}.") from error
    if found <= timedelta():
        raise web.HTTPUnprocessableEntity(text=f"“{name}” is no time at all.")
    return found


def name_in(content: Mapping[str, Any], name: str) -> str:
    """A name that may be left out."""
    text = content.get(name) or ""
    if not isinstance(text, str):
        raise web.HTTPUnprocessableEntity(text=f"“{name}” is not a text.")
    return text.replace("\x00", "").strip()
