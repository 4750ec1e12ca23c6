"""`disk_cleanup`: where it may clean, what it chooses, and that it deletes just that."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from responder.domain.acts import Command, CommandResult, Done, Facts
from responder.domain.runbook import RunOutcome
from responder.firstaid.step import Step
from tests.fakes import NOW, SECOND
from tests.firstaid.real_host import RealHost, run_here
from tests.firstaid.test_steps import a_moment, a_step, failure, plan
from tests.servers.sshd import SSHD

LOGS = {"paths": ["/var/log/app"], "patterns": ["*.gz"], "older_than": "7d"}
AFTER = replace(a_moment(1, acted=1), done=(Done(label="clean", is_good=True, at=NOW + SECOND),))


# --- what may be written ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"paths": ["/tmp", "/var/tmp/x", "/var/cache/apt", "/var/crash", "/var/lib/systemd/coredump"]},
        {"paths": ["/var/log/{{ app }}"]},
        {"paths": ["{{ folder }}"]},
        {"paths": ["/opt/app/logs/old"], "allow_root": "/opt/app/logs"},
        {"patterns": ["*"]},
        {"truncate": True, "older_than": "0s"},
        {"until_free": "20%"},
    ],
)
def test_folders_that_may_be_cleaned(changed: dict[str, object]) -> None:
    assert a_step("disk_cleanup", **{**LOGS, **changed}).look()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"paths": ["/"]}, "not in a folder that may be cleaned"),
        ({"paths": ["/etc"]}, "not in a folder that may be cleaned"),
        ({"paths": ["/var/log2"]}, "not in a folder that may be cleaned"),
        ({"paths": ["/var/log/../../etc"]}, "not in a folder that may be cleaned"),
        ({"paths": ["/var/log/"]}, "not in a folder that may be cleaned"),
        ({"paths": ["//var/log"]}, "not in a folder that may be cleaned"),
        ({"paths": ["var/log"]}, "not in a folder that may be cleaned"),
        ({"paths": ["/var/log/a\n/etc"]}, "not in a folder that may be cleaned"),
        ({"paths": ["/{{ folder }}"]}, "not in a folder that may be cleaned"),
        ({"paths": ["/opt/app"], "allow_root": "/opt/app/logs"}, "not in a folder that may be cleaned"),
        ({"paths": []}, "at least 1"),
        ({"allow_root": "/"}, "no folder that may be allowed"),
        ({"allow_root": "/opt"}, "no folder that may be allowed"),
        ({"allow_root": "/opt/../etc/x"}, "no folder that may be allowed"),
        ({"allow_root": "{{ folder }}"}, "written out"),
        ({"patterns": ["../*"]}, "no pattern"),
        ({"patterns": ["a\nb"]}, "no pattern"),
        ({"patterns": []}, "at least 1"),
        ({"patterns": ["*"], "older_than": "0s", "truncate": True}, "every name needs older_than"),
        ({"older_than": "0s"}, "at least 1m"),
        ({"truncate": True, "paths": ["/tmp/x"]}, "everybody may write"),
        ({"until_free": "100%"}, "between"),
        ({"most_files": 0}, "greater than or equal to 1"),
        ({"depth": 0}, "greater than or equal to 1"),
    ],
)
def test_other_folders_and_no_bounds_are_refused(changed: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        a_step("disk_cleanup", **{**LOGS, **changed})


def test_an_age_must_be_given() -> None:
    with pytest.raises(ValidationError, match="older_than"):
        a_step("disk_cleanup", paths=["/var/log"], patterns=["*.gz"])


# --- asking, reading and planning ------------------------------------------------------------------


def test_find_gets_every_value_as_a_word_of_its_own() -> None:
    step = a_step("disk_cleanup", **{**LOGS, "patterns": ["*.gz", "; rm -rf $HOME"], "larger_than": "1MiB"})
    question = step.look()
    assert isinstance(question, Command)
    assert question.argv[:2] == ("/bin/sh", "-c")
    assert question.argv[4:9] == ("look", "1000", str(10 * 1024**3), "0", "yes")
    assert " ".join(question.argv[10:]) == (
        "1 /var/log/app -maxdepth 8 -xdev -type f ( -name *.gz -o -name ; rm -rf $HOME ) -mmin +10080 -size +1048576c"
        " ! -path *[[:cntrl:]]*"
    )


def test_the_act_is_the_look_with_another_first_word() -> None:
    step = a_step("disk_cleanup", **LOGS)
    question, (act,) = step.look(), plan(step, {"files": 3}, a_moment())
    assert isinstance(question, Command)
    assert isinstance(act, Command)
    assert [pair for pair in zip(question.argv, act.argv, strict=True) if pair[0] != pair[1]] == [("look", "delete")]
    assert not act.once
    assert not act.repeatable


LOOKED = """\
missing /var/log/old
fs 2049 900 100 50 50 /var/log/app
fs 5 0 0 0 0 /var/cache/with blank
file 3221225472 /var/log/app/a b.gz
found 12
chosen 1 3221225472
held 2
over 9
"""


def test_the_answer_becomes_facts_for_people() -> None:
    assert a_step("disk_cleanup", **LOGS).read(CommandResult(exit_code=0, stdout=LOOKED)) == {
        "files": 1,
        "would_free": "3 GiB",
        "fitting_files": 12,
        "held_open": 2,
        "over_the_bounds": 9,
        "oldest": ["/var/log/app/a b.gz (3 GiB)"],
        "missing": ["/var/log/old"],
        "file_systems": [
            {"path": "/var/log/app", "free_percent": 10.0, "free": "100 KiB", "free_inodes_percent": 50.0},
            {"path": "/var/cache/with blank", "free_percent": 100.0, "free": "0 B", "free_inodes_percent": 100.0},
        ],
    }


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (CommandResult(exit_code=4, stderr="/var/log/app is really /etc"), "/var/log/app is really /etc"),
        (CommandResult(exit_code=0, stdout="found 1\n"), "exit code 0"),
        (CommandResult(exit_code=127, stderr="find: not found"), "find: not found"),
    ],
)
def test_without_a_whole_answer_nothing_is_deleted(answer: CommandResult, said: str) -> None:
    step = a_step("disk_cleanup", **LOGS)
    assert failure(plan(step, step.read(answer), a_moment())) == f"the files cannot be seen: {said}"


def test_nothing_to_delete_is_nothing_to_do_and_one_act_is_enough() -> None:
    step = a_step("disk_cleanup", **LOGS)
    assert plan(step, {"files": 0}, a_moment()) == ()
    assert plan(step, {"files": 9}, AFTER) == ()


def test_when_all_is_deleted_and_too_little_is_free_the_step_fails_and_says_so() -> None:
    step = a_step("disk_cleanup", **LOGS, until_free="20%")
    seen: Facts = {"files": 0, "file_systems": [{"path": "/var/log/app", "free_percent": 12.5}]}
    for moment in (a_moment(), AFTER):
        assert failure(plan(step, seen, moment)) == (
            "20% shall be free, but /var/log/app has 12.5% free, and no more may be deleted"
        )
    assert plan(step, {**seen, "file_systems": [{"path": "/", "free_percent": 20.0}]}, AFTER) == ()


# --- on a real disk --------------------------------------------------------------------------------


class Folder:
    """A folder with files of any age."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True)

    def write(self, name: str, *, days: float = 30, size: int = 5000) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size)
        os.utime(path, (time.time(), time.time() - days * 86400))
        return path

    def names(self) -> list[str]:
        return sorted(str(path.relative_to(self.path)) for path in self.path.rglob("*") if not path.is_dir())

    def settings(self, **more: Any) -> dict[str, Any]:
        own = {"paths": [str(self.path)], "allow_root": str(self.path), "patterns": ["*.log"], "older_than": "7d"}
        return {**own, **more}

    def step(self, **more: Any) -> Step:
        return a_step("disk_cleanup", **self.settings(**more))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "app" / "logs")


def looked(step: Step) -> Facts:
    question = step.look()
    assert isinstance(question, Command)
    return step.read(run_here(question))


def cleaned(step: Step) -> CommandResult:
    (act,) = plan(step, looked(step), a_moment())
    assert isinstance(act, Command)
    return run_here(act)


@pytest.mark.needs(SSHD)
async def test_a_dry_run_shows_what_a_run_deletes_and_deletes_nothing(folder: Folder, real: RealHost) -> None:
    for name in ("old.log", "older one's $(x).log", "deep/er/old.log"):
        folder.write(name)
    for name in ("new.log", "old.txt"):
        folder.write(name, days=1 if name == "new.log" else 30)
    shown = await real.rehearsed("disk_cleanup", **folder.settings())
    assert (shown.seen["files"], len(shown.acts), len(folder.names())) == (3, 1, 5)
    assert sorted(line.split(" (")[0] for line in shown.seen["oldest"]) == sorted(  # type: ignore[attr-defined]
        f"{folder.path}/{name}".split(" (")[0] for name in ("old.log", "older one's $(x).log", "deep/er/old.log")
    )

    ended = await real.run("disk_cleanup", **folder.settings())
    assert ended.outcome is RunOutcome.HELPED
    assert folder.names() == ["new.log", "old.txt"]
    assert real.outputs.endswith("deleted 3 of 3 files")
    assert f"{folder.path}/deep/er/old.log" in real.outputs.splitlines()


@pytest.mark.needs(SSHD)
async def test_too_little_to_delete_is_said(folder: Folder, real: RealHost) -> None:
    folder.write("old.log")
    ended = await real.run("disk_cleanup", **folder.settings(until_free="99.9%"))
    assert ended.outcome is RunOutcome.FAILED
    assert "99.9% shall be free, but" in ended.sentence
    assert folder.names() == []


def test_enough_is_free_so_nothing_is_deleted(folder: Folder) -> None:
    folder.write("old.log")
    step = folder.step(until_free="0.001%")
    assert plan(step, looked(step), a_moment()) == ()


def test_the_oldest_go_first_and_no_more_than_allowed(folder: Folder) -> None:
    for days in (20, 50, 30, 40):
        folder.write(f"{days}.log", days=days)
    assert cleaned(folder.step(most_files=2)).stdout.endswith("deleted 2 of 2 files\n")
    assert folder.names() == ["20.log", "30.log"]


def test_no_more_bytes_go_than_allowed(folder: Folder) -> None:
    for days in (20, 50, 30):
        folder.write(f"{days}.log", days=days, size=100_000)
    cleaned(folder.step(most_bytes="250kB"))
    assert folder.names() == ["20.log"]


def test_many_files_go_in_several_batches(folder: Folder) -> None:
    for number in range(1203):
        folder.write(f"{number}.log", size=0)
    assert cleaned(folder.step(most_files=1201)).stdout.endswith("and 701 more\ndeleted 1201 of 1201 files\n")
    assert len(folder.names()) == 2


def test_size_and_depth_are_bounds(folder: Folder) -> None:
    folder.write("small.log", size=10)
    folder.write("large.log", size=20_000)
    folder.write("a/b/large.log", size=20_000)
    cleaned(folder.step(larger_than="1kB", depth=1))
    assert folder.names() == ["a/b/large.log", "small.log"]


def test_links_are_not_followed_and_other_kinds_of_files_are_left(folder: Folder, tmp_path: Path) -> None:
    outside = Folder(tmp_path / "outside")
    outside.write("precious.log")
    (folder.path / "file.log").symlink_to(outside.path / "precious.log")
    (folder.path / "folder.log").symlink_to(outside.path)
    os.mkfifo(folder.path / "fifo.log")
    (folder.path / "empty.log").mkdir()
    assert looked(folder.step(older_than="1m"))["files"] == 0
    assert outside.names() == ["precious.log"]


def test_a_folder_that_is_a_link_is_refused(folder: Folder, tmp_path: Path) -> None:
    outside = Folder(tmp_path / "outside")
    outside.write("precious.log")
    shutil.rmtree(folder.path)
    folder.path.symlink_to(outside.path)
    assert "a symbolic link leads there" in str(looked(folder.step())["error"])


def test_a_folder_that_is_not_there_is_told_and_the_others_are_cleaned(folder: Folder) -> None:
    folder.write("here/old.log")
    step = folder.step(paths=[f"{folder.path}/gone", f"{folder.path}/here"])
    assert looked(step)["missing"] == [f"{folder.path}/gone"]
    assert cleaned(step).stdout.endswith("deleted 1 of 1 files\n")


def test_folders_in_each_other_count_once(folder: Folder) -> None:
    folder.write("in/old.log")
    assert looked(folder.step(paths=[str(folder.path), f"{folder.path}/in"]))["files"] == 1


def test_a_name_with_a_line_end_is_left_alone(folder: Folder, tmp_path: Path) -> None:
    outside = Folder(tmp_path / "outside")
    precious = outside.write("precious.log")
    folder.write(f"x\n{precious}/old.log".replace("/", "_"))
    folder.write("a\nb/old.log")
    assert looked(folder.step())["files"] == 0


def test_a_file_that_is_held_open_is_left_unless_told_otherwise(folder: Folder) -> None:
    held = folder.write("held.log")
    with held.open("ab"):
        facts = looked(folder.step())
        assert (facts["files"], facts["held_open"]) == (0, 1)
        assert looked(folder.step(skip_open=False))["files"] == 1
    assert looked(folder.step())["files"] == 1


def test_a_file_that_is_written_to_after_the_look_is_left(folder: Folder) -> None:
    old, touched = folder.write("old.log"), folder.write("touched.log")
    step = folder.step()
    (act,) = plan(step, looked(step), a_moment())
    assert isinstance(act, Command)
    os.utime(touched)
    assert run_here(act).stdout == f"{old}\ndeleted 1 of 1 files\n"
    assert touched.exists()


@pytest.mark.needs("dd")
def test_a_log_that_is_held_open_is_emptied_in_place(tmp_path: Path) -> None:
    folder = Folder(Path(f"/var/log/responder-test-{os.getpid()}"))
    try:
        log = folder.write("busy.log", days=0, size=50_000)
        with log.open("ab") as writer:
            result = cleaned(folder.step(truncate=True, older_than="0s"))
            assert result.stdout == f"{log}\nemptied 1 of 1 files\n"
            assert (log.stat().st_size, os.fstat(writer.fileno()).st_ino) == (0, log.stat().st_ino)
        assert looked(folder.step(truncate=True, older_than="0s"))["files"] == 0
    finally:
        shutil.rmtree(folder.path)


def test_what_cannot_be_deleted_is_a_failure_that_says_why(folder: Folder, tmp_path: Path) -> None:
    folder.write("old.log")
    tools = tmp_path / "tools"
    tools.mkdir()
    find = tools / "find"
    find.write_text(
        '#!/bin/sh\ncase "$*" in *-delete*) echo "find: cannot delete" >&2; exit 1 ;; esac\nexec /usr/bin/find "$@"\n'
    )
    find.chmod(0o755)
    step = folder.step()
    (act,) = plan(step, looked(step), a_moment())
    assert isinstance(act, Command)
    result = run_here(act, {"PATH": f"{tools}:{os.environ['PATH']}"})
    assert (result.exit_code, result.stdout) == (1, "deleted 0 of 1 files\n")
    assert "cannot delete" in result.stderr


def test_nothing_is_written_to_a_disk_that_may_be_full(folder: Folder, tmp_path: Path) -> None:
    folder.write("old.log")
    step = folder.step()
    (act,) = plan(step, looked(step), a_moment())
    assert isinstance(act, Command)
    closed = {"PATH": os.environ["PATH"], "TMPDIR": "/nowhere", "HOME": "/nowhere"}
    assert run_here(act, closed).stdout.endswith("deleted 1 of 1 files\n")


def test_both_scripts_are_good_shell() -> None:
    for kind, settings in (("disk_cleanup", LOGS), ("process", {"name": "x", "user": "y"})):
        question = a_step(kind, **settings).look()
        assert isinstance(question, Command)
        assert subprocess.run(["/bin/sh", "-n", "-c", question.argv[2]], check=False).returncode == 0
