"""Still on it: whoever has a ticket is asked while they have it, and loses it only for silence of their own."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from responder.adapters.links import AckClaim
from responder.domain.delivery import QuietHours
from responder.domain.escalation import Callees, EscalationPlan, Step
from responder.domain.matching import parse_matcher
from responder.domain.policy import CorrelationRule
from responder.domain.windows import Window
from responder.errors import Refused, SendRefused
from responder.flows.handle import acknowledge_by_link
from responder.flows.still_on_it import still_on_it
from responder.store.database import Database
from responder.store.jobs import Job
from tests.flows.people import HOUR, MINUTE, Team, with_gates
from tests.world import texts

ASKS = EscalationPlan(
    name="p", steps=(Step(callees=Callees(tiers=(1,))),), still_on_it=45 * MINUTE, answer_within=10 * MINUTE
)
MILLISECOND = timedelta(milliseconds=1)


@pytest.fixture
def world(tmp_path: Path, database: Database) -> Team:
    return Team(tmp_path, database)


async def take(world: Team, plan: EscalationPlan = ASKS, severity: str = "warning") -> None:
    """Mei has a ticket of this plan."""
    world.rule(escalation=(plan,))
    await world.fires(severity)
    await world.do("acknowledge", "mei")
    world.sender.sent.clear()


def change_mei(world: Team, **changes: object) -> None:
    configuration = world.desk.configuration
    people = {**configuration.people, "mei": replace(configuration.people["mei"], **changes)}  # type: ignore[arg-type]
    world.desk.take_over(replace(configuration, people=people))


def sleep(world: Team, until: timedelta) -> datetime:
    """Mei is in quiet hours from now on."""
    now = world.clock.now()
    hours = QuietHours(start=now.time(), end=(now + until).time(), zone=ZoneInfo("UTC"))
    change_mei(world, quiet_hours=(hours,))
    return now + until


async def asked(world: Team, *minutes: int) -> list[list[str]]:
    """Who is asked or called after so many minutes each."""
    found, since = [], world.clock.now()
    for minute in minutes:
        world.sender.sent.clear()
        await world.advance(since + minute * MINUTE - world.clock.now())
        found.append(world.sender.people())
    return found


# --- who is asked, and when ---------------------------------------------------------------------------------


async def test_who_was_given_it_by_another_is_asked(world: Team) -> None:
    await take(world)
    await world.advance(10 * MINUTE)
    await world.do("assign", "mei", to="rosa")
    assert await asked(world, 35, 44, 45) == [[], [], ["rosa"]]
    assert "rosa, are you still on it? Nothing was heard from you for 45m." in world.sender.sent[0][1]
    assert await asked(world, 10) == [["mei"]]
    assert "rosa was asked 10m ago whether they are still on it" in texts(await world.ticket())
    assert len(await world.read(lambda tx: tx.tickets.listed())) == 1


async def test_who_has_it_again_is_asked_once(world: Team) -> None:
    await take(world)
    await world.advance(MINUTE)
    await world.do("take-over", "lars")
    await world.do("take-over", "mei")
    assert await asked(world, 44, 45, 54) == [[], ["mei"], []]
    await world.do("still-on-it", "mei")
    assert await asked(world, 44, 45, 54, 55) == [[], ["mei"], [], ["mei"]]


@pytest.mark.parametrize("thinks_for", [1, 15])
async def test_who_answers_is_asked_again_though_an_answer_may_take_longer_than_silence(
    world: Team, thinks_for: int
) -> None:
    await take(world, replace(ASKS, still_on_it=10 * MINUTE, answer_within=30 * MINUTE))
    await world.advance(10 * MINUTE)
    for _ in range(thinks_for):
        await world.advance(MINUTE)
    await world.do("still-on-it", "mei")
    assert await asked(world, 9, 10) == [[], ["mei"]]
    assert await asked(world, 29, 30) == [[], ["mei"]]
    assert (await world.ticket())["status"] == "handed_over"


async def test_whose_plan_waits_for_consent_is_left_in_peace_and_asked_again_afterwards(world: Team) -> None:
    with_gates(world)
    await take(world, severity="critical")
    await world.do("propose", "mei", kind="patch", steps=["do it"], owner="mei")
    world.sender.sent.clear()
    assert await asked(world, 46, 92, 130) == [[], [], []]
    await world.do("approve", "lars")
    await world.do("approve", "rosa")
    assert (await world.ticket())["status"] == "approved"
    assert await asked(world, 44, 45) == [[], ["mei"]]
    assert "It stays with" not in texts(await world.ticket())


async def test_what_comes_back_from_a_vendor_is_no_silence_of_weeks(world: Team) -> None:
    await take(world)
    await world.do("wait", **{"for": "vendor", "reason": "a disk"})
    await world.advance(100 * HOUR)
    await world.advance(20 * MINUTE)
    await world.do("resume", "lars", reason="it is there")
    assert await asked(world, 25, 44, 45) == [[], [], ["mei"]]
    assert "Nothing was heard from you for 45m." in world.sender.sent[0][1]


async def test_who_works_under_another_spelling_of_their_name_gives_signs_all_the_same(world: Team) -> None:
    await take(world)
    await world.advance(40 * MINUTE)
    await world.do("note", "Mei", text="I look at the disk")
    assert await asked(world, 44, 45) == [[], ["mei"]]
    await world.do("still-on-it", "MEI")
    ticket = await world.ticket()
    assert (ticket["acknowledged_by"], ticket["events"][-1]["actor"]) == ("mei", "mei")
    assert await asked(world, 44, 45) == [[], ["mei"]]


# --- by which plan ------------------------------------------------------------------------------------------


def until_soon(world: Team) -> EscalationPlan:
    """A plan whose hours end in ten minutes."""
    now = world.clock.now()
    return replace(ASKS, hours=(Window(start=(now - HOUR).time(), end=(now + 10 * MINUTE).time()),))


async def test_a_night_s_plan_asks_after_its_hours_too(world: Team) -> None:
    await take(world, until_soon(world))
    assert await asked(world, 44, 45, 54, 55) == [[], ["mei"], [], ["mei"]]
    assert "mei was asked 10m ago" in texts(await world.ticket())


async def test_what_came_in_the_night_is_asked_about_though_it_was_taken_in_the_morning(world: Team) -> None:
    world.rule(escalation=(until_soon(world),))
    await world.fires("warning")
    await world.advance(20 * MINUTE)
    await world.do("acknowledge", "mei")
    assert await asked(world, 44, 45) == [[], ["mei"]]


async def test_a_plan_that_asks_nobody_for_a_while_asks_again_when_it_does(world: Team) -> None:
    await take(world)
    world.rule(escalation=(replace(ASKS, still_on_it=None),))
    assert await asked(world, 45, 50) == [[], []]
    world.rule(escalation=(ASKS,))
    assert await asked(world, 55, 65) == [["mei"], ["mei"]]


@pytest.mark.parametrize("is_by_hand", [True, False])
async def test_what_becomes_graver_while_somebody_has_it_is_asked_about_by_the_graver_s_plan(
    world: Team, is_by_hand: bool
) -> None:
    same_host = CorrelationRule(name="host", when=(parse_matcher('instance=~".+"'),), by=("instance",))
    world.rule(correlation=(same_host,))
    await take(world, replace(ASKS, grades=("P1",)))
    assert await asked(world, 100) == [[]]
    if is_by_hand:
        await world.do("regrade", "otto", grade="P1", reason="all shops are down")
    else:
        await world.fires("critical")
    assert (await world.ticket())["grade"] == "P1"
    assert await asked(world, 44, 45, 54, 55) == [[], ["mei"], [], ["mei"]]


# --- who cannot answer --------------------------------------------------------------------------------------


async def test_who_sleeps_is_asked_in_the_morning_and_has_the_time_to_answer_then(world: Team) -> None:
    await take(world)
    await world.advance(5 * MINUTE)
    morning = sleep(world, 8 * HOUR)
    assert await asked(world, 41, 60, 400) == [[], [], []]
    ticket = await world.ticket()
    assert ticket["acknowledged_by"] == "mei"
    assert f"{morning + 10 * MINUTE:%H:%M} UTC" in texts(ticket)

    await world.advance(morning - world.clock.now())
    assert world.sender.people() == ["mei"]
    assert f"{morning + 10 * MINUTE:%Y-%m-%d %H:%M UTC}" in world.sender.sent[0][2]
    assert await asked(world, 9, 10) == [[], ["mei"]]
    assert (await world.ticket())["status"] == "handed_over"


async def test_a_question_that_sleep_overtook_is_not_lost(world: Team) -> None:
    """Her first channel is tried after a while, and by then she sleeps."""
    await take(world)
    world.clock.advance(45 * MINUTE)

    async def asked_as_the_night_begins(job: Job) -> None:
        await still_on_it(world.desk, job)
        sleep(world, 2 * HOUR)

    await world.work(still_on_it=asked_as_the_night_begins)
    assert await asked(world, 10, 119, 120) == [[], [], ["mei"]]
    assert "mei is in quiet hours and was not asked yet" in texts(await world.ticket())
    assert await asked(world, 9, 10) == [[], ["mei"]]


async def test_the_question_about_a_p1_wakes_its_owner(world: Team) -> None:
    await take(world, severity="critical")
    sleep(world, 8 * HOUR)
    assert await asked(world, 45, 55) == [["mei"], ["mei"]]


async def test_whom_no_channel_reaches_is_not_said_to_be_silent(world: Team) -> None:
    await take(world)
    world.sender.failures.append(SendRefused("gone."))
    await world.advance(45 * MINUTE)
    assert await asked(world, 9, 10) == [[], ["mei"]]
    said = texts(await world.ticket())
    assert "mei could not be asked whether they are still on it: no channel took the question." in said
    assert "has not answered" not in said


async def test_who_has_no_channel_any_more_gives_it_back_at_once(world: Team) -> None:
    await take(world)
    change_mei(world, channels=())
    assert await asked(world, 44, 45) == [[], ["lars"]]
    assert "mei cannot be asked whether they are still on it: mei has no channel." in texts(await world.ticket())


async def test_the_link_of_somebody_who_has_left_takes_no_ticket_and_keeps_none(world: Team) -> None:
    await world.fires("warning")
    configuration = world.desk.configuration
    staying = {name: one for name, one in configuration.people.items() if name != "mei"}
    world.desk.take_over(replace(configuration, people=staying))
    with pytest.raises(Refused, match="mei is in the people file no more"):
        await acknowledge_by_link(world.desk, AckClaim(ticket_id=1, episode=1, person="mei"))
    ticket = await world.ticket()
    assert (ticket["status"], ticket["acknowledged_by"]) == ("handed_over", "")
    assert "mei could not acknowledge: mei is in the people file no more" in texts(ticket)


# --- looks that are made twice ------------------------------------------------------------------------------


async def test_a_look_that_is_made_twice_asks_once_and_leaves_one_watch(world: Team) -> None:
    await take(world)
    looks = 0

    async def twice(job: Job) -> None:
        nonlocal looks
        looks += 1
        await still_on_it(world.desk, job)
        world.clock.advance(MILLISECOND)
        await still_on_it(world.desk, job)

    world.clock.advance(45 * MINUTE)
    await world.work(still_on_it=twice)
    assert world.sender.people() == ["mei"]
    await world.do("still-on-it", "mei")
    world.clock.advance(20 * MINUTE)
    await world.work(still_on_it=twice)
    assert looks == 2
