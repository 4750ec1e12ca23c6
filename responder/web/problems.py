"""Errors as RFC 9457 problem details for programs, as a page for people."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

import orjson
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from responder.errors import BadForm, NotFound, NotTheirs, Refused, ResponderError, StoreUnavailable
from responder.web.invalid import Invalid
from responder.web.problem_kinds import type_of

NOWHERE = "There is nothing at this address; /api/v1/openapi.json lists what the API has."
log = structlog.get_logger()


def problem(status: int, detail: str, *, headers: Mapping[str, str] | None = None, **more: object) -> web.Response:
    """An error that says what is wrong; `more` are members of the problem object."""
    content = {"type": type_of(status), "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **more}
    return web.Response(
        status=status, body=orjson.dumps(content), content_type="application/problem+json", headers=headers
    )


@web.middleware
async def errors_as_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns whatever a handler raises into an answer, and never into a stack trace for the outside."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        headers = {key: value for key, value in error.headers.items() if key.lower() not in _OWN}
        more = {"errors": error.errors} if isinstance(error, Invalid) and error.errors else {}
        return problem(error.status, _detail(request, error), headers=headers, **more)
    except ResponderError as error:
        return problem(_status(error), str(error))
    except Exception as error:
        log.error("request failed", route=_route(request), exc_info=error)
        return problem(500, "Something went wrong here; the log says what.")


@web.middleware
async def no_such_address(request: web.Request, handler: Handler) -> web.StreamResponse:
    """No name or number of ours holds a NUL, which not every database can even be asked for."""
    # The address of a cron job says the same to whatever is not it.
    if not request.path.startswith("/heartbeat/") and any("\x00" in one for one in request.match_info.values()):
        raise web.HTTPNotFound
    return await handler(request)


def _detail(request: web.Request, error: web.HTTPException) -> str:
    """What the error says, or for an address or method that nobody has what there is."""
    if error.text and not error.text.startswith(f"{error.status}: "):
        return error.text
    if isinstance(error, web.HTTPMethodNotAllowed):
        return f"This address takes {', '.join(sorted(error.allowed_methods))}, not {request.method[:20]}."
    if error.status == 404:
        return NOWHERE
    return error.reason


_OWN = {"content-type", "content-length"}


def _route(request: web.Request) -> str:
    """The pattern of the path: the path itself may hold a signed token."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else "unknown"


def _status(error: ResponderError) -> int:
    if isinstance(error, NotFound):
        return 404
    if isinstance(error, Refused):
        return 403 if isinstance(error, NotTheirs) else 409
    if isinstance(error, BadForm):
        return 422
    return 503 if isinstance(error, StoreUnavailable) or not error.permanent else 400


_SIGNED = ("/ack/", "/approve/", "/drill/", "/report/", "/calendars/", "/heartbeat/")


@web.middleware
async def security_headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What every answer says to browsers, also one that is raised to lead elsewhere."""
    try:
        answer = await handler(request)
    except web.HTTPException as error:
        _harden(request, error)
        raise
    _harden(request, answer)
    return answer


def _harden(request: web.Request, answer: web.StreamResponse) -> None:
    """Nothing from elsewhere, no framing, no guessing of types, and nothing of ours kept."""
    answer.headers.setdefault("X-Content-Type-Options", "nosniff")
    # Without any referrer browsers call even our own forms' origin "null"; a signed link is nobody's to pass on.
    is_signed = request.path.startswith(_SIGNED)
    answer.headers.setdefault("Referrer-Policy", "no-referrer" if is_signed else "same-origin")
    answer.headers.setdefault(
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    )
    if not request.path.startswith("/static/"):
        answer.headers.setdefault("Cache-Control", "no-store")
