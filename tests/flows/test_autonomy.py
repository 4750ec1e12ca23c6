"""Suggest, approve, auto: how far a runbook goes by itself, who lets it go further, and how it earns that."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from responder.domain.approval import ApprovalState
from responder.errors import Refused
from responder.flows.consent import answer
from responder.flows.first_aid import first_aid
from responder.flows.handle import acknowledge
from responder.flows.switches import turn_off_automation, turn_on_automation
from responder.flows.track_record import runbook_history, runbook_lines
from responder.store.database import Database
from responder.store.jobs import Job
from tests.fakes import Crash
from tests.flows.asking import (
    APPROVE,
    PLAIN,
    SUGGEST,
    After,
    a_world,
    dies,
    fired,
    purposes,
    the_approval,
)
from tests.world import INVENTORY, World, alert, resolved, texts

MINUTE = timedelta(minutes=1)


# --- approve -----------------------------------------------------------------------------------------


async def test_a_run_that_needs_approval_locks_nothing_and_starts_with_the_yes(
    tmp_path: Path, database: Database
) -> None:
    world = a_world(tmp_path, database, APPROVE)
    await fired(world)
    ticket = await world.ticket()
    assert (ticket["status"], ticket["runs"]) == ("new", [])
    assert "May restart-app run on web-1? (approve: the policy says so)" in ticket["approvals"][0]["question"]
    assert await world.read(lambda tx: tx.runs.busy_with(["web-1"])) == ""
    assert sorted(world.sender.people()) == ["lars", "mei"]

    await answer(world.desk, 1, "mei", yes=True, reason="looks right")
    await world.work()
    ticket = await world.ticket()
    assert (ticket["status"], ticket["runs"][0]["ordered_by"]) == ("restored", "mei")
    assert "First aid: restart-app on web-1 (run 1); mei said yes: looks right." in texts(ticket)
    assert await purposes(world, "mei") == ["approval-1", "run-1-outcome"]


async def test_a_no_before_the_run_hands_the_ticket_over_with_the_reason(tmp_path: Path, database: Database) -> None:
    world = a_world(tmp_path, database, APPROVE)
    await fired(world)
    await answer(world.desk, 1, "lars", yes=False, reason="we are in a freeze")
    await world.work()
    ticket = await world.ticket()
    assert (ticket["status"], ticket["runs"]) == ("handed_over", [])
    assert "restart-app on web-1 was not approved: lars said no: we are in a freeze." in texts(ticket)


@pytest.mark.parametrize(
    ("on_timeout", "status", "restarts"), [("hand_over", "handed_over", []), ("run", "restored", ["web-1"])]
)
async def test_without_a_yes_in_time_the_policy_says_what_happens(
    tmp_path: Path, database: Database, on_timeout: str, status: str, restarts: list[str]
) -> None:
    world = a_world(tmp_path, database, APPROVE.replace("15m", f"15m, on_timeout: {on_timeout}"))
    await fired(world)
    await world.advance(14 * MINUTE)
    assert (await world.ticket())["status"] == "new"
    await world.advance(MINUTE)
    ticket = await world.ticket()
    assert (ticket["status"], world.fleet.restarts()) == (status, restarts)
    assert texts(ticket).count("ran out of time: Within 15m nobody answered.") == 1
    with pytest.raises(Refused, match="It is decided already"):
        await answer(world.desk, 1, "mei", yes=True)


async def test_guards_are_asked_again_after_the_yes(tmp_path: Path, database: Database) -> None:
    world = a_world(tmp_path, database, APPROVE)
    await fired(world)
    await turn_off_automation(world.desk, "we move the rack", "lars")
    await answer(world.desk, 1, "mei", yes=True)
    await world.work()
    ticket = await world.ticket()
    assert (ticket["status"], ticket["runs"]) == ("handed_over", [])
    assert "First aid refused: The kill switch is on: we move the rack" in texts(ticket)


async def test_nobody_is_asked_about_what_a_guard_forbids_anyway(tmp_path: Path, database: Database) -> None:
    world = a_world(tmp_path, database, APPROVE)
    await turn_off_automation(world.desk, "we move the rack", "lars")
    await fired(world)
    ticket = await world.ticket()
    assert (ticket["status"], ticket["approvals"]) == ("handed_over", [])


@pytest.mark.parametrize("how", ["cleared", "acknowledged"])
async def test_a_question_about_a_run_ends_when_nobody_needs_it_any_more(
    tmp_path: Path, database: Database, how: str
) -> None:
    world = a_world(tmp_path, database, APPROVE)
    await fired(world)
    await (world.post(resolved()) if how == "cleared" else acknowledge(world.desk, "1", "ines"))
    with pytest.raises(Refused, match=r"It is too late. (The alert has cleared|ines has taken the ticket)"):
        await answer(world.desk, 1, "mei", yes=True)
    await world.work()
    await world.advance(15 * MINUTE)
    assert (await the_approval(world)).state is ApprovalState.OVERTAKEN
    assert world.fleet.commands == []
    assert texts(await world.ticket()).count("no longer needed") == 1


async def test_what_was_approved_runs_though_the_file_has_changed_meanwhile(tmp_path: Path, database: Database) -> None:
    world = a_world(tmp_path, database, APPROVE)
    await fired(world)
    (tmp_path / "runbooks" / "restart-app.yml").write_text(PLAIN.replace("svc, restart", "svc, reboot"))
    world.desk = world.another_desk()
    await answer(world.desk, 1, "mei", yes=True)
    await world.work()
    assert world.fleet.restarts() == ["web-1"]


async def test_a_crash_after_asking_asks_nobody_twice(tmp_path: Path, database: Database) -> None:
    world = a_world(tmp_path, database, APPROVE)
    await world.post(alert())
    world.desk.store = After(world.database, lambda tx: tx.approvals.listed(), dies)
    with pytest.raises(Crash):
        await first_aid(
            world.desk, Job(kind="first_aid", args={"ticket": 1}, due_at=world.clock.now(), lock="ticket:1")
        )
    await world.work()
    assert len((await world.ticket())["approvals"]) == 1
    assert sorted(world.sender.people()) == ["lars", "mei"]


@pytest.mark.parametrize("answered", [False, True])
async def test_a_job_that_comes_twice_starts_nothing_without_a_yes(
    tmp_path: Path, database: Database, answered: bool
) -> None:
    world = a_world(tmp_path, database, APPROVE)
    await fired(world)
    if answered:
        await answer(world.desk, 1, "mei", yes=False)
    again = Job(kind="first_aid", args={"ticket": 1}, due_at=world.clock.now(), lock="ticket:1")
    await first_aid(world.desk, again)
    ticket = await world.ticket()
    assert (ticket["runs"], len(ticket["approvals"]), world.fleet.commands) == ([], 1, [])


async def test_a_trouble_that_comes_back_is_asked_about_anew(tmp_path: Path, database: Database) -> None:
    world = a_world(tmp_path, database, APPROVE)
    await fired(world)
    await answer(world.desk, 1, "mei", yes=True)
    await world.work()
    await world.post(resolved())
    await world.advance(10 * MINUTE)
    await fired(world)
    ticket = await world.ticket()
    assert (ticket["status"], len(ticket["runs"]), len(ticket["approvals"])) == ("new", 1, 2)


# --- suggest -----------------------------------------------------------------------------------------


async def test_a_suggestion_hands_over_at_once_with_the_steps_and_the_way_to_run_it(
    tmp_path: Path, database: Database
) -> None:
    world = a_world(tmp_path, database, SUGGEST)
    await fired(world)
    ticket = await world.ticket()
    assert (ticket["status"], ticket["runs"]) == ("handed_over", [])
    body = world.sender.sent[0][2]
    for text in (
        "Suggested: restart-app on web-1",
        "1. restart (service_restart on web-1): manager: commands; status: svc status app; restart: svc restart app",
        "https://responder.test/approve/",
        "responder approvals approve 1",
    ):
        assert text in body, text
    assert "Suggested: restart-app on web-1 (suggest: the policy says so)." in texts(ticket)


async def test_a_suggestion_is_run_for_who_has_taken_the_ticket_and_changes_nothing_but_its_history(
    tmp_path: Path, database: Database
) -> None:
    world = a_world(tmp_path, database, SUGGEST)
    await fired(world)
    await acknowledge(world.desk, "1", "ines")
    await world.work()
    await answer(world.desk, 1, "mei", yes=True)
    await world.work()
    ticket = await world.ticket()
    assert (ticket["status"], ticket["acknowledged_by"]) == ("in_progress", "ines")
    assert (ticket["runs"][0]["outcome"], ticket["runs"][0]["ordered_by"]) == ("helped", "mei")
    assert "Ordered: restart-app on web-1 (run 1); ordered by mei." in texts(ticket)
    told = [body for person, _, body in world.sender.sent if person == "mei"]
    assert "restart-app on web-1: helped." in told[0]


async def test_a_suggestion_that_a_guard_forbids_says_so_and_can_be_tried_again(
    tmp_path: Path, database: Database
) -> None:
    world = a_world(tmp_path, database, SUGGEST)
    await fired(world)
    await turn_off_automation(world.desk, "we move the rack", "lars")
    with pytest.raises(Refused, match="The kill switch is on: we move the rack"):
        await answer(world.desk, 1, "mei", yes=True)
    assert "Refused: restart-app on web-1, ordered by mei: The kill switch is on" in texts(await world.ticket())
    await turn_on_automation(world.desk)
    await answer(world.desk, 1, "mei", yes=True)
    await world.work()
    assert world.fleet.restarts() == ["web-1"]


async def test_a_suggestion_starts_one_run_though_two_say_yes_at_once(tmp_path: Path, database: Database) -> None:
    world = a_world(tmp_path, database, SUGGEST)
    await fired(world)
    found = await asyncio.gather(
        *(answer(desk, 1, person, yes=True) for desk, person in ((world.desk, "mei"), (world.another_desk(), "lars"))),
        return_exceptions=True,
    )
    assert sum(isinstance(one, Refused) for one in found) == 1
    await world.work()
    assert world.fleet.restarts() == ["web-1"]


async def test_a_suggestion_ends_with_the_all_clear(tmp_path: Path, database: Database) -> None:
    world = a_world(tmp_path, database, SUGGEST)
    await fired(world)
    await world.post(resolved())
    await world.work()
    assert (await the_approval(world)).state is ApprovalState.OVERTAKEN


@pytest.mark.parametrize(
    ("labels", "status"),
    [({"severity": "critical"}, "new"), ({"severity": "warning"}, "handed_over")],
)
async def test_the_level_is_the_grades(tmp_path: Path, database: Database, labels: dict[str, str], status: str) -> None:
    world = a_world(tmp_path, database, "autonomy: {default: suggest, grades: {P1: approve}}")
    await fired(world, **labels)
    assert (await world.ticket())["status"] == status


async def test_the_most_careful_of_grade_and_group_holds(tmp_path: Path, database: Database) -> None:
    inventory = INVENTORY.replace("{name: web-1,", "{name: web-1, groups: [db],")
    text = "autonomy: {grades: {P1: approve}, groups: {db: suggest}}"
    world = a_world(tmp_path, database, text, inventory=inventory)
    await fired(world)
    await fired(world, instance="web-2:9100")
    assert [(await world.ticket(number))["status"] for number in (1, 2)] == ["handed_over", "new"]
    assert "the policy says so for the group db" in texts(await world.ticket())


# --- earned ------------------------------------------------------------------------------------------

EARN = "autonomy: suggest, promote_after: {successes: 2, lower_bound: 0.3}"


async def verified(world: World) -> list[bool | None]:
    found: list[bool | None] = await world.read(
        lambda tx: [run.verified for ticket in tx.tickets.listed() for run in tx.runs.of_ticket(ticket.id)][::-1]
    )
    return found


async def ordered(world: World, host: str) -> None:
    """A trouble that a suggested run mends, with the all-clear as proof."""
    number = len(await world.read(lambda tx: tx.tickets.listed())) + 1
    await fired(world, instance=host)
    waiting = await world.read(lambda tx: tx.approvals.of_ticket(number))
    await answer(world.desk, waiting[-1].id, "mei", yes=True)
    await world.work()
    await world.post(resolved(instance=host))
    await world.advance(10 * MINUTE)


async def test_verified_successes_promote_and_one_failed_verification_takes_it_back(
    tmp_path: Path, database: Database
) -> None:
    host_key = INVENTORY.split("host_key: ")[1].split("}")[0]
    inventory = "targets:\n" + "".join(f"  - {{name: n{i}, key_file: key, host_key: {host_key}}}\n" for i in range(6))
    world = a_world(tmp_path, database, EARN, inventory=inventory)
    await ordered(world, "n0")
    await ordered(world, "n1")
    assert await verified(world) == [True, True]

    await fired(world, instance="n2")
    third = await world.ticket(3)
    assert third["status"] == "restored"
    assert "auto: earned, 2 verified successes in a row, lower bound 0.34" in texts(third)
    await world.advance(5 * MINUTE)
    assert await verified(world) == [True, True, False]

    await fired(world, instance="n3")
    assert (await world.ticket(4))["status"] == "handed_over"
    assert "not earned yet (0 verified successes in a row" in texts(await world.ticket(4))

    history = await world.read(lambda tx: runbook_history(world.desk, tx, "restart-app"))
    assert [(turn["run"], turn["promoted"]) for turn in history["turns"]] == [(2, True), (3, False)]
    lines = await world.read(lambda tx: runbook_lines(world.desk, tx))
    (line,) = [one for one in lines if one["runbook"] == "restart-app"]
    assert (line["judged"], line["successes"], line["streak"]) == (3, 2, 0)
    assert line["rules"][0]["earned"] is False


async def test_a_run_that_failed_is_judged_at_its_end(tmp_path: Path, database: Database) -> None:
    world = a_world(tmp_path, database, "grades: [P1]")
    world.fleet.broken.add("web-1")
    await fired(world)
    assert await verified(world) == [False]


async def test_a_run_whose_alert_shows_again_before_the_quiet_was_over_is_not_proved(
    tmp_path: Path, database: Database
) -> None:
    world = a_world(tmp_path, database, "grades: [P1]")
    await fired(world)
    await world.post(resolved())
    assert await verified(world) == [None]
    await fired(world)
    assert await verified(world) == [False]


async def test_an_all_clear_that_comes_much_later_proves_nothing_for_an_ordered_run(
    tmp_path: Path, database: Database
) -> None:
    world = a_world(tmp_path, database, SUGGEST)
    await fired(world)
    await answer(world.desk, 1, "mei", yes=True)
    await world.work()
    await world.advance(timedelta(hours=1))
    await world.post(resolved())
    await world.advance(10 * MINUTE)
    assert ((await world.ticket())["status"], await verified(world)) == ("resolved", [False])
