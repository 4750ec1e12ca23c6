"""What comes too fast for one person reaches them as one list, and the worst of it does not wait for the list."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from responder.domain.message import Message
from responder.domain.ticket import Change
from responder.errors import ChannelBusy, SendFailed, SendRefused
from responder.flows import handle
from responder.flows.audit_pages import compare
from responder.flows.bundle import bundled
from responder.flows.deliver import deliver
from responder.flows.hand_over import hand_over
from responder.store.database import Database
from responder.store.jobs import Job
from responder.store.transaction import Transaction
from responder.web.ticket_lines import TicketLine, lines_of
from tests.world import POLICY, World, alert, texts

FIVE = timedelta(minutes=5)


@pytest.fixture
def world(tmp_path: Path, database: Database) -> World:
    """Without storms: a storm holds back what comes after its first tickets, so that there is nothing to bundle."""
    return World(tmp_path, database, policy=f"{POLICY}storm: null\n")


async def burst(world: World, count: int, severity: str = "warning", start: int = 0) -> None:
    await world.post(*(alert("DiskFull", severity=severity, instance=f"n{start + n}") for n in range(count)))
    await world.work()


async def test_a_thousand_alerts_are_five_pages_and_a_list_and_a_p1_waits_for_neither(world: World) -> None:
    many = 200 if world.database.is_cluster else 1000
    alerts = [alert("DiskFull", severity="warning", instance=f"n{n}") for n in range(many)]
    await world.post(*alerts[: many // 2], alert("Down", severity="critical"), *alerts[many // 2 :])
    await world.work()
    urgent = [subject for person, subject, _ in world.sender.sent if person == "mei" and "[P1]" in subject]
    assert len(urgent) == 1
    assert len([person for person in world.sender.people() if person == "mei"]) == 6

    await world.advance(FIVE)
    of_mei = [(subject, body) for person, subject, body in world.sender.sent if person == "mei"]
    assert len(of_mei) == 7
    subject, body = of_mei[-1]
    assert subject == f"[P3] {many - 5} tickets wait for somebody"
    assert f"and {many - 25} more" in body
    assert "All tickets: https://responder.test/" in body
    assert (await world.sums("messages_total"))[("channel", "json"), ("outcome", "bundled")] == many - 5
    await world.advance(FIVE)
    assert len([person for person in world.sender.people() if person == "mei"]) == 7


async def test_a_p1_is_handed_over_before_all_that_came_with_it(world: World) -> None:
    begun: list[object] = []

    async def noted(job: Job) -> None:
        begun.append(job.args["ticket"])
        await hand_over(world.desk, job)

    alerts = [alert("DiskFull", severity="warning", instance=f"n{n}") for n in range(30)]
    await world.post(*alerts, alert("Down", severity="critical"))
    await world.work(hand_over=noted)
    assert [(await world.ticket(str(one)))["grade"] for one in begun[:2]] == ["P1", "P3"]
    assert len(begun) == 31


async def test_each_ticket_says_that_its_page_is_in_a_list_and_when_that_has_left(world: World) -> None:
    await burst(world, 6)
    ticket = next(one for one in [await world.ticket(n) for n in range(1, 7)] if len(one["messages"]) == 2)
    page, the_list = ticket["messages"]
    assert (page["state"], page["sent_at"], the_list["state"]) == ("bundled", None, "waiting")
    assert "Bundled for mei by pager: 5 pages in 5m are enough" in texts(ticket)

    await world.advance(FIVE)
    page, the_list = (await world.ticket(ticket["number"]))["messages"]
    assert (page["state"], page["sent_at"] is not None, the_list["state"]) == ("bundled", True, "sent")
    assert "Told in a list" in page["error"]


async def test_a_list_leaves_out_what_somebody_has_and_is_not_sent_for_nothing(world: World) -> None:
    await burst(world, 8)
    waiting = [n for n in range(1, 9) if (await world.ticket(n))["messages"][0]["state"] == "bundled"]
    await handle.acknowledge(world.desk, str(waiting[0]), "lars")
    await world.advance(FIVE)
    assert world.sender.sent[-1][1] == "[P3] 2 tickets wait for somebody"
    number = (await world.ticket(waiting[0]))["number"]
    assert number not in world.sender.sent[-1][2]
    assert (await world.ticket(waiting[0]))["messages"][0]["state"] == "overtaken"


async def test_a_list_of_nothing_is_not_sent(world: World) -> None:
    await burst(world, 6)
    for n in range(1, 7):
        await handle.acknowledge(world.desk, str(n), "lars")
    await world.advance(FIVE)
    assert len(world.sender.sent) == 5


async def test_a_list_counts_as_the_first_page_of_the_next_window(world: World) -> None:
    await burst(world, 6)
    await world.advance(FIVE)
    assert len(world.sender.sent) == 6
    await burst(world, 6, start=10)
    assert len(world.sender.sent) == 10
    await world.advance(FIVE)
    assert len(world.sender.sent) == 11


async def test_after_a_quiet_time_pages_leave_by_themselves_again(world: World) -> None:
    await burst(world, 5)
    await world.advance(FIVE)
    await burst(world, 5, start=10)
    assert len(world.sender.sent) == 10


async def test_a_list_that_its_channel_will_never_take_brings_the_next_person_for_each_ticket(world: World) -> None:
    await burst(world, 7)
    world.sender.failures.append(SendRefused("no such pager."))
    await world.advance(FIVE)
    assert world.sender.people() == ["mei"] * 5 + ["lars"] * 2


async def in_the_list(world: World) -> list[dict[str, Any]]:
    known = await world.read(lambda tx: tx.tickets.listed(limit=100))
    found = [await world.ticket(one.number) for one in known]
    return [one for one in found if any(page["state"] == "bundled" for page in one["messages"])]


async def goes_on(world: World, minutes: int) -> None:
    """Time passes, with the provider away."""
    for _ in range(minutes):
        world.sender.failures.extend(SendFailed("no answer.") for _ in range(50))
        await world.advance(timedelta(minutes=1))
        world.sender.failures.clear()


async def test_a_list_that_does_not_get_through_in_time_brings_the_next_person_for_each_ticket(world: World) -> None:
    await burst(world, 7)
    await goes_on(world, 6)
    assert not any(page["person"] == "lars" for one in await in_the_list(world) for page in one["messages"])
    await goes_on(world, 3)
    late = await in_the_list(world)
    assert [[page["person"] for page in one["messages"] if page["purpose"].startswith("hand")] for one in late] == [
        ["mei", "lars"],
        ["mei", "lars"],
    ]
    assert all("No channel reaches mei within 2m, so the next are called." in texts(one) for one in late)

    world.sender.sent.clear()
    await world.advance(FIVE)
    assert sorted(world.sender.people()) == ["lars", "lars", "mei"]
    assert all(texts(one).count("so the next are called") == 1 for one in await in_the_list(world))


async def test_nobody_else_is_called_for_what_somebody_takes_while_its_list_does_not_get_through(world: World) -> None:
    await burst(world, 7)
    await goes_on(world, 6)
    taken = []

    async def not_before_it_is_acknowledged(job: Job) -> None:
        if "late" in job.args:
            taken.append((await handle.acknowledge(world.desk, str(job.args["ticket"]), "lars")).number)
        await deliver(world.desk, job)

    world.sender.failures.append(SendFailed("no answer."))
    world.clock.advance(timedelta(minutes=1))
    await world.work(deliver=not_before_it_is_acknowledged)
    tickets = [await world.ticket(key) for key in taken]
    assert len(tickets) == 2
    assert not any(page["person"] == "lars" for one in tickets for page in one["messages"])
    assert not any("the next are called" in texts(one) for one in tickets)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_page_that_comes_while_its_list_is_written_is_in_this_list_or_in_the_next(world: World) -> None:
    """What only two transactions at once can show; SQLite has one writer."""
    await burst(world, 6)
    late = await a_page_that_has_not_left(world)
    world.clock.advance(FIVE)
    other = Replica(world, late)
    page = asyncio.create_task(world.database.write(other.bundles_it))
    await asyncio.to_thread(other.holds_the_window.wait, 30)
    await asyncio.gather(page, world.work())
    for _ in range(2):
        await world.advance(FIVE)
    found = await world.read(lambda tx: tx.messages.one(late.id))
    assert (found.state, found.sent_at is not None) == ("bundled", True)


async def a_page_that_has_not_left(world: World) -> Message:
    async def is_stuck(job: Job) -> None: ...

    await world.post(alert("DiskFull", severity="warning", instance="late"))
    await world.work(deliver=is_stuck)
    page: Message = (await world.read(lambda tx: tx.messages.of_ticket(7)))[0]
    assert page.state == "waiting"
    return page


class Replica:
    """Another one, which has begun to bundle a page when the list is due, and ends while that list is written."""

    def __init__(self, world: World, page: Message) -> None:
        self.holds_the_window = threading.Event()
        self._world = world
        self._page = page

    def bundles_it(self, tx: Transaction) -> None:
        known = tx.tickets.one(self._page.ticket_id, locked=True)
        change = Change.of(known.ticket, known.clocks)
        tx.messages.window(self._page.person, self._page.channel)
        self.holds_the_window.set()
        _until_somebody_waits(tx)
        assert bundled(self._world.desk, tx, change, self._page)
        tx.apply([change], self._world.clock.now())


def _until_somebody_waits(tx: Transaction) -> None:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    end = time.monotonic() + 30
    while time.monotonic() < end:
        tx.connection.execute(text("SELECT pg_stat_clear_snapshot(), pg_sleep(0.01)"))
        if tx.connection.execute(text(waiting)).scalar():
            return
    raise AssertionError("nobody waits for the window")


async def test_a_page_that_finds_its_provider_busy_is_counted_once(world: World) -> None:
    world.sender.failures.extend(ChannelBusy("busy.") for _ in range(3))
    await burst(world, 5)
    await world.advance(timedelta(seconds=5))
    assert len(world.sender.sent) == 5
    assert await in_the_list(world) == []


async def test_the_highest_grade_is_never_in_a_list(world: World) -> None:
    await burst(world, 7, "critical")
    assert world.sender.people().count("mei") == 7
    await world.advance(FIVE)
    assert not any("tickets wait" in subject for _, subject, _ in world.sender.sent)


async def test_the_highest_grade_leaves_by_workers_of_its_own(world: World) -> None:
    async def is_stuck(job: Job) -> None: ...

    await world.post(alert("DiskFull", severity="warning"), alert("Down", severity="critical"))
    await world.work(deliver=is_stuck)
    assert ["[P1]" in subject for _, subject, _ in world.sender.sent] == [True, True]


async def told_nobody(world: World) -> set[int]:
    """The tickets of which the audit says that nobody was reached, and their lines say so, too."""
    said = (await compare(world.desk))["unreached"]
    now = world.clock.now()

    def lines(tx: Transaction) -> list[TicketLine]:
        return lines_of(tx, world.desk.policy, [tx.tickets.one(n).ticket for n in range(1, 9)], now)

    found = await world.read(lines)
    lost = {one.ticket.id for one in found if one.holder.is_lost}
    assert lost == {one.ticket.id for one in found if any(one.ticket.number in text for text in said)}
    return lost


async def test_who_is_in_a_list_that_does_not_arrive_was_not_told(world: World) -> None:
    await burst(world, 8)
    in_list = {n for n in range(1, 9) if (await world.ticket(n))["messages"][0]["state"] == "bundled"}
    assert (len(in_list), await told_nobody(world)) == (3, set())
    world.sender.failures.extend(SendFailed("the gateway is away.") for _ in range(500))
    await world.advance(FIVE + timedelta(seconds=1))
    assert await told_nobody(world) == set()
    for _ in range(12):
        await world.advance(timedelta(minutes=1))
    assert await told_nobody(world) == in_list
    world.sender.failures.clear()
    for _ in range(6):
        await world.advance(timedelta(minutes=1))
    assert await told_nobody(world) == set()
