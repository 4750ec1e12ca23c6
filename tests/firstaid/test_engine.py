"""The engine: look, plan, act, look again; and what it does after the process died at any instant."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from responder.domain.acts import Answer, Command, CommandResult, Facts, Look
from responder.domain.runbook import RunOutcome, StepSpec
from responder.domain.target import Target
from responder.errors import (
    AuthRefused,
    CommandTimedOut,
    ConnectionCut,
    HostKeyRefused,
    HostUnreachable,
    QueryFailed,
)
from responder.firstaid.engine import Engine
from responder.firstaid.plan import Plan, from_snapshot, snapshot
from responder.firstaid.ports import Ended, StepEnd, Stop, Suspended
from responder.firstaid.rehearsal import rehearse
from responder.firstaid.step_run import look, output_of
from responder.firstaid.steps.wait import Wait
from tests.fakes import (
    MINUTE,
    NOW,
    SECOND,
    Crash,
    CrashPlan,
    Disk,
    FakeClock,
    FakeHands,
    FakeHost,
    MemoryJournal,
    a_runbook,
)

TARGET = Target(name="web-1", address="192.0.2.1")


def a_plan(*steps: tuple[str, dict[str, Any]], timeout: timedelta = 10 * MINUTE) -> Plan:
    specs = [StepSpec(name=f"{kind} it", kind=kind, settings=settings) for kind, settings in steps]
    return from_snapshot(snapshot(a_runbook(specs, timeout=timeout), {}, TARGET))


CHECK = ("ssh", {"run": ["fix"], "check": ["test"]})
ONCE = ("ssh", {"run": ["fix"], "once": "nothing can tell"})
SERVICE = ("service_restart", {"manager": "commands", "status": ["status"], "restart": ["restart"], "stable_for": "2s"})
COLLECT = ("collect", {"commands": [["uptime"], ["df"]]})
OK = CommandResult(exit_code=0)
FAILED = CommandResult(exit_code=1)


def fixed(host: FakeHost) -> CommandResult:
    host.state["fixed"] = "yes"
    return OK


def passes(host: FakeHost) -> CommandResult:
    return OK if host.state.get("fixed") else FAILED


def restarted(host: FakeHost) -> CommandResult:
    host.state["pid"] = str(int(host.state.get("pid", "1")) + 1)
    return OK


def status(host: FakeHost) -> CommandResult:
    return CommandResult(exit_code=0, stdout=host.state.get("pid", "1"))


def a_host() -> FakeHost:
    """A host on which everything works."""
    return FakeHost(
        answers={
            ("fix",): fixed,
            ("test",): passes,
            ("restart",): restarted,
            ("status",): status,
            ("uptime",): CommandResult(exit_code=0, stdout="up 3 days"),
            ("df",): CommandResult(exit_code=0, stdout="9% full"),
        }
    )


@dataclass
class Process:
    """Starts the engine again and again on the same disk and the same host, as a worker does."""

    plan: Plan
    host: FakeHost = field(default_factory=a_host)
    disk: Disk = field(default_factory=Disk)
    clock: FakeClock = field(default_factory=FakeClock)
    crash: CrashPlan = field(default_factory=CrashPlan)
    waits: list[str] = field(default_factory=list)
    journal: MemoryJournal = field(init=False)

    def __post_init__(self) -> None:
        self.journal = MemoryJournal(self.clock, self.disk, self.crash)

    async def once(self) -> Ended | Suspended:
        engine = Engine(
            plan=self.plan,
            target="web-1",
            hands=FakeHands(self.host, self.crash),
            journal=self.journal,
            clock=self.clock,
            started_at=NOW,
        )
        return await engine.run()

    async def until_the_end(self) -> Ended:
        for _ in range(200):
            result = await self.once()
            if isinstance(result, Ended):
                return result
            self.waits.append(result.why)
            assert result.until > self.clock.now()
            self.clock.advance_to(result.until)
        raise AssertionError("the run waits for ever")

    def restarted_after_a_crash(self, crash: CrashPlan | None = None) -> Process:
        return Process(plan=self.plan, host=self.host, disk=self.disk, clock=self.clock, crash=crash or CrashPlan())


# --- look, plan, act, look again -------------------------------------------------------------------


async def test_a_step_looks_acts_and_looks_again() -> None:
    process = Process(a_plan(CHECK))
    ended = await process.until_the_end()
    assert process.host.ran == [("test",), ("fix",), ("test",)]
    assert ended == Ended(
        outcome=RunOutcome.HELPED, sentence="restart on web-1: its one step is done and looked at again."
    )
    assert process.disk.ended == [(0, "done", "done, and the second look agrees")]


async def test_nothing_to_do_acts_not() -> None:
    process = Process(a_plan(CHECK))
    process.host.state["fixed"] = "yes"
    assert (await process.until_the_end()).outcome is RunOutcome.HELPED
    assert process.host.ran == [("test",)]
    assert process.disk.attempts == []
    assert process.disk.ended == [(0, "done", "nothing was to do")]


async def test_steps_run_in_their_order() -> None:
    process = Process(a_plan(COLLECT, CHECK, SERVICE))
    assert (await process.until_the_end()).outcome is RunOutcome.HELPED
    first_time = list(dict.fromkeys(process.host.ran))
    assert first_time == [("uptime",), ("df",), ("test",), ("fix",), ("status",), ("restart",)]
    assert process.disk.outcomes == ["done", "done", "done"]


async def test_an_act_is_in_the_journal_before_it_starts_and_with_its_output_after() -> None:
    process = Process(a_plan(ONCE))
    seen: list[tuple[str, Any]] = []

    def looking_at_the_disk(host: FakeHost) -> CommandResult:
        seen.extend((attempt.kind, attempt.ended_at) for attempt in process.disk.attempts)
        return CommandResult(exit_code=0, stdout="said\n", stderr="warned\n", truncated=True)

    process.host.answers["fix",] = looking_at_the_disk
    await process.until_the_end()
    assert seen == [("once", None)]
    (attempt,) = process.disk.attempts
    assert (attempt.command, attempt.exit_code, attempt.ended_at) == (("fix",), 0, NOW)
    assert attempt.output == "said\n\n[stderr]\nwarned\n[more was printed than is kept]"


@pytest.mark.parametrize(
    ("printed", "warned", "kept"),
    [
        ("       total  used\nMem:     15     3\n\n", "", "       total  used\nMem:     15     3"),
        ("\n  first\r\n", "", "\n  first"),
        ("", "  warned\n", "[stderr]\n  warned"),
        (" \n", " \n", ""),
    ],
)
def test_what_a_command_printed_keeps_the_blanks_that_line_up_its_columns(printed: str, warned: str, kept: str) -> None:
    assert output_of(CommandResult(exit_code=0, stdout=printed, stderr=warned)) == kept


async def test_waiting_holds_no_process_and_goes_on_where_it_was() -> None:
    process = Process(a_plan(("wait", {"for": "1m"}), CHECK))
    assert await process.once() == Suspended(until=NOW + MINUTE, why="waiting 1m")
    process.clock.advance(30 * SECOND)
    assert await process.once() == Suspended(until=NOW + MINUTE, why="waiting 1m")
    process.clock.advance(30 * SECOND)
    assert isinstance(await process.once(), Ended)
    assert process.host.times("fix") == 1


async def test_a_service_is_watched_until_it_has_stayed_up() -> None:
    process = Process(a_plan(SERVICE))
    assert (await process.until_the_end()).outcome is RunOutcome.HELPED
    assert process.waits == ["watching whether it stays up"] * 2
    assert process.clock.now() == NOW + 2 * SECOND
    assert process.host.times("restart") == 1


async def test_a_dry_run_looks_and_plans_every_step_and_acts_never() -> None:
    host = a_host()
    done = await rehearse(a_plan(COLLECT, CHECK, SERVICE), FakeHands(host), NOW)
    assert [(step.kind, len(step.acts)) for step in done] == [("collect", 2), ("ssh", 1), ("service_restart", 1)]
    assert host.ran == [("test",), ("status",)]


async def test_a_question_without_an_answer_is_a_fact_and_no_crash() -> None:
    process = Process(a_plan(("promql", {"expr": "up", "expect": "none"})))
    process.host.queries["up"] = QueryFailed("Prometheus is away.")
    ended = await process.until_the_end()
    assert ended.outcome is RunOutcome.DIAGNOSED
    assert ended.sentence.endswith("expected up to be none within 0s, but Prometheus is away.")


# --- being stopped ---------------------------------------------------------------------------------


async def test_a_run_that_was_cancelled_starts_no_further_step() -> None:
    process = Process(a_plan(("wait", {"for": "1m"}), CHECK))
    await process.once()
    process.clock.advance(MINUTE)
    process.journal.stop = Stop(why="The alert has cleared.")
    assert await process.once() == Ended(outcome=RunOutcome.CANCELLED, sentence="The alert has cleared.")
    assert process.host.ran == []


async def test_a_run_that_is_cancelled_between_look_and_act_does_not_act() -> None:
    process = Process(a_plan(CHECK))
    process.journal.stop_before_act = Stop(why="The kill switch is on.", end=StepEnd.STOPPED)
    assert await process.once() == Ended(outcome=RunOutcome.CANCELLED, sentence="The kill switch is on.")
    assert process.host.ran == [("test",)]
    assert process.disk.attempts == []


async def test_no_act_starts_after_the_runs_timeout() -> None:
    process = Process(a_plan(("wait", {"for": "1m"}), CHECK, timeout=MINUTE))
    await process.once()
    process.clock.advance(MINUTE)
    ended = await process.once()
    assert isinstance(ended, Ended)
    assert ended.outcome is RunOutcome.FAILED
    assert ended.sentence.endswith("the run has taken longer than its timeout of 1m.")
    assert process.host.ran == []


# --- failing ---------------------------------------------------------------------------------------


async def test_a_failed_command_ends_the_run_with_its_exit_code_and_the_end_of_its_output() -> None:
    process = Process(a_plan(CHECK, SERVICE))
    lines = "\n".join(f"line {number}" for number in range(9))
    process.host.answers["fix",] = CommandResult(exit_code=5, stdout=lines)
    ended = await process.until_the_end()
    assert ended == Ended(
        outcome=RunOutcome.FAILED,
        sentence=("restart on web-1, step 1 (ssh it): the command ended with exit code 5: line 6 | line 7 | line 8."),
    )
    assert process.disk.outcomes == ["failed"]
    assert process.host.times("restart") == 0


async def test_a_failed_command_that_printed_nothing_says_so() -> None:
    process = Process(a_plan(ONCE))
    process.host.answers["fix",] = CommandResult(exit_code=1)
    assert (await process.until_the_end()).sentence.endswith("ended with exit code 1: no output.")


async def test_a_command_that_does_not_help_is_not_tried_again() -> None:
    process = Process(a_plan(CHECK))
    process.host.answers["fix",] = OK
    ended = await process.until_the_end()
    assert (ended.outcome, process.host.times("fix")) == (RunOutcome.FAILED, 1)
    assert "the check still exits with 1" in ended.sentence


@pytest.mark.parametrize("error", [HostUnreachable, HostKeyRefused, AuthRefused])
async def test_a_host_that_cannot_be_reached_ends_the_run_and_says_why(error: Callable[[str], Exception]) -> None:
    process = Process(a_plan(CHECK))
    process.host.answers["test",] = error("web-1 does not answer.")
    ended = await process.until_the_end()
    assert ended.outcome is RunOutcome.FAILED
    assert ended.sentence == "restart on web-1, step 1 (ssh it): web-1 does not answer."


async def test_a_command_that_timed_out_fails_with_what_it_had_printed() -> None:
    process = Process(a_plan(ONCE))
    process.host.answers["fix",] = CommandTimedOut("fix took too long.", after=SECOND, output="half")
    ended = await process.until_the_end()
    assert ended.outcome is RunOutcome.FAILED
    assert "fix took too long.\nhalf" in ended.sentence
    assert process.disk.attempts[0].output == "fix took too long.\nhalf"


@pytest.mark.parametrize("step", [ONCE, CHECK])
async def test_a_connection_that_is_cut_in_the_middle_leaves_the_outcome_unknown(
    step: tuple[str, dict[str, Any]],
) -> None:
    process = Process(a_plan(step))
    process.host.answers["fix",] = ConnectionCut("The connection ended.")
    ended = await process.until_the_end()
    assert ended.outcome is RunOutcome.UNKNOWN
    assert "Nobody can tell from here whether this ran to its end on web-1: fix" in ended.sentence
    assert process.disk.outcomes == ["unknown"]


@pytest.mark.parametrize(
    "answer",
    [
        CommandResult(exit_code=127),
        ConnectionCut("cut"),
        HostUnreachable("gone"),
        CommandTimedOut("slow", after=SECOND),
    ],
)
async def test_diagnostics_never_fail_a_run(answer: CommandResult | Exception) -> None:
    process = Process(a_plan(COLLECT))
    process.host.answers["uptime",] = answer
    assert (await process.until_the_end()).outcome is RunOutcome.DIAGNOSED
    assert process.host.times("df") == 1
    assert len(process.disk.attempts) == 2


# --- the process dies at any instant ---------------------------------------------------------------

PLANS = {
    "check": (a_plan(CHECK), ("fix",)),
    "once": (a_plan(ONCE), ("fix",)),
    "service": (a_plan(SERVICE), ("restart",)),
    "all": (a_plan(COLLECT, CHECK, ("wait", {"for": "5s"}), SERVICE), ("restart",)),
}


async def places(plan: Plan) -> list[str]:
    """Where a run that goes well can be interrupted."""
    process = Process(plan)
    ended = await process.until_the_end()
    assert ended.outcome in (RunOutcome.HELPED, RunOutcome.DIAGNOSED)
    return process.crash.places


async def crashed(plan: Plan, at: int) -> Process:
    process = Process(plan, crash=CrashPlan(at))
    with pytest.raises(Crash):
        await process.until_the_end()
    return process


@pytest.mark.parametrize("name", PLANS)
async def test_wherever_the_process_dies_the_restarted_run_acts_at_most_once_and_never_lies(name: str) -> None:
    plan, act = PLANS[name]
    outcomes = set()
    for at, place in enumerate(await places(plan), start=1):
        process = (await crashed(plan, at)).restarted_after_a_crash()
        ended = await process.until_the_end()
        times = process.host.times(*act)
        assert times <= 1, f"{act} ran {times} times after a crash {place}"
        assert ended.outcome in (RunOutcome.HELPED, RunOutcome.UNKNOWN), f"crash {place}: {ended.sentence}"
        if ended.outcome is RunOutcome.HELPED:
            assert times == 1, f"crash {place}: the run says that it helped, but {act} never ran"
        outcomes.add(ended.outcome)
    assert RunOutcome.HELPED in outcomes


@pytest.mark.parametrize("name", ["check", "service"])
async def test_two_crashes_in_a_row_never_act_twice_either(name: str) -> None:
    plan, act = PLANS[name]
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
            assert process.host.times(*act) <= 1, f"crash at {first}, then at {second}"
            if ended.outcome is RunOutcome.HELPED:
                assert process.host.times(*act) == 1, f"crash at {first}, then at {second}"


async def test_what_was_not_sent_before_the_crash_is_sent_after_it_when_the_host_can_tell() -> None:
    plan, act = PLANS["once"]
    at = (await places(plan)).index("before a command reaches the host") + 1
    process = (await crashed(plan, at)).restarted_after_a_crash()
    assert process.host.times(*act) == 0
    assert (await process.until_the_end()).outcome is RunOutcome.HELPED
    assert process.host.times(*act) == 1
    assert process.disk.attempts[0].output == "responder restarted before this reached the host"


async def test_what_ended_on_the_host_while_nobody_listened_is_known_from_its_marker() -> None:
    plan, act = PLANS["once"]
    at = (await places(plan)).index("after a command ended on the host") + 1
    process = (await crashed(plan, at)).restarted_after_a_crash()
    assert (await process.until_the_end()).outcome is RunOutcome.HELPED
    assert process.host.times(*act) == 1
    assert process.disk.attempts[0].output == "the host's marker tells the exit code"


async def test_a_failure_that_only_the_marker_knows_is_a_failure() -> None:
    plan, _ = PLANS["once"]
    at = (await places(plan)).index("after a command ended on the host") + 1
    process = Process(plan, crash=CrashPlan(at))
    process.host.answers["fix",] = CommandResult(exit_code=9)
    with pytest.raises(Crash):
        await process.until_the_end()
    ended = await process.restarted_after_a_crash().until_the_end()
    assert ended.outcome is RunOutcome.FAILED
    assert "exit code 9: the host's marker tells the exit code" in ended.sentence


async def test_what_was_started_and_has_no_end_on_the_host_is_unknown() -> None:
    plan, act = PLANS["once"]
    at = (await places(plan)).index("the command has ended, its marker says nothing yet") + 1
    process = (await crashed(plan, at)).restarted_after_a_crash()
    ended = await process.until_the_end()
    assert ended.outcome is RunOutcome.UNKNOWN
    assert "the host says that it has no end yet" in ended.sentence
    assert process.host.times(*act) == 1


async def test_an_act_that_the_second_look_shows_is_not_done_again() -> None:
    plan, act = PLANS["check"]
    at = (await places(plan)).index("before end_act") + 1
    process = (await crashed(plan, at)).restarted_after_a_crash()
    assert (await process.until_the_end()).outcome is RunOutcome.HELPED
    assert process.host.times(*act) == 1
    assert process.disk.attempts[0].output == "responder restarted meanwhile; the look says that it happened"


async def test_an_act_that_no_look_can_vouch_for_is_unknown_and_not_repeated() -> None:
    plan, act = PLANS["check"]
    at = (await places(plan)).index("after begin_act") + 1
    process = (await crashed(plan, at)).restarted_after_a_crash()
    ended = await process.until_the_end()
    assert ended.outcome is RunOutcome.UNKNOWN
    assert "The service ended while this was under way." in ended.sentence
    assert process.host.times(*act) == 0


async def test_the_facts_before_the_first_act_survive_the_crash() -> None:
    plan, _ = PLANS["service"]
    at = (await places(plan)).index("before end_act") + 1
    process = await crashed(plan, at)
    assert process.disk.first[0]["process"] == "1"
    assert process.host.state["pid"] == "2"
    assert (await process.restarted_after_a_crash().until_the_end()).outcome is RunOutcome.HELPED


# --- the marker script on a real shell -------------------------------------------------------------


class ShellHands(FakeHands):
    """Runs every command for real, here, with a home folder of its own."""

    def __init__(self, home: Path, crash: CrashPlan) -> None:
        super().__init__(FakeHost(), crash)
        self._home = home
        self._ends = crash

    async def run(self, host: str, command: Command) -> CommandResult:
        self._ends.place("before a command reaches the host")
        done = _shell(self._home, command.argv)
        self._ends.place("after a command ended on the host")
        return done


def _shell(home: Path, argv: Sequence[str]) -> CommandResult:
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(argv, env=environment, cwd=home, capture_output=True, text=True, timeout=30, check=False)
    return CommandResult(exit_code=done.returncode, stdout=done.stdout, stderr=done.stderr)


REAL_ONCE = a_plan(("ssh", {"run": ["/bin/sh", "-c", "echo ran >> ran.txt"], "once": "nothing can tell"}))


@pytest.mark.parametrize("at", range(1, 11))
async def test_a_once_command_runs_once_on_a_real_shell_wherever_the_process_dies(tmp_path: Path, at: int) -> None:
    clock, disk = FakeClock(), Disk()

    def engine(crash: CrashPlan) -> Engine:
        return Engine(
            plan=REAL_ONCE,
            target="web-1",
            hands=ShellHands(tmp_path, crash),
            journal=MemoryJournal(clock, disk, crash),
            clock=clock,
            started_at=NOW,
        )

    with pytest.raises(Crash):
        await engine(CrashPlan(at)).run()
    result = await engine(CrashPlan()).run()
    assert isinstance(result, Ended)
    assert result.outcome is RunOutcome.HELPED
    assert (tmp_path / "ran.txt").read_text() == "ran\n"


async def test_a_host_that_never_answers_does_not_hold_up_what_the_others_say() -> None:
    class HalfDeaf(FakeHands):
        async def run(self, host: str, command: Command) -> CommandResult:
            if command.on == "web-9":
                await asyncio.Event().wait()
            return await super().run(host, command)

    class TwoQuestions(Wait):
        def look(self) -> Look:
            limit = timedelta(milliseconds=1)
            return {name: Command(argv=("uptime",), on=name, timeout=limit) for name in ("web-1", "web-9")}

        def read(self, answer: Answer) -> Facts:
            assert isinstance(answer, Mapping)
            return {name: str(getattr(reply, "why", "answered")) for name, reply in answer.items()}

    step = replace(a_plan(("wait", {"for": "1s"})).steps[0], step=TwoQuestions.model_validate({"for": "1s"}))
    assert await look(step, HalfDeaf(a_host())) == {"web-1": "answered", "web-9": "no answer within 1.001 s"}
