"""What the configuration names and is not there is named by `responder check`, at its line and column."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_commands import run
from tests.world import HOST_KEY

INVENTORY = f"""\
defaults:
  key_file: keys/all
targets:
  - {{name: web-1, host_key: {HOST_KEY}}}
  - {{name: web-2, host_key: {HOST_KEY}}}
  - name: db-1
    host_key: {HOST_KEY}
    key_file: /nowhere/db
"""


def checked(folder: Path, *arguments: str, main: str = "", inventory: str = INVENTORY) -> tuple[int, str]:
    """The exit code, and what is said without the folder."""
    made = folder / "ops"
    assert run("init", str(made)).exit_code == 0
    (made / "inventory.yml").write_text(inventory)
    with (made / "responder.yml").open("a") as file:
        file.write(main)
    result = run("check", *arguments, "--config", str(made / "responder.yml"))
    return result.exit_code, result.output.replace(f"{made}/", "")


def test_a_key_that_is_not_here_is_a_warning_since_it_may_be_where_the_service_runs(tmp_path: Path) -> None:
    code, said = checked(tmp_path)
    assert code == 0
    assert said.splitlines()[:2] == [
        "inventory.yml:2:3: warning: keys/all cannot be read here: No such file or directory; "
        "without it no runbook gets to web-1, web-2 [docs/lint.md#key-not-here]",
        "inventory.yml:8:5: warning: /nowhere/db cannot be read here: No such file or directory; "
        "without it no runbook gets to db-1 [docs/lint.md#key-not-here]",
    ]
    assert "all files are right" in said


def test_the_summary_counts_one_as_one(tmp_path: Path) -> None:
    code, said = checked(tmp_path, inventory="targets: []\n")
    assert (code, said.split(", ")[0], "1 person" in said) == (0, "all files are right: 1 source", True)


def test_who_checks_where_the_service_runs_says_strict(tmp_path: Path) -> None:
    assert checked(tmp_path, "--strict")[0] == 2


def test_a_key_that_is_there_is_not_mentioned_and_one_that_nobody_uses_neither(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("a key")
    there = INVENTORY.replace("keys/all", str(tmp_path / "key")).replace("/nowhere/db", str(tmp_path))
    code, said = checked(tmp_path, inventory=there)
    assert (code, said.count("key-not-here"), "Is a directory" in said) == (0, 1, True)
    code, said = checked(tmp_path / "more", inventory="defaults: {key_file: keys/all}\ntargets: []\n")
    assert (code, "key-not-here" in said) == (0, False)


@pytest.mark.parametrize(
    ("main", "said"),
    [
        ("reporters: {url_file: none}\n", "none cannot be read: No such file or directory"),
        ("dead_man: {url_file: none}\n", "none cannot be read: No such file or directory"),
        (
            "mail: {address: a@b.test, smtp: {host: h, user: u, password_file: none}}\n",
            "none cannot be read: No such file or directory",
        ),
        ("mail: {address: a@b.test, smtp: {host: h, ca_file: none}}\n", "none is no file"),
        ("mail: {address: a@b.test, smtp: {host: h}, rules: [none]}\n", "none is no folder"),
    ],
)
def test_whatever_else_is_named_and_not_there_is_a_mistake_since_nothing_starts_without_it(
    tmp_path: Path, main: str, said: str
) -> None:
    found, text = checked(tmp_path, main=main, inventory="targets: []\n")
    assert (found, said in text, "responder.yml:" in text) == (2, True, True)
