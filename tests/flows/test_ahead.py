"""What the clocks do next is said before they do it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from responder.domain.ahead import alarms_ahead
from responder.flows.watch import look_at_clocks
from responder.store.database import Database
from tests.flows.people import HOUR, Team

MINUTE = timedelta(minutes=1)


@pytest.fixture
def world(tmp_path: Path, database: Database) -> Team:
    return Team(tmp_path, database)


async def ahead(world: Team) -> list[tuple[timedelta, str]]:
    known = await world.read(lambda tx: tx.tickets.find("1"))
    return [
        (one.at - known.ticket.opened_at, one.text)
        for one in alarms_ahead(world.desk.policy, known.ticket, known.clocks)
    ]


async def test_the_next_alarm_of_each_clock_stands_there_the_soonest_first(world: Team) -> None:
    await world.fires()
    assert await ahead(world) == [
        (11.25 * MINUTE, "75 % of the respond clock is used: the team is told"),
        (15 * MINUTE, "50 % of the escalation clock is used: it goes to tier 2"),
        (45 * MINUTE, "75 % of the restore clock is used: the team is told"),
        (180 * MINUTE, "75 % of the resolve clock is used: the team is told"),
    ]


async def test_no_clock_takes_it_to_a_tier_that_is_not_there(world: Team) -> None:
    await world.fires()
    known = await world.read(lambda tx: tx.tickets.find("1"))
    said = [
        [one.text for one in alarms_ahead(world.desk.policy, known.ticket, known.clocks, highest=highest)]
        for highest in (1, 2)
    ]
    assert [any("it goes to tier 2" in text for text in texts) for texts in said] == [False, True]


async def test_after_a_warning_comes_the_breach_and_after_that_nothing(world: Team) -> None:
    await world.fires()
    await world.do("acknowledge", "lars")
    await world.advance(46 * MINUTE)
    await look_at_clocks(world.desk)
    assert (await ahead(world))[0] == (60 * MINUTE, "the restore clock runs out: lars and the next tier are told")
    await world.advance(HOUR)
    await look_at_clocks(world.desk)
    assert [text for _, text in await ahead(world)] == ["75 % of the resolve clock is used: lars is told"]


async def test_a_ticket_that_is_over_has_nothing_ahead(world: Team) -> None:
    await world.fires()
    await world.do("dismiss", **{"as": "false_alarm", "reason": "a test"})
    assert await ahead(world) == []


async def test_the_page_and_the_api_show_it(world: Team) -> None:
    await world.fires()
    shown = (await world.ticket())["ahead"]
    assert (shown[0]["clock"], shown[0]["text"][:4]) == ("respond", "75 %")
