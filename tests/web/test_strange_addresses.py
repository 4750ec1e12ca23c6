"""What no address and no name can hold is told so on every database, and by nothing that goes wrong inside."""

from __future__ import annotations

import pytest

from responder.domain.audit import Entry
from responder.store.audit_log import AuditFilter
from tests.web.conftest import Client, cookie
from tests.world import World


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/tickets/%00"),
        ("GET", "/api/v1/tickets/%00"),
        ("POST", "/tickets/%00/note"),
        ("POST", "/api/v1/users/%00/password"),
        ("GET", "/ack/%00"),
    ],
)
async def test_there_is_nothing_at_an_address_with_a_nul(client: Client, world: World, method: str, path: str) -> None:
    for headers in ({}, await cookie(world, "responder", teams=("ops",)), await cookie(world, "admin")):
        assert (await client.request(method, path, headers=headers)).status == 404


async def test_nobody_signs_in_by_a_name_with_a_nul(client: Client) -> None:
    answer = await client.post("/sign-in", data={"name": "mei\x00", "password": "a long good pass"})
    assert answer.status == 401


async def test_an_entry_of_the_audit_log_is_written_whatever_it_says(world: World) -> None:
    entry = Entry(at=world.clock.now(), actor="mei", via="", address="", action="GET /", object="a\x00b")
    await world.database.write(lambda tx: tx.audit_log.add(entry))
    [found] = await world.read(lambda tx: tx.audit_log.listed(AuditFilter(), 5))
    assert found.object == "a\ufffdb"
