"""The page gets out, once, and not when it is no longer needed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import pytest

from responder.adapters.links import AckClaim
from responder.adapters.notifier import Secret
from responder.domain.oncall import Recipient
from responder.domain.ticket import Change
from responder.errors import ChannelBusy, Refused, SendFailed, SendRefused
from responder.flows import handle
from responder.flows.telling import write_notice
from responder.store.jobs import Job
from responder.store.transaction import Transaction
from tests.world import FakeSender, World, alert, resolved, texts


@dataclass
class MeiFails(FakeSender):
    """Does not get through to mei until she `is_reached`."""

    is_reached: bool = False

    async def send(self, address: Secret, subject: str, body: str) -> None:
        if address.value.endswith("mei") and not self.is_reached:
            raise SendFailed("no answer.")
        await FakeSender.send(self, address, subject, body)


async def test_a_channel_that_fails_for_now_is_tried_again_with_growing_waits(world: World) -> None:
    world.sender.failures.extend([SendFailed("json did not take the message."), SendFailed("still not.")])
    await world.post(alert("DiskFull", severity="warning"))
    await world.work()
    assert world.sender.sent == []
    assert "Not through to mei by pager yet" in texts(await world.ticket())

    await world.advance(timedelta(seconds=5))
    assert world.sender.sent == []
    await world.advance(timedelta(seconds=10))
    assert world.sender.people() == ["mei"]
    assert (await world.ticket())["messages"][0]["state"] == "sent"


async def test_a_provider_that_is_busy_does_not_make_the_first_failure_wait_for_minutes(world: World) -> None:
    world.sender.failures.extend(ChannelBusy("busy.") for _ in range(8))
    world.sender.failures.append(SendFailed("no answer."))
    await world.post(alert("DiskFull", severity="warning"))
    await world.work()
    for _ in range(8):
        await world.advance(timedelta(seconds=5))
    assert not world.sender.failures
    assert "Not through to mei by pager yet (try 1, the next in 5s): no answer." in texts(await world.ticket())
    await world.advance(timedelta(seconds=5))
    assert world.sender.people() == ["mei"]
    assert (await world.sums("messages_total"))[("channel", "json"), ("outcome", "sent")] == 1


async def test_a_person_whom_no_channel_will_ever_reach_is_left_for_the_next_one(world: World) -> None:
    world.sender.failures.append(SendRefused("apprise does not understand the json address."))
    await world.post(alert("DiskFull", severity="warning"))
    await world.work()

    ticket = await world.ticket()
    assert ticket["messages"][0]["state"] == "failed"
    assert "Could not tell mei by pager: apprise does not understand" in texts(ticket)
    assert "No channel reaches mei, so the next are called." in texts(ticket)
    assert (await world.sums("messages_total"))[("channel", "json"), ("outcome", "failed")] == 1
    assert world.sender.people() == ["lars"]


async def test_a_page_that_nobody_can_ever_be_sent_is_a_ticket_of_its_own(world: World) -> None:
    world.sender.failures.extend(SendRefused("apprise does not understand the json address.") for _ in range(2))
    await world.post(alert("DiskFull", severity="warning"))
    await world.work()

    assert "No channel reaches lars, mei, and nobody is left to call." in texts(await world.ticket())
    about = await world.ticket(2)
    assert (about["grade"], about["labels"]["alertname"]) == ("P1", "ResponderPageFailed")
    assert sorted(world.sender.people()) == ["lars", "mei"]


async def test_a_page_is_tried_until_it_is_no_longer_needed(world: World) -> None:
    world.sender.failures.extend(SendFailed("the uplink is down.") for _ in range(40))
    await world.post(alert("DiskFull", severity="warning"))
    await world.work()
    for _ in range(30):
        await world.advance(timedelta(minutes=5))
    assert sorted(world.sender.people()) == ["lars", "mei"]
    assert len(await world.read(lambda tx: tx.tickets.listed())) == 1
    assert texts(await world.ticket()).count("nobody is left to call") == 1


async def test_a_person_who_is_not_reached_in_time_is_left_for_the_next_one_while_the_tries_go_on(world: World) -> None:
    world.sender = sender = MeiFails()
    world.desk = world.another_desk()
    await world.post(alert("DiskFull", severity="warning"))
    await world.work()
    for _ in range(11):
        await world.advance(timedelta(seconds=10))
    assert world.sender.people() == []
    for _ in range(20):
        await world.advance(timedelta(seconds=10))

    assert texts(await world.ticket()).count("No channel reaches mei within 2m, so the next are called.") == 1
    assert world.sender.people() == ["lars"]
    sender.is_reached = True
    await world.advance(timedelta(minutes=6))
    assert world.sender.people() == ["lars", "mei"]


async def test_an_acknowledgement_wins_over_every_message_not_yet_sent(world: World) -> None:
    world.sender.failures.append(SendFailed("later."))
    await world.post(alert("DiskFull", severity="warning"))
    await world.work()
    await handle.acknowledge(world.desk, "1", "lars")
    await world.advance(timedelta(minutes=1))

    assert world.sender.sent == []
    ticket = await world.ticket()
    assert ticket["messages"][0]["state"] == "overtaken"
    assert "Not sent to mei by pager: lars has acknowledged the ticket." in texts(ticket)


async def test_a_job_that_was_promised_for_another_time_does_nothing(world: World) -> None:
    world.sender.failures.append(SendFailed("later."))
    await world.post(alert("DiskFull", severity="warning"))
    await world.work()
    stale = Job(kind="deliver", args={"message": 1, "ticket": 1, "at": 7}, due_at=world.clock.now())
    await world.database.write(lambda tx: tx.promise([stale]))
    await world.work()
    assert world.sender.sent == []

    await world.advance(timedelta(seconds=5))
    assert world.sender.people() == ["mei"]


async def test_nobody_is_warned_of_a_clock_that_has_stopped_meanwhile(world: World) -> None:
    await world.post(alert("DiskFull", severity="warning"))
    await world.work()
    world.sender.failures.append(SendFailed("later."))

    def warn(tx: Transaction) -> None:
        known = tx.tickets.one(1, locked=True)
        change = Change.of(known.ticket, known.clocks)
        told = [Recipient(person="lars", channel="phone")]
        write_notice(world.desk, tx, change, told, purpose="clock-respond-1", text="Nearly late.")
        tx.apply([change], world.clock.now())

    await world.database.write(warn)
    await world.work()
    await handle.acknowledge(world.desk, "1", "mei")
    await world.advance(timedelta(minutes=1))
    assert world.sender.people() == ["mei"]
    assert "Not sent to lars by phone: The respond clock has stopped." in texts(await world.ticket())


async def test_nobody_is_paged_for_what_a_person_has_restored_without_taking_it(world: World) -> None:
    world.sender.failures.append(SendFailed("later."))
    await world.post(alert("DiskFull", severity="warning"))
    await world.work()
    await handle.do(world.desk, "restore", "1", actor="lars", content={"reason": "freed 40 GB"})
    await world.advance(timedelta(minutes=1))

    assert world.sender.sent == []
    assert "Not sent to mei by pager: The ticket is restored." in texts(await world.ticket())


async def test_an_all_clear_wins_over_a_message_not_yet_sent(world: World) -> None:
    world.sender.failures.append(SendFailed("later."))
    await world.post(alert("DiskFull", severity="warning"))
    await world.work()
    await world.post(resolved("DiskFull", severity="warning"))
    await world.advance(timedelta(minutes=1))

    assert world.sender.sent == []


async def test_a_channel_that_hangs_delays_no_other_message_and_no_ticket(world: World) -> None:
    gate = asyncio.Event()

    class OneHangs(type(world.sender)):  # type: ignore[misc]
        async def send(self, address, subject, body):  # type: ignore[no-untyped-def]
            if address.value.endswith("lars"):
                await gate.wait()
            await super().send(address, subject, body)

    world.sender = OneHangs()
    world.desk = world.another_desk()
    await world.post(alert("DiskFull"))
    working = asyncio.create_task(world.work())
    async with asyncio.timeout(30):
        while world.sender.people() != ["mei"]:
            await asyncio.sleep(0)
    await handle.do(world.desk, "note", "1", actor="mei", content={"text": "looking"})
    gate.set()
    await working
    assert world.sender.people() == ["mei", "lars"]


async def test_two_people_who_acknowledge_one_ticket_one_is_refused_with_the_name(world: World) -> None:
    await world.post(alert("DiskFull"))
    await world.work()

    results = await asyncio.gather(
        handle.acknowledge(world.desk, "1", "mei"), handle.acknowledge(world.desk, "1", "lars"), return_exceptions=True
    )

    refused = [result for result in results if isinstance(result, Refused)]
    assert len(refused) == 1
    winner = (await world.ticket())["acknowledged_by"]
    assert f"already acknowledged by {winner}" in str(refused[0])


async def test_a_signed_link_acknowledges_for_its_person_and_only_in_its_episode(world: World) -> None:
    await world.post(alert("DiskFull"))
    await world.work()
    link = next(line for line in world.sender.sent[0][2].splitlines() if line.startswith("Acknowledge")).split(" ")[1]
    claim = world.desk.links.read_acknowledge(link.rsplit("/", 1)[1])
    assert claim == AckClaim(ticket_id=1, episode=1, person=world.sender.sent[0][0])

    with pytest.raises(Refused, match="come back since"):
        await handle.acknowledge_by_link(world.desk, AckClaim(ticket_id=1, episode=0, person="mei"))
    ticket = await handle.acknowledge_by_link(world.desk, claim)
    assert ticket.acknowledged_by == claim.person


async def test_a_link_that_was_changed_does_not_act(world: World) -> None:
    good = world.desk.links.acknowledge(AckClaim(ticket_id=1, episode=1, person="mei")).rsplit("/", 1)[1]
    for bad in (good[:-2] + "xx", "x", "", good.replace(".", "", 1)):
        with pytest.raises(Refused, match="not made here"):
            world.desk.links.read_acknowledge(bad)


async def test_a_persons_word_restores_but_the_proof_must_follow(world: World) -> None:
    await world.post(alert("DiskFull"))
    await world.work()
    await handle.acknowledge(world.desk, "1", "mei")
    await handle.do(world.desk, "restore", "1", actor="mei", content={"reason": "freed 40 GB"})
    assert (await world.ticket())["status"] == "restored"

    await world.advance(timedelta(minutes=5))
    assert (await world.ticket())["status"] == "handed_over"


async def test_a_silent_watchdog_is_a_ticket_and_its_return_clears_it(world: World) -> None:
    from responder.flows.watch import watch_heartbeats

    await world.post(alert("Watchdog", severity="none"))
    assert await watch_heartbeats(world.desk) == 0
    await world.advance(timedelta(minutes=10, seconds=1))
    assert await watch_heartbeats(world.desk) == 1
    assert await watch_heartbeats(world.desk) == 0
    ticket = await world.ticket()
    assert (ticket["grade"], ticket["source"]) == ("P1", "responder")
    assert "main has not sent watchdog for 10m 1s" in ticket["title"]

    await world.post(alert("Watchdog", severity="none"))
    assert await watch_heartbeats(world.desk) == 1
    assert (await world.ticket())["signal"] == "cleared"
