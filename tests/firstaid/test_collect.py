"""`collect`: everything at the same time, everything kept, nothing in the way."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from responder.domain.acts import Act, Command, Done
from responder.domain.runbook import RunOutcome
from tests.fakes import NOW, SECOND
from tests.firstaid.real_host import RealHost
from tests.firstaid.test_steps import a_moment, a_step, plan
from tests.servers.sshd import SSHD


def labels(acts: tuple[Act, ...]) -> list[tuple[str, str]]:
    return [(act.label, act.keep_as) for act in acts if isinstance(act, Command)]


def test_collect_plans_all_its_commands_as_harmless_ones_that_are_kept() -> None:
    step = a_step("collect", commands=[["uptime"], ["df", "-h"]], timeout="5s", become=True)
    assert plan(step, {}, a_moment()) == tuple(
        Command(argv=argv, timeout=5 * SECOND, become=True, harmless=True, label=name, keep_as=f"{name}.txt")
        for argv, name in ((("uptime",), "uptime"), (("df", "-h"), "df -h"))
    )


def test_collect_goes_on_with_what_has_not_ended_and_is_done_after_that() -> None:
    step = a_step("collect", commands=[["uptime"], ["df"]])
    ended = [Done(label=label, is_good=False, at=NOW) for label in ("df", "uptime")]
    moments = [replace(a_moment(1, acted=1), done=tuple(ended[:count])) for count in (0, 1, 2)]
    assert [[name for name, _ in labels(plan(step, {}, moment))] for moment in moments] == [
        ["uptime", "df"],
        ["uptime"],
        [],
    ]


def test_collect_tells_commands_apart_that_begin_or_look_the_same() -> None:
    long = "x" * 200
    commands = [["df (2)"], ["df"], ["df"], ["cat", f"/{long}a"], ["cat", f"/{long}b"]]
    found = labels(plan(a_step("collect", commands=commands), {}, a_moment()))
    assert len({name for name, _ in found}) == len({file for _, file in found}) == 5


@pytest.mark.parametrize(
    ("argv", "file"),
    [
        (["cat", "/etc/fstab"], "cat _etc_fstab.txt"),
        (["sh", "-c", 'a\n\r"b"'], "sh -c a___b_.txt"),
        (["ps", "--sort=-rss", "é"], "ps --sort=-rss é.txt"),
    ],
)
def test_collect_keeps_output_under_a_name_that_a_file_can_have(argv: list[str], file: str) -> None:
    assert [kept for _, kept in labels(plan(a_step("collect", commands=[argv]), {}, a_moment()))] == [file]


@pytest.mark.parametrize("commands", [[], [[]], [["uptime"]] * 21, ["uptime"], [[""]], [["x" * 5000]]])
def test_collect_refuses_no_commands_too_many_and_texts_instead_of_lists(commands: object) -> None:
    with pytest.raises(ValidationError):
        a_step("collect", commands=commands)


# --- on a real host ----------------------------------------------------------------------------------


@pytest.mark.needs(SSHD)
async def test_the_commands_run_at_the_same_time(real: RealHost, tmp_path: Path) -> None:
    # Each end of a pipe waits for the other: one after the other, neither would ever end.
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    ends = [["/bin/sh", "-c", text, "sh", str(pipe)] for text in ('cat <"$1"', 'echo met >"$1"; echo told')]
    ended = await real.run("collect", commands=ends, timeout="20s")
    assert ended.outcome is RunOutcome.DIAGNOSED
    assert [attempt.output for attempt in real.disk.attempts] == ["met", "told"]


@pytest.mark.needs(SSHD)
async def test_what_fails_hangs_or_is_not_there_is_kept_and_stops_nothing(real: RealHost) -> None:
    commands = [["uptime"], ["/bin/sh", "-c", "echo half; exit 3"], ["no-such-program"], ["sleep", "300"]]
    ended = await real.run("collect", commands=commands, timeout="1s")
    assert ended.outcome is RunOutcome.DIAGNOSED
    codes = {attempt.command[0]: attempt.exit_code for attempt in real.disk.attempts}
    assert codes == {"uptime": 0, "/bin/sh": 3, "no-such-program": 127, "sleep": None}
    assert "longer than its 1 s" in real.outputs


@pytest.mark.needs(SSHD)
async def test_twenty_commands_fit_through_one_connection(real: RealHost) -> None:
    ended = await real.run("collect", commands=[["echo", str(number)] for number in range(20)])
    assert ended.outcome is RunOutcome.DIAGNOSED
    assert sorted(int(attempt.output) for attempt in real.disk.attempts) == list(range(20))
