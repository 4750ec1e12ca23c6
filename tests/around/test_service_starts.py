"""The order in which the service starts: what must come first, and what need not be waited for."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from responder.app import Service
from responder.domain.correlation import Known
from responder.errors import ListenFailed
from tests.databases import opened
from tests.fakes import FakeClock
from tests.servers.ports import free_port
from tests.world import MAIN, POLICY, World, alert, write_files

LONGER = POLICY + "grades: {P1: {targets: {respond: 4h, escalation: 6h, restore: 24h, resolve: 72h}}}\n"


async def with_open_tickets(folder: Path, port: int, tickets: int) -> tuple[Path, FakeClock]:
    """The files of a service that went down with these tickets, and has longer targets since; the time is later."""
    database = opened(folder / "responder.db")
    world = World(folder, database)
    await world.post(*(alert("DiskFull", instance=f"n{number}") for number in range(tickets)))
    await world.work()
    database.close()
    world.clock.advance(timedelta(minutes=40))
    main = MAIN.replace("9180", str(port)).replace("unused.db", "responder.db")
    return write_files(folder, main=main, policy=LONGER), world.clock


async def until(service: Service, holds: Callable[[Known], bool]) -> Known:
    """The last ticket as soon as it holds of it."""
    async with asyncio.timeout(60):
        while True:
            tickets = await service.desk.store.read(lambda tx: tx.tickets.with_running_clocks())
            known: Known = await service.desk.store.read(lambda tx, last=tickets[-1]: tx.tickets.one(last))  # type: ignore[misc]
            if holds(known):
                return known
            await asyncio.sleep(0.01)


def has_four_hours(known: Known) -> bool:
    respond = known.clocks["respond"]
    return respond.due_at == respond.started_at + timedelta(hours=4)


async def test_deadlines_follow_a_policy_that_has_changed_before_anybody_looks_at_them(tmp_path: Path) -> None:
    files, clock = await with_open_tickets(tmp_path, free_port(), 3)
    service = Service(files, clock=clock)
    await service.start()
    known = await until(service, has_four_hours)
    clock.advance(timedelta(minutes=1))
    told = await service.desk.store.read(lambda tx: tx.tickets.events(known.ticket.id))
    sums = await service.desk.store.read(lambda tx: {name for name, _, _ in tx.sums.all()})
    await service.stop()
    assert not any("ran past its target" in event.text for event in told)
    assert not any("breached" in name for name in sums)
    assert known.clocks["respond"].breached_at is None


async def test_nobody_waits_for_deadlines_that_follow_a_changed_policy(tmp_path: Path) -> None:
    files, clock = await with_open_tickets(tmp_path, free_port(), 400)
    service = Service(files, clock=clock)
    await service.start()
    assert not has_four_hours(await until(service, lambda _: True))
    assert await service.is_ready() == ""
    await until(service, has_four_hours)
    await service.stop()


async def test_where_something_else_listens_nothing_is_begun(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        files, clock = await with_open_tickets(tmp_path, other.getsockname()[1], 1)
        service = Service(files, clock=clock)
        with pytest.raises(ListenFailed):
            await service.start()
    assert service.process().loops == {}
    await service.stop()
