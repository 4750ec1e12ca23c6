"""What failed, or was lost, before a crash is not taken for a success after it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from responder.domain.acts import Command, CommandResult
from responder.domain.runbook import RunOutcome
from responder.firstaid import marker
from responder.firstaid.engine import Engine
from responder.firstaid.ports import Ended
from tests.fakes import NOW, Crash, CrashPlan, Disk, FakeClock, MemoryJournal
from tests.firstaid.test_engine import ONCE, PLANS, SERVICE, Process, ShellHands, a_plan, crashed, places

FAILED = CommandResult(exit_code=1, stderr="no permission")


@pytest.mark.parametrize(("step", "act"), [(ONCE, "fix"), (SERVICE, "restart")], ids=["once", "service"])
@pytest.mark.parametrize("place", ["after end_act", "before end_step", "after end_step"])
async def test_a_command_that_failed_before_the_crash_is_a_failure_after_it(
    step: tuple[str, dict[str, object]], act: str, place: str
) -> None:
    plan = a_plan(step)
    probe = Process(plan)
    probe.host.answers[act,] = FAILED
    await probe.until_the_end()
    process = Process(plan, crash=CrashPlan(probe.crash.places.index(place) + 1))
    process.host.answers[act,] = FAILED
    with pytest.raises(Crash):
        await process.until_the_end()

    ended = await process.restarted_after_a_crash().until_the_end()
    assert ended.outcome is RunOutcome.FAILED
    assert "exit code 1: [stderr] | no permission" in ended.sentence


async def test_two_crashes_around_a_command_that_runs_once_never_repeat_it_and_never_claim_it() -> None:
    plan, act = PLANS["once"]
    for first in range(1, len(await places(plan)) + 1):
        second = 0
        while True:
            second += 1
            process = (await crashed(plan, first)).restarted_after_a_crash(CrashPlan(second))
            try:
                await process.until_the_end()
                break
            except Crash:
                process = process.restarted_after_a_crash()
            ended = await process.until_the_end()
            times = process.host.times(*act)
            assert times <= 1, (first, second)
            assert times == 1 or ended.outcome is not RunOutcome.HELPED, (first, second)


async def test_diagnostics_go_on_after_a_crash_where_they_stood() -> None:
    plan = a_plan(("collect", {"commands": [["uptime"], ["df"]]}))
    at = (await places(plan)).index("after end_act") + 1
    process = (await crashed(plan, at)).restarted_after_a_crash()
    await process.until_the_end()
    assert (process.host.times("uptime"), process.host.times("df")) == (1, 1)


async def test_a_command_with_other_rights_is_asked_about_with_the_same_rights(tmp_path: Path) -> None:
    class Sudo(ShellHands):
        async def run(self, host: str, command: Command) -> CommandResult:
            self._ends.place("before a command reaches the host")
            # What sudo does to HOME: the marker lies in the other user's folder.
            prefix = ("env", f"HOME={tmp_path / 'root'}") if command.become else ("env", f"HOME={tmp_path / 'me'}")
            done = subprocess.run([*prefix, *command.argv], capture_output=True, text=True, check=False)
            self._ends.place("after a command ended on the host")
            return CommandResult(exit_code=done.returncode, stdout=done.stdout, stderr=done.stderr)

    command = ["/bin/sh", "-c", f"echo ran >> {tmp_path}/ran.txt"]
    plan = a_plan(("ssh", {"run": command, "once": "because", "become": True}))
    clock, disk = FakeClock(), Disk()

    async def run(crash: CrashPlan) -> object:
        hands, journal = Sudo(tmp_path, crash), MemoryJournal(clock, disk, crash)
        return await Engine(plan=plan, target="web-1", hands=hands, journal=journal, clock=clock, started_at=NOW).run()

    with pytest.raises(Crash):
        await run(CrashPlan(6))
    ended = await run(CrashPlan())
    assert isinstance(ended, Ended)
    assert (tmp_path / "ran.txt").read_text() == "ran\n"


def test_the_marker_of_one_run_is_never_that_of_another() -> None:
    argv = marker.marked(Command(argv=("x",), once=True), "run-a1-3").argv
    assert marker.question("run-a1-3").argv[-1] == argv[4]
