"""Versions of tickets in headers: `ETag` says what was read, `If-Match` that it must still be so (RFC 9110, 13.1)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

from responder.domain.ticket import Event, Ticket
from responder.errors import Refused
from responder.flows.desk import Desk
from responder.store.transaction import Transaction
from responder.web.bodies import json_answer
from responder.web.problems import problem
from responder.web.shapes import event_line

_TAG = re.compile(r'"(\d{1,15})\.(\d{1,15})\.[0-9a-f]+"')
_MOST = 100
IF_MATCH = {"If-Match": "The `ETag` of the ticket as it was read: 412 if it has changed since."}
IF_NONE_MATCH = {"If-None-Match": "The `ETag` of what is there already: 304 if it is still the same."}
E_TAG = {"ETag": "What was read, for If-Match and If-None-Match."}


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """What somebody has read of a ticket: its version, and the id of the last event."""

    version: int
    event: int


def seen_in(request: web.Request) -> Seen | None:
    """What `If-Match` asks for; None if it asks for nothing. What is no tag of ours matches nothing."""
    text = request.headers.get("If-Match", "").strip()
    if text in ("", "*"):
        return None
    found = _TAG.fullmatch(text)
    return Seen(version=int(found[1]), event=int(found[2])) if found else Seen(version=-1, event=0)


def tagged(request: web.Request, content: dict[str, Any], last_event: int) -> web.Response:
    """A ticket with its `ETag`, or 304 to who has it already."""
    answer = json_answer(content)
    digest = hashlib.sha256(orjson.dumps(content)).hexdigest()[:16]
    tag = f'"{content["version"]}.{last_event}.{digest}"'
    known = [one.strip().removeprefix("W/") for one in request.headers.get("If-None-Match", "").split(",")]
    if tag in known or known == ["*"]:
        return web.Response(status=304, headers={"ETag": tag})
    answer.headers["ETag"] = tag
    return answer


async def if_unchanged(
    desk: Desk, key: str, seen: Seen | None, doing: Callable[[int | None], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Does what is given the version that was seen; if the ticket has another one, what has changed meanwhile."""
    if seen is None:
        return await doing(None)
    if stale := await _stale(desk, key, seen):
        return stale
    try:
        return await doing(seen.version)
    except Refused:
        # Somebody may have been faster than we were.
        if stale := await _stale(desk, key, seen, but_refusals=True):
            return stale
        raise


async def _stale(desk: Desk, key: str, seen: Seen, *, but_refusals: bool = False) -> web.Response | None:
    def gather(tx: Transaction) -> tuple[Ticket, list[tuple[int, Event]]]:
        ticket = tx.tickets.find(key).ticket
        return ticket, tx.tickets.events_after(ticket.id, seen.event, _MOST) if seen.version >= 0 else []

    ticket, since = await desk.store.read(gather)
    happened = [one for _, one in since if not (but_refusals and one.kind == "refused")]
    if ticket.version == seen.version or (but_refusals and not happened):
        return None
    last = f" The last thing: {happened[-1].actor}: {happened[-1].text}" if happened else ""
    return problem(
        412,
        f"{ticket.number} has changed since you read it, so nothing was done.{last}",
        version=ticket.version,
        since=[{"id": number, **event_line(one)} for number, one in since],
    )
