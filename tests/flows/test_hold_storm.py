"""A storm for people: one page for all of it, the lane goes on at once, and afterwards what still shows goes on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from responder.domain.matching import parse_matcher
from responder.domain.policy import CorrelationRule, FirstAidRule
from responder.domain.report_form import form_of
from responder.domain.storm import StormRule
from responder.flows.maintenance_windows import begin_window
from responder.flows.report_by_person import open_report
from responder.flows.storm import watch_storm
from responder.store.database import Database
from tests.flows.people import MINUTE, Team
from tests.world import alert, resolved, texts

P2 = "error"
SMALL = StormRule(tickets=5, within=5 * MINUTE, over=10 * MINUTE)
AID = FirstAidRule(name="restart it", when=(parse_matcher('alertname="ServiceDown"'),), runbook="restart-app")


@pytest.fixture
def world(tmp_path: Path, database: Database) -> Team:
    made = Team(tmp_path, database)
    made.rule(storm=SMALL)
    return made


def hosts(numbers: Iterable[int], *, cleared: bool = False, **labels: str) -> list[dict[str, Any]]:
    made = resolved if cleared else alert
    return [made(**{"severity": P2, "job": "db", **labels}, instance=f"host-{number}") for number in numbers]


async def paged(world: Team) -> list[str]:
    """The titles of the tickets that people were paged for, one for each page."""

    def find(tx: Any) -> list[str]:
        every = [message for ticket_id in tx.tickets.all_ids() for message in tx.messages.of_ticket(ticket_id)]
        pages = [one for one in every if one.purpose.startswith("hand_over") and one.person == "mei"]
        return [tx.tickets.one(one.ticket_id).ticket.labels["alertname"] for one in pages]

    found: list[str] = await world.read(find)
    return found


async def summary(world: Team) -> dict[str, Any]:
    """The ticket that stands for the storm."""
    lines = await world.read(lambda tx: [one for one in tx.tickets.listed(limit=5000) if one.source == "responder"])
    (ticket,) = lines
    return await world.ticket(ticket.number)


async def passes(world: Team, duration: timedelta) -> None:
    """Lets time pass, minute by minute, with the storm watched as the server does."""
    for _ in range(duration // MINUTE):
        await world.advance(MINUTE)
        await watch_storm(world.desk)
        await world.work()


@pytest.mark.timeout(600)
async def test_a_storm_of_a_thousand_alerts_is_one_page_and_afterwards_one_for_each_that_still_shows(
    world: Team,
) -> None:
    world.rule(storm=StormRule())
    await world.post(*hosts(range(900)), *hosts(range(900, 1000), job="web"))
    await world.work()
    assert await paged(world) == ["ResponderStorm"]
    assert await watch_storm(world.desk)
    assert not await watch_storm(world.desk)

    storm = await summary(world)
    assert 'of the latest 1000: alertname="ServiceDown" (1000)' in storm["annotations"]["summary"]
    assert 'job="db" (900), job="web" (100)' in storm["annotations"]["summary"]
    await world.post(alert(severity="critical", instance="core-1"))
    await world.work()
    assert await paged(world) == ["ResponderStorm", "ServiceDown"]

    await world.post(*hosts(range(990), cleared=True, job="db"), *hosts(range(900, 990), cleared=True, job="web"))
    await world.advance(9 * MINUTE)
    await watch_storm(world.desk)
    await world.work()
    assert len(await paged(world)) == 2
    await passes(world, 2 * MINUTE)
    assert len(await paged(world)) == 2 + 10
    storm = await summary(world)
    assert storm["status"] == "restored"
    assert "The storm is over: fewer than 50 tickets in 10m. What still shows goes on." in texts(storm)
    held = await world.sums("tickets_held_total")
    assert held[(("by", "storm"),)] == 1000


async def test_what_comes_before_the_threshold_is_paged_and_says_nothing_of_a_storm(world: Team) -> None:
    await world.post(*hosts(range(4)))
    await world.work()
    assert await paged(world) == ["ServiceDown"] * 4
    await world.post(*hosts([4, 5]))
    await world.work()
    assert await paged(world) == ["ServiceDown"] * 4 + ["ResponderStorm"]


async def test_a_held_ticket_says_why_once_and_restores_itself(world: Team) -> None:
    await world.post(*hosts(range(6)))
    await world.work()
    await passes(world, 3 * MINUTE)
    await world.post(*hosts([0], cleared=True))
    await passes(world, MINUTE)
    ticket = await world.ticket("1")
    assert texts(ticket).count("Storm: 6 tickets in 5m. It waits until the storm is over") == 1
    assert (ticket["status"], ticket["messages"]) == ("restored", [])


async def test_the_lane_goes_on_at_once_and_first_aid_still_keeps_its_hands_off(world: Team) -> None:
    world.rule(first_aid=(AID,), storm=StormRule(tickets=5, lane=("P1", "P2")))
    await world.post(*hosts(range(6)))
    await world.work()
    assert await paged(world) == ["ServiceDown"] * 6
    assert world.fleet.commands == []


async def test_a_storm_that_goes_on_is_told_a_few_times_only(world: Team) -> None:
    await world.post(*hosts(range(100, 106)))
    await world.work()
    for minute in range(20):
        await world.post(*hosts(range(3 * minute, 3 * minute + 3)))
        await passes(world, MINUTE)
    storm = await summary(world)
    told = [event for event in storm["events"] if event["kind"] == "note"]
    assert [event["data"]["opened"] for event in told] == [12, 24, 48]
    assert await paged(world) == ["ResponderStorm"]
    assert storm["title"].startswith("Storm: 48 tickets since")


async def test_first_aid_that_waited_out_the_storm_goes_on(world: Team) -> None:
    world.rule(first_aid=(AID,))
    await world.post(*hosts(range(5)), alert(severity=P2))
    await world.work()
    assert world.fleet.commands == []
    await passes(world, 11 * MINUTE)
    assert world.fleet.restarts() == ["web-1"]


async def test_a_storm_lasts_while_enough_were_opened_in_the_time_that_ends_it(world: Team) -> None:
    await world.post(*hosts(range(6)))
    await world.work()
    await passes(world, 8 * MINUTE)
    await world.post(*hosts(range(6, 11)))
    await world.work()
    await passes(world, 9 * MINUTE)
    assert await paged(world) == ["ResponderStorm"]
    await passes(world, 2 * MINUTE)
    assert len(await paged(world)) == 1 + 11


async def test_a_summary_that_people_dismiss_does_not_page_again_in_the_same_storm(world: Team) -> None:
    await world.post(*hosts(range(6)))
    await world.work()
    number = (await summary(world))["number"]
    await world.do("dismiss", key=number, **{"as": "false_alarm", "reason": "we know"})
    await world.post(*hosts(range(6, 12)))
    await world.work()
    await passes(world, 5 * MINUTE)
    assert await paged(world) == ["ResponderStorm"]
    await passes(world, 10 * MINUTE)
    assert len(await paged(world)) == 1 + 12


async def test_a_policy_without_the_rule_ends_the_storm(world: Team) -> None:
    await world.post(*hosts(range(6)))
    await world.work()
    world.rule(storm=None)
    await passes(world, MINUTE)
    assert (await summary(world))["status"] == "restored"
    assert len(await paged(world)) == 7


async def test_a_second_storm_pages_again(world: Team) -> None:
    await world.post(*hosts(range(6)))
    await world.work()
    await world.post(*hosts(range(6), cleared=True))
    await passes(world, 30 * MINUTE)
    await world.post(*hosts(range(10, 16)))
    await world.work()
    assert await paged(world) == ["ResponderStorm"] * 2


async def test_a_summary_that_a_rule_correlates_with_others_still_ends_the_storm(world: Team) -> None:
    everything = CorrelationRule(name="all", when=(parse_matcher('severity="critical"'),), by=("severity",))
    world.rule(correlation=(everything,))
    await world.post(alert(severity="critical", instance="core-1"), *hosts(range(6)))
    await world.work()
    assert await paged(world) == ["ServiceDown"]
    await passes(world, 11 * MINUTE)
    assert len(await paged(world)) == 1 + 6
    assert (await world.ticket("1"))["signal"] == "firing"


async def test_where_the_storms_own_ticket_calls_nobody_no_ticket_is_held(world: Team) -> None:
    world.change_grade("P1", tiers=())
    await world.post(*hosts(range(6)))
    await world.work()
    assert await paged(world) == ["ServiceDown"] * 6


async def test_a_storm_of_what_calls_nobody_is_nobodys_call(world: Team) -> None:
    await world.post(*hosts(range(20), severity="info"))
    await passes(world, 2 * MINUTE)
    assert await paged(world) == []
    assert (await world.ticket())["status"] == "handed_over"
    await world.post(*hosts(range(20, 22)))
    await world.work()
    assert await paged(world) == ["ResponderStorm"]


async def test_what_people_report_is_not_held_in_a_storm(world: Team) -> None:
    world.rule(default_grade="P2")
    await world.post(*hosts(range(6)))
    await world.work()
    content = {"title": "Printer is dead", "channel": "hotline", "reporter": {"name": "Li Wei", "contact": "li@x.org"}}
    ticket = await open_report(world.desk, form_of(content))
    await world.work()
    assert (await world.ticket(ticket.number))["status"] == "handed_over"


async def test_tickets_that_maintenance_explains_make_no_storm(world: Team) -> None:
    await begin_window(world.desk, ['job="db"'], "patching", "lars", lasting=MINUTE * 60)
    await world.post(*hosts(range(10)))
    await world.work()
    await world.post(*hosts([11], job="web"))
    await world.work()
    assert await paged(world) == ["ServiceDown"]
