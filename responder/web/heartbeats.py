"""Heartbeats: where cron jobs say that they live, and what is known of them and of the sources."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections import deque
from typing import Any

from aiohttp import web

from responder.domain.cron_job import Ping, Word
from responder.domain.heartbeat import Heartbeat
from responder.errors import NotFound
from responder.flows.cron_jobs import Pings, shown
from responder.store.transaction import Transaction
from responder.web.bodies import desk_of, json_answer
from responder.web.context import CONTEXT, needs
from responder.web.operations import CONFIGURED, operation
from responder.web.schemas import service
from responder.web.shapes import plain

_LONGEST_BODY = 10_000
_LONGEST_RUN = 100
_PATIENCE = 5.0
_RETRY_AFTER = "5"
_AWAY = "The database is away. Please send it again; until then it is kept as long as this process lives.\n"
MOST_PER_MINUTE = 60
PINGS = web.AppKey("pings", Pings)
_PACE = web.AppKey("pace", dict[str, deque[float]])


async def ping(request: web.Request) -> web.StreamResponse:
    """Takes one word of a job. Whatever is wrong with the address, the answer is the same."""
    desk, name = desk_of(request), request.match_info["name"]
    rule = desk.policy.cron_jobs.get(name)
    expected = desk.links.heartbeat_key(name, rule.key if rule else 1)
    is_right = hmac.compare_digest(expected.encode(), request.match_info["key"].encode())
    word = _word(request.match_info.get("what", ""))
    if rule is None or not is_right or word is None:
        raise web.HTTPNotFound(text="not found")
    if not _is_in_pace(request.app[_PACE], name):
        raise web.HTTPTooManyRequests(text=f"More than {MOST_PER_MINUTE} a minute.", headers={"Retry-After": "60"})
    said = Ping(
        name=name,
        at=desk.clock.now(),
        word=word[0],
        exit_code=word[1],
        run=request.query.get("rid", "")[:_LONGEST_RUN].replace("\0", ""),
        words=await _words(request),
    )
    if await request.app[PINGS].take(said):
        return web.Response(text="OK\n")
    raise web.HTTPServiceUnavailable(text=_AWAY, headers={"Retry-After": _RETRY_AFTER})


def _word(what: str) -> tuple[Word, int | None] | None:
    """What the end of the address says: nothing, start, fail, or an exit code."""
    if what == "":
        return Word.SUCCESS, None
    if what in (Word.START, Word.FAIL):
        return Word(what), None
    if what.isascii() and what.isdigit() and len(what) <= 3 and int(what) <= 255:
        return (Word.FAIL if int(what) else Word.SUCCESS), int(what)
    return None


def _is_in_pace(pace: dict[str, deque[float]], name: str) -> bool:
    times, now = pace.setdefault(name, deque(maxlen=MOST_PER_MINUTE)), time.monotonic()
    if len(times) == MOST_PER_MINUTE and now - times[0] < 60:
        return False
    times.append(now)
    return True


async def _words(request: web.Request) -> str:
    """The beginning of the body; a body that does not come is no reason to lose the word."""
    found = b""
    try:
        async with asyncio.timeout(_PATIENCE):
            while len(found) < _LONGEST_BODY and (more := await request.content.read(_LONGEST_BODY - len(found))):
                found += more
    except (TimeoutError, web.HTTPException, ConnectionError):
        pass
    return found.decode("utf-8", "replace")


@needs("read")
@operation(answers=service.Heartbeats, whole=CONFIGURED)
async def list_heartbeats(request: web.Request) -> web.StreamResponse:
    """Cron jobs with their state, and the heartbeats of sources."""
    desk = desk_of(request)

    def gather(tx: Transaction) -> dict[str, Any]:
        sources = [source_line(one) for one in tx.switchboard.heartbeats()]
        return {"cron_jobs": shown(desk, tx), "sources": sources}

    return json_answer(plain(await desk.store.read(gather)))


def source_line(beat: Heartbeat) -> dict[str, Any]:
    """A source's heartbeat as the API tells it."""
    return {
        "source": beat.source,
        "name": beat.name,
        "last_at": beat.last_at,
        "not_heard_since": beat.not_heard_since,
        "silent_since": beat.silent_since,
    }


@needs("act")
@operation(answers=service.HeartbeatUrl)
async def show_url(request: web.Request) -> web.StreamResponse:
    """The address that a job calls; whoever has it can say that the job is well."""
    desk, name = desk_of(request), request.match_info["name"]
    rule = desk.policy.cron_jobs.get(name)
    if rule is None:
        known = ", ".join(desk.policy.cron_jobs) or "none"
        raise NotFound(f"The policy has no cron job {name[:100]}; there are: {known}.")
    return json_answer({"name": name, "url": desk.links.heartbeat(name, rule.key)})


def routes() -> list[web.RouteDef]:
    address = "/heartbeat/{name}/{key}"
    return [
        web.get("/api/v1/heartbeats", list_heartbeats),
        web.get("/api/v1/heartbeats/{name}/url", show_url),
        *(web.route(method, address + end, ping) for method in ("GET", "POST", "HEAD") for end in ("", "/{what}")),
    ]


def add_to(application: web.Application) -> None:
    """Routes, and what is kept between requests."""
    pings = Pings(application[CONTEXT].desk)
    application[PINGS] = pings
    application[_PACE] = {}

    async def stop(_application: web.Application) -> None:
        await pings.stop()

    application.on_cleanup.append(stop)
    application.add_routes(routes())
