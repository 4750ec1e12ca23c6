"""Calls that reach nobody: the next are called at once, somebody is looked for until one is there, and all say so."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from responder.domain.delivery import QuietHours
from responder.domain.escalation import Callees, EscalationPlan, Step
from responder.domain.policy import CorrelationRule
from responder.domain.rota import Override
from responder.errors import SendFailed, SendRefused
from responder.flows.audit_pages import audit_pages, compare
from responder.flows.escalate import escalate
from responder.flows.handle import do
from responder.flows.overrides import add_override
from responder.store.database import Database
from responder.store.jobs import Job
from tests.flows.people import ALERTS_ONLY, HOUR, KINDS, MINUTE, Team
from tests.world import World, alert, texts

PLAN = EscalationPlan(
    name="night and day",
    grades=("P1",),
    steps=(
        Step(callees=Callees(tiers=(1,))),
        Step(after=5 * MINUTE, callees=Callees(tiers=(2,))),
        Step(after=10 * MINUTE, callees=Callees(tiers=(3,))),
    ),
)
ROTA = """
people:
  - {name: mei, channels: [{name: pager, url: "json://127.0.0.1:9/mei"}]}
  - {name: lars, channels: [{name: phone, url: "json://127.0.0.1:9/lars"}]}
teams:
  - {name: ops, tiers: {1: {rota: first}}}
rotas:
  - name: first
    layers:
      - {name: weekdays, people: [mei], start: 2026-01-05}
"""
CONTACT = """
people:
  - name: mei
    channels: [{name: pager, url: "json://127.0.0.1:9/mei"}, {name: phone, url: "json://127.0.0.1:9/phone"}]
    contact: [{channels: [pager]}, {after: 10m, channels: [phone]}]
  - {name: lars, channels: [{name: phone, url: "json://127.0.0.1:9/lars"}]}
teams:
  - {name: ops, tiers: {1: [mei], 2: [lars]}}
"""


@pytest.fixture
def world(tmp_path: Path, database: Database) -> Team:
    return Team(tmp_path, database)


def asleep(world: Team, *names: str) -> None:
    """From two hours ago until in three hours."""
    now = world.clock.now()
    hours = QuietHours(start=(now - 2 * HOUR).time(), end=(now + 3 * HOUR).time(), zone=ZoneInfo("UTC"))
    configuration = world.desk.configuration
    people = dict(configuration.people)
    for name in names:
        people[name] = replace(people[name], quiet_hours=(hours,))
    world.desk.take_over(replace(configuration, people=people))


# --- the next one ---------------------------------------------------------------------------------------------


async def test_an_unreachable_second_call_is_followed_at_once_though_the_first_arrived(world: Team) -> None:
    world.rule(escalation=(PLAN,))
    await world.fires()
    assert world.sender.people() == ["mei"]
    world.sender.failures.append(SendRefused("gone."))
    await world.advance(5 * MINUTE)
    assert world.sender.people() == ["mei", "rosa"]


async def test_a_ticket_handed_to_a_tier_that_nobody_can_reach_goes_to_the_next_one(world: Team) -> None:
    await world.fires("warning")
    world.sender.failures.append(SendRefused("gone."))
    await world.do("escalate", "mei", reason="beyond me")
    assert world.sender.people() == ["mei", "rosa"]


async def test_a_ticket_given_back_whose_page_fails_reaches_the_next(world: Team) -> None:
    await world.fires("warning")
    await world.do("acknowledge", "mei")
    world.sender.failures.append(SendRefused("gone."))
    await world.do("give-back", "mei", reason="ill")
    assert world.sender.people() == ["mei", "lars"]


async def test_a_ticket_given_back_by_somebody_who_goes_to_bed_calls_the_next(world: Team) -> None:
    await world.fires("warning")
    await world.do("acknowledge", "mei")
    asleep(world, "mei")
    await world.do("give-back", "mei", reason="I go to bed")
    await world.advance(30 * MINUTE)
    assert "lars" in world.sender.people()


async def test_a_page_of_an_earlier_call_that_fails_late_does_not_hurry_the_calls_after_it(world: Team) -> None:
    world.rule(escalation=(PLAN,))
    world.sender.failures.append(SendFailed("no answer."))
    world.rule(delivery=replace(world.desk.policy.delivery, next_after=HOUR))
    await world.fires()
    world.sender.failures.append(SendFailed("no answer."))
    await world.advance(5 * MINUTE)
    world.sender.failures.append(SendRefused("gone."))
    await world.advance(MINUTE)
    assert not world.sender.failures
    assert world.sender.people() == ["lars"]


async def test_a_skip_done_twice_calls_one_more_only(world: Team) -> None:
    world.rule(escalation=(PLAN,))
    world.sender.failures.append(SendRefused("gone."))

    async def twice(job: Job) -> None:
        await escalate(world.desk, job)
        if "skip" in job.args:
            await escalate(world.desk, job)

    await world.post(alert())
    await world.work(escalate=twice)
    assert world.sender.people() == ["lars"]


async def test_a_skip_of_an_old_episode_calls_nobody_of_the_new_one(world: Team) -> None:
    world.rule(escalation=(PLAN,))
    late: list[Job] = []

    async def kept(job: Job) -> None:
        if "skip" in job.args:
            late.append(job)
        else:
            await escalate(world.desk, job)

    world.sender.failures.append(SendRefused("gone."))
    await world.post(alert())
    await world.work(escalate=kept)
    await world.clears()
    await world.fires()
    world.sender.sent.clear()
    await escalate(world.desk, late[0])
    await world.work()
    assert world.sender.people() == []


# --- a greater grade ------------------------------------------------------------------------------------------


async def test_a_p3_held_by_quiet_hours_that_becomes_p1_wakes_its_reader(world: Team) -> None:
    asleep(world, "mei", "lars", "rosa")
    await world.fires("warning")
    assert world.sender.people() == []
    await world.do("regrade", "otto", grade="P1", reason="all shops are down")
    assert "mei" in world.sender.people()


async def test_a_raised_ticket_tells_the_one_who_was_told_of_a_slighter_one(world: Team) -> None:
    await world.fires("warning")
    assert world.sender.people() == ["mei"]
    await world.do("regrade", "otto", grade="P1", reason="all shops are down")
    assert world.sender.people()[1:2] == ["mei"]


async def test_a_ticket_raised_after_everybody_was_called_in_vain_calls_again(world: Team) -> None:
    plan = replace(PLAN, grades=())
    world.rule(escalation=(plan,))
    await world.fires("warning")
    for _ in range(6):
        await world.advance(10 * MINUTE)
    assert world.sender.people() == ["mei", "lars", "rosa"]
    await world.do("regrade", "otto", grade="P1", reason="all shops are down")
    assert world.sender.people() == ["mei", "lars", "rosa", "mei"]


async def test_who_has_a_ticket_that_is_raised_is_told_unless_they_raised_it(world: Team) -> None:
    await world.fires("warning")
    await world.do("acknowledge", "mei")
    world.sender.sent.clear()
    await world.do("regrade", "otto", grade="P2", reason="the shop is slow")
    assert [(person, "otto changes P3 to P2: the shop is slow" in body) for person, _, body in world.sender.sent] == [
        ("mei", True)
    ]
    world.sender.sent.clear()
    await world.do("regrade", "mei", grade="P1", reason="all shops are down")
    assert world.sender.people() == []


async def test_a_lowered_ticket_is_not_told_anew(world: Team) -> None:
    await world.fires("critical")
    told = world.sender.people()
    await world.do("regrade", "otto", grade="P3", reason="only the test shop")
    assert world.sender.people() == told


# --- what is left behind --------------------------------------------------------------------------------------


async def test_the_old_team_is_not_called_any_more_when_the_ticket_moves(world: Team) -> None:
    world.rule(kinds=KINDS)
    world.sender.failures.append(SendFailed("no answer."))
    await world.fires()
    await world.do("classify", "rosa", kind="hardware")
    world.sender.sent.clear()
    await world.advance(10 * MINUTE)
    assert "mei" not in world.sender.people()


async def test_the_phone_of_the_tier_that_was_left_behind_does_not_ring(tmp_path: Path, database: Database) -> None:
    world = World(tmp_path, database, people=CONTACT, policy=ALERTS_ONLY)
    await world.post(alert(severity="warning"))
    await world.work()
    await do(world.desk, "escalate", "1", actor="mei", content={"reason": "beyond me"})
    await world.work()
    await world.advance(11 * MINUTE)
    assert world.sender.people() == ["mei", "lars"]
    assert "Not sent to mei by phone: Others are called now." in texts(await world.ticket())


async def test_when_all_refuse_in_a_later_call_that_is_a_ticket_of_its_own(world: Team) -> None:
    await world.fires("warning")
    world.sender.failures.extend(SendRefused("gone") for _ in range(10))
    await world.do("escalate", "mei", reason="up")
    await world.advance(10 * MINUTE)
    titles = await world.read(lambda tx: [ticket.title for ticket in tx.tickets.listed()])
    assert len(titles) == 2


# --- nobody at all --------------------------------------------------------------------------------------------


async def test_a_p1_in_a_gap_of_the_only_rota_calls_whoever_comes_on_call_first(
    tmp_path: Path, database: Database
) -> None:
    world = World(tmp_path, database, policy=ALERTS_ONLY)
    begins = f"{world.clock.now() + 3 * HOUR:%Y-%m-%d %H:%M}"
    world = World(tmp_path, database, people=ROTA.replace("2026-01-05", f'"{begins}"'), policy=ALERTS_ONLY)
    await world.post(alert(severity="critical"))
    await world.work()
    assert "Nobody can be reached" in texts(await world.ticket())
    for _ in range(5):
        await world.advance(HOUR)
    assert "mei" in world.sender.people()


async def test_that_nobody_can_be_called_is_a_ticket_of_its_own(tmp_path: Path, database: Database) -> None:
    world = World(tmp_path, database, policy=ALERTS_ONLY)
    begins = f"{world.clock.now() + 3 * HOUR:%Y-%m-%d %H:%M}"
    world = World(tmp_path, database, people=ROTA.replace("2026-01-05", f'"{begins}"'), policy=ALERTS_ONLY)
    await world.post(alert(severity="critical"))
    await world.work()
    await world.advance(MINUTE)
    await world.advance(MINUTE)
    titles = await world.read(lambda tx: [ticket.title for ticket in tx.tickets.listed()])
    assert sum("could be told" in title or "can be called" in title for title in titles) == 1


async def test_looking_for_somebody_does_not_change_what_people_have_before_their_eyes(world: Team) -> None:
    configuration = world.desk.configuration
    people = {name: replace(one, channels=()) for name, one in configuration.people.items()}
    world.desk.take_over(replace(configuration, people=people))
    await world.fires()
    version = (await world.ticket())["version"]
    await world.advance(MINUTE)
    await world.advance(MINUTE)
    world.desk.take_over(configuration)
    await world.do("note", "lars", text="I look at it", version=version)
    await world.advance(MINUTE)
    assert "mei" in world.sender.people()


async def test_a_role_emptied_by_a_reload_calls_somebody_of_the_team_instead(world: Team) -> None:
    world.rule(escalation=(EscalationPlan(name="p", steps=(Step(callees=Callees(roles=("manager",))),)),))
    configuration = world.desk.configuration
    people = {name: replace(one, roles=()) for name, one in configuration.people.items()}
    world.desk.take_over(replace(configuration, people=people))
    await world.fires("warning")
    assert world.sender.people() == ["mei"]


async def test_a_team_without_anybody_calls_the_default_team(world: Team) -> None:
    world.rule(kinds=KINDS)
    await world.fires("warning")
    configuration = world.desk.configuration
    people = {name: one for name, one in configuration.people.items() if name != "otto"}
    world.desk.take_over(replace(configuration, people=people))
    await world.do("classify", "rosa", kind="hardware")
    assert world.sender.people() == ["mei", "mei"]


async def test_an_override_of_somebody_who_has_left_falls_back_to_the_layer(tmp_path: Path, database: Database) -> None:
    world = World(tmp_path, database, people=ROTA, policy=ALERTS_ONLY)
    now = world.clock.now()
    override = Override(
        rota="first", person="lars", instead_of="mei", start=now, until=now + 100 * HOUR, reason="swap", actor="mei",
        made_at=now,
    )  # fmt: skip
    await add_override(world.desk, override)
    lines = [line for line in ROTA.splitlines() if "name: lars" not in line]
    world = World(tmp_path, database, people="\n".join(lines), policy=ALERTS_ONLY)
    await world.post(alert(severity="critical"))
    await world.work()
    assert world.sender.people() == ["mei"]


# --- everybody asleep -----------------------------------------------------------------------------------------


async def test_when_everybody_is_asleep_nobody_is_said_to_have_been_called_in_vain(world: Team) -> None:
    asleep(world, "mei", "lars", "rosa", "otto", "hans")
    await world.fires("warning")
    await world.advance(timedelta(minutes=30))
    assert not await world.sums("escalations_exhausted_total")
    assert "it waits for the end of the quiet hours" in texts(await world.ticket())
    await world.advance(4 * HOUR)
    assert "mei" in world.sender.people()


# --- the second of a tier -------------------------------------------------------------------------------------

TWO = """
people:
  - {name: mei, channels: [{name: pager, url: "json://127.0.0.1:9/mei"}]}
  - {name: lars, channels: [{name: phone, url: "json://127.0.0.1:9/lars"}]}
teams:
  - {name: ops, tiers: {1: [mei, lars]}}
"""
ONE_ROTA = (
    TWO.replace("{1: [mei, lars]}", "{1: {rota: r}}")
    + """
rotas:
  - name: r
    layers: [{name: a, people: [mei, lars], start: 2026-01-05, rotation: weekly, length: 1000}]
"""
)


@pytest.mark.parametrize("people", [TWO, ONE_ROTA], ids=["list", "rota"])
async def test_the_second_of_a_tier_is_called_when_nothing_reaches_the_first(
    tmp_path: Path, database: Database, people: str
) -> None:
    world = World(tmp_path, database, people=people, policy=ALERTS_ONLY)
    world.sender.failures.append(SendRefused("gone."))
    await world.post(alert(severity="critical"))
    await world.work()
    assert world.sender.people() == ["lars"]


# --- slight after all -----------------------------------------------------------------------------------------


async def test_a_ticket_that_is_slight_after_all_calls_nobody_more(world: Team) -> None:
    world.rule(escalation=(PLAN,))
    await world.fires()
    await world.do("regrade", "otto", grade="P4", reason="only the test system")
    await world.advance(5 * MINUTE)
    await world.advance(10 * MINUTE)
    assert world.sender.people() == ["mei"]
    await world.do("regrade", "otto", grade="P1", reason="no, all of it")
    assert world.sender.people() == ["mei", "mei"]


# --- what is said ---------------------------------------------------------------------------------------------


async def test_a_page_says_when_the_others_were_called_not_when_they_would_have_been(world: Team) -> None:
    world.rule(escalation=(PLAN,))
    world.sender.failures.extend([SendRefused("gone."), SendRefused("gone.")])
    await world.fires()
    assert world.sender.people() == ["rosa"]
    now = f"{world.clock.now():%H:%M} UTC"
    assert f"Called until now: mei at {now}; lars at {now}." in world.sender.sent[0][2]


async def test_the_audit_says_that_nobody_was_called_and_nothing_false(world: Team) -> None:
    configuration = world.desk.configuration
    people = {name: replace(one, channels=()) for name, one in configuration.people.items()}
    world.desk.take_over(replace(configuration, people=people))
    await audit_pages(world.desk)
    await world.fires()
    for _ in range(15):
        world.clock.advance(MINUTE)
        await audit_pages(world.desk)
        await world.work()
    found = [one["text"] for one in (await compare(world.desk))["differences"]]
    assert found
    assert not [text for text in found if "times of chain" in text]


async def test_calls_that_come_late_or_early_keep_the_audit_in_agreement(world: Team) -> None:
    world.rule(escalation=(replace(PLAN, grades=()),))
    await audit_pages(world.desk)
    world.sender.failures.extend(SendFailed("away") for _ in range(400))
    await world.fires()
    for _ in range(40):
        world.clock.advance(MINUTE)
        await world.work()
        await audit_pages(world.desk)
    assert not (await compare(world.desk))["differences"]


async def test_each_raise_calls_anew(world: Team) -> None:
    await world.fires("warning")
    for grade in ("P1", "P3", "P1"):
        await world.do("regrade", "otto", grade=grade, reason="it changes")
    assert world.sender.people().count("mei") == 3


async def test_a_page_that_could_not_leave_leaves_after_the_ticket_was_lowered(world: Team) -> None:
    world.sender.failures.extend([SendFailed("away"), SendFailed("away")])
    await world.fires()
    await world.do("regrade", "otto", grade="P3", reason="less")
    world.sender.failures.clear()
    await world.advance(MINUTE)
    assert "mei" in world.sender.people()


# --- merged ---------------------------------------------------------------------------------------------------


async def test_a_p1_merged_into_a_slight_ticket_makes_it_a_p1_that_calls_somebody(world: Team) -> None:
    await world.post(alert("Slight", severity="info"))
    await world.work()
    assert world.sender.people() == []
    world.sender.failures.extend(SendFailed("away") for _ in range(4))
    await world.post(alert("Grave", severity="critical"))
    await world.work()
    world.sender.failures.clear()
    await world.do("merge", "otto", key="2", into=(await world.ticket(1))["number"], reason="the same")
    slight = await world.ticket(1)
    assert slight["grade"] == "P1"
    assert "Raised from P4 to P1: " in texts(slight)
    assert sorted(world.sender.people()) == ["lars", "mei"]


async def test_a_slight_ticket_merged_into_a_p1_leaves_it_as_it_is(world: Team) -> None:
    await world.fires("critical")
    await world.post(alert("Slight", severity="info"))
    await world.work()
    told = world.sender.people()
    await world.do("merge", "otto", key="2", into=(await world.ticket(1))["number"], reason="the same")
    assert (await world.ticket(1))["grade"] == "P1"
    assert world.sender.people() == told


# --- raised, lowered, back again ------------------------------------------------------------------------------


async def test_who_could_not_be_told_of_the_raise_is_told_after_the_ticket_was_lowered(world: Team) -> None:
    world.sender.failures.extend(SendFailed("away") for _ in range(5))
    await world.fires("warning")
    await world.do("regrade", "otto", grade="P1", reason="more")
    await world.advance(timedelta(seconds=6))
    await world.do("regrade", "otto", grade="P3", reason="less")
    assert (len(world.sender.failures), world.sender.people()) == (0, [])
    await world.advance(MINUTE)
    assert "mei" in world.sender.people()


async def test_what_comes_back_in_a_greater_grade_calls_everybody_once(world: Team) -> None:
    world.rule(correlation=(CorrelationRule(name="one", when=(), by=("job",)),))
    await world.fires("warning", job="db")
    await world.clears(job="db", severity="warning")
    world.sender.sent.clear()
    await world.fires("critical", job="db")
    assert "Raised from P3 to P1" in texts(await world.ticket())
    assert world.sender.people() == ["mei", "lars"]


async def test_what_a_merge_brings_back_in_a_greater_grade_calls_everybody_once(world: Team) -> None:
    await world.fires("warning")
    await world.clears(severity="warning")
    await world.post(alert("Grave", severity="critical"))
    await world.work()
    world.sender.sent.clear()
    await world.do("merge", "otto", key="2", into=(await world.ticket(1))["number"], reason="the same")
    assert "Raised from P3 to P1" in texts(await world.ticket(1))
    assert world.sender.people() == ["mei", "lars"]


async def test_a_page_that_is_lost_after_somebody_took_the_ticket_calls_nobody(world: Team) -> None:
    configuration = world.desk.configuration
    world.desk.take_over(replace(configuration, tiers={"ops": configuration.tiers["ops"][:1]}))
    world.sender.gate = asyncio.Event()
    await world.post(alert())
    working = asyncio.create_task(world.work())
    while not (await world.read(lambda tx: [one for one in tx.messages.of_ticket(1) if one.tries])):
        await asyncio.sleep(0)
    await do(world.desk, "acknowledge", "1", actor="lars", content={}, version=None)
    world.sender.failures.append(SendRefused("gone."))
    world.sender.gate.set()
    await working
    assert "nobody is left to call" not in texts(await world.ticket())
    assert len(await world.read(lambda tx: tx.tickets.listed())) == 1


async def test_who_was_called_for_the_raise_is_not_called_again_after_the_ticket_was_lowered(world: Team) -> None:
    world.rule(escalation=(replace(PLAN, grades=()),))
    await world.fires("warning")
    await world.do("regrade", "otto", grade="P1", reason="more")
    await world.advance(5 * MINUTE)
    assert world.sender.people() == ["mei", "mei", "lars"]
    await world.do("regrade", "otto", grade="P3", reason="less")
    await world.advance(5 * MINUTE)
    await world.advance(5 * MINUTE)
    assert world.sender.people() == ["mei", "mei", "lars", "rosa"]


@pytest.mark.parametrize(
    ("ends", "reached"), [([], ["mei", "lars"]), ([SendRefused("gone."), SendRefused("gone.")], ["rosa"])]
)
async def test_what_is_given_back_and_lowered_while_nothing_gets_through_reaches_somebody(
    world: Team, ends: list[SendRefused], reached: list[str]
) -> None:
    await world.fires()
    await world.do("acknowledge", "mei")
    world.sender.sent.clear()
    world.sender.failures.extend([SendFailed("away"), SendFailed("away"), *ends])
    await world.do("give-back", "mei", reason="ill")
    await world.do("regrade", "otto", grade="P3", reason="less")
    await world.advance(MINUTE)
    assert world.sender.people() == reached


async def test_the_last_page_of_a_chain_that_was_lowered_away_is_followed_by_the_next_person(world: Team) -> None:
    world.rule(escalation=(PLAN,))
    world.sender.failures.extend([SendRefused("gone."), SendFailed("away")])
    await world.fires()
    await world.do("regrade", "otto", grade="P3", reason="less")
    world.sender.failures.append(SendRefused("gone."))
    await world.advance(MINUTE)
    assert world.sender.people() == ["rosa"]
