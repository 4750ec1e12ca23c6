"""The marker script, run for real: it tells whether a command that must run once has run."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from responder.domain.acts import Command, CommandResult
from responder.firstaid import marker
from responder.firstaid.marker import Trace


class RealShell:
    """A host whose commands run here, through /bin/sh, with a home folder of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.state = home / ".local" / "state" / "responder"
        self.environment = {"HOME": str(home), "PATH": "/usr/bin:/bin"}

    def run(self, command: Command) -> CommandResult:
        done = subprocess.run(
            command.argv, env=self.environment, cwd=self.home, capture_output=True, text=True, timeout=30, check=False
        )
        return CommandResult(exit_code=done.returncode, stdout=done.stdout, stderr=done.stderr)

    def once(self, attempt: str, *argv: str) -> CommandResult:
        return self.run(marker.marked(Command(argv=argv, once=True), attempt))

    def ask(self, attempt: str) -> Trace:
        return marker.read(self.run(marker.question(attempt)))


@pytest.fixture
def shell(tmp_path: Path) -> RealShell:
    return RealShell(tmp_path)


def test_a_command_that_never_reached_the_host_has_left_no_marker(shell: RealShell) -> None:
    assert shell.ask("attempt-1") == Trace(started=False)


def test_what_was_asked_about_before_it_started_cannot_start_any_more(shell: RealShell) -> None:
    assert shell.ask("attempt-1") == Trace(started=False)
    late = shell.once("attempt-1", "/bin/sh", "-c", "echo ran >> ran.txt")
    assert (late.exit_code, late.stderr) == (125, "this attempt was started before\n")
    assert not (shell.home / "ran.txt").exists()
    assert shell.ask("attempt-1") == Trace(started=False)


def test_a_command_that_ended_is_known_with_its_exit_code_and_its_output_is_untouched(shell: RealShell) -> None:
    done = shell.once("attempt-1", "/bin/sh", "-c", "echo out; echo err >&2; exit 7")
    assert (done.exit_code, done.stdout, done.stderr) == (7, "out\n", "err\n")
    assert shell.ask("attempt-1") == Trace(started=True, exit_code=7)


def test_a_success_is_known_as_one(shell: RealShell) -> None:
    assert shell.once("attempt-1", "true").exit_code == 0
    assert shell.ask("attempt-1") == Trace(started=True, exit_code=0)


def test_the_same_attempt_runs_its_command_once_only(shell: RealShell) -> None:
    for _ in range(2):
        last = shell.once("attempt-1", "/bin/sh", "-c", "echo ran >> ran.txt")
    assert (shell.home / "ran.txt").read_text() == "ran\n"
    assert (last.exit_code, last.stderr) == (125, "this attempt was started before\n")
    assert shell.ask("attempt-1") == Trace(started=True, exit_code=0)


def test_another_attempt_may_run_it_again(shell: RealShell) -> None:
    for attempt in ("attempt-1", "attempt-2"):
        shell.once(attempt, "/bin/sh", "-c", "echo ran >> ran.txt")
    assert (shell.home / "ran.txt").read_text() == "ran\nran\n"


def test_a_command_that_was_killed_in_the_middle_has_started_and_has_no_end(shell: RealShell) -> None:
    shell.once("attempt-1", "/bin/sh", "-c", "kill -9 $PPID")
    assert shell.ask("attempt-1") == Trace(started=True, exit_code=None)


def test_two_at_the_same_instant_run_it_once(shell: RealShell) -> None:
    command = marker.marked(Command(argv=("/bin/sh", "-c", "echo ran >> ran.txt"), once=True), "attempt-1")
    both = [
        subprocess.Popen(command.argv, env=shell.environment, cwd=shell.home, stderr=subprocess.DEVNULL)
        for _ in range(8)
    ]
    codes = sorted(one.wait(timeout=30) for one in both)
    assert codes == [0] + [125] * 7
    assert (shell.home / "ran.txt").read_text() == "ran\n"


@pytest.mark.parametrize(
    "argument", ["a b", "$(touch evil)", "`touch evil`", "'", '"', "a\nb", "*", "; touch evil", ""]
)
def test_arguments_reach_the_command_as_they_are(shell: RealShell, argument: str) -> None:
    assert shell.once("attempt-1", "printf", "%s|", "first", argument).stdout == f"first|{argument}|"
    assert not (shell.home / "evil").exists()


def test_markers_are_for_their_owner_only_and_may_live_elsewhere(shell: RealShell) -> None:
    shell.once("attempt-1", "true")
    assert (shell.state / "attempt-1.started").stat().st_mode & 0o077 == 0
    shell.environment["RESPONDER_STATE"] = str(shell.home / "elsewhere")
    shell.once("attempt-1", "true")
    assert (shell.home / "elsewhere" / "attempt-1.exit").read_text() == "0\n"
    assert shell.ask("attempt-1") == Trace(started=True, exit_code=0)


def test_without_a_place_for_the_marker_the_command_does_not_run(shell: RealShell) -> None:
    shell.home.joinpath(".local").write_text("in the way")
    assert shell.once("attempt-1", "touch", "ran").exit_code == 125
    assert not (shell.home / "ran").exists()


def test_a_marked_command_keeps_its_timeout_and_its_rights() -> None:
    command = Command(argv=("reboot",), timeout=timedelta(seconds=9), become=True, once=True)
    sent = marker.marked(command, "attempt-1")
    assert (sent.timeout, sent.become, sent.once) == (command.timeout, True, True)
    assert sent.argv[-2:] == ("attempt-1", "reboot")


@pytest.mark.parametrize(
    ("answer", "trace"),
    [
        (CommandResult(exit_code=3), Trace(started=False)),
        (CommandResult(exit_code=0, stdout="0\n"), Trace(started=True, exit_code=0)),
        (CommandResult(exit_code=0, stdout="143\n"), Trace(started=True, exit_code=143)),
        (CommandResult(exit_code=0, stdout=""), Trace(started=True)),
        (CommandResult(exit_code=0, stdout="banner\n0\n"), Trace(started=True)),
        (CommandResult(exit_code=4), Trace(started=True)),
        (CommandResult(exit_code=127, stderr="no shell"), Trace(started=True)),
        (CommandResult(exit_code=1, stdout="0\n"), Trace(started=True)),
    ],
)
def test_only_a_clear_answer_says_that_it_did_not_start_or_how_it_ended(answer: CommandResult, trace: Trace) -> None:
    assert marker.read(answer) == trace
