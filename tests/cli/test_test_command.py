"""`responder test` and `responder schema tests` as a shell sees them."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner, Result

from responder.cli import application
from tests.fakes import REPOSITORY

SHIPPED = REPOSITORY / "responder" / "runbooks"
RUNBOOK = """\
runbook: fix-it
summary: Fix it
steps:
  - name: fix
    ssh: {run: [fix], once: nothing can tell}
"""
TESTS = """\
runbook: fix-it
target: web-1
hosts: {web-1: [{when: fix}]}
tests:
  - name: it is fixed
    expect: {outcome: helped, acts: [fix]}
  - name: nothing runs on a host that cannot be reached
    unreachable: web-1
    expect: {outcome: failed, acts: []}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "fix-it.yml").write_text(RUNBOOK)
    (tmp_path / "fix-it.test.yml").write_text(TESTS)
    return tmp_path


def ran(*words: object) -> Result:
    return CliRunner().invoke(application(["test", "schema"]), [str(word) for word in words])


def test_tests_that_pass_exit_with_0(folder: Path) -> None:
    result = ran("test", folder)
    assert result.exit_code == 0
    assert result.stdout == (
        "ok     fix-it: it is fixed\nok     fix-it: nothing runs on a host that cannot be reached\n2 passed, 0 failed\n"
    )


def test_a_runbook_that_is_broken_on_purpose_exits_with_1(folder: Path) -> None:
    (folder / "fix-it.yml").write_text(RUNBOOK.replace("run: [fix]", "run: [break]"))
    result = ran("test", folder / "fix-it.yml")
    assert result.exit_code == 1
    assert "FAILED fix-it: it is fixed" in result.stdout
    assert "fix-it.test.yml:5:5: nothing under hosts: answers on web-1: break." in result.stdout


def test_a_wrong_file_exits_with_2_and_the_place(folder: Path) -> None:
    (folder / "fix-it.test.yml").write_text(TESTS.replace("outcome: helped", "outcome: fine"))
    result = ran("test", folder)
    assert result.exit_code == 2
    assert "fix-it.test.yml:6:14: tests.0.expect.outcome: expected 'helped'" in result.stderr


def test_a_wrong_runbook_exits_with_2_and_its_place(folder: Path) -> None:
    (folder / "fix-it.yml").write_text(RUNBOOK.replace("once", "twice"))
    result = ran("test", folder)
    assert result.exit_code == 2
    assert "fix-it.yml:5:23: ssh.twice is not known here" in result.stderr


@pytest.mark.parametrize("words", [("-k", "no such test"), ("nowhere.yml",)])
def test_no_test_at_all_exits_with_2(folder: Path, words: tuple[str, ...]) -> None:
    paths = [folder] if words[0] == "-k" else []
    result = ran("test", *paths, *words)
    assert result.exit_code == 2
    assert "no" in result.stderr


def test_only_tests_of_a_name_run(folder: Path) -> None:
    result = ran("test", folder, "-k", "REACHED")
    assert result.exit_code == 0
    assert "1 passed, 0 failed" in result.stdout


def test_runbooks_without_a_test_are_named(folder: Path) -> None:
    (folder / "other.yml").write_text(RUNBOOK.replace("fix-it", "other"))
    result = ran("test", folder)
    assert result.exit_code == 0
    assert "other.yml: this runbook has no test" in result.stderr


def test_json_says_the_same(folder: Path) -> None:
    (folder / "fix-it.test.yml").write_text(TESTS.replace("acts: [fix]", "acts: []"))
    result = ran("test", folder, "--json")
    assert result.exit_code == 1
    content = json.loads(result.stdout)
    assert content["ok"] is False
    assert [(test["name"], test["ok"]) for test in content["tests"]] == [
        ("it is fixed", False),
        ("nothing runs on a host that cannot be reached", True),
    ]
    (problem,) = content["tests"][0]["problems"]
    assert (problem["line"], problem["column"]) == (6, 31)
    assert problem["text"].startswith("other acts than expected")


def test_the_same_files_give_the_same_words(folder: Path) -> None:
    assert ran("test", SHIPPED).stdout == ran("test", SHIPPED).stdout


def test_the_schema_takes_the_shipped_tests_and_refuses_unknown_keys() -> None:
    schema = json.loads(ran("schema", "tests").stdout)
    for path in SHIPPED.glob("*.test.yml"):
        content = YAML(typ="safe").load(path)
        jsonschema.validate(content, schema)
        content["tests"][0]["expcet"] = {}
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(content, schema)
    assert json.loads(ran("schema").stdout)["title"] == "Runbook"


def test_the_example_of_the_docs_passes(tmp_path: Path) -> None:
    text = (REPOSITORY / "docs" / "testing-runbooks.md").read_text()
    runbook, tests = [part.split("```", 1)[0] for part in text.split("```yaml\n")[1:3]]
    (tmp_path / "restart-webapp.yml").write_text(runbook)
    (tmp_path / "restart-webapp.test.yml").write_text(tests)
    shown = text.split("$ responder test restart-webapp.yml\n", 1)[1].split("```", 1)[0]
    assert ran("test", tmp_path / "restart-webapp.yml").stdout == shown
