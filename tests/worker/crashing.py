"""A process that takes one alert, gives first aid, and is killed with -9 around its N-th transaction."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from responder.app import make_desk, work_for
from responder.clock import SystemClock
from responder.config.configuration import read, shipped_runbooks
from responder.domain.ticket import Status
from responder.flows.receive import Post, receipt, receive
from responder.intake.alertmanager import parse
from responder.store import schema
from responder.store.database import Database
from responder.store.reports import Body
from responder.store.transaction import Transaction
from responder.worker.cluster import ClusterWorker
from responder.worker.local import LocalWorker

T = TypeVar("T")
ALERT = (
    b'{"alerts": [{"status": "firing", "labels": {"alertname": "Down", "instance": "node", "severity": "critical"}}]}'
)


class CrashingDatabase(Database):
    """Kills its process just before or just after the commit of the N-th transaction."""

    def __init__(self, url: str, kill_at: int, when: str) -> None:
        super().__init__(url)
        self._left = kill_at
        self._when = when

    async def write(self, body: Callable[[Transaction], T], *, urgent: bool = False) -> T:
        if urgent:
            # The intake is not part of the run.
            return await super().write(body, urgent=urgent)
        self._left -= 1
        mine = self._left == 0
        if mine and self._when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = await super().write(body, urgent=urgent)
        if mine:
            os.kill(os.getpid(), signal.SIGKILL)
        return result


async def main(path: Path, kill_at: int, when: str) -> None:
    configuration = read(path)
    database = CrashingDatabase(configuration.database_url, kill_at, when)
    schema.upgrade(database)
    clock = SystemClock()
    desk = make_desk(configuration, database, clock)
    if not await database.read(lambda tx: tx.tickets.listed()):
        now = clock.now()
        name = receipt(now)
        reports = parse(ALERT, source="main", received_at=now, receipt=name).reports
        kept = Body(id=name, source="main", received_at=now, body=ALERT)
        await receive(desk, [Post(body=kept, reports=reports)])
    work = work_for(desk)
    worker = ClusterWorker(database, work) if database.is_cluster else LocalWorker(database, work, clock)
    await worker.start()
    while not await database.read(_is_over):
        await asyncio.sleep(0.02)
    await worker.stop()
    await desk.hosts.close()
    database.close()


def _is_over(tx: Transaction) -> bool:
    return tx.tickets.one(1).ticket.status in (Status.RESTORED, Status.HANDED_OVER)


def run(path: Path, kill_at: int, when: str) -> None:
    """All of it in a process that was just forked."""
    asyncio.run(main(path, kill_at, when))


# Whoever is forked from a process that has this module has the shipped runbooks as well.
shipped_runbooks()
