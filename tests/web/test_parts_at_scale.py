"""What the API of parts asks the database: no more for many reservations than for one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from responder.domain.parts import Part
from responder.flows.parts import add_part, reserve_for_plan
from responder.store.database import Database
from tests.web.conftest import Client, header
from tests.world import World, alert


@contextmanager
def asked_of(database: Database) -> Iterator[list[str]]:
    """The statements of a while."""
    seen: list[str] = []

    def note(*args: object) -> None:
        seen.append(str(args[2]))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


async def reserved(world: World, ticket: int) -> None:
    await world.post(alert("DiskFull", instance=f"n{ticket}", severity="warning"))
    now = world.clock.now()
    await world.database.write(lambda tx: reserve_for_plan(tx, ticket, {"disk": 1}, "mei", now))


@pytest.mark.parametrize("path", ["parts/disk", "reservations"])
async def test_many_reservations_are_read_with_as_many_statements_as_one(
    client: Client, world: World, path: str
) -> None:
    read = await header(world, "read")
    await add_part(world.desk, Part(number="disk", name="a disk", stock=9, changed_at=world.clock.now()), "mei")
    needed = []
    for tickets in (range(1, 2), range(2, 7)):
        for ticket in tickets:
            await reserved(world, ticket)
        with asked_of(world.database) as statements:
            shown = await (await client.get(f"/api/v1/{path}", headers=read)).json()
        needed.append(len(statements))
    numbers = [one.number for one in await world.read(lambda tx: tx.tickets.listed())]
    assert [one["ticket"] for one in shown["reservations"]] == numbers
    assert needed[0] == needed[1] > 0
