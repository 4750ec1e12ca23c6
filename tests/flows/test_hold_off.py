"""Hold-off and flapping: what goes away by itself troubles nobody, and what comes and goes pages once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from responder.domain.hold_off import HoldOffRule
from responder.domain.matching import parse_matcher
from responder.domain.policy import FirstAidRule, FlappingRule
from responder.errors import SendFailed
from responder.store.database import Database
from tests.flows.people import HOUR, MINUTE, Team
from tests.world import texts

SECOND = timedelta(seconds=1)
AID = FirstAidRule(name="restart it", when=(parse_matcher('alertname="ServiceDown"'),), runbook="restart-app")
PATIENT = HoldOffRule(name="transient", when=(parse_matcher('alertname="ServiceDown"'),), lasting=2 * MINUTE)
P2 = "error"


@pytest.fixture
def world(tmp_path: Path, database: Database) -> Team:
    made = Team(tmp_path, database)
    made.rule(hold_off=(PATIENT,))
    return made


def pages(world: Team) -> int:
    """How many messages mei was sent."""
    return world.sender.people().count("mei")


async def test_an_alert_that_goes_away_in_time_troubles_nobody_and_restores_itself(world: Team) -> None:
    world.rule(first_aid=(AID,))
    await world.fires(P2)
    await world.advance(MINUTE)
    await world.clears(severity=P2)
    await world.advance(HOUR)
    ticket = await world.ticket()
    assert (ticket["status"], ticket["restored_by"]) == ("resolved", "itself")
    assert (world.sender.sent, world.fleet.commands) == ([], [])
    assert texts(ticket).count("It may go away by itself (transient: 2m)") == 1


async def test_an_alert_that_stays_is_paged_when_the_time_is_over(world: Team) -> None:
    await world.fires(P2)
    await world.advance(2 * MINUTE - SECOND)
    assert pages(world) == 0
    await world.advance(SECOND)
    assert pages(world) == 1


async def test_first_aid_waits_too(world: Team) -> None:
    world.rule(first_aid=(AID,))
    await world.fires(P2)
    await world.advance(MINUTE)
    assert world.fleet.commands == []
    await world.advance(MINUTE)
    assert world.fleet.restarts() == ["web-1"]


async def test_the_most_urgent_grade_waits_only_if_the_rule_says_so(world: Team) -> None:
    await world.fires("critical", instance="web-1:9100")
    assert pages(world) == 1
    world.rule(hold_off=(HoldOffRule(name="p1", when=PATIENT.when, lasting=MINUTE, grades=("P1",)),))
    await world.fires("critical", instance="web-2:9100")
    assert pages(world) == 1
    await world.advance(MINUTE)
    assert pages(world) == 2


async def test_what_is_raised_while_it_waits_goes_on_within_a_minute(world: Team) -> None:
    world.rule(hold_off=(HoldOffRule(name="long", when=PATIENT.when, lasting=HOUR),))
    await world.fires(P2)
    await world.do("regrade", grade="P1", reason="customers are affected")
    await world.advance(MINUTE)
    assert pages(world) == 1


async def test_what_comes_back_waits_anew(world: Team) -> None:
    await world.fires(P2)
    await world.advance(MINUTE)
    await world.clears(severity=P2)
    await world.advance(MINUTE)
    await world.fires(P2)
    await world.advance(MINUTE)
    assert pages(world) == 0
    await world.advance(MINUTE)
    assert pages(world) == 1


# --- flapping --------------------------------------------------------------------------------------------------


async def toggles(world: Team, times: int, severity: str = P2) -> list[int]:
    """Comes and goes every other minute; how often mei had been paged after each start."""
    found = []
    for _ in range(times):
        await world.fires(severity)
        found.append(pages(world))
        await world.advance(MINUTE)
        await world.clears(severity=severity)
        await world.advance(MINUTE)
    return found


@pytest.fixture
def flapping(world: Team) -> Team:
    world.rule(hold_off=(), flapping=FlappingRule(changes=3, within=HOUR, quiet=30 * MINUTE))
    return world


async def test_a_spell_of_flapping_pages_once(flapping: Team) -> None:
    assert await toggles(flapping, 8) == [1, 2, 3, 3, 3, 3, 3, 3]
    ticket = await flapping.ticket()
    assert ticket["flapping"] is True
    assert "It flaps: 4 starts lately. People were told at" in texts(ticket)
    assert ("by", "flapping") in {label for labels in await flapping.sums("tickets_held_total") for label in labels}


async def hiccups(world: Team, times: int) -> None:
    """Comes, and goes before a page that did not get through is tried again."""
    world.sender.failures.extend(SendFailed("no answer.") for _ in range(times))
    for _ in range(times):
        await world.fires("warning")
        await world.clears(severity="warning")
        await world.advance(MINUTE)
    assert (pages(world), len(world.sender.failures)) == (0, 0)


async def test_what_flaps_and_of_which_no_page_has_left_is_not_held(flapping: Team) -> None:
    await hiccups(flapping, 3)
    await flapping.fires("warning")
    assert pages(flapping) == 1
    assert "People were told" not in texts(await flapping.ticket())


async def test_what_flaps_is_held_from_the_page_that_has_left(flapping: Team) -> None:
    await hiccups(flapping, 3)
    flapping.sender.failures.append(SendFailed("no answer."))
    await flapping.fires("warning")
    await flapping.advance(2 * MINUTE)
    told_at = flapping.clock.now()
    await flapping.clears(severity="warning")
    assert pages(flapping) == 1
    assert await toggles(flapping, 3, "warning") == [1, 1, 1]
    assert f"People were told at {told_at:%H:%M} UTC" in texts(await flapping.ticket())


async def test_after_quiet_the_next_spell_pages_anew(flapping: Team) -> None:
    await toggles(flapping, 5)
    await flapping.advance(30 * MINUTE)
    assert (await flapping.ticket())["status"] == "resolved"
    assert (await flapping.ticket())["flapping"] is False
    before = pages(flapping)
    assert await toggles(flapping, 3) == [before + 1] * 3


async def test_what_flapped_and_then_stays_pages_again(flapping: Team) -> None:
    await toggles(flapping, 4)
    await flapping.fires(P2)
    assert pages(flapping) == 3
    await flapping.advance(30 * MINUTE - SECOND)
    assert pages(flapping) == 3
    await flapping.advance(SECOND)
    assert pages(flapping) == 4


async def test_flapping_pages_nobody_even_when_somebody_had_taken_it(flapping: Team) -> None:
    await toggles(flapping, 3)
    await flapping.fires(P2)
    await flapping.do("acknowledge")
    await flapping.clears(severity=P2)
    before = pages(flapping)
    assert await toggles(flapping, 3) == [before] * 3


async def test_however_often_it_comes_back_one_job_takes_it_on(world: Team) -> None:
    world.rule(hold_off=(HoldOffRule(name="long", when=PATIENT.when, lasting=HOUR),))
    for _ in range(5):
        await world.fires(P2)
        await world.clears(severity=P2)
    await world.fires(P2)
    await world.advance(HOUR - SECOND)
    assert pages(world) == 0
    await world.advance(SECOND)
    assert pages(world) == 1
    assert texts(await world.ticket()).count("Nothing holds it any more") == 1
    assert not await world.read(lambda tx: dict(tx.jobs.waiting(world.clock.now() + HOUR)))
