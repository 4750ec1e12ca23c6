"""The event stream: what has changed, told to programs and to open pages by server-sent events.

(WHATWG HTML, 9.2 Server-sent events.)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler

from responder.domain.access import Via
from responder.domain.topics import GENERAL, is_topic
from responder.errors import StoreUnavailable
from responder.web.bodies import number_in
from responder.web.changes import HUB, Change, Full, FullForOne, Hub, Listener
from responder.web.context import CONTEXT, identity_of, needs
from responder.web.identity import still_asks
from responder.web.operations import LINK, Media, operation
from responder.web.paging import cursor_of, limit_in, page_answer, place_in
from responder.web.schemas import tickets
from responder.web.shapes import event_line, plain

if TYPE_CHECKING:
    from responder.domain.access import Identity

IsAllowed = Callable[[], Awaitable[bool]]
POSITION = web.RequestKey("live position", str)
_MOST_TOPICS = 100
_LARGEST_PAGE = 500
_AGAIN_AFTER = timedelta(seconds=2)
_PATIENCE = timedelta(seconds=30)
_HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'",
    # What stands between must pass on each event at once.
    "X-Accel-Buffering": "no",
}


@needs("read")
@operation(
    query=tickets.StreamQuery,
    answers=Media(type="text/event-stream", is_text=True),
    also={429: "The same one listens so often already."},
)
async def listen(request: web.Request) -> web.StreamResponse:
    """What changes from now on, as server-sent events. Query: topics (with commas; all if left out), and after (the
    id of the last event that was seen, as the header Last-Event-ID)."""
    hub = request.app[HUB]
    listener = _listener(request, hub)
    answer = web.StreamResponse(headers=_HEADERS)
    try:
        await answer.prepare(request)
        async for text in _events(hub, listener, lambda: _is_allowed(request)):
            await _send(answer, listener, text)
    except (ConnectionResetError, TimeoutError):
        # Gone, or takes nothing any more: it comes back with the id of the last event that it has seen.
        _drop(request)
    finally:
        hub.leave(listener)
    return answer


@needs("read")
@operation(query=tickets.EventQuery, answers=tickets.EventPage, headers=LINK)
async def ticket_events(request: web.Request) -> web.StreamResponse:
    """The history of a ticket, oldest first. Query: after (the id of the last event that was seen), limit. `after` in
    the answer is what to ask with for what will happen; `next` is null when nothing more has happened yet."""
    key, query = request.match_info["key"], request.query
    place, limit = place_in(query), limit_in(query, 100, _LARGEST_PAGE)
    after = place[0] if place else number_in(query.get("after"), 0)
    store = request.app[CONTEXT].desk.store
    found = await store.read(lambda tx: tx.tickets.events_after(tx.tickets.find(key).ticket.id, after, limit))
    seen = found[-1][0] if found else after
    lines = [{"id": number, **event_line(one)} for number, one in found]
    return page_answer(request, "events", lines, cursor_of(seen) if len(found) == limit else None, after=seen)


@web.middleware
async def remember_position(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Keeps what was told before a page was made: from there its script goes on, and misses nothing."""
    request[POSITION] = request.app[HUB].position
    return await handler(request)


def add_to(application: web.Application) -> None:
    """Gives an application its hub; the routes are beside the others."""
    context = application[CONTEXT]
    hub = application[HUB] = Hub(context.desk.clock.now)

    async def followed(_: web.Application) -> AsyncIterator[None]:
        hub.open(context.changes)
        yield
        hub.close()

    async def closed(_: web.Application) -> None:
        # Before the server waits for those that it answers just now.
        hub.close()

    application.cleanup_ctx.append(followed)
    application.on_shutdown.append(closed)


def routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/events", listen, allow_head=False),
        web.get("/api/v1/tickets/{key}/events", ticket_events),
    ]


def _listener(request: web.Request, hub: Hub) -> Listener:
    """Raises HTTPTooManyRequests, HTTPServiceUnavailable, HTTPUnprocessableEntity."""
    who, later = identity_of(request), {"Retry-After": "30"}
    try:
        return hub.listen(
            _topics_in(request.query.get("topics", "")),
            request.headers.get("Last-Event-ID") or request.query.get("after", ""),
            # An open console does not know who asks.
            whose="" if who.via is Via.OPEN else who.key,
            is_connected=lambda: request.transport is not None,
            drop=lambda: _drop(request),
        )
    except FullForOne:
        text = f"{who.name} listens {hub.most_of_one} times already; close some pages, or try again later."
        raise web.HTTPTooManyRequests(text=text, headers=later) from None
    except Full:
        text = f"{hub.most} listen already; try again later, or ask again now and then."
        raise web.HTTPServiceUnavailable(text=text, headers=later) from None


async def _events(hub: Hub, listener: Listener, is_allowed: IsAllowed) -> AsyncIterator[str]:
    clock = asyncio.get_running_loop().time
    yield f"retry: {_AGAIN_AFTER // timedelta(milliseconds=1)}\n" + _event("ready", {}, listener.position)
    beat_at = clock() + hub.beat.total_seconds()
    while not listener.is_ended:
        changes = await listener.next(max(beat_at - clock(), 0))
        is_beat = clock() >= beat_at
        # With each beat also while much changes, and before anything more is told where an account has changed.
        if (is_beat or listener.is_doubted) and not await _proved(listener, is_allowed):
            yield _event("ended", {"detail": "Whoever listens here may not do so any more."})
            return
        if changes:
            yield "".join(_changed(hub, one) for one in changes)
        if is_beat:
            beat_at = clock() + hub.beat.total_seconds()
            yield ": still here\n" + _event("beat", {})


async def _proved(listener: Listener, is_allowed: IsAllowed) -> bool:
    # What changes while this is looked at is another doubt.
    listener.is_doubted = False
    return await is_allowed()


def _changed(hub: Hub, change: Change) -> str:
    content = {"topics": sorted(change.topics), "at": plain(change.at)}
    return _event("changed", content, hub.position_of(change.number))


def _event(name: str, content: dict[str, object], position: str = "") -> str:
    number = f"id: {position}\n" if position else ""
    return f"event: {name}\n{number}data: {orjson.dumps(content).decode()}\n\n"


async def _send(answer: web.StreamResponse, listener: Listener, text: str) -> None:
    """Raises TimeoutError for who takes nothing, ConnectionResetError for who has gone."""
    listener.is_sending = True
    async with asyncio.timeout(_PATIENCE.total_seconds()):
        await answer.write(text.encode())
    listener.is_sending = False


async def _is_allowed(request: web.Request) -> bool:
    """Whether the credential that opened the stream is still good for it; while nobody can know, it is."""
    try:
        who: Identity | None = await still_asks(request, request.app[CONTEXT].desk, identity_of(request))
    except StoreUnavailable:
        return True
    except web.HTTPForbidden:
        return False
    return who is not None and who.name == identity_of(request).name and not who.objection("read")


def _drop(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


def _topics_in(text: str) -> list[str]:
    """Raises HTTPUnprocessableEntity."""
    topics = [one.strip() for one in text.split(",") if one.strip()]
    wrong = [one for one in topics if not is_topic(one)]
    if wrong or len(topics) > _MOST_TOPICS:
        known = ", ".join((*GENERAL, "ticket:ID", "run:ID"))
        why = f"There is no topic {wrong[0][:80]!r}" if wrong else f"These are more than {_MOST_TOPICS} topics"
        raise web.HTTPUnprocessableEntity(text=f"{why}; there are {known}.")
    return topics
