"""The kill switch of everything, of a runbook, of a target: by command, by file, and for a while."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from responder.domain.switches import EVERYTHING, Scope, Switch, of_runbook, of_target
from responder.errors import NotFound, Refused
from responder.flows.switches import (
    kill_switch,
    known_scope,
    lenient_scope,
    stopped_by,
    switched_off,
    turn_off_automation,
    turn_on_automation,
)
from responder.store.database import Database
from tests.world import INVENTORY, World, alert, texts

HOUR = timedelta(hours=1)
TWO_STEPS = """
runbook: restart-app
summary: Restart the app and its neighbour
steps:
  - name: first
    service_restart:
      manager: commands
      status: [svc, status, one]
      restart: [svc, restart, one]
      grace: 0s
      stable_for: 0s
  - name: second
    ssh: {run: [svc, second], once: nothing can tell}
"""


async def stopped(world: World, *hosts: str, runbook: str = "restart-app") -> str:
    found: str = await world.read(lambda tx: stopped_by(world.desk, tx, runbook, hosts))
    return found


async def test_a_runbook_that_is_off_stops_alone(world: World) -> None:
    await turn_off_automation(world.desk, "it makes things worse", "lars", of_runbook("restart-app"))
    at = f"{world.clock.now():%Y-%m-%d %H:%M}"
    assert await stopped(world, "web-1") == (
        f"it makes things worse (runbook restart-app switched off by lars at {at} UTC)"
    )
    assert await stopped(world, "web-1", runbook="other") == ""
    assert await world.read(lambda tx: kill_switch(world.desk, tx)) == ""


async def test_a_target_that_is_off_is_left_alone_by_every_runbook_and_run(world: World) -> None:
    await turn_off_automation(world.desk, "fragile", "lars", of_target("web-1"))
    assert await stopped(world, "web-2") == ""
    assert "target web-1 switched off" in await stopped(world, "web-1", runbook="other")
    assert "target web-1 switched off" in await stopped(world, "web-2", "web-1")

    await world.post(alert(), alert(instance="web-2:9100"))
    await world.work()
    assert "The kill switch is on: fragile (target web-1 switched off by lars" in texts(await world.ticket(1))
    assert world.fleet.restarts() == ["web-2"]


async def test_a_switch_with_a_time_ends_by_itself(world: World) -> None:
    await turn_off_automation(world.desk, "deploy", "lars", lasting=2 * HOUR)
    until = world.clock.now() + 2 * HOUR
    assert f", until {until:%Y-%m-%d %H:%M} UTC)" in await stopped(world, "web-1")
    world.clock.advance(2 * HOUR - timedelta(microseconds=1))
    assert await stopped(world, "web-1")
    world.clock.advance(timedelta(microseconds=1))
    assert await stopped(world, "web-1") == ""


async def test_switching_off_again_takes_the_place_of_what_was_there(world: World) -> None:
    await turn_off_automation(world.desk, "first", "lars", lasting=HOUR)
    await turn_off_automation(world.desk, "second", "mei")
    world.clock.advance(2 * HOUR)
    assert (await stopped(world, "web-1")).startswith("second (switched off by mei")


async def test_switching_everything_on_leaves_a_target_off(world: World) -> None:
    await turn_off_automation(world.desk, "all", "lars")
    await turn_off_automation(world.desk, "one", "lars", of_target("web-1"))
    await turn_on_automation(world.desk)
    assert (await stopped(world, "web-1")).startswith("one ")
    await turn_on_automation(world.desk, of_target("web-1"))
    assert await stopped(world, "web-1") == ""


async def test_a_target_switched_off_between_two_steps_stops_the_run(tmp_path: Path, database: Database) -> None:
    world = World(tmp_path, database, runbook=TWO_STEPS)

    def switch_off(host: str, argv: Sequence[str]) -> None:
        if argv[1] == "restart":
            switch = Switch(name=of_target(host).switch, reason="hands off", actor="mei", at=world.clock.now())
            database.write_now(lambda tx: tx.switchboard.turn_on(switch))

    world.fleet.before = switch_off
    await world.post(alert())
    await world.work()

    assert world.fleet.restarts() == ["web-1"]
    assert not any("second" in argv for _, argv in world.fleet.commands)
    ticket = await world.ticket()
    assert "The kill switch is on: hands off (target web-1 switched off by mei" in texts(ticket)
    assert ticket["status"] == "handed_over"


async def test_a_name_that_is_not_there_cannot_be_switched_off_but_a_gone_one_can_be_switched_on(world: World) -> None:
    configuration = world.desk.configuration
    assert known_scope(configuration, "", "") == EVERYTHING
    assert known_scope(configuration, "", "web-1:9100") == of_target("web-1")
    for runbook, target in (("restart-ap", ""), ("", "web-11")):
        with pytest.raises(NotFound):
            known_scope(configuration, runbook, target)
    with pytest.raises(Refused, match="not both"):
        known_scope(configuration, "restart-app", "web-1")
    assert lenient_scope(configuration, "", "gone") == of_target("gone")


# --- the file --------------------------------------------------------------------------------------


def empty(path: Path) -> None:
    path.touch()


def comment(path: Path) -> None:
    path.write_text("# we move the rack\n")


def folder(path: Path) -> None:
    path.mkdir()


def pipe(path: Path) -> None:
    os.mkfifo(path)


def no_text(path: Path) -> None:
    path.write_bytes(b"target web-1\n\xff\xfe")


def too_long(path: Path) -> None:
    path.write_text("target web-1\n" * 10_000)


def typo(path: Path) -> None:
    path.write_text("target web-1\nrunbok restart-app\n")


def unknown_name(path: Path) -> None:
    path.write_text("target web-9\n")


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (empty, "exists"),
        (comment, "exists"),
        (folder, "exists"),
        (pipe, "exists"),
        (no_text, "exists, and it is not text"),
        (too_long, "exists, and it is too long to be read"),
        (typo, "exists, and its line 2 is neither “runbook NAME” nor “target NAME” with a name that there is"),
        (unknown_name, "exists, and its line 1 is neither"),
    ],
)
async def test_a_file_that_names_nothing_or_is_not_understood_stops_everything(
    world: World, make: Callable[[Path], None], why: str
) -> None:
    path = world.path.parent / "automation-off"
    make(path)
    assert (await stopped(world, "web-2")).startswith(f"the file {path} {why}")
    assert await world.read(lambda tx: kill_switch(world.desk, tx))
    assert [off.by_file for off in await world.read(lambda tx: switched_off(world.desk, tx))] == [True]


async def test_a_file_that_cannot_be_read_stops_everything(world: World) -> None:
    parent = world.path.parent / ("x" * 300)
    settings = world.desk.configuration.settings.model_copy(update={"kill_switch_file": parent / "automation-off"})
    object.__setattr__(world.desk.configuration, "settings", settings)
    assert "cannot be read (File name too long)" in await stopped(world, "web-1")


async def test_a_file_that_names_a_target_stops_only_that(tmp_path: Path, database: Database) -> None:
    world = World(tmp_path, database, inventory=INVENTORY.replace("name: web-1,", "name: web-1, aliases: [www],"))
    path = tmp_path / "automation-off"
    path.write_text("# fragile\ntarget www\n")
    assert await stopped(world, "web-2") == ""
    assert await stopped(world, "web-1") == f"the file {path} names target web-1"
    path.write_text("runbook restart-app\n")
    assert await stopped(world, "web-2") == f"the file {path} names runbook restart-app"
    path.unlink()
    assert await stopped(world, "web-1") == ""


async def test_all_that_is_off_is_listed(world: World) -> None:
    (world.path.parent / "automation-off").write_text("target web-1\n")
    await turn_off_automation(world.desk, "x", "mei", of_runbook("restart-app"), lasting=HOUR)
    found = await world.read(lambda tx: switched_off(world.desk, tx))
    expected: list[tuple[Scope, bool]] = [(of_target("web-1"), True), (of_runbook("restart-app"), False)]
    assert [(off.scope, off.by_file) for off in found] == expected
