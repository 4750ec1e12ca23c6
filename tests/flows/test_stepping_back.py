"""When a run that waits must step back, and what it may say."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from responder.config.configuration import read
from responder.domain.acts import CommandResult
from responder.flows import handle
from responder.store.database import Database
from responder.store.jobs import Job
from tests.flows.test_runs_on_many_hosts import Fleet, a_world
from tests.world import alert, resolved, texts

WAITS = """
runbook: restart-app
summary: Wait, then act
on_resolve: finish_all
steps:
  - wait: {for: 1m}
  - ssh: {run: [svc, go], once: because}
"""
SPILLS = """
runbook: restart-app
summary: Fail with a secret
steps:
  - ssh: {run: [svc, go], once: because}
"""


class Spilling(Fleet):
    async def run(self, *args: object, **rest: object) -> CommandResult:
        return CommandResult(exit_code=1, stderr="login with DB_PASSWORD=hunter22 failed")


async def test_a_secret_in_a_failing_commands_output_reaches_neither_the_history_nor_a_message(
    tmp_path: Path, database: Database
) -> None:
    world = a_world(tmp_path, database, SPILLS, Spilling())
    await world.post(alert())
    await world.work()
    ticket = await world.ticket()
    assert "DB_PASSWORD=***" in ticket["runs"][0]["sentence"]
    assert "hunter22" not in f"{ticket} {world.sender.sent}"


async def test_a_run_of_an_earlier_episode_does_not_act_in_the_next_one(tmp_path: Path, database: Database) -> None:
    fleet = Fleet()
    world = a_world(tmp_path, database, WAITS, fleet)
    await world.post(alert())
    await world.work()
    await world.post(resolved())
    world.clock.advance(timedelta(seconds=5))
    await world.post(alert())
    await world.advance(timedelta(minutes=2))
    assert all(line != "svc go" for _, line in fleet.commands)


async def test_what_a_person_has_restored_the_machine_leaves_alone(tmp_path: Path, database: Database) -> None:
    fleet = Fleet()
    world = a_world(tmp_path, database, WAITS, fleet)
    await world.post(alert())
    await world.work()
    await handle.do(world.desk, "restore", "1", actor="mei", content={"reason": "I did it by hand."})
    await world.advance(timedelta(minutes=2))
    assert fleet.commands == []
    assert (await world.ticket())["runs"][0]["outcome"] == "cancelled"


async def test_first_aid_that_was_refused_is_not_begun_again_by_a_repeated_job(
    tmp_path: Path, database: Database
) -> None:
    fleet = Fleet()
    world = a_world(tmp_path, database, SPILLS, fleet)
    switch = world.desk.configuration.settings.kill_switch_file
    assert switch
    switch.write_text("")
    await world.post(alert())

    async def not_yet(job: Job) -> None: ...

    await world.work(hand_over=not_yet)
    switch.unlink()
    again = Job(kind="first_aid", args={"ticket": 1}, due_at=world.clock.now(), at_once=True, lock="ticket:1")
    await world.database.write(lambda tx: tx.promise([again]))
    await world.work()
    assert fleet.commands == []
    assert texts(await world.ticket()).count("First aid refused") == 1


async def test_a_runbook_that_is_edited_while_it_runs_changes_the_next_run_and_not_this_one(
    tmp_path: Path, database: Database
) -> None:
    fleet = Fleet()
    world = a_world(tmp_path, database, WAITS, fleet)
    await world.post(alert())
    await world.work()
    (tmp_path / "runbooks" / "restart-app.yml").write_text(WAITS.replace("[svc, go]", "[svc, other]"))
    world.desk.take_over(read(world.path))
    await world.advance(timedelta(minutes=2))
    assert fleet.commands == [("web-1", "svc go")]

    await world.post(alert(instance="web-2:9100"))
    await world.work()
    await world.advance(timedelta(minutes=2))
    assert fleet.commands[-1] == ("web-2", "svc other")
