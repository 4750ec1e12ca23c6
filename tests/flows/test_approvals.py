"""Steps that ask people and tell people: asked once, answered once, and nothing acts before the yes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from responder.domain.approval import ApprovalState
from responder.errors import Refused
from responder.flows.consent import answer, look_after
from responder.flows.first_aid import continue_run, first_aid
from responder.flows.handle import acknowledge
from responder.flows.set_aside import set_aside
from responder.flows.switches import turn_off_automation
from responder.store.database import Database
from responder.store.jobs import Job
from tests.fakes import Crash
from tests.flows.asking import After, asking, dies, purposes, the_approval, world_of
from tests.world import RUNBOOK, World, alert, resolved, texts

MINUTE = timedelta(minutes=1)


@pytest.fixture
def world(tmp_path: Path, database: Database) -> World:
    return world_of(tmp_path, database)


async def asked(world: World) -> None:
    await world.post(alert())
    await world.work()


async def test_a_step_waits_for_a_yes_and_the_yes_wakes_the_run_at_once(world: World) -> None:
    await asked(world)
    assert world.fleet.restarts() == []
    until = f"{world.clock.now() + 15 * MINUTE:%H:%M} UTC"
    sentence = "Asked mei by pager, lars by phone: may step “may we” of restart-app on web-1 run?"
    assert f"{sentence} Needs 1 of role dba until {until}." in texts(await world.ticket())
    assert sorted(world.sender.people()) == ["lars", "mei"]

    await answer(world.desk, 1, "mei", yes=True, reason="go ahead")
    await world.work()
    assert world.fleet.restarts() == ["web-1"]
    ticket = await world.ticket()
    assert ticket["status"] == "restored"
    assert "mei says yes to restart-app on web-1: go ahead" in texts(ticket)
    assert "Approval of step 1 of restart-app on web-1 given: mei said yes: go ahead." in texts(ticket)

    await world.advance(15 * MINUTE)
    assert world.fleet.restarts() == ["web-1"]


async def test_the_message_shows_the_exact_steps_and_its_link_answers_for_its_reader_alone(world: World) -> None:
    await asked(world)
    person, subject, body = next(one for one in world.sender.sent if one[0] == "mei")
    assert subject.startswith("[P1] ")
    assert "may step “may we” of restart-app on web-1 run?" in subject
    assert "Restart it?" in body
    assert "restart: svc restart app" in body
    token = body.split("https://responder.test/approve/")[1].split()[0]
    claim = world.desk.links.read_approve(token)
    assert (claim.approval_id, claim.person) == (1, person)
    with pytest.raises(Refused):
        world.desk.links.read_acknowledge(token)


async def test_one_no_fails_the_step_with_its_reason_and_people_get_the_ticket(world: World) -> None:
    await asked(world)
    await answer(world.desk, 1, "lars", yes=False, reason="the replica lags")
    await world.work()
    ticket = await world.ticket()
    assert (ticket["status"], ticket["runs"][0]["outcome"]) == ("handed_over", "failed")
    assert "lars said no: the replica lags." in ticket["runs"][0]["sentence"]
    assert world.fleet.restarts() == []


async def test_who_has_not_the_role_is_refused_with_the_names_of_those_who_have(world: World) -> None:
    await asked(world)
    with pytest.raises(Refused, match="ines has not the role dba that this needs; mei, lars could answer"):
        await answer(world.desk, 1, "ines", yes=True)
    with pytest.raises(Refused, match="Nobody is called 'eve' in the people file"):
        await answer(world.desk, 1, "eve", yes=True)
    await world.work()
    assert (await the_approval(world)).state is ApprovalState.WAITING
    assert world.fleet.restarts() == []


async def test_two_must_say_yes_where_two_are_needed(tmp_path: Path, database: Database) -> None:
    world = world_of(tmp_path, database, runbook=asking("roles: [dba], needed: 2"))
    await asked(world)
    for _ in range(2):
        await answer(world.desk, 1, "mei", yes=True)
    await world.work()
    assert world.fleet.restarts() == []
    assert texts(await world.ticket()).count("mei says yes to restart-app on web-1 (1 of 2)") == 1
    await answer(world.desk, 1, "lars", yes=True)
    await world.work()
    assert world.fleet.restarts() == ["web-1"]


async def test_two_people_who_answer_at_the_same_time_make_one_decision(world: World) -> None:
    await asked(world)
    found = await asyncio.gather(
        answer(world.desk, 1, "mei", yes=True),
        answer(world.another_desk(), 1, "lars", yes=False, reason="wait"),
        return_exceptions=True,
    )
    (refused,) = [one for one in found if isinstance(one, Refused)]
    decided = await the_approval(world)
    assert str(refused) == f"It is decided already: {decided.sentence}"
    await world.work()
    assert len(world.fleet.restarts()) == (decided.state is ApprovalState.GIVEN)


@pytest.mark.parametrize(
    ("on_timeout", "restarts", "status"), [("fail", [], "handed_over"), ("go_on", ["web-1"], "restored")]
)
async def test_without_an_answer_in_time_the_runbook_says_what_happens(
    tmp_path: Path, database: Database, on_timeout: str, restarts: list[str], status: str
) -> None:
    world = world_of(tmp_path, database, runbook=asking(f"roles: [dba], within: 15m, on_timeout: {on_timeout}"))
    await asked(world)
    await world.advance(14 * MINUTE)
    assert world.fleet.commands == []
    await world.advance(MINUTE)
    ticket = await world.ticket()
    assert (world.fleet.restarts(), ticket["status"]) == (restarts, status)
    assert texts(ticket).count("ran out of time: Within 15m nobody answered.") == 1


async def test_an_answer_in_the_instant_in_which_the_time_ends_is_too_late_and_there_is_one_decision(
    world: World,
) -> None:
    await asked(world)
    world.clock.advance(15 * MINUTE)
    with pytest.raises(Refused, match=r"It is too late. Within 15m nobody answered."):
        await answer(world.desk, 1, "mei", yes=True)
    await world.work()
    with pytest.raises(Refused, match=r"It is decided already: Within 15m nobody answered."):
        await answer(world.desk, 1, "mei", yes=True)
    ticket = await world.ticket()
    assert texts(ticket).count("ran out of time") == 1
    assert ticket["status"] == "handed_over"
    assert world.fleet.restarts() == []


async def test_a_crash_between_asking_and_waiting_asks_nobody_twice(world: World) -> None:
    await world.post(alert())
    world.desk.store = After(world.database, lambda tx: tx.approvals.listed(), dies)
    with pytest.raises(Crash):
        await first_aid(world.desk, _job(world))
    await world.work()
    assert texts(await world.ticket()).count("Asked mei") == 1
    assert sorted(world.sender.people()) == ["lars", "mei"]
    await answer(world.desk, 1, "mei", yes=True)
    await world.work()
    assert world.fleet.restarts() == ["web-1"]


async def test_an_answer_that_comes_before_the_run_has_begun_to_wait_is_not_lost(world: World) -> None:
    other = world.another_desk()
    world.desk.store = After(
        world.database, lambda tx: tx.approvals.listed(), lambda: answer(other, 1, "mei", yes=True)
    )
    await asked(world)
    assert world.fleet.restarts() == ["web-1"]


async def test_a_run_that_waited_goes_on_only_under_its_tickets_lock(world: World) -> None:
    await asked(world)
    world.clock.advance(15 * MINUTE)
    unlocked = Job(kind="run", args={"ticket": 1, "run": 1, "leg": 1}, due_at=world.clock.now())
    await continue_run(world.desk, unlocked)
    await continue_run(world.desk, replace(unlocked, lock="job:7"))
    assert (await the_approval(world)).is_waiting
    await world.work()
    assert (await the_approval(world)).state is ApprovalState.EXPIRED


async def test_first_aid_that_is_tried_again_without_its_lock_begins_the_run_and_leaves_it_to_a_job_that_has_it(
    world: World,
) -> None:
    await world.post(alert())
    await first_aid(world.desk, replace(_job(world), lock="job:7"))
    await first_aid(world.desk, replace(_job(world), lock="job:7"))
    assert (await world.ticket())["approvals"] == []
    await world.work()
    assert len((await world.ticket())["approvals"]) == 1
    assert len((await world.ticket())["runs"]) == 1


async def test_a_yes_while_the_kill_switch_is_on_starts_nothing_and_says_why(world: World) -> None:
    await asked(world)
    await turn_off_automation(world.desk, "we move the rack", "lars")
    await answer(world.desk, 1, "mei", yes=True)
    await world.work()
    ticket = await world.ticket()
    assert "The kill switch is on: we move the rack" in ticket["runs"][0]["sentence"]
    assert (ticket["status"], world.fleet.commands) == ("handed_over", [])


async def test_an_all_clear_ends_the_question_and_frees_the_host_at_once(world: World) -> None:
    await asked(world)
    await world.post(resolved())
    await world.work()
    assert (await the_approval(world)).state is ApprovalState.OVERTAKEN
    ticket = await world.ticket()
    assert (ticket["runs"][0]["outcome"], ticket["status"]) == ("cancelled", "restored")
    assert await world.read(lambda tx: tx.runs.busy_with(["web-1"])) == ""
    with pytest.raises(Refused, match=r"It is decided already: The run has ended."):
        await answer(world.desk, 1, "mei", yes=True)


async def test_who_takes_the_ticket_ends_the_question(world: World) -> None:
    await asked(world)
    await acknowledge(world.desk, "1", "ines")
    await world.work()
    assert (await the_approval(world)).state is ApprovalState.OVERTAKEN
    assert world.fleet.commands == []


async def test_a_run_that_finishes_whatever_happens_goes_on_waiting_after_the_all_clear(
    tmp_path: Path, database: Database
) -> None:
    runbook = asking("roles: [dba], within: 15m").replace("cooldown:", "on_resolve: finish_all\ncooldown:")
    world = world_of(tmp_path, database, runbook=runbook)
    await asked(world)
    await world.post(resolved())
    await world.work()
    assert (await the_approval(world)).state is ApprovalState.WAITING
    await answer(world.desk, 1, "mei", yes=True)
    await world.work()
    assert world.fleet.restarts() == ["web-1"]


async def test_a_question_whose_run_was_given_up_is_no_longer_asked(world: World) -> None:
    await asked(world)
    await set_aside(world.desk, Job(kind="run", args={"ticket": 1}, due_at=world.clock.now()), "a mistake")
    await world.work()
    assert (await the_approval(world)).state is ApprovalState.OVERTAKEN


async def test_a_message_that_has_not_left_when_it_is_decided_is_not_sent(world: World) -> None:
    await world.post(alert())

    async def not_yet(job: Job) -> None: ...

    await world.work(deliver=not_yet, deliver_first=not_yet)
    await answer(world.desk, 1, "mei", yes=True)
    due = Job(kind="deliver", args={"message": 1, "ticket": 1}, due_at=world.clock.now())
    await world.database.write(lambda tx: tx.promise([due]))
    await world.work()
    assert world.sender.people() == []
    assert "Not sent to mei by pager: It is decided already: mei said yes." in texts(await world.ticket())


async def test_a_role_that_nobody_has_any_more_fails_the_step_at_once(world: World) -> None:
    people = (world.path.parent / "people.yml").read_text()
    await world.post(alert())
    changed = {name: person for name, person in world.desk.configuration.people.items() if name == "ines"}
    object.__setattr__(world.desk.configuration, "people", changed)
    await world.work()
    assert "roles: [dba]" in people
    assert "nobody can be asked: nobody in the people file has the role dba" in texts(await world.ticket())
    assert (await world.ticket())["status"] == "handed_over"


async def test_a_look_that_comes_too_often_changes_nothing(world: World) -> None:
    await asked(world)
    for _ in range(3):
        await look_after(world.desk, Job(kind="consent", args={"ticket": 1}, due_at=world.clock.now()))
        await world.work()
    assert texts(await world.ticket()).count("Asked") == 1
    await answer(world.desk, 1, "mei", yes=True)
    await world.work()
    assert world.fleet.restarts() == ["web-1"]


# --- notify ------------------------------------------------------------------------------------------

TELLING = RUNBOOK.replace(
    "steps:", 'steps:\n  - {name: say so, notify: {text: "restarting {{ app }} on {{ target }}", WHOM}}'
)


@pytest.mark.parametrize(
    ("whom", "told"),
    [
        ("", ["ines"]),
        ("people: [mei]", ["mei"]),
        ("roles: [dba]", ["lars", "mei"]),
        ("tiers: [1, 2]", ["ines", "lars"]),
        ("people: [mei], roles: [lead], tiers: [1]", ["ines", "lars", "mei"]),
    ],
)
async def test_a_step_tells_whom_it_names_and_goes_on_at_once(
    tmp_path: Path, database: Database, whom: str, told: list[str]
) -> None:
    world = world_of(tmp_path, database, runbook=TELLING.replace(", WHOM", f", {whom}" if whom else ""))
    await asked(world)
    assert sorted(world.sender.people()) == told
    _, subject, body = world.sender.sent[0]
    assert "restarting app on web-1" in subject
    assert "https://responder.test/tickets/INC-" in body
    assert world.fleet.restarts() == ["web-1"]


async def test_a_notice_goes_out_though_the_ticket_is_acknowledged_meanwhile(
    tmp_path: Path, database: Database
) -> None:
    world = world_of(tmp_path, database, runbook=TELLING.replace(", WHOM", ""))
    await world.post(alert())

    async def not_yet(job: Job) -> None: ...

    await world.work(deliver=not_yet, deliver_first=not_yet)
    await acknowledge(world.desk, "1", "mei")
    due = Job(kind="deliver", args={"message": 1, "ticket": 1}, due_at=world.clock.now())
    await world.database.write(lambda tx: tx.promise([due]))
    await world.work()
    assert world.sender.people() == ["ines"]


async def test_a_crash_after_telling_tells_nobody_twice(tmp_path: Path, database: Database) -> None:
    world = world_of(tmp_path, database, runbook=TELLING.replace(", WHOM", ""))
    await world.post(alert())
    world.desk.store = After(world.database, lambda tx: tx.messages.of_ticket(1), dies)
    with pytest.raises(Crash):
        await first_aid(world.desk, _job(world))
    await world.work()
    assert await purposes(world, "ines") == ["run-1-step-0"]
    assert texts(await world.ticket()).count("To tell: ines by mail") == 1
    assert world.fleet.restarts() == ["web-1"]


def _job(world: World) -> Job:
    return Job(kind="first_aid", args={"ticket": 1}, due_at=world.clock.now(), lock="ticket:1")
