"""Spare parts: kept by people, reserved by plans, and never promised twice."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from threading import Event

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import text

from responder.domain.parts import Part
from responder.errors import NotFound, Refused
from responder.flows.batcher import Batcher
from responder.flows.parts import (
    add_part,
    change_part,
    count_part,
    part_in,
    receive_part,
    release,
    report_part,
    reserve_for_plan,
    take_part,
    use_reserved,
)
from responder.store.database import Database
from responder.store.jobs import Job
from responder.store.transaction import Transaction
from responder.web.context import CONTEXT, Context
from responder.web.parts import routes
from responder.web.problems import errors_as_problems
from tests.world import World, alert, texts

HOUR = timedelta(hours=1)


async def stocked(world: World, **stock: int) -> None:
    """Parts of these numbers, so many of each."""
    for number, count in stock.items():
        part = Part(number=number, name=f"a {number}", stock=count, changed_at=world.clock.now())
        await add_part(world.desk, part, "mei")


async def tickets(world: World, count: int) -> None:
    """Tickets 1 to `count`, about different hosts."""
    for number in range(count):
        await world.post(alert("DiskFull", instance=f"n{number}", severity="warning"))


async def reserve(world: World, ticket: int, **wanted: int) -> list[str]:
    now = world.clock.now()
    return await world.database.write(lambda tx: reserve_for_plan(tx, ticket, wanted, "mei", now))


async def use(world: World, ticket: int) -> list[str]:
    return await world.database.write(lambda tx: use_reserved(tx, ticket, "mei", world.clock.now()))


async def give_back(world: World, ticket: int) -> list[str]:
    return await world.database.write(lambda tx: release(tx, ticket, world.clock.now()))


async def part(world: World, number: str) -> Part:
    found: Part = await world.read(lambda tx: part_in(tx, number))
    return found


async def counted(world: World, number: str) -> tuple[int, int, int]:
    """In stock, reserved, free."""
    found = await part(world, number)
    return found.stock, found.reserved, found.free


async def moves(world: World, number: str) -> list[tuple[int, str]]:
    found = await world.read(lambda tx: tx.parts.moves(number))
    return [(move.count, move.reason) for move in found]


async def promised(world: World) -> int:
    """How many reports about parts are promised and not made."""
    waiting: Mapping[str, int] = dict(await world.read(lambda tx: tx.jobs.waiting(world.clock.now())))
    return waiting.get("parts", 0)


async def reported(world: World, number: str) -> None:
    """What the promised job does."""
    await report_part(world.desk, Job(kind="parts", args={"part": number}, due_at=world.clock.now()))


# --- plans -----------------------------------------------------------------------------------------


async def test_a_plan_reserves_and_the_solution_takes_it_out_of_the_stock_once(world: World) -> None:
    await stocked(world, disk=4, fan=2)
    await tickets(world, 1)
    assert await reserve(world, 1, disk=3, fan=1) == [
        "Reserved: 3 of disk (a disk); 1 more is free.",
        "Reserved: 1 of fan (a fan); 1 more is free.",
    ]
    assert await counted(world, "disk") == (4, 3, 1)

    assert await use(world, 1) == ["Used: 3 of disk (a disk); 1 is left.", "Used: 1 of fan (a fan); 1 is left."]
    assert await counted(world, "disk") == (1, 0, 1)
    number = (await world.ticket())["number"]
    assert await moves(world, "disk") == [(-3, f"used for {number}"), (4, "added")]

    assert await use(world, 1) == []
    assert await counted(world, "disk") == (1, 0, 1)


async def test_if_one_part_is_short_nothing_is_reserved_and_the_sentence_names_every_shortage(world: World) -> None:
    await stocked(world, disk=4, fan=1)
    await tickets(world, 1)
    with pytest.raises(Refused, match=r"^2 of fan \(a fan\) are needed, but 1 is free: 1 in stock") as refused:
        await reserve(world, 1, disk=1, fan=2, psu=1)
    assert "There is no spare part 'psu'" in str(refused.value)
    assert await counted(world, "disk") == (4, 0, 4)


async def test_a_new_plan_of_the_same_ticket_replaces_what_the_old_one_held(world: World) -> None:
    await stocked(world, disk=4, fan=2)
    await tickets(world, 1)
    await reserve(world, 1, disk=3, fan=1)
    assert await reserve(world, 1, disk=4) == [
        "Reserved: 4 of disk (a disk); 0 more are free.",
        "No longer reserved: 1 of fan (a fan); 2 are free.",
    ]
    assert (await counted(world, "disk"), await counted(world, "fan")) == ((4, 4, 0), (2, 0, 2))
    assert await reserve(world, 1) == ["No longer reserved: 4 of disk (a disk); 4 are free."]
    assert await use(world, 1) == []


async def test_a_new_plan_that_is_refused_leaves_the_old_ones_parts_reserved(world: World) -> None:
    await stocked(world, disk=4)
    await tickets(world, 1)
    await reserve(world, 1, disk=3)
    with pytest.raises(Refused, match="5 of disk"):
        await reserve(world, 1, disk=5)
    assert await counted(world, "disk") == (4, 3, 1)


async def test_the_same_plan_again_reserves_nothing_more(world: World) -> None:
    await stocked(world, disk=4)
    await tickets(world, 1)
    first = await reserve(world, 1, disk=3)
    assert await reserve(world, 1, disk=3) == first
    assert len(await world.read(lambda tx: tx.parts.reservations(held_only=False))) == 1


async def test_a_plan_that_is_given_up_gives_its_parts_back_to_the_others(world: World) -> None:
    await stocked(world, disk=1)
    await tickets(world, 2)
    await reserve(world, 1, disk=1)
    with pytest.raises(Refused, match="0 are free: 1 in stock, 1 reserved for other tickets"):
        await reserve(world, 2, disk=1)
    assert await give_back(world, 1) == ["No longer reserved: 1 of disk (a disk); 1 is free."]
    assert await give_back(world, 1) == []
    await reserve(world, 2, disk=1)
    assert await use(world, 1) == []
    assert await counted(world, "disk") == (1, 1, 0)


async def test_two_plans_that_want_the_last_part_at_the_same_time_one_gets_it(world: World, database_url: str) -> None:
    await stocked(world, disk=1)
    await tickets(world, 2)
    now, has_reserved, may_end = world.clock.now(), Event(), Event()

    def slow(tx: Transaction) -> list[str]:
        said = reserve_for_plan(tx, 1, {"disk": 1}, "mei", now)
        has_reserved.set()
        may_end.wait(30)
        return said

    second = Database(database_url) if world.database.is_cluster else world.database
    try:
        first_wish = asyncio.create_task(world.database.write(slow))
        await asyncio.to_thread(has_reserved.wait, 30)
        other_wish = asyncio.create_task(second.write(lambda tx: reserve_for_plan(tx, 2, {"disk": 1}, "lars", now)))
        while world.database.is_cluster and not other_wish.done() and not await waits_for_a_row(world):
            pass
        may_end.set()
        found = await asyncio.gather(first_wish, other_wish, return_exceptions=True)
    finally:
        may_end.set()
        if second is not world.database:
            second.close()
    assert found[0] == ["Reserved: 1 of disk (a disk); 0 more are free."]
    assert isinstance(found[1], Refused)
    assert "0 are free: 1 in stock, 1 reserved for other tickets" in str(found[1])
    assert await counted(world, "disk") == (1, 1, 0)


async def waits_for_a_row(world: World) -> bool:
    """Whether a connection of this database waits for another one's transaction."""
    query = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return bool(await world.read(lambda tx: tx.connection.execute(query).scalar()))


async def test_many_plans_at_once_never_reserve_more_than_there_is(world: World, database_url: str) -> None:
    await stocked(world, disk=5, fan=3)
    await tickets(world, 10)
    now = world.clock.now()
    second = Database(database_url) if world.database.is_cluster else world.database

    def wish(ticket: int) -> list[str]:
        # Asked for in different orders: whoever locks must not wait for whoever waits for it.
        wanted = {"disk": 1, "fan": 1} if ticket % 2 else {"fan": 1, "disk": 1}
        store = second if ticket % 3 else world.database
        return store.write_now(lambda tx: reserve_for_plan(tx, ticket, wanted, "mei", now))

    found = await asyncio.gather(*(asyncio.to_thread(wish, ticket) for ticket in range(1, 11)), return_exceptions=True)
    if second is not world.database:
        second.close()
    assert [type(one) for one in found if not isinstance(one, list)] == [Refused] * 7
    assert (await counted(world, "disk"), await counted(world, "fan")) == ((5, 3, 2), (3, 3, 0))


async def test_what_a_count_did_not_find_cannot_be_used_and_the_sentence_says_so(world: World) -> None:
    await stocked(world, disk=3)
    await tickets(world, 1)
    await reserve(world, 1, disk=3)
    await count_part(world.desk, "disk", 1, reason="two were broken", actor="mei")
    assert await counted(world, "disk") == (1, 3, -2)
    (said,) = await use(world, 1)
    assert said == (
        "Used: 3 of disk (a disk); 0 are left. Only 1 of them were in stock by the last count: count them again."
    )
    assert await counted(world, "disk") == (0, 0, 0)
    assert (await moves(world, "disk"))[0][1].endswith("3 were reserved, but only 1 in stock by the last count")


# --- people ----------------------------------------------------------------------------------------


async def test_the_history_of_a_part_says_who_changed_its_stock_and_why(world: World) -> None:
    await stocked(world, disk=2)
    await receive_part(world.desk, "disk", 5, reason="delivery 17", actor="lars")
    await take_part(world.desk, "disk", 1, reason="for the test bench", actor="mei")
    await count_part(world.desk, "disk", 4, reason="yearly inventory", actor="mei")
    await change_part(world.desk, "disk", "mei", place="shelf 3")
    assert await moves(world, "disk") == [
        (0, "changed: place '' → 'shelf 3'"),
        (-2, "counted 4, written were 6: yearly inventory"),
        (-1, "for the test bench"),
        (5, "delivery 17"),
        (2, "added"),
    ]
    found = await part(world, "disk")
    assert (found.stock, found.place, found.name) == (4, "shelf 3", "a disk")


async def test_what_plans_have_reserved_cannot_be_taken_without_one(world: World) -> None:
    await stocked(world, disk=3)
    await tickets(world, 1)
    await reserve(world, 1, disk=2)
    with pytest.raises(Refused, match="only 1 is free, 3 in stock and 2 of them reserved"):
        await take_part(world.desk, "disk", 2, reason="quick", actor="mei")
    await take_part(world.desk, "disk", 1, reason="quick", actor="mei")
    assert await counted(world, "disk") == (2, 2, 0)


async def test_numbers_that_are_none_and_parts_that_are_not_there_are_refused(world: World) -> None:
    await stocked(world, disk=3)
    for count in (0, -1, 1_000_001):
        with pytest.raises(Refused, match="is no number of parts"):
            await receive_part(world.desk, "disk", count, reason="x", actor="mei")
        with pytest.raises(Refused, match="is no number of parts"):
            await take_part(world.desk, "disk", count, reason="x", actor="mei")
    with pytest.raises(Refused, match="1000002 parts cannot be written down"):
        await receive_part(world.desk, "disk", 999_999, reason="x", actor="mei")
    with pytest.raises(Refused, match="-1 parts cannot be written down"):
        await count_part(world.desk, "disk", -1, reason="x", actor="mei")
    with pytest.raises(NotFound, match="There is no spare part 'psu'; `responder parts list` shows what there is"):
        await count_part(world.desk, "psu", 1, reason="x", actor="mei")
    with pytest.raises(Refused, match="'a b' is no part number"):
        await add_part(world.desk, replace(await part(world, "disk"), number="a b"), "mei")
    assert await counted(world, "disk") == (3, 0, 3)


async def test_a_part_is_added_once_however_many_add_it_at_the_same_time(world: World) -> None:
    made = Part(number="disk", name="a disk", stock=2, changed_at=world.clock.now())
    found = await asyncio.gather(*(add_part(world.desk, made, "mei") for _ in range(5)), return_exceptions=True)
    refused = [one for one in found if isinstance(one, Refused)]
    assert len(refused) == 4
    assert "There is a part disk already" in str(refused[0])
    assert await counted(world, "disk") == (2, 0, 2)


# --- what runs low ---------------------------------------------------------------------------------


async def test_a_part_that_runs_low_is_one_ticket_until_it_is_filled_again(world: World) -> None:
    await stocked(world, disk=4)
    await change_part(world.desk, "disk", "mei", minimum=2)
    await tickets(world, 1)
    assert await promised(world) == 0
    await reserve(world, 1, disk=3)
    assert await promised(world) == 1
    await reported(world, "disk")
    ticket = await world.ticket(2)
    assert (ticket["grade"], ticket["status"], ticket["source"]) == ("P4", "new", "responder")
    assert ticket["labels"] == {"alertname": "SparePartLow", "part": "disk", "severity": "info"}
    assert ticket["title"] == (
        "Spare part disk (a disk) runs low: 1 free (4 in stock, 3 reserved), at least 2 should be free."
    )

    world.clock.advance(HOUR)
    await take_part(world.desk, "disk", 1, reason="worse", actor="mei")
    assert await promised(world) == 1
    await reported(world, "disk")
    assert len(await world.read(lambda tx: tx.tickets.listed())) == 2

    world.clock.advance(HOUR)
    await receive_part(world.desk, "disk", 5, reason="delivery", actor="lars")
    assert await promised(world) == 2
    await reported(world, "disk")
    ticket = await world.ticket(2)
    assert (ticket["signal"], ticket["status"]) == ("cleared", "restored")
    assert "All-clear" in texts(ticket)


@pytest.mark.parametrize("way", ["reserve", "take", "count", "raise the minimum", "add"])
async def test_whatever_makes_a_part_run_low_promises_the_report_about_it(world: World, way: str) -> None:
    await stocked(world, disk=2)
    await tickets(world, 1)
    minimum = 3 if way == "raise the minimum" else 2
    await change_part(world.desk, "disk", "mei", minimum=minimum)
    if way == "reserve":
        await reserve(world, 1, disk=1)
    elif way == "take":
        await take_part(world.desk, "disk", 1, reason="x", actor="mei")
    elif way == "count":
        await count_part(world.desk, "disk", 1, reason="x", actor="mei")
    elif way == "add":
        scarce = Part(number="fan", name="a fan", minimum=1, changed_at=world.clock.now())
        await add_part(world.desk, scarce, "mei")
    assert await promised(world) == 1


async def test_using_what_was_reserved_is_no_news_and_giving_it_back_ends_the_shortage(world: World) -> None:
    await stocked(world, disk=2)
    await tickets(world, 2)
    await change_part(world.desk, "disk", "mei", minimum=1)
    await reserve(world, 1, disk=1)
    await use(world, 1)
    assert await promised(world) == 0
    await reserve(world, 2, disk=1)
    assert await promised(world) == 1
    await give_back(world, 2)
    assert await promised(world) == 2


async def test_a_report_that_comes_late_says_what_is_true_by_then(world: World) -> None:
    await stocked(world, disk=2)
    await change_part(world.desk, "disk", "mei", minimum=2)
    await take_part(world.desk, "disk", 1, reason="x", actor="mei")
    await receive_part(world.desk, "disk", 1, reason="x", actor="mei")
    assert await promised(world) == 2
    await reported(world, "disk")
    await reported(world, "disk")
    await reported(world, "gone")
    assert await world.read(lambda tx: tx.tickets.listed()) == []


async def test_the_worker_opens_the_ticket_and_ends_it(world: World) -> None:
    await add_part(world.desk, Part(number="fan", name="a fan", minimum=1, changed_at=world.clock.now()), "mei")
    await world.work()
    ticket = await world.ticket()
    assert ticket["title"].startswith("Spare part fan (a fan) runs low: 0 free")
    # P4 calls nobody: it waits in the list.
    assert (ticket["status"], world.sender.people()) == ("handed_over", [])
    await receive_part(world.desk, "fan", 1, reason="delivery", actor="lars")
    await world.work()
    assert (await world.ticket())["status"] == "restored"


# --- the API ---------------------------------------------------------------------------------------


async def _never() -> None: ...


async def _ready() -> str:
    return ""


@pytest.fixture
async def client(world: World, aiohttp_client) -> TestClient[web.Request, web.Application]:  # type: ignore[no-untyped-def]
    application = web.Application(middlewares=[errors_as_problems])
    application[CONTEXT] = Context(desk=world.desk, batcher=Batcher(world.desk, 3), reload=_never, is_ready=_ready)
    application.add_routes(routes())
    made: TestClient[web.Request, web.Application] = await aiohttp_client(TestServer(application))
    return made


async def test_the_stock_is_kept_over_http(world: World, client: TestClient[web.Request, web.Application]) -> None:
    added = await client.post(
        "/api/v1/parts", json={"number": "disk", "name": "4 TB  disk", "stock": 2, "minimum": 2, "actor": "mei"}
    )
    assert (added.status, (await added.json())["name"]) == (200, "4 TB disk")
    assert (await client.post("/api/v1/parts", json={"number": "disk", "name": "x"})).status == 409
    for verb, count in (("receive", 3), ("take", 1), ("count", 3)):
        done = await client.post(f"/api/v1/parts/disk/{verb}", json={"count": count, "reason": "why not"})
        assert done.status == 200, await done.text()
    changed = await (await client.patch("/api/v1/parts/disk", json={"place": "shelf 3"})).json()
    null = {"name": None, "place": None, "minimum": None}
    assert await (await client.patch("/api/v1/parts/disk", json=null)).json() == changed
    assert (changed["stock"], changed["free"], changed["place"], changed["is_low"]) == (3, 3, "shelf 3", False)
    shown = await (await client.get("/api/v1/parts/disk")).json()
    assert [move["count"] for move in shown["moves"]] == [0, 0, -1, -1, 3, 2]
    assert shown["moves"][-1]["actor"] == "mei"

    await tickets(world, 1)
    await reserve(world, 1, disk=2)
    listed = await (await client.get("/api/v1/parts?low=1")).json()
    assert [(one["number"], one["reserved"], one["free"]) for one in listed["parts"]] == [("disk", 2, 1)]
    number = (await world.ticket())["number"]
    held = (await (await client.get(f"/api/v1/reservations?ticket={number}&part=disk")).json())["reservations"]
    assert [(one["ticket"], one["count"], one["state"], one["actor"]) for one in held] == [(number, 2, "held", "mei")]
    await give_back(world, 1)
    assert (await (await client.get("/api/v1/reservations")).json())["reservations"] == []
    ended = (await (await client.get("/api/v1/reservations?all=1")).json())["reservations"]
    assert [one["state"] for one in ended] == ["released"]


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("GET", "/api/v1/parts/psu", None, 404),
        ("POST", "/api/v1/parts/psu/take", {"count": 1, "reason": "x"}, 404),
        ("POST", "/api/v1/parts/disk/take", {"count": 9, "reason": "x"}, 409),
        ("POST", "/api/v1/parts/disk/take", {"count": 10**15, "reason": "x"}, 422),
        ("POST", "/api/v1/parts/disk/take", {"count": "1", "reason": "x"}, 422),
        ("POST", "/api/v1/parts/disk/take", {"count": True, "reason": "x"}, 422),
        ("POST", "/api/v1/parts/disk/count", {"count": 1}, 422),
        ("POST", "/api/v1/parts", {"number": "a/b", "name": "x"}, 409),
        ("POST", "/api/v1/parts", {"number": "fan", "name": "x", "stock": -1}, 422),
        ("PATCH", "/api/v1/parts/disk", {"minimum": -1}, 422),
        ("GET", "/api/v1/parts/%00", None, 404),
        ("GET", "/api/v1/reservations?ticket=nobody", None, 404),
    ],
)
async def test_what_cannot_be_done_is_refused_and_changes_nothing(
    world: World,
    client: TestClient[web.Request, web.Application],
    method: str,
    path: str,
    content: dict[str, object] | None,
    status: int,
) -> None:
    await stocked(world, disk=2)
    answer = await client.request(method, path, json=content)
    assert (answer.status, "detail" in await answer.json()) == (status, True)
    assert await counted(world, "disk") == (2, 0, 2)
    assert len(await moves(world, "disk")) == 1
