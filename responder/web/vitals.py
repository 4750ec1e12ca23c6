"""How responder itself is: a page for people, and the same for programs."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

from aiohttp import web

from responder import __version__
from responder.domain.masking import masked
from responder.domain.vitals import Process
from responder.flows.vitals import Health, health_of
from responder.store.vitals import VitalStore
from responder.web.bodies import desk_of, json_answer
from responder.web.changes import HUB
from responder.web.console import console_page
from responder.web.context import CONTEXT, needs
from responder.web.heartbeats import source_line
from responder.web.operations import PRESENT, operation
from responder.web.schemas import vitals as schemas
from responder.web.shapes import plain


@needs("read")
@operation(answers=schemas.HealthShown, whole=PRESENT)
async def show_health(request: web.Request) -> web.StreamResponse:
    """How responder itself is, with what to do where it is not well; the numbers are those of /metrics."""
    return json_answer(_lines(await _health(request)))


@needs("read")
async def health_page(request: web.Request) -> web.StreamResponse:
    """The same for people, what is not well first."""
    health = await _health(request)
    return await console_page(
        request,
        "health.html",
        title="Health",
        health=health,
        version=__version__,
        uptime=health.at - health.process.started_at,
        checks=[one.name for one in desk_of(request).policy.health_checks],
    )


def routes() -> list[web.RouteDef]:
    return [web.get("/api/v1/health", show_health), web.get("/health", health_page)]


async def _health(request: web.Request) -> Health:
    desk, hub = desk_of(request), request.app[HUB]
    before = time.perf_counter()
    await desk.store.read(lambda tx: VitalStore(tx.connection).answer())
    answered_in = timedelta(seconds=time.perf_counter() - before)
    process = await _process(request)
    return await health_of(desk, replace(process, listening=hub.listening, may_listen=hub.most), answered_in)


async def _process(request: web.Request) -> Process:
    context = request.app[CONTEXT]
    process, why_not = context.process(), await context.is_ready()
    secrets = context.desk.configuration.secrets
    return replace(process, why_not=why_not, reload_problems=masked(process.reload_problems, secrets))


def _lines(health: Health) -> dict[str, Any]:
    process, database = health.process, health.database
    reload = {name: getattr(process, name) for name in ("reloaded_at", "refused_at")}
    content = {
        "at": health.at,
        "state": health.state.value,
        "version": __version__,
        "started_at": process.started_at,
        "uptime_seconds": (health.at - process.started_at).total_seconds(),
        "vitals": [asdict(one) for one in health.vitals],
        "loops": [{"name": name, "goes_on": goes_on} for name, goes_on in process.loops.items()],
        "watch_failures": dict(process.watch_failures),
        "reload": {**reload, "problems": process.reload_problems},
        "database": {
            "kind": database.kind,
            "size_bytes": database.size,
            "revision": database.revision,
            "answered_in_seconds": health.answered_in.total_seconds(),
        },
        "jobs": [{"kind": kind, "waiting": count, "oldest_at": at} for kind, count, at in health.jobs],
        "messages": _messages(health),
        "mailbox_seen_at": health.mailbox_seen_at,
        "dead_man_beat_at": health.beat_at,
        "sources": [source_line(one) for one in health.sources],
        "cron_jobs": list(health.cron_jobs),
        "audit_of_pages": {
            "last_round_at": health.pages["at"],
            "tickets": health.pages["tickets"],
            "differences": health.pages["open"],
        },
        "live_streams": {"open": process.listening, "most": process.may_listen},
    }
    lines: dict[str, Any] = plain(content)
    return lines


def _messages(health: Health) -> dict[str, Any]:
    sent = [{"channel": channel, "outcome": outcome, "count": count} for channel, outcome, count in health.sent]
    return {
        "waiting": health.messages_waiting,
        "oldest_at": health.oldest_message_at,
        "channels": [asdict(one) for one in health.channels],
        "sent": sent,
    }
