"""Runs that touch several hosts, blocks that follow, files that stay: as the flows and both databases do it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from responder.domain.acts import CommandResult
from responder.domain.runbook import Run
from responder.domain.target import Target
from responder.store.database import Database
from tests.world import HOST_KEY, World, alert, resolved, texts

INVENTORY = "targets:\n" + "\n".join(
    f"  - {{name: {name}, key_file: key, host_key: {HOST_KEY}, groups: [web]}}" for name in ("web-1", "web-2", "web-3")
)
ROLL = """
runbook: restart-app
summary: Restart the app everywhere
cooldown: 1s
steps:
  - name: roll
    foreach: {group: web, steps: [{ssh: {run: [svc, restart], once: because}}]}
"""
DIAGNOSE = """
runbook: restart-app
summary: Look and tidy
on_resolve: finish_step
steps:
  - name: look around
    collect: {commands: [[df, -h], [uptime, -p]]}
  - name: two things
    service_restart: {manager: commands, status: [svc, status], restart: [svc, restart], stable_for: 0s}
  - name: not any more
    ssh: {run: [svc, late], once: because}
always:
  - {name: tidy, ssh: {run: [svc, tidy], once: because}}
"""


@dataclass
class Fleet:
    """Every command succeeds, unless told otherwise; markers are taken off, so that `commands` shows the plain argv."""

    commands: list[tuple[str, str]] = field(default_factory=list)
    during: Callable[[str, str], object] | None = None
    said: dict[str, str] = field(default_factory=dict)

    async def run(self, target: Target, argv: Sequence[str], *, timeout: timedelta, stdin: str = "") -> CommandResult:
        plain = list(argv)
        if plain[:2] == ["/bin/sh", "-c"]:
            plain = plain[5:]
        line = " ".join(plain)
        self.commands.append((target.name, line))
        if self.during is not None and (waited := self.during(target.name, line)) is not None:
            await waited  # type: ignore[misc]
        return CommandResult(exit_code=0, stdout=self.said.get(line, f"{len(self.commands)}"))

    async def close(self) -> None: ...


def a_world(folder: Path, database: Database, runbook: str, fleet: Fleet) -> World:
    world = World(folder, database, runbook=runbook, inventory=INVENTORY)
    world.fleet = fleet  # type: ignore[assignment]
    world.desk = world.another_desk()
    return world


async def test_a_run_holds_every_host_that_it_may_touch_and_frees_them_all(tmp_path: Path, database: Database) -> None:
    fleet = Fleet()
    world = a_world(tmp_path, database, ROLL, fleet)
    held: list[str] = []

    async def look(host: str, line: str) -> None:
        held.append(await world.read(lambda tx: tx.runs.busy_with(["web-3"])))

    fleet.during = look
    await world.post(alert())
    await world.work()

    number = (await world.ticket())["number"]
    assert fleet.commands == [("web-1", "svc restart"), ("web-2", "svc restart"), ("web-3", "svc restart")]
    assert held == [f"restart-app for {number} is at work on web-3"] * 3
    assert await world.read(lambda tx: tx.runs.busy_with(["web-1", "web-2", "web-3"])) == ""
    steps = (await world.ticket())["runs"][0]["steps"]
    assert [(step["host"], step["outcome"]) for step in steps] == [(f"web-{n}", "done") for n in (1, 2, 3)]


async def test_a_host_that_another_run_may_still_touch_is_not_started_on(tmp_path: Path, database: Database) -> None:
    fleet = Fleet()
    world = a_world(tmp_path, database, ROLL, fleet)
    await world.post(alert())
    seen: list[str] = []

    async def second(host: str, line: str) -> None:
        if not seen:
            seen.append("posted")
            await world.post(alert(instance="web-3:9100"))
            # The lane of another worker would do the new job meanwhile.
            await world.desk.store.write(lambda tx: seen.append(tx.runs.busy_with(["web-3"])))

    fleet.during = second
    await world.work()
    await world.advance(timedelta(seconds=6))
    assert seen[1].endswith("is at work on web-3")
    assert [host for host, _ in fleet.commands] == ["web-1", "web-2", "web-3", "web-3", "web-1", "web-2"]


async def test_the_all_clear_lets_the_step_at_work_finish_and_what_is_always_done_follow(
    tmp_path: Path, database: Database
) -> None:
    fleet = Fleet()
    world = a_world(tmp_path, database, DIAGNOSE, fleet)

    async def clear(host: str, line: str) -> None:
        if line == "svc status" and not any(done == "svc restart" for _, done in fleet.commands):
            await world.post(resolved())

    fleet.during = clear
    await world.post(alert())
    await world.work()
    lines = [line for _, line in fleet.commands]
    assert "svc restart" in lines
    assert lines[-1] == "svc tidy"
    assert "svc late" not in lines
    assert "the alert cleared after it acted" in texts(await world.ticket())


async def test_what_diagnostics_print_is_a_file_of_the_ticket_without_its_secrets(
    tmp_path: Path, database: Database
) -> None:
    fleet = Fleet(said={"df -h": "99% full\nDB_PASSWORD=hunter22", "uptime -p": "a secret for tests, long enough"})
    world = a_world(tmp_path, database, DIAGNOSE, fleet)
    await world.post(alert())
    await world.work()
    # The looks of a step run side by side.
    files = sorted((await world.ticket())["attachments"], key=lambda one: one["name"])
    assert [one["name"] for one in files] == ["df -h.txt", "uptime -p.txt"]
    kept = await world.read(lambda tx: tx.attachments.one(files[0]["id"]))
    assert kept.content == b"99% full\nDB_PASSWORD=***"
    acts = (await world.ticket())["runs"][0]["steps"][0]["acts"]
    assert {" ".join(one["command"]): one["output"] for one in acts}["df -h"] == "99% full\nDB_PASSWORD=***"


@pytest.mark.parametrize("line", ["steps: [{wait: {for: 1h}}, {ssh: {run: [late], once: because}}]\ntimeout: 5m"])
async def test_a_run_that_waits_holds_its_hosts_no_longer_than_its_timeout(
    tmp_path: Path, database: Database, line: str
) -> None:
    world = a_world(tmp_path, database, f"runbook: restart-app\nsummary: Wait\n{line}\n", Fleet())
    await world.post(alert())
    await world.work()
    assert await world.read(lambda tx: tx.runs.busy_with(["web-1"]))
    await world.advance(timedelta(minutes=5, seconds=1))
    assert await world.read(lambda tx: tx.runs.busy_with(["web-1"])) == ""
    assert "longer than its timeout of 5m" in texts(await world.ticket())


ONLY_LOOK = """
runbook: restart-app
summary: Look only
steps:
  - collect: {commands: [[df, -h]]}
  - check: {command: [uptime, -p], contains: never}
"""


async def test_a_run_that_only_looks_needs_no_lock_and_hands_over_what_it_saw(
    tmp_path: Path, database: Database
) -> None:
    fleet = Fleet()
    world = a_world(tmp_path, database, ONLY_LOOK, fleet)
    other = Run(id=0, ticket_id=1, runbook="other", target="web-1", started_at=world.clock.now())
    await world.post(alert("DiskFull"))
    await world.database.write(lambda tx: tx.runs.start(other, ["web-1"]))
    await world.post(alert())
    await world.work()

    ticket = await world.ticket(2)
    assert (ticket["status"], ticket["runs"][0]["outcome"]) == ("handed_over", "diagnosed")
    assert [one["name"] for one in ticket["attachments"]] == ["df -h.txt"]
    assert "The machine has only looked; what it saw is attached." in texts(ticket)
    assert await world.read(lambda tx: tx.runs.judged("restart-app")) == []
