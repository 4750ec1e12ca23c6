"""Escalation: call by call until somebody has the ticket, and then nobody more."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from responder.adapters.links import AckClaim
from responder.domain.escalation import Callees, EscalationPlan, Step
from responder.domain.requirements import Need
from responder.domain.ticket import Action, EventKind
from responder.domain.windows import Window
from responder.errors import Refused
from responder.flows.handle import acknowledge_by_link
from responder.store.database import Database
from responder.store.jobs import Job
from tests.flows.people import BOTH, HOUR, MINUTE, Team
from tests.world import texts

PLAN = EscalationPlan(
    name="night and day",
    grades=("P1",),
    steps=(
        Step(callees=Callees(tiers=(1,))),
        Step(after=5 * MINUTE, callees=Callees(tiers=(1, 2))),
        Step(after=10 * MINUTE, callees=Callees(tiers=(3,), roles=("head",))),
    ),
)


@pytest.fixture
def world(tmp_path: Path, database: Database) -> Team:
    made = Team(tmp_path, database)
    made.rule(escalation=(PLAN,))
    return made


def plan(world: Team, **changes: Any) -> None:
    world.rule(escalation=(replace(PLAN, **changes),))


async def chains(world: Team) -> list[Any]:
    found: list[Any] = await world.read(lambda tx: tx.chains.of_ticket(1))
    return found


async def called(world: Team, *minutes: int) -> list[tuple[int, list[str]]]:
    """Who is told after so many minutes each, since the start."""
    found, passed = [], 0
    for minute in minutes:
        world.sender.sent.clear()
        await world.advance(timedelta(minutes=minute - passed))
        passed = minute
        found.append((minute, sorted(world.sender.people())))
    return found


async def again(world: Team, kind: str, **args: Any) -> None:
    """A job that is done again, as after a crash."""
    job = Job(kind=kind, args={"ticket": 1, **args}, due_at=world.clock.now())
    await world.database.write(lambda tx: tx.promise([job]))
    await world.work()


async def test_the_calls_come_one_after_the_other_at_their_minutes(world: Team) -> None:
    await world.fires()
    assert world.sender.people() == ["mei"]
    assert await called(world, 4, 5, 14, 15, 60) == [
        (4, []),
        (5, ["lars", "mei"]),
        (14, []),
        (15, ["hans", "rosa"]),
        (60, []),
    ]


async def test_the_chain_stands_on_the_ticket_with_who_is_next_and_when(world: Team) -> None:
    await world.fires()
    [chain] = await chains(world)
    start = chain.started_at
    assert [(call.at - start, call.who) for call in chain.calls] == [
        (timedelta(), ("mei",)),
        (5 * MINUTE, ("mei", "lars")),
        (15 * MINUTE, ("rosa", "hans")),
    ]
    assert (chain.next_call.at - start, chain.next_call.who) == (5 * MINUTE, ("mei", "lars"))
    said = f"mei at once; mei, lars at {start + 5 * MINUTE:%H:%M} UTC; rosa, hans at {start + 15 * MINUTE:%H:%M} UTC"
    ticket = await world.ticket()
    assert f"Escalation by “night and day”: {said}." in texts(ticket)
    assert ticket["escalation"][0]["next"]["who"] == ["mei", "lars"]


async def test_an_acknowledgement_stops_everything_at_once(world: Team) -> None:
    await world.fires()
    await world.do("acknowledge", "lars")
    assert await called(world, 5, 15, 60) == [(5, []), (15, []), (60, [])]
    assert (await chains(world))[0].ended_because == "lars has it."
    assert (await world.ticket())["escalation"][0]["next"] is None


async def test_nobody_is_next_from_the_moment_of_the_acknowledgement(world: Team) -> None:
    await world.fires()
    await world.do("acknowledge", "lars")
    shown = (await world.ticket())["escalation"][0]
    assert (shown["next"], shown["over"]) == (None, "lars has it.")


async def test_an_all_clear_stops_everything_at_once(world: Team) -> None:
    await world.fires()
    await world.clears()
    assert await called(world, 5, 15) == [(5, []), (15, [])]
    assert (await chains(world))[0].ended_because == "The alert has cleared."


async def test_who_is_called_later_reads_whom_nobody_heard_from(world: Team) -> None:
    await world.fires()
    at = world.clock.now()
    await world.advance(5 * MINUTE)
    _, _, body = world.sender.sent[-1]
    assert f"Nobody has taken it yet. Called until now: mei at {at:%H:%M} UTC." in body


async def test_rounds_are_repeated_as_often_as_the_plan_says_and_then_it_is_said_that_nobody_came(world: Team) -> None:
    plan(world, steps=PLAN.steps[:2], repeat=1, every=20 * MINUTE)
    await world.fires()
    found = await called(world, 5, 24, 25, 30, 34, 35, 120)
    assert found == [
        (5, ["lars", "mei"]),
        (24, []),
        (25, ["mei"]),
        (30, ["lars", "mei"]),
        (34, []),
        (35, []),
        (120, []),
    ]
    assert "Everybody of “night and day” was called, and nobody has taken it." in texts(await world.ticket())
    await again(world, "escalate", chain=1, step=4)
    assert sum((await world.sums("escalations_exhausted_total")).values()) == 1


async def test_a_call_that_reaches_nobody_is_followed_by_the_next_at_once(world: Team) -> None:
    steps = (Step(callees=Callees(people=("nobody",))), *PLAN.steps[1:])
    plan(world, steps=steps)
    await world.fires()
    assert sorted(world.sender.people()) == ["lars", "mei"]
    assert "To tell: nobody (nobody is called nobody)." in texts(await world.ticket())


async def test_whom_no_channel_reaches_is_skipped(world: Team) -> None:
    await world.fires()
    await again(world, "escalate", skip="mei")
    assert sorted(world.sender.people()) == ["lars", "mei", "mei"]
    assert "No channel reaches mei: the next call comes now." in texts(await world.ticket())
    assert await called(world, 5, 15) == [(5, []), (15, ["hans", "rosa"])]


async def test_the_same_job_twice_calls_nobody_twice(world: Team) -> None:
    await world.fires()
    await world.advance(5 * MINUTE)
    world.sender.sent.clear()
    await again(world, "hand_over")
    await again(world, "escalate", chain=1, step=1)
    assert world.sender.people() == []
    assert len(await chains(world)) == 1


async def test_a_ticket_that_goes_up_starts_with_the_calls_of_its_new_tier(world: Team) -> None:
    await world.fires()
    world.sender.sent.clear()
    await world.do("escalate", reason="too big for me")
    assert world.sender.people() == ["lars"]
    assert await called(world, 10, 60) == [(10, ["hans", "rosa"]), (60, [])]
    first, second = await chains(world)
    assert (first.ended_because, second.number) == ("A newer chain has taken its place.", 2)


async def test_a_reload_changes_no_chain_that_runs(world: Team) -> None:
    await world.fires()
    world.rule(escalation=())
    assert await called(world, 5, 15) == [(5, ["lars", "mei"]), (15, ["hans", "rosa"])]


async def test_without_a_plan_the_tiers_of_the_grade_are_called_once(world: Team) -> None:
    world.rule(escalation=())
    await world.fires()
    assert sorted(world.sender.people()) == ["lars", "mei"]
    assert await called(world, 5, 10, 14) == [(5, []), (10, []), (14, [])]


async def test_a_plan_for_all_grades_wakes_nobody_for_whom_nobody_is_woken(world: Team) -> None:
    plan(world, grades=())
    await world.fires("info")
    assert await called(world, 5, 15) == [(5, []), (15, [])]
    assert world.sender.people() == []


async def test_other_grades_and_other_hours_have_other_plans(world: Team) -> None:
    here = world.clock.now()
    later = Window(start=(here + HOUR).time(), end=(here + 2 * HOUR).time())
    by_day = replace(PLAN, name="later", hours=(later,), steps=(Step(callees=Callees(people=("otto",))),))
    world.rule(escalation=(by_day, PLAN))
    await world.fires()
    await world.fires("error", instance="web-2:9100")
    assert sorted(world.sender.people()) == ["lars", "mei", "mei"]
    await world.advance(HOUR)
    world.sender.sent.clear()
    await world.fires(instance="web-3:9100")
    assert world.sender.people() == ["otto"]


async def test_without_a_plan_a_ticket_that_goes_up_calls_its_new_tier(world: Team) -> None:
    world.rule(escalation=())
    await world.fires("warning")
    world.sender.sent.clear()
    await world.do("escalate", reason="too big for me")
    assert world.sender.people() == ["lars"]


# --- still on it --------------------------------------------------------------------------------------------


@pytest.fixture
async def taken(world: Team) -> Team:
    plan(world, still_on_it=45 * MINUTE, answer_within=10 * MINUTE)
    await world.fires()
    await world.do("acknowledge", "mei")
    world.sender.sent.clear()
    return world


async def test_who_is_silent_is_asked_and_loses_the_ticket_without_an_answer(taken: Team) -> None:
    assert await called(taken, 44, 45, 54, 55) == [(44, []), (45, ["mei"]), (54, []), (55, ["mei"])]
    ticket = await taken.ticket()
    assert (ticket["status"], ticket["acknowledged_by"]) == ("handed_over", "")
    assert "mei was asked 10m ago whether they are still on it, and has not answered." in texts(ticket)
    assert await called(taken, 5) == [(5, ["lars", "mei"])]


async def test_an_answer_by_the_link_keeps_it(taken: Team) -> None:
    await taken.advance(46 * MINUTE)
    assert "are you still on it?" in taken.sender.sent[-1][1]
    await acknowledge_by_link(taken.desk, AckClaim(ticket_id=1, episode=1, person="mei"))
    assert await called(taken, 30) == [(30, [])]
    assert "mei is still on it." in texts(await taken.ticket())
    assert await called(taken, 16) == [(16, ["mei"])]


async def test_who_works_on_it_is_not_asked(taken: Team) -> None:
    await taken.advance(30 * MINUTE)
    await taken.do("note", text="looking at the disk")
    assert await called(taken, 44, 45) == [(44, []), (45, ["mei"])]


async def test_what_waits_for_others_is_nobody_s_silence(taken: Team) -> None:
    await taken.do("wait", **{"for": "vendor", "reason": "a new disk"})
    await taken.advance(5 * HOUR)
    assert taken.sender.people() == []
    assert (await taken.ticket())["acknowledged_by"] == "mei"


async def test_whoever_takes_it_over_is_the_one_who_is_asked(taken: Team) -> None:
    await taken.advance(30 * MINUTE)
    await taken.do("take-over", "lars")
    assert await called(taken, 15, 45) == [(15, []), (45, ["lars"])]


# --- people among themselves --------------------------------------------------------------------------------


async def test_somebody_takes_it_over_and_the_history_and_a_message_say_from_whom(taken: Team) -> None:
    await taken.do("take-over", "lars")
    assert (await taken.ticket())["acknowledged_by"] == "lars"
    assert "lars takes it over from mei." in texts(await taken.ticket())
    [(person, _, body)] = taken.sender.sent
    assert (person, "lars takes it over from mei." in body) == ("mei", True)


async def test_who_loses_a_ticket_by_another_hand_is_told_each_time(taken: Team) -> None:
    for _ in range(2):
        await taken.do("take-over", "lars")
        await taken.do("assign", "rosa", to="mei")
    assert taken.sender.people() == ["mei", "lars"] * 2
    await taken.do("assign", "mei", to="lars")
    assert taken.sender.people() == ["mei", "lars"] * 2


async def test_what_nobody_has_is_acknowledged_by_whoever_takes_it_over(world: Team) -> None:
    await world.fires()
    await world.do("take-over", "lars")
    ticket = await world.ticket()
    assert (ticket["status"], ticket["acknowledged_by"], ticket["assignee"]) == ("in_progress", "lars", "lars")
    assert "lars has taken it." in texts(ticket)
    assert not (await world.runs("respond")).is_running
    assert world.sender.people() == ["mei"]


async def test_taking_over_what_nobody_has_is_no_way_around_a_gate(world: Team) -> None:
    world.rule(gates=(replace(BOTH, move=Action.ACKNOWLEDGE),))
    await world.fires()
    with pytest.raises(Refused, match="; acknowledge it, since"):
        await world.do("take-over", "lars")


async def test_taking_over_what_nobody_has_is_no_way_around_what_is_required(world: Team) -> None:
    world.rule(needs=(Need(move=Action.ACKNOWLEDGE, needs=("kind",)),))
    await world.fires()
    with pytest.raises(Refused, match="needs its kind"):
        await world.do("take-over", "lars")


async def test_what_is_closed_cannot_be_taken_over(taken: Team) -> None:
    await taken.do("dismiss", **{"as": "false_alarm", "reason": "a test"})
    with pytest.raises(Refused, match="closed"):
        await taken.do("take-over", "lars")


async def test_a_refusal_is_a_sentence_where_the_verb_is_none(taken: Team) -> None:
    with pytest.raises(Refused, match="is with mei, not with lars"):
        await taken.do("still-on-it", "lars")
    said = texts(await taken.ticket())
    assert "lars could not say to be still on it: " in said


@pytest.mark.parametrize(
    ("whom", "told"), [("rosa", ["rosa"]), ("tier 2", ["lars"]), ("role director", ["otto", "rosa"])]
)
async def test_a_person_a_tier_or_a_role_is_called_in_to_help(taken: Team, whom: str, told: list[str]) -> None:
    await taken.do("pull-in", whom=whom, text="I need the database password")
    assert sorted(taken.sender.people()) == told
    assert "mei asks for help: I need the database password" in taken.sender.sent[0][2]
    assert (await taken.ticket())["acknowledged_by"] == "mei"


async def test_help_that_cannot_be_reached_is_refused_by_name(taken: Team) -> None:
    with pytest.raises(Refused, match="zoe cannot be reached: nobody is called zoe"):
        await taken.do("pull-in", whom="zoe", text="help")


async def test_every_call_leaves_what_an_audit_needs(world: Team) -> None:
    await world.fires()
    await world.advance(5 * MINUTE)
    events = await world.read(lambda tx: tx.tickets.events(1))
    kept = [event.data for event in events if event.kind is EventKind.ESCALATION]
    assert [step["who"] for step in kept[0]["steps"]] == [["mei"], ["mei", "lars"], ["rosa", "hans"]]
    assert [(one["chain"], one["step"], one["told"]) for one in kept[1:]] == [(1, 0, ["mei"]), (1, 1, ["mei", "lars"])]


# --- late ---------------------------------------------------------------------------------------------------


async def test_after_an_outage_one_call_is_made_and_each_further_one_keeps_its_wait(world: Team) -> None:
    await world.fires()
    world.sender.sent.clear()
    world.clock.advance(3 * HOUR)
    await world.work()
    assert sorted(world.sender.people()) == ["lars", "mei"]
    assert await called(world, 9, 10, 60) == [(9, []), (10, ["hans", "rosa"]), (60, [])]


async def test_the_ticket_shows_the_moved_times_and_says_how_late_the_call_was(world: Team) -> None:
    await world.fires()
    world.clock.advance(65 * MINUTE)
    await world.work()
    now, ticket = world.clock.now(), await world.ticket()
    [chain] = await chains(world)
    assert [call.at - now for call in chain.calls[1:]] == [timedelta(), 10 * MINUTE]
    assert f"Call 2 came 1h late. The next one is put off to {now + 10 * MINUTE:%H:%M} UTC." in texts(ticket)
    assert sum((await world.sums("escalation_calls_late_total")).values()) == 1


async def test_a_call_that_is_a_minute_late_moves_nothing_and_is_not_counted(world: Team) -> None:
    await world.fires()
    await world.advance(6 * MINUTE)
    [chain] = await chains(world)
    assert chain.calls[2].at == chain.started_at + 15 * MINUTE
    assert await world.sums("escalation_calls_late_total") == {}


async def test_a_call_that_came_before_its_time_moves_nothing(world: Team) -> None:
    await world.fires()
    await again(world, "escalate", skip="mei")
    [chain] = await chains(world)
    assert chain.calls[2].at == chain.started_at + 15 * MINUTE


async def test_who_was_asked_before_an_outage_has_the_time_to_answer_after_it(taken: Team) -> None:
    await taken.advance(45 * MINUTE)
    await taken.advance(3 * HOUR)
    assert (await taken.ticket())["acknowledged_by"] == "mei"
    assert "No answer of mei could be taken in time; it is waited for until" in texts(await taken.ticket())
    await taken.advance(9 * MINUTE)
    assert (await taken.ticket())["acknowledged_by"] == "mei"
    await taken.advance(MINUTE)
    assert (await taken.ticket())["status"] == "handed_over"
