"""Many tickets that wait: they are looked at together, cheaply, and what ends early lets them go within a minute."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from responder.domain.hold_off import HoldOffRule
from responder.domain.matching import parse_matcher
from responder.domain.policy import CorrelationRule, FirstAidRule
from responder.domain.storm import StormRule
from responder.errors import StoreUnavailable
from responder.flows.maintenance_windows import begin_window, end_window
from responder.flows.watch_holds import look_at_held
from responder.store.database import Database
from responder.store.transaction import Transaction
from tests.flows.people import HOUR, MINUTE, Team
from tests.world import alert, texts

P2 = "error"
DB = parse_matcher('job="db"')
AID = FirstAidRule(name="restart it", when=(parse_matcher('alertname="ServiceDown"'),), runbook="restart-app")
BY_CLUSTER = CorrelationRule(name="cluster", when=(parse_matcher('cluster=~".+"'),), by=("cluster",))


@pytest.fixture
def world(tmp_path: Path, database: Database) -> Team:
    return Team(tmp_path, database)


async def versions(world: Team) -> list[int]:
    return await world.read(lambda tx: [one.version for one in tx.tickets.listed(limit=1000)])  # type: ignore[no-any-return]


async def held(world: Team) -> list[str]:
    return await world.read(lambda tx: [one.name for one in tx.holds.all()])  # type: ignore[no-any-return]


async def paged(world: Team) -> list[str]:
    """The instances that mei was paged for."""

    def find(tx: Any) -> list[str]:
        every = [message for ticket_id in tx.tickets.all_ids() for message in tx.messages.of_ticket(ticket_id)]
        pages = [one for one in every if one.purpose.startswith("hand_over") and one.person == "mei"]
        return sorted(tx.tickets.one(one.ticket_id).ticket.labels.get("instance", "storm") for one in pages)

    return await world.read(find)  # type: ignore[no-any-return]


async def window(world: Team, *matchers: str) -> int:
    return await begin_window(world.desk, matchers or ['job="db"'], "upgrade", "lars", lasting=8 * HOUR)


async def fire(world: Team, *hosts: str, severity: str = P2, **labels: str) -> None:
    await world.post(*(alert(**{"job": "db", **labels}, severity=severity, instance=host) for host in hosts))
    await world.work()


async def test_tickets_that_are_held_are_not_written_to_while_nothing_changes(world: Team) -> None:
    await window(world)
    await fire(world, "a", "b", "c")
    before = await versions(world)
    for _ in range(20):
        await world.advance(MINUTE)
    assert await versions(world) == before
    assert await held(world) == ["maintenance"] * 3


async def test_a_window_that_is_ended_early_lets_all_of_its_tickets_go_within_a_minute(world: Team) -> None:
    number = await window(world)
    await fire(world, "a", "b", "c")
    await world.advance(10 * MINUTE)
    await end_window(world.desk, number, "lars")
    await world.advance(MINUTE)
    assert (await paged(world), await held(world)) == (["a", "b", "c"], [])


async def test_a_round_that_fails_loses_nothing(world: Team) -> None:
    number = await window(world)
    await fire(world, "a", "b")
    await end_window(world.desk, number, "lars")
    world.clock.advance(MINUTE)

    class Away:
        async def write(self, body: Any) -> None:
            raise StoreUnavailable("gone")

        async def read(self, body: Any) -> Any:
            return await world.database.read(body)

    broken = world.another_desk()
    broken.store = Away()  # type: ignore[assignment]
    with pytest.raises(StoreUnavailable):
        await look_at_held(broken)
    assert await look_at_held(world.desk) == 2
    assert await look_at_held(world.another_desk()) == 0
    await world.work()
    assert await paged(world) == ["a", "b"]


async def test_without_any_round_each_ticket_is_looked_at_after_half_an_hour(world: Team) -> None:
    number = await window(world)
    await fire(world, "a")
    await end_window(world.desk, number, "lars")
    world.clock.advance(30 * MINUTE)
    await world.work()
    assert await paged(world) == ["a"]


async def test_a_job_that_was_overtaken_by_a_round_does_nothing(world: Team) -> None:
    number = await window(world)
    await fire(world, "a")
    await end_window(world.desk, number, "lars")
    await world.advance(MINUTE)
    before = await world.ticket()
    await world.advance(HOUR)
    after = await world.ticket()
    assert await paged(world) == ["a"]
    assert texts(after).count("Nothing holds it any more") == texts(before).count("Nothing holds it any more") == 1


async def test_a_hold_that_another_one_follows_is_told_within_a_minute(world: Team) -> None:
    world.rule(hold_off=(HoldOffRule(name="long", when=(DB,), lasting=HOUR),))
    await fire(world, "a")
    await window(world)
    await world.advance(MINUTE)
    assert (await world.ticket())["held"]["name"] == "maintenance"
    assert await held(world) == ["maintenance"]


async def test_a_policy_that_holds_no_more_lets_go_within_a_minute(world: Team) -> None:
    world.rule(hold_off=(HoldOffRule(name="long", when=(DB,), lasting=HOUR),), first_aid=(AID,))
    await fire(world, "web-1:9100")
    world.rule(hold_off=())
    await world.advance(MINUTE)
    assert world.fleet.restarts() == ["web-1"]


async def test_what_people_take_or_what_clears_is_held_no_more(world: Team) -> None:
    await window(world)
    await fire(world, "a", "b")
    await world.do("acknowledge")
    assert await held(world) == ["maintenance"]
    await world.clears(severity=P2, job="db", instance="b")
    assert await held(world) == []
    await world.advance(9 * HOUR)
    assert await paged(world) == []


# --- what ends a hold in the same moment ------------------------------------------------------------------------


async def test_a_grade_that_is_raised_in_a_storm_pages_at_once(world: Team) -> None:
    world.rule(storm=StormRule(tickets=3), correlation=(BY_CLUSTER,))
    await fire(world, *"abcd", cluster="")
    await fire(world, "e", cluster="eu")
    assert await paged(world) == ["storm"]
    await fire(world, "f", cluster="eu", severity="critical")
    assert await paged(world) == ["e", "storm"]
    assert "Raised from P2 to P1" in texts(await world.ticket("6"))


async def test_a_raise_that_ends_no_hold_leaves_the_ticket_waiting_for_one_job(world: Team) -> None:
    world.rule(correlation=(BY_CLUSTER,))
    number = await window(world)
    await fire(world, "a", cluster="eu")
    await fire(world, "b", cluster="eu", severity="critical")
    assert (await paged(world), await held(world)) == ([], ["maintenance"])
    await end_window(world.desk, number, "lars")
    await world.advance(MINUTE)
    await world.advance(2 * HOUR)
    assert await paged(world) == ["a"]


async def test_a_raise_in_a_window_of_what_came_back_to_people_waits_for_the_end_of_the_window(world: Team) -> None:
    world.rule(correlation=(BY_CLUSTER,))
    await fire(world, "a", cluster="eu")
    await world.do("acknowledge")
    await world.clears(severity=P2, job="db", instance="a", cluster="eu")
    number = await window(world)
    await fire(world, "a", cluster="eu")
    assert (await world.ticket())["held"]["name"] == "maintenance"
    before = len(await paged(world))
    await fire(world, "b", cluster="eu", severity="critical")
    assert len(await paged(world)) == before
    await end_window(world.desk, number, "lars")
    await world.advance(MINUTE)
    await world.advance(HOUR)
    assert len(await paged(world)) == before + 1


# --- what is counted --------------------------------------------------------------------------------------------


async def unacknowledged(world: Team) -> int:
    rows = await world.read(lambda tx: tx.tickets.unacknowledged_counts())
    return sum(count for _, _, count in rows)


async def test_tickets_that_are_held_are_not_counted_as_unacknowledged(world: Team) -> None:
    await fire(world, "a", severity="critical")
    assert await unacknowledged(world) == 1
    await world.do("acknowledge")
    number = await window(world)
    await world.clears(severity="critical", job="db", instance="a")
    await world.advance(MINUTE)
    await fire(world, "a", severity="critical")
    ticket = await world.ticket()
    assert (ticket["status"], ticket["held"]["name"]) == ("handed_over", "maintenance")
    assert await unacknowledged(world) == 0
    await end_window(world.desk, number, "lars")
    await world.advance(MINUTE)
    assert await unacknowledged(world) == 1


async def test_the_memory_of_what_another_ticket_stood_for_is_short(world: Team) -> None:
    await fire(world, "a", "b")
    now = world.clock.now()

    def hold(tx: Transaction) -> None:
        tx.holds.end([1, 2], now)
        tx.holds.forget(now + MINUTE)

    await world.database.write(hold)
    assert not await world.read(lambda tx: tx.holds.is_any())
