"""`process`: what it takes for a runaway, what it spares, and that the process is gone afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from responder.domain.acts import Command, CommandResult, Done, Facts
from responder.domain.runbook import RunOutcome
from responder.firstaid.step import Step
from tests.fakes import NOW, SECOND
from tests.firstaid.real_host import RealHost, a_copy_of, run_here
from tests.firstaid.test_steps import a_moment, a_step, failure, plan
from tests.servers.sshd import SSHD

ONE = {
    "pid": 4711,
    "start": "99",
    "age": "2h",
    "memory": "1.5 GiB",
    "cpu": "97%",
    "user": "app",
    "name": "worker",
    "args": "worker --all",
}
TWO = {**ONE, "pid": 4712, "start": "101"}
STEP = a_step("process", name="worker", min_cpu="90%", signal="TERM", then_kill_after="5s", grace="10s")


def seen(*matching: dict[str, Any], alive: list[str] | None = None) -> Facts:
    here = [f"{one['pid']}:{one['start']}" for one in matching] if alive is None else alive
    return {"matches": len(matching), "matching": list(matching), "alive": here}


def after(label: str) -> Any:
    return replace(a_moment(1, acted=1), done=(Done(label=label, is_good=True, at=NOW + SECOND),))


# --- what may be written ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [
        {"name": "java", "args_contain": "app.jar"},
        {"name": "java", "user": "app"},
        {"name": "java", "older_than": "1h"},
        {"args_contain": "app.jar", "min_memory": "500MiB"},
        {"args_contain": "app.jar", "min_cpu": "90%"},
        {"name": "{{ a_long_parameter }}", "min_cpu": "90%"},
        {"name": "java", "user": "app", "signal": "SIGHUP"},
    ],
)
def test_a_selector_has_a_name_and_one_more_bound(settings: dict[str, object]) -> None:
    assert a_step("process", **settings).look()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "give name"),
        ({"user": "app", "min_cpu": "90%"}, "give name"),
        ({"args_contain": "  ", "user": "app"}, "give name"),
        ({"name": "java"}, "one more bound"),
        ({"args_contain": "app.jar"}, "one more bound"),
        ({"name": "sshd", "min_cpu": "90%"}, "never signalled"),
        ({"name": "sshd-session", "min_cpu": "90%"}, "never signalled"),
        ({"name": "a-name-much-too-long", "min_cpu": "90%"}, "15 characters"),
        ({"name": "a\nb", "min_cpu": "90%"}, "one line"),
        ({"name": "java", "user": "-u"}, "no user"),
        ({"name": "java", "min_cpu": "90"}, "is not a share"),
        ({"name": "java", "min_memory": "lots"}, "is not a size"),
        ({"name": "java", "user": "app", "most": 0}, "greater than or equal to 1"),
        ({"name": "java", "user": "app", "signal": "STOP"}, "TERM"),
        ({"name": "java", "user": "app", "signal": "HUP", "then_kill_after": "5s"}, "does not go with HUP"),
        ({"name": "java", "user": "app", "grace": "1h"}, "at most 5m"),
    ],
)
def test_what_is_not_narrow_or_not_safe_is_refused(settings: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        a_step("process", **settings)


# --- reading and planning --------------------------------------------------------------------------


def test_the_answer_becomes_facts_for_people() -> None:
    text = (
        "alive 4711:99\nalive 4712:101\n"
        "match\t4711\t99\t7200\t1572864\t97\tapp\tworker\tworker --all \n"
        "match\t4712\t101\t5\t0\t100\t1000\twor\tker\ta\tb\n"
    )
    facts = STEP.read(CommandResult(exit_code=0, stdout=text))
    assert facts["matching"][0] == ONE  # type: ignore[index]
    assert (facts["matches"], facts["alive"]) == (2, ["4711:99", "4712:101"])


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (CommandResult(exit_code=3, stderr="id: ‘app’: no such user\n"), "no such user"),
        (CommandResult(exit_code=127), "exit code 127"),
        (CommandResult(exit_code=0, truncated=True), "too many processes"),
    ],
)
def test_without_a_whole_answer_nothing_is_signalled(answer: CommandResult, said: str) -> None:
    assert said in failure(plan(STEP, STEP.read(answer), a_moment()))


def test_nothing_that_matches_is_nothing_to_do() -> None:
    assert plan(STEP, seen(), a_moment()) == ()
    assert plan(STEP, seen(alive=["4711:99"]), a_moment()) == ()


def test_the_act_names_number_and_start_and_can_be_repeated() -> None:
    (act,) = plan(STEP, seen(ONE), a_moment())
    assert isinstance(act, Command)
    assert act.argv[4:] == ("TERM", "5", "yes", "10", "4711:99")
    assert (act.repeatable, act.once, act.timeout) == (True, False, 20 * SECOND)


def test_what_is_only_told_something_is_told_it_once() -> None:
    (act,) = plan(a_step("process", name="worker", user="app", signal="HUP"), seen(ONE), a_moment())
    assert isinstance(act, Command)
    assert act.argv[4:] == ("HUP", "-1", "no", "10", "4711:99")
    assert (act.repeatable, act.once) == (False, True)


def test_more_than_allowed_are_refused_and_shown() -> None:
    why = failure(plan(STEP, seen(ONE, TWO), a_moment()))
    assert why == (
        "2 processes match, at most 1 may be: 4711 worker (2h, 1.5 GiB, 97% cpu), 4712 worker (2h, 1.5 GiB, 97% cpu)"
    )


def test_it_has_worked_when_none_of_the_first_is_left_whatever_else_runs_now() -> None:
    assert plan(STEP, seen(TWO), after("signal"), seen(ONE)) == ()


def test_a_first_one_that_is_still_there_is_a_failure_even_when_it_is_calm_now() -> None:
    assert failure(plan(STEP, seen(alive=["4711:99"]), after("signal"), seen(ONE))).startswith(
        "still there after TERM: 4711 worker"
    )


def test_after_a_crash_only_those_of_the_first_look_are_signalled() -> None:
    (act,) = plan(a_step("process", name="worker", user="app", most=2), seen(TWO), a_moment(), seen(ONE, TWO))
    assert isinstance(act, Command)
    assert act.argv[8:] == ("4712:101",)


# --- on a real host --------------------------------------------------------------------------------


class Zoo:
    """Processes of the test's own, under names that nothing else has."""

    def __init__(self, folder: Path) -> None:
        self.name = f"run{os.getpid() % 10**8}"
        self.program = a_copy_of("/bin/sleep", folder / self.name)
        self._kept: list[subprocess.Popen[bytes]] = []

    def start(self, *argv: str | Path) -> subprocess.Popen[bytes]:
        words = [str(part) for part in argv]
        self._kept.append(subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        return self._kept[-1]

    def sleeper(self, seconds: str = "300") -> subprocess.Popen[bytes]:
        return self.start(self.program, seconds)

    def stubborn(self) -> subprocess.Popen[bytes]:
        """One that ignores TERM, and says when it does."""
        started = self.start("/bin/sh", "-c", 'trap "" TERM; echo ready; exec "$0" 300', self.program)
        assert started.stdout
        assert started.stdout.readline() == b"ready\n"
        return started

    def end(self) -> None:
        for one in self._kept:
            one.kill()
            one.wait(10)
            for stream in (one.stdin, one.stdout):
                if stream:
                    stream.close()


@pytest.fixture
def zoo(tmp_path: Path) -> Iterator[Zoo]:
    made = Zoo(tmp_path)
    yield made
    made.end()


def looked(step: Step) -> Facts:
    question = step.look()
    assert isinstance(question, Command)
    return step.read(run_here(question))


def found(step: Step) -> list[int]:
    matching = looked(step)["matching"]
    assert isinstance(matching, list)
    return [one["pid"] for one in matching]


@pytest.mark.needs(SSHD)
async def test_a_real_runaway_is_shown_first_and_gone_afterwards(zoo: Zoo, real: RealHost) -> None:
    runaway, other = zoo.sleeper("301"), zoo.sleeper("302")
    settings = {"name": zoo.name, "args_contain": "301"}
    shown = await real.rehearsed("process", **settings)
    assert [one["pid"] for one in shown.seen["matching"]] == [runaway.pid]  # type: ignore[attr-defined]
    assert (runaway.poll(), len(shown.acts)) == (None, 1)

    ended = await real.run("process", **settings)
    assert ended.outcome is RunOutcome.HELPED
    assert runaway.wait(10) == -signal.SIGTERM
    assert f"TERM sent to {runaway.pid}" in real.outputs
    assert other.poll() is None


@pytest.mark.needs(SSHD)
async def test_what_ignores_the_signal_is_killed_after_its_time_and_only_then(zoo: Zoo, real: RealHost) -> None:
    stubborn = zoo.stubborn()
    settings = {"args_contain": str(zoo.program), "user": "root", "grace": "1s"}
    failed = await real.run("process", **settings)
    assert (failed.outcome, stubborn.poll()) == (RunOutcome.FAILED, None)
    assert f"still there: {stubborn.pid}:" in failed.sentence

    ended = await real.run("process", **settings, then_kill_after="1s")
    assert ended.outcome is RunOutcome.HELPED
    assert stubborn.wait(10) == -signal.SIGKILL


@pytest.mark.needs(SSHD)
async def test_more_than_may_be_signalled_are_left_alone(zoo: Zoo, real: RealHost) -> None:
    both = [zoo.sleeper(), zoo.sleeper()]
    ended = await real.run("process", name=zoo.name, args_contain="300")
    assert "2 processes match, at most 1 may be" in ended.sentence
    assert [one.poll() for one in both] == [None, None]
    assert (await real.run("process", name=zoo.name, args_contain="300", most=2)).outcome is RunOutcome.HELPED
    assert [one.wait(10) for one in both] == [-signal.SIGTERM] * 2


@pytest.mark.needs(SSHD)
async def test_the_step_never_takes_itself_or_its_way_in_for_a_runaway(real: RealHost) -> None:
    # The text stands in the look's own arguments, and so in those of every shell above it.
    step = a_step("process", args_contain="only-the-look-says-this", user="root")
    assert await real.facts(step) == {"matches": 0, "matching": [], "alive": []}
    through = real.with_become("env", "only-the-look-says-this=1")
    assert (await through.facts(a_step("process", args_contain="only-the-look", user="root", become=True)))[
        "alive"
    ] == []


def test_who_started_the_look_is_spared() -> None:
    # Here that is this very test.
    text = Path("/proc/self/cmdline").read_text().split("\0")[-2]
    assert os.getpid() not in found(a_step("process", args_contain=text, user="root", most=20))


def test_another_look_at_the_same_time_is_no_runaway(zoo: Zoo) -> None:
    text = f"look-for-{zoo.name}"
    step = a_step("process", args_contain=text, user="root", most=20)
    other = zoo.start("/bin/sh", "-c", f"{_beginning(step)}; echo; read never", "sh", text)
    plain = zoo.start("/bin/sh", "-c", "echo; read never", "sh", text)
    for one in (other, plain):
        assert one.stdout
        one.stdout.readline()
    assert found(step) == [plain.pid]


def _beginning(step: Step) -> str:
    question = step.look()
    assert isinstance(question, Command)
    return question.argv[2].splitlines()[0]


@pytest.mark.needs(SSHD)
async def test_the_way_into_the_host_is_spared(real: RealHost) -> None:
    assert found(a_step("process", args_contain=str(real.directory), user="root", most=20)) == []


@pytest.mark.needs(SSHD)
async def test_another_process_under_the_same_number_is_not_signalled(zoo: Zoo, real: RealHost) -> None:
    sleeper = zoo.sleeper()
    step = a_step("process", name=zoo.name, args_contain="300")
    facts = await real.facts(step)
    matching = facts["matching"]
    assert isinstance(matching, list)
    other = {**matching[0], "start": str(int(matching[0]["start"]) - 1)}
    (act,) = plan(step, seen(other), a_moment())
    assert isinstance(act, Command)
    assert (await real.send(act)).stdout == f"{sleeper.pid} has ended\nall have ended\n"
    assert sleeper.poll() is None


def test_a_name_is_the_whole_name_and_a_text_is_no_pattern(zoo: Zoo) -> None:
    sleeper = zoo.sleeper("300.25")
    assert found(a_step("process", name=zoo.name, args_contain="300.25")) == [sleeper.pid]
    assert found(a_step("process", name=zoo.name[:-1], args_contain="300.25")) == []
    assert found(a_step("process", name=zoo.name, args_contain="300*25")) == []
    assert found(a_step("process", name=zoo.name, args_contain="[3]00")) == []


def test_age_memory_user_and_work_are_bounds(zoo: Zoo) -> None:
    sleeper = zoo.sleeper()
    selector = {"name": zoo.name, "args_contain": "300"}
    assert found(a_step("process", **selector, user="root")) == [sleeper.pid]
    assert found(a_step("process", **selector, user="nobody")) == []
    assert found(a_step("process", **selector, older_than="1h")) == []
    assert found(a_step("process", **selector, min_memory="100kB")) == [sleeper.pid]
    assert found(a_step("process", **selector, min_memory="500MiB")) == []
    assert found(a_step("process", **selector, min_cpu="2%")) == []
    assert "no such user" in str(looked(a_step("process", **selector, user="nobody-at-all"))["error"])


def test_what_works_now_is_told_from_what_only_sits_there(zoo: Zoo) -> None:
    text = f"spin-{zoo.name}"
    spinning = zoo.start(sys.executable, "-c", "print(flush=True)\nwhile True: pass", text)
    idle = zoo.start(sys.executable, "-c", "import time; print(flush=True); time.sleep(300)", text)
    for one in (spinning, idle):
        assert one.stdout
        one.stdout.readline()
    assert found(a_step("process", args_contain=text, min_cpu="5%")) == [spinning.pid]
    assert sorted(found(a_step("process", args_contain=text, min_memory="1MiB"))) == sorted([spinning.pid, idle.pid])


def _has_no_arguments(process: Path) -> bool:
    try:
        return not (process / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        # It has ended since the folder was listed.
        return False


def test_the_first_process_and_the_kernels_own_are_never_among_them() -> None:
    first = Path("/proc/1/comm").read_text().strip()
    assert 1 not in found(a_step("process", name=first, user="root", most=20))
    kernel = [int(one.name) for one in Path("/proc").glob("[0-9]*") if _has_no_arguments(one)]
    workers = found(a_step("process", name="kthreadd", user="root", most=20))
    assert not set(workers) & set(kernel)


def test_a_process_that_has_ended_but_was_not_fetched_yet_is_gone(zoo: Zoo) -> None:
    sleeper = zoo.sleeper()
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert found(a_step("process", name=zoo.name, user="root")) == []


@pytest.mark.needs(SSHD)
async def test_a_hang_up_is_sent_and_the_process_may_stay(zoo: Zoo, real: RealHost) -> None:
    told = zoo.start(
        sys.executable,
        "-c",
        "import signal, sys\nsignal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})\nprint(flush=True)\n"
        "signal.sigwait({signal.SIGHUP})\nprint('told', flush=True)\nsignal.pause()",
        zoo.name,
    )
    assert told.stdout
    told.stdout.readline()
    ended = await real.run("process", args_contain=zoo.name, user="root", signal="HUP")
    assert ended.outcome is RunOutcome.HELPED
    assert told.stdout.readline() == b"told\n"
    assert told.poll() is None
