"""Requests that may be sent twice: under one `Idempotency-Key` something is done once, and answered alike each time."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace

from aiohttp import web

from responder.errors import ResponderError, StoreUnavailable
from responder.flows.desk import Desk
from responder.store.answers import Answer, Claim, KeyTaken
from responder.store.audit_log import is_known
from responder.store.with_first_write import with_first_write
from responder.web.bodies import desk_of
from responder.web.context import identity_of

HEADER = "Idempotency-Key"
KEY = re.compile("[ -~]{0,200}")
ASKS = {HEADER: "Sent again under the same key, it is done once, and answered as the first time; kept for three days."}


def key_in(request: web.Request) -> str:
    """The key of a request; empty if it has none. Raises HTTPBadRequest."""
    key = request.headers.get(HEADER, "")
    if not KEY.fullmatch(key):
        raise web.HTTPBadRequest(text=f"The {HEADER} is no plain text of up to 200 characters.")
    return key


async def once(request: web.Request, doing: Callable[[], Awaitable[web.StreamResponse]]) -> web.StreamResponse:
    """Does what is asked, or gives the answer of the first time."""
    if not (key := key_in(request)):
        return await doing()
    desk, claim = desk_of(request), Claim(answer=await _asked(request, key))
    known = await desk.store.read(lambda tx: tx.answers.known(claim.answer.identity))
    if known is not None:
        return _again(known, claim.answer.content)
    try:
        with with_first_write(claim):
            answer = await doing()
    except KeyTaken as error:
        return _again(error.known, claim.answer.content)
    except StoreUnavailable:
        # What was asked may be done, and only its answer be lost: whoever asks again is told so.
        raise
    except (web.HTTPException, ResponderError):
        await _free(desk, claim)
        raise
    await _keep(desk, claim, answer)
    return answer


async def _asked(request: web.Request, key: str) -> Answer:
    who = (identity_of(request).key, request.method, request.path, key)
    content = hashlib.sha256(request.path_qs.encode() + b"\x00" + await request.read())
    at = desk_of(request).clock.now()
    return Answer(identity=hashlib.sha256("\x00".join(who).encode()).hexdigest(), content=content.hexdigest(), at=at)


def _again(known: Answer, content: str) -> web.Response:
    """Raises HTTPUnprocessableEntity for another request, HTTPConflict for one without an answer."""
    if known.content != content:
        raise web.HTTPUnprocessableEntity(
            text=f"This {HEADER} was used for another request; a new one needs a new key."
        )
    if not known.status:
        raise web.HTTPConflict(
            text=f"A request with this {HEADER} is being done, or was done and its answer is lost: look at what it was "
            "to change before you send it under another key."
        )
    is_known()
    headers = {"Idempotent-Replayed": "true"}
    return web.Response(status=known.status, text=known.body, content_type=known.kind, headers=headers)


async def _keep(desk: Desk, claim: Claim, answer: web.StreamResponse) -> None:
    if not claim.is_written:
        return
    if not isinstance(answer, web.Response) or answer.status >= 400:
        await _free(desk, claim)
        return
    body = answer.body.decode() if isinstance(answer.body, bytes) else ""
    made = replace(claim.answer, status=answer.status, kind=answer.content_type, body=body)
    await desk.store.write(lambda tx: tx.answers.keep(made))


async def _free(desk: Desk, claim: Claim) -> None:
    if claim.is_written:
        await desk.store.write(lambda tx: tx.answers.free(claim.answer.identity))
