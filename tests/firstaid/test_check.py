"""`check`: a command must say so, and nothing is done when it does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from responder.domain.acts import Command, CommandResult, Facts
from responder.domain.runbook import RunOutcome
from tests.fakes import SECOND
from tests.firstaid.real_host import RealHost
from tests.firstaid.test_steps import a_moment, a_step, failure, plan, waits_until
from tests.servers.sshd import SSHD

STEP = a_step("check", command=["app", "status"], contains="ok", within="10s", every="2s")


def test_it_asks_with_its_command() -> None:
    step = a_step("check", command=["app", "status"], timeout="5s", become=True)
    assert step.look() == Command(argv=("app", "status"), timeout=5 * SECOND, become=True)


@pytest.mark.parametrize(
    ("settings", "code", "printed", "holds"),
    [
        ({}, 0, "", True),
        ({}, 1, "", False),
        ({"exit_code": 3}, 3, "", True),
        ({"exit_code": 3}, 0, "", False),
        ({"contains": "is ok"}, 0, "all is ok\n", True),
        ({"contains": "is.ok"}, 0, "all is ok\n", False),
        ({"contains": "is ok"}, 1, "all is ok\n", False),
        ({"matches": r"^lag: \d$"}, 0, "node: 1\nlag: 3\n", True),
        ({"matches": r"^lag: \d$"}, 0, "node: 1\nlag: 33\n", False),
        ({"matches": "a", "contains": "b"}, 0, "a", False),
    ],
)
def test_exit_code_and_text_must_both_be_as_wanted(
    settings: dict[str, object], code: int, printed: str, holds: bool
) -> None:
    step = a_step("check", command=["app"], **settings)
    seen = step.read(CommandResult(exit_code=code, stdout=printed))
    assert (plan(step, seen, a_moment()) == ()) is holds


def test_it_waits_within_its_time_and_then_fails_with_what_it_found() -> None:
    seen = STEP.read(CommandResult(exit_code=0, stdout="bad\n"))
    assert waits_until(plan(STEP, seen, a_moment(9))) == 11
    assert failure(plan(STEP, seen, a_moment(10))) == (
        "expected app status to exit with 0 and contain 'ok' within 10s, but it exited with 0: bad"
    )


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        ({"exit_code": 1, "has_the_text": True, "said": ""}, "but it exited with 1 and printed nothing"),
        ({"error": "no answer"}, "but no answer"),
        ({}, "but there is no answer"),
    ],
)
def test_its_failure_says_what_was_there_instead(seen: Facts, said: str) -> None:
    assert failure(plan(a_step("check", command=["app"]), seen, a_moment())).endswith(said)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"command": []},
        {"command": "app status"},
        {"command": ["app"], "matches": "("},
        {"command": ["app"], "exit_code": 256},
        {"command": ["app"], "run": ["fix"]},
    ],
)
def test_what_cannot_be_checked_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        a_step("check", **settings)


@pytest.mark.needs(SSHD)
async def test_on_a_real_host_it_looks_and_never_acts(real: RealHost, tmp_path: Path) -> None:
    there = tmp_path / "there"
    command = ["/bin/sh", "-c", 'cat "$1" && echo read', "sh", str(there)]
    failed = await real.run("check", command=command, contains="well", within="4s")
    assert failed.outcome is RunOutcome.DIAGNOSED
    assert "to exit with 0 and contain 'well' within 4s, but it exited with 1: cat:" in failed.sentence
    there.write_text("all is well\n")
    assert (await real.run("check", command=command, contains="well")).outcome is RunOutcome.DIAGNOSED
    assert real.disk.attempts == []
