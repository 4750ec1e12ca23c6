"""`responder check` with runbooks, and its warnings, as a shell sees them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from responder.cli import application

HEAD = "runbook: example\nsummary: An example\ntimeout: 5m\n"
SOUND = HEAD + "steps:\n  - service_restart: {unit: app.service}\n"
UNWISE = HEAD + 'steps:\n  - check: {command: [sh, -c, "x | y"]}\n'
WRONG = HEAD + 'steps:\n  - check: {command: [sh, -c, "x {{ target }}"]}\n'
WITHOUT_LOOK = HEAD + "steps:\n  - ssh: {run: [x]}\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "example.yml"
    path.write_text(text)
    return path


def ran(*words: object) -> Result:
    return CliRunner().invoke(application(["check"]), ["check", *map(str, words)])


def test_a_sound_runbook_exits_with_0_and_says_what_was_left_out(tmp_path: Path) -> None:
    result = ran(written(tmp_path, SOUND))
    assert result.exit_code == 0
    assert result.stderr == ""
    assert result.stdout == ("1 runbook is right; rules that need the inventory and the policy were left out\n")


def test_a_warning_is_shown_and_exits_with_0_unless_it_is_strict(tmp_path: Path) -> None:
    path = written(tmp_path, UNWISE)
    result = ran(path)
    assert result.exit_code == 0
    assert result.stderr.startswith(f"{path}:5:31: warning: a text for a shell")
    assert result.stderr.endswith("[docs/lint.md#shell]\n")
    assert result.stdout.endswith(", with 1 warning\n")
    assert ran("--strict", path).exit_code == 2


def test_an_info_is_no_mistake_even_when_it_is_strict(tmp_path: Path) -> None:
    result = ran("--strict", written(tmp_path, SOUND.replace("timeout: 5m\n", "")))
    assert result.exit_code == 0
    assert "[docs/lint.md#no-timeout]" in result.stderr


def test_an_error_exits_with_2(tmp_path: Path) -> None:
    result = ran(written(tmp_path, WRONG))
    assert result.exit_code == 2
    assert "error: a template inside a text for sh" in result.stderr
    assert result.stdout == ""


def test_a_step_without_a_look_names_its_rule(tmp_path: Path) -> None:
    path = written(tmp_path, WITHOUT_LOOK)
    result = ran(path)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"{path}:5:5: error: ")
    assert "give either check:" in result.stderr
    assert result.stderr.endswith("[docs/lint.md#no-look]\n")


def test_what_the_loader_refuses_is_shown_with_its_place(tmp_path: Path) -> None:
    result = ran(written(tmp_path, SOUND.replace("unit:", "unti:")))
    assert result.exit_code == 2
    assert "example.yml:5:23: service_restart.unti is not known here" in result.stderr


@pytest.mark.parametrize("what", ["empty folder", "no file"])
def test_nothing_to_check_exits_with_2(tmp_path: Path, what: str) -> None:
    result = ran(tmp_path if what == "empty folder" else tmp_path / "none.yml")
    assert result.exit_code == 2
    assert "there is no runbook in this folder" in result.stderr or "cannot be read" in result.stderr


def test_a_folder_s_tests_are_no_runbooks(tmp_path: Path) -> None:
    written(tmp_path, SOUND)
    (tmp_path / "example.test.yml").write_text("runbook: example\n")
    result = ran("--strict", tmp_path)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("1 runbook is right")


def test_json_holds_every_finding_and_the_mistakes_again(tmp_path: Path) -> None:
    (tmp_path / "unwise.yml").write_text(UNWISE)
    (tmp_path / "wrong.yml").write_text(WRONG)
    result = ran(tmp_path, "--json")
    assert result.exit_code == 2
    content = json.loads(result.stdout)
    assert content["ok"] is False
    assert [(one["rule"], one["severity"], one["line"], one["column"]) for one in content["findings"]] == [
        ("shell", "warning", 5, 31),
        ("shell-parameter", "error", 5, 31),
    ]
    assert content["findings"][0]["docs"] == "docs/lint.md#shell"
    assert [one["path"] for one in content["problems"]] == [str(tmp_path / "wrong.yml")]
    assert content["left_out"]


def test_a_fresh_installation_has_no_findings(tmp_path: Path) -> None:
    made = CliRunner().invoke(application(["init"]), ["init", str(tmp_path / "site")])
    assert made.exit_code == 0, made.output
    result = ran("--strict", "--config", tmp_path / "site" / "responder.yml")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("all files are right: ")


def test_a_whole_configuration_is_looked_through_too(tmp_path: Path) -> None:
    CliRunner().invoke(application(["init"]), ["init", str(tmp_path)])
    main = tmp_path / "responder.yml"
    (tmp_path / "runbooks").mkdir(exist_ok=True)
    written(tmp_path / "runbooks", UNWISE)
    if "\nrunbooks:" not in main.read_text():
        main.write_text(main.read_text() + "\nrunbooks: [runbooks]\n")
    result = ran("--config", main)
    assert result.exit_code == 0, result.stderr
    assert "[docs/lint.md#shell]" in result.stderr
    assert "info: no rule of the policy uses example [docs/lint.md#unused-runbook]" in result.stderr
