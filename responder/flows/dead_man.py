"""The dead man's switch: a beat to somebody outside who calls people when it stops.

The watch promises it, the worker sends it, and the audit of pages vouches for it: when one of them fails, it stops.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import structlog

from responder.clock import from_microseconds, microseconds
from responder.domain.acts import Request
from responder.domain.durations import spoken
from responder.domain.masking import masked
from responder.errors import ResponderError
from responder.flows.audit_pages import objection
from responder.flows.desk import Desk
from responder.store.jobs import Job
from responder.store.transaction import Transaction

log = structlog.get_logger()
PROMISED, SENT = "dead_man", "dead_man_sent"
_PATIENCE = timedelta(seconds=10)


async def promise_beat(desk: Desk) -> bool:
    """Promises the next beat if it is due."""
    settings, now = desk.configuration.settings.dead_man, desk.clock.now()
    if settings is None or not await desk.store.read(lambda tx: tx.rounds.is_due(PROMISED, settings.every, now)):
        return False
    every = settings.every

    def body(tx: Transaction) -> bool:
        if not tx.rounds.begin(PROMISED, every, now):
            return False
        args = {"at": microseconds(now)}
        tx.promise([Job(kind="dead_man", args=args, due_at=now, at_once=True, lock="dead_man")])
        return True

    return await desk.store.write(body)


async def beat(desk: Desk, job: Job) -> None:
    """Sends one beat, unless the audit of pages does not vouch for us; what comes of it is kept, and never raised."""
    settings, url, now = desk.configuration.settings.dead_man, desk.configuration.dead_man_url, desk.clock.now()
    if settings is None or url is None or now - from_microseconds(int(job.args["at"])) >= settings.every:
        # One that waited for long says nothing about now.
        return
    why_not = await desk.store.read(lambda tx: objection(tx, now))
    outcome = "withheld"
    if not why_not:
        why_not = await _send(desk, Request(url=url.value, method=settings.method, timeout=_PATIENCE))
        outcome = "failed" if why_not else "sent"
    if why_not:
        log.warning("no beat for the dead man's switch", outcome=outcome, why=why_not)
    await desk.store.write(lambda tx: _keep(desk, tx, outcome, why_not))


async def _send(desk: Desk, request: Request) -> str:
    """Why it did not get through; empty if it did."""
    try:
        page = await desk.web.send(request)
    except ResponderError as error:
        return masked(str(error), desk.configuration.secrets)
    return "" if 200 <= page.status < 300 else f"It was answered with status {page.status}."


def _keep(desk: Desk, tx: Transaction, outcome: str, why_not: str) -> None:
    now = desk.clock.now()
    last = tx.rounds.last(SENT)
    sent_at = microseconds(now) if outcome == "sent" else (last.result.get("sent_at") if last else None)
    tx.rounds.keep(SENT, now, {"sent_at": sent_at, "outcome": outcome, "why_not": why_not})
    tx.sums.add({("dead_man_beats_total", (("outcome", outcome),)): 1})


def last_sent_at(tx: Transaction) -> datetime | None:
    """When the last beat got through."""
    sent_at = _last(tx).get("sent_at")
    return None if sent_at is None else from_microseconds(sent_at)


def last_word(tx: Transaction) -> str:
    """Why the last beat was not sent or not taken; empty if it was."""
    last = _last(tx)
    return f"The last beat was {last['outcome']}: {last['why_not']}" if last.get("why_not") else ""


def spoken_state(desk: Desk, tx: Transaction) -> str:
    """How the dead man's switch is, in a sentence; empty if there is none."""
    if desk.configuration.settings.dead_man is None:
        return ""
    sent_at, last = last_sent_at(tx), _last(tx)
    when = f"last sent {spoken(desk.clock.now() - sent_at)} ago" if sent_at else "never sent"
    why = f"; now {last['outcome']}: {last['why_not']}" if last.get("why_not") else ""
    return f"dead man's switch: {when}{why}"


def _last(tx: Transaction) -> dict[str, Any]:
    last = tx.rounds.last(SENT)
    return last.result if last else {}
