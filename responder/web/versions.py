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

_TAG = re.compile(r'(W/)?"([^"]*)"')
_OURS = re.compile(r"(\d{1,15})\.(\d{1,15})\.[0-9a-f]+")
_WEAK = (
    "If-Match holds a weak tag (W/), which never counts there, so nothing was done. Send the tag without W/; something "
    "on the way, such as a proxy that compresses, may have put it there."
)
_UNKNOWN = "If-Match holds no ETag of a ticket, so nothing was done."
_MOST = 100
_Since = list[tuple[int, Event]]
IF_MATCH = {"If-Match": "The `ETag` of the ticket as it was read: 412 if it has changed since."}
IF_NONE_MATCH = {"If-None-Match": "The `ETag` of what is there already: 304 if it is still the same."}
E_TAG = {"ETag": "What was read, for If-Match and If-None-Match."}


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """What somebody has read of a ticket: versions of which one must be there, and the id of the last event. `is_weak`
    if a tag was weak, which counts for nothing (RFC 9110, 13.1.1)."""

    versions: frozenset[int]
    event: int
    is_weak: bool


def seen_in(request: web.Request) -> Seen | None:
    """What `If-Match` asks for; None if it asks for nothing. What is no tag of ours matches nothing."""
    text = ",".join(request.headers.getall("If-Match", [])).strip()
    if text in ("", "*"):
        return None
    tags = _TAG.findall(text)
    ours = [(int(one[1]), int(one[2])) for weak, tag in tags if not weak and (one := _OURS.fullmatch(tag))]
    return Seen(
        versions=frozenset(version for version, _ in ours),
        event=max((event for _, event in ours), default=0),
        is_weak=any(weak for weak, _ in tags),
    )


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
    ticket, since = await _now(desk, key, seen)
    if ticket.version not in seen.versions:
        return _stale(ticket, since, seen)
    try:
        return await doing(ticket.version)
    except Refused:
        # Somebody may have been faster than we were.
        after, since = await _now(desk, key, seen)
        if after.version != ticket.version and any(one.kind != "refused" for _, one in since):
            return _stale(after, since, seen)
        raise


async def _now(desk: Desk, key: str, seen: Seen) -> tuple[Ticket, _Since]:
    """The ticket, and what has happened since."""

    def gather(tx: Transaction) -> tuple[Ticket, _Since]:
        ticket = tx.tickets.find(key).ticket
        return ticket, tx.tickets.events_after(ticket.id, seen.event, _MOST) if seen.versions else []

    return await desk.store.read(gather)


def _stale(ticket: Ticket, since: _Since, seen: Seen) -> web.Response:
    happened = [one for _, one in since if one.kind != "refused"] or [one for _, one in since]
    last = f" The last thing: {happened[-1].actor}: {happened[-1].text}" if happened else ""
    changed = f"{ticket.number} has changed since you read it, so nothing was done.{last}"
    return problem(
        412,
        changed if seen.versions else _WEAK if seen.is_weak else _UNKNOWN,
        version=ticket.version,
        since=[{"id": number, **event_line(one)} for number, one in since],
    )
