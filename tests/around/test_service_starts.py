"""The order in which the service starts: what must come first, and what need not be waited for."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import aiohttp
import pytest

from responder.app import Service
from responder.errors import ListenFailed
from tests.databases import opened
from tests.servers.ports import free_port
from tests.world import MAIN, POLICY, World, alert, write_files

TICKETS = 400
SLOWER = POLICY + "grades: {P3: {targets: {respond: 3h, restore: 24h, resolve: 72h}}}\n"


async def with_open_tickets(folder: Path, port: int) -> Path:
    """The files of a service that knows these tickets, under a policy that has changed since."""
    database = opened(folder / "responder.db")
    world = World(folder, database)
    alerts = [alert("DiskFull", instance=f"n{number}", severity="warning") for number in range(TICKETS)]
    await world.post(*alerts)
    database.close()
    main = MAIN.replace("9180", str(port)).replace("unused.db", "responder.db")
    return write_files(folder, main=main, policy=SLOWER)


async def test_reports_are_taken_while_deadlines_follow_a_changed_policy(tmp_path: Path) -> None:
    port = free_port()
    service = Service(await with_open_tickets(tmp_path, port), with_worker=False)
    starting = asyncio.create_task(service.start())
    try:
        async with aiohttp.ClientSession() as session:
            while True:
                try:
                    async with session.get(f"http://127.0.0.1:{port}/-/healthy") as answer:
                        assert answer.status == 200
                        break
                except aiohttp.ClientConnectionError:
                    await asyncio.sleep(0.005)
        assert not starting.done()
        await starting
        tickets = await service.desk.store.read(lambda tx: tx.tickets.with_running_clocks())
        known = await service.desk.store.read(lambda tx: tx.tickets.one(tickets[-1]))
        respond = known.clocks["respond"]
        assert respond.due_at is not None
        assert (respond.due_at - respond.started_at).total_seconds() == 3 * 3600
    finally:
        await starting
        await service.stop()


async def test_where_something_else_listens_nothing_is_begun(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        service = Service(await with_open_tickets(tmp_path, other.getsockname()[1]))
        with pytest.raises(ListenFailed):
            await service.start()
    assert service.process().loops == {}
    await service.stop()
