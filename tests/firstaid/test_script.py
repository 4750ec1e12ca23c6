"""`script`: a reviewed file runs on the host as it was read, and is gone afterwards whatever happens."""

from __future__ import annotations

import base64
import hashlib
import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from responder.domain.acts import Command, CommandResult
from responder.domain.runbook import RunOutcome
from responder.firstaid.rendering import render
from responder.firstaid.step import Step
from responder.firstaid.steps.script import Script
from tests.fakes import SECOND
from tests.firstaid.real_host import RealHost, run_here
from tests.firstaid.test_steps import a_moment, a_step, failure, plan, waits_until
from tests.servers.sshd import SSHD, wait_for_end

TEXT = '#!/bin/sh\necho "{{ not a template }} $1 é"\n'
ONCE = "because nothing can tell"


def a_script(folder: Path, text: str = TEXT, **settings: Any) -> Mapping[str, Any]:
    """The settings of a script step, as a run's snapshot has them."""
    (folder / "fix.sh").write_text(text)
    given = {"file": "fix.sh", **({} if "check" in settings else {"once": ONCE}), **settings}
    return Script.prepared(given, folder)


def act_of(step: Step) -> Command:
    (act,) = plan(step, {}, a_moment())
    assert isinstance(act, Command)
    return act


# --- the file ---------------------------------------------------------------------------------------


def test_the_snapshot_holds_the_content_where_no_template_can_touch_it(tmp_path: Path) -> None:
    settings = a_script(tmp_path, arguments=["{{ name }}"])
    assert settings["sha256"] == hashlib.sha256(TEXT.encode()).hexdigest()
    assert "{" not in settings["content"]
    filled = render(settings, {"name": "x"})
    assert isinstance(filled, dict)
    assert base64.b64decode(filled["content"]).decode() == TEXT
    assert filled["arguments"] == ["x"]


def test_what_runs_is_what_was_read_whatever_becomes_of_the_file(tmp_path: Path) -> None:
    settings = a_script(tmp_path)
    (tmp_path / "fix.sh").write_text("#!/bin/sh\necho other\n")
    assert act_of(a_step("script", **settings)).stdin == TEXT


def test_a_file_below_the_runbook_may_be_named(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "x.py").write_text("print(1)")
    given = {"file": "scripts/x.py", "interpreter": ["python3"], "once": ONCE}
    assert Script.prepared(given, tmp_path)["sha256"]


@pytest.mark.parametrize("name", ["../secret.sh", "/etc/passwd", "inside/../../secret.sh", "link.sh"])
def test_a_file_elsewhere_is_refused(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "runbooks"
    folder.mkdir()
    (tmp_path / "secret.sh").write_text(TEXT)
    (folder / "link.sh").symlink_to(tmp_path / "secret.sh")
    with pytest.raises(ValueError, match="not beside or below the runbook"):
        Script.prepared({"file": name}, folder)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "1 to 262144 bytes"),
        (b"#!/bin/sh\n" + b"x" * 262_144, "1 to 262144 bytes"),
        (b"#!/bin/sh\n\xff", "not UTF-8"),
        (b"echo\n", "must begin with #!"),
        (b"#!/bin/sh\r\necho\r\n", "line ends of Windows"),
    ],
)
def test_a_file_that_cannot_be_run_is_refused(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "fix.sh").write_bytes(content)
    with pytest.raises(ValueError, match=said):
        Script.prepared({"file": "fix.sh"}, tmp_path)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "needs file"),
        ({"file": "{{ name }}.sh"}, "written out"),
        ({"file": "gone.sh"}, "cannot be read: No such file"),
        ({"file": "."}, "cannot be read"),
        ({"file": "gone.sh", "content": "x"}, "filled in from file"),
    ],
)
def test_what_names_no_file_is_refused(settings: dict[str, object], said: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=said):
        Script.prepared(settings, tmp_path)


@pytest.mark.parametrize("settings", ["fix.sh", ["fix.sh"], 1])
def test_settings_that_are_no_mapping_are_left_to_the_check_of_all_settings(settings: Any, tmp_path: Path) -> None:
    assert Script.prepared(settings, tmp_path) is settings


# --- the step ----------------------------------------------------------------------------------------


def test_it_looks_or_says_why_not() -> None:
    for settings in ({}, {"check": ["test"], "once": ONCE}):
        with pytest.raises(ValidationError, match="either check"):
            a_step("script", file="fix.sh", **settings)


def test_with_a_check_it_runs_when_that_fails_and_waits_for_it(tmp_path: Path) -> None:
    step = a_step("script", **a_script(tmp_path, check=["test"], grace="5s"))
    assert step.look() == Command(argv=("test",), timeout=60 * SECOND)
    well, badly = step.read(CommandResult(exit_code=0)), step.read(CommandResult(exit_code=1))
    assert plan(step, well, a_moment()) == ()
    assert not act_of(step).once
    assert waits_until(plan(step, badly, a_moment(2, acted=1))) == 4
    assert failure(plan(step, badly, a_moment(6, acted=1))) == "the check still exits with 1"


def test_once_it_runs_marked_and_never_again(tmp_path: Path) -> None:
    step = a_step("script", **a_script(tmp_path))
    assert step.look() is None
    assert act_of(step).once
    assert plan(step, {}, a_moment(1, acted=1)) == ()


def test_without_its_content_it_does_not_act() -> None:
    step = a_step("script", file="fix.sh", once=ONCE)
    assert failure(plan(step, {}, a_moment())) == "the content of fix.sh was not read"


# --- on a real host ----------------------------------------------------------------------------------


def left_behind(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.name == "script" or path.name.startswith("script.")]


@pytest.mark.needs(SSHD)
async def test_it_runs_with_its_arguments_and_is_gone(real: RealHost, tmp_path: Path) -> None:
    text = '#!/bin/sh\nprintf "%s|" "$@"; ls -l "$0"; cat\n'
    settings = a_script(tmp_path, text, arguments=["a b", "", "$(id)", "-x"])
    assert (await real.run("script", **settings)).outcome is RunOutcome.HELPED
    assert real.outputs.startswith("a b||$(id)|-x|-rwx------")
    assert left_behind(real.directory / "state") == []


@pytest.mark.needs(SSHD)
async def test_a_failure_is_told_with_its_code_and_the_file_is_gone(real: RealHost, tmp_path: Path) -> None:
    ended = await real.run("script", **a_script(tmp_path, "#!/bin/sh\necho no such queue >&2; exit 7\n"))
    assert ended.outcome is RunOutcome.FAILED
    assert "exit code 7: [stderr] | no such queue" in ended.sentence
    assert left_behind(real.directory / "state") == []


@pytest.mark.needs(SSHD)
@pytest.mark.parametrize("more", [{}, {"check": ["false"]}], ids=["once", "check"])
async def test_a_script_that_hangs_is_ended_and_the_file_is_gone(
    real: RealHost, tmp_path: Path, more: dict[str, object]
) -> None:
    text = f"#!/bin/sh\necho $$ >{tmp_path}/pid; sleep 300; echo on >{tmp_path}/on\n"
    ended = await real.run("script", **a_script(tmp_path, text, timeout="1s", **more))
    assert ended.outcome is RunOutcome.FAILED
    assert "longer than its 1 s" in ended.sentence
    assert left_behind(real.directory / "state") == []
    wait_for_end(int((tmp_path / "pid").read_text()))
    assert not (tmp_path / "on").exists()


@pytest.mark.needs(SSHD)
@pytest.mark.parametrize("more", [{}, {"check": ["false"]}], ids=["once", "check"])
async def test_a_script_that_ignores_the_end_of_its_time_is_killed_and_the_file_is_gone(
    real: RealHost, tmp_path: Path, more: dict[str, object]
) -> None:
    text = f'#!/bin/sh\ntrap "" TERM; echo $$ >{tmp_path}/pid; while :; do sleep 1; done\n'
    ended = await real.run("script", **a_script(tmp_path, text, timeout="1s", **more))
    assert ended.outcome is RunOutcome.FAILED
    assert left_behind(real.directory / "state") == []
    wait_for_end(int((tmp_path / "pid").read_text()))


@pytest.mark.needs(SSHD)
async def test_a_dry_run_shows_the_script_and_sends_nothing(real: RealHost, tmp_path: Path) -> None:
    settings = a_script(tmp_path, "#!/bin/sh\ntouch ran\n", check=["false"])
    shown = await real.rehearsed("script", **settings)
    (act,) = shown.acts
    assert isinstance(act, Command)
    assert (act.argv[3], act.argv[4]) == ("fix.sh", settings["sha256"])
    assert shown.seen == {"as_wanted": False, "check_exit_code": 1}


def test_the_interpreter_gets_the_file_and_then_the_arguments(tmp_path: Path) -> None:
    text = "import sys; print(sys.argv[1:], sys.flags.no_site)"
    settings = a_script(tmp_path, text, interpreter=["python3", "-S"], arguments=["-S", "b c"])
    assert run_here(act_of(a_step("script", **settings))).stdout == "['-S', 'b c'] 1\n"
    without = a_script(tmp_path, text, interpreter=["python3"])
    assert run_here(act_of(a_step("script", **without))).stdout == "[] 0\n"


def test_a_script_that_arrives_damaged_is_not_run(tmp_path: Path) -> None:
    act = act_of(a_step("script", **a_script(tmp_path)))
    cut = subprocess.run(act.argv, input=act.stdin.encode()[:-1], capture_output=True, timeout=30, check=False)
    assert (cut.returncode, cut.stdout) == (125, b"")
    assert b"arrived damaged" in cut.stderr


def test_where_nothing_can_compare_sums_the_size_is_compared(tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("mkdir", "mktemp", "cat", "chmod", "rm", "wc"):
        (tools / name).symlink_to(f"/bin/{name}")
    act = act_of(a_step("script", **a_script(tmp_path, arguments=["x"])))
    environment = {"PATH": str(tools), "RESPONDER_STATE": str(tmp_path / "state")}
    assert run_here(act, environment).stdout == "{{ not a template }} x é\n"
    cut = subprocess.run(
        act.argv, input=act.stdin.encode()[:-1], capture_output=True, env=environment, timeout=30, check=False
    )
    assert cut.returncode == 125
    assert left_behind(tmp_path / "state") == []


def test_without_a_home_it_goes_to_the_folder_for_temporary_files(tmp_path: Path) -> None:
    act = act_of(a_step("script", **a_script(tmp_path, "#!/bin/sh\necho $0\n")))
    environment = {"PATH": os.environ["PATH"], "HOME": "/proc/none", "TMPDIR": str(tmp_path)}
    done = run_here(act, environment)
    assert done.stdout.startswith(f"{tmp_path}/")
    assert not Path(done.stdout.strip()).exists()


def test_the_file_goes_at_once_when_the_script_does_not_listen(tmp_path: Path) -> None:
    text = '#!/bin/sh\ntrap "" TERM\necho "$0 $$"\nread line <"$1"\n'
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    act = act_of(a_step("script", **a_script(tmp_path, text, arguments=[str(fifo)])))
    running = subprocess.Popen(act.argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert running.stdin
    assert running.stdout
    try:
        running.stdin.write(act.stdin)
        running.stdin.close()
        path = Path(running.stdout.readline().split()[0])
        assert path.exists()
        running.send_signal(signal.SIGTERM)
        with fifo.open("w") as writer:
            writer.write("go on\n")
        running.wait(20)
        assert not path.parent.exists()
    finally:
        running.kill()
        running.wait(10)
        running.stdout.close()
