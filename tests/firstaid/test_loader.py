"""Runbook files: every mistake is shown with its file, line and column."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from responder.config.configuration import SHIPPED_RUNBOOKS
from responder.domain.runbook import OnResolve, ParameterType, StepSpec
from responder.domain.target import Target
from responder.errors import ConfigError
from responder.firstaid.loader import json_schema, load_runbook, load_runbooks
from responder.firstaid.plan import from_snapshot, snapshot
from responder.firstaid.steps import kinds

GOOD = """\
runbook: restart-app
summary: Restart the app
parameters:
  unit:
    type: unit
    label: name
    allow: [app.service]
cooldown: 1h
runs_per_hour: 2
timeout: 90s
on_resolve: finish_all
steps:
  - name: restart
    service_restart:
      unit: "{{ unit }}"
  - wait: {for: 5s}
"""
TARGET = Target(name="web-1", address="192.0.2.1")


def written(folder: Path, text: str, name: str = "app.yml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def mistakes(path: Path) -> list[str]:
    """Each mistake as `line:column: text`."""
    with pytest.raises(ConfigError) as raised:
        load_runbook(path)
    for problem in raised.value.problems:
        assert problem.path == path
        assert str(problem).startswith(f"{path}:{problem.line}:{problem.column}: ")
    return [f"{problem.line}:{problem.column}: {problem.text}" for problem in raised.value.problems]


def test_a_good_file_is_a_runbook_with_everything_it_says(tmp_path: Path) -> None:
    runbook = load_runbook(written(tmp_path, GOOD))
    assert (runbook.name, runbook.summary, runbook.runs_per_hour) == ("restart-app", "Restart the app", 2)
    assert (runbook.cooldown, runbook.timeout) == (timedelta(hours=1), timedelta(seconds=90))
    assert runbook.on_resolve is OnResolve.FINISH_ALL
    (parameter,) = runbook.parameters
    assert (parameter.name, parameter.type, parameter.allow) == ("unit", ParameterType.UNIT, ("app.service",))
    steps = [step for step in runbook.steps if isinstance(step, StepSpec)]
    assert [(step.name, step.kind) for step in steps] == [("restart", "service_restart"), ("wait", "wait")]


def test_the_version_changes_with_every_byte_and_only_then(tmp_path: Path) -> None:
    first = load_runbook(written(tmp_path, GOOD)).version
    assert load_runbook(written(tmp_path, GOOD)).version == first
    assert load_runbook(written(tmp_path, GOOD + "# reviewed\n")).version != first


def test_the_version_changes_with_the_scripts_that_come_along(tmp_path: Path) -> None:
    text = "runbook: scripted\nsummary: S\nsteps: [{script: {file: go.sh, once: because}}]\n"
    (tmp_path / "go.sh").write_text("#!/bin/sh\necho one\n")
    first = load_runbook(written(tmp_path, text)).version
    (tmp_path / "go.sh").write_text("#!/bin/sh\necho two\n")
    assert load_runbook(written(tmp_path, text)).version != first


def test_the_snapshot_holds_checked_values_and_survives_its_storage(tmp_path: Path) -> None:
    made = snapshot(load_runbook(written(tmp_path, GOOD)), {"name": "app.service"}, TARGET)
    assert made["parameters"] == {"unit": "app.service"}
    plan = from_snapshot(made)
    assert (plan.runbook, plan.timeout, len(plan.steps)) == ("restart-app", timedelta(seconds=90), 2)
    assert plan.on_resolve is OnResolve.FINISH_ALL


def test_the_snapshot_refuses_a_value_that_is_not_allowed(tmp_path: Path) -> None:
    runbook = load_runbook(written(tmp_path, GOOD))
    with pytest.raises(ValueError, match=r"'sshd.service' is not one of app.service"):
        snapshot(runbook, {"name": "sshd.service"}, TARGET)


def test_the_targets_name_and_address_can_be_filled_in(tmp_path: Path) -> None:
    text = 'runbook: x\nsummary: x\nsteps:\n  - http: {url: "http://{{ target_address }}/{{ target }}"}\n'
    made = snapshot(load_runbook(written(tmp_path, text)), {}, TARGET)
    assert made["steps"][0]["settings"] == {"url": "http://192.0.2.1/web-1"}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("runbook: restart-app\n", "", "1:1: runbook is missing"),
        ("runbook: restart-app", "runbook: Restart App", "1:1: runbook: expected String should match pattern"),
        ("summary: Restart the app", 'summary: ""', "2:1: summary: expected String should have at least 1 character"),
        ("cooldown: 1h", "cooldown: soon", "8:1: cooldown: 'soon' is not a duration"),
        ("cooldown: 1h", "cooldown: 60", "8:1: cooldown: 60 is not a duration"),
        ("runs_per_hour: 2", "runs_per_hour: 0", "9:1: runs_per_hour: expected greater than or equal to 1, found 0"),
        (
            "on_resolve: finish_all",
            "on_resolve: maybe",
            "11:1: on_resolve: expected 'cancel', 'finish_step' or 'finish_all'",
        ),
        ("timeout: 90s", "timeuot: 90s", "10:1: timeuot is not known here"),
        ("    type: unit", "    type: text", "5:5: parameters.unit.type: expected 'name', 'unit'"),
        ("    label: name\n", "", "4:3: parameters.unit: give label: (where the value comes from) or default:"),
        ("    label: name", "    label: name\n    pattern: '(['", "pattern is not a regular expression"),
        ("  unit:\n", "  Unit:\n", "4:3: parameters.Unit.[key]: expected String should match pattern"),
        ("    service_restart:", "    service_restrat:", "13:5: a step has one kind of "),
        ("  - wait: {for: 5s}", "  - name: nothing", "16:5: a step has one kind of "),
        ("  - wait: {for: 5s}", "  - wait: {for: 5s}\n    http: {url: x}", "found wait, http"),
        ("  - wait: {for: 5s}", "  - wait: {for: long}", "16:12: wait.for: 'long' is not a duration"),
        ("  - wait: {for: 5s}", "  - wait: {fro: 5s}", "16:12: wait.fro is not known here"),
        ("  - wait: {for: 5s}", "  - wait:", "wait.for is missing"),
        ("  - wait: {for: 5s}", "  - wait: 5s", "16:5: wait: expected"),
        ("  - wait: {for: 5s}", "  - wait", "steps.1: expected a mapping"),
        ('      unit: "{{ unit }}"', '      unit: "{{ nuit }}"', "{{ nuit }} is no parameter of this runbook"),
        ('      unit: "{{ unit }}"', '      unit: "{{ unit"', "is broken"),
        ("steps:", "steps: []\nsteps2:", "12:1: steps: expected List should have at least 1 item"),
        ("summary: Restart the app", "summary: one\nsummary: two", '3:1: found duplicate key "summary"'),
        ("cooldown: 1h", "cooldown: [1h", "9:14: expected ',' or ']', but got ':'"),
        ("cooldown: 1h", "\tcooldown: 1h", "8:1: found character '\\t' that cannot start any token"),
    ],
)
def test_a_mistake_is_shown_where_it_is(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert old in GOOD
    path = written(tmp_path, GOOD.replace(old, new))
    assert any(expected in mistake for mistake in mistakes(path)), mistakes(path)


def test_an_unknown_name_in_a_template_lists_those_that_are_known(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD.replace("{{ unit }}", "{{ host }}"))
    assert mistakes(path) == [
        "14:5: {{ host }} is no parameter of this runbook; it knows run, target, target_address, unit, vars"
    ]


def test_several_mistakes_in_one_file_are_shown_at_once(tmp_path: Path) -> None:
    text = GOOD.replace('unit: "{{ unit }}"', "unit: x\n      grace: late").replace("{for: 5s}", "{for: long}")
    assert [mistake.partition(" ")[2][:20] for mistake in mistakes(written(tmp_path, text))] == [
        "service_restart.grac",
        "wait.for: 'long' is ",
    ]


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just text\n", "5\n"])
def test_a_file_that_is_no_mapping_is_refused_at_its_beginning(tmp_path: Path, text: str) -> None:
    (mistake,) = mistakes(written(tmp_path, text))
    assert mistake.startswith("1:1: ")


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    assert mistakes(tmp_path / "absent.yml") == ["1:1: cannot be read: No such file or directory"]
    (tmp_path / "binary.yml").write_bytes(b"\xff\xfe\x00")
    assert mistakes(tmp_path / "binary.yml")[0].startswith("1:1: cannot be read: ")


def test_a_mistake_in_one_file_does_not_hide_those_of_another(tmp_path: Path) -> None:
    written(tmp_path, GOOD.replace("90s", "soon"), "a.yml")
    written(tmp_path, GOOD.replace("1h", "late"), "b.yaml")
    with pytest.raises(ConfigError) as raised:
        load_runbooks([tmp_path])
    assert [(problem.path.name, problem.line) for problem in raised.value.problems] == [("a.yml", 10), ("b.yaml", 8)]


def test_two_files_of_one_folder_with_the_same_runbook_are_refused(tmp_path: Path) -> None:
    written(tmp_path, GOOD, "a.yml")
    second = written(tmp_path, GOOD, "b.yml")
    with pytest.raises(ConfigError) as raised:
        load_runbooks([tmp_path])
    (problem,) = raised.value.problems
    assert (problem.path, problem.text) == (second, "runbook restart-app is already in a.yml")


def test_a_later_folder_wins_over_an_earlier_one(tmp_path: Path) -> None:
    for name, hours in (("shipped", "1h"), ("own", "2h")):
        (tmp_path / name).mkdir()
        written(tmp_path / name, GOOD.replace("1h", hours))
    found = load_runbooks([tmp_path / "shipped", tmp_path / "own"])
    assert found["restart-app"].cooldown == timedelta(hours=2)


def test_files_that_are_no_yaml_are_left_alone(tmp_path: Path) -> None:
    written(tmp_path, "not: [yaml", "notes.txt")
    assert load_runbooks([tmp_path]) == {}


@pytest.mark.parametrize("name", ["nginx.timer", "--now", "nginx.service; reboot", ""])
def test_the_shipped_restarts_take_nothing_but_the_name_of_a_service(name: str) -> None:
    shipped = load_runbooks([SHIPPED_RUNBOOKS])
    for runbook in (shipped["restart-unit"], shipped["collect-and-restart"]):
        assert from_snapshot(snapshot(runbook, {"name": "nginx.service"}, TARGET)).steps
        with pytest.raises(ValueError, match="parameter unit: "):
            snapshot(runbook, {"name": name}, TARGET)


def test_the_schema_for_editors_knows_every_kind_of_step_and_no_other_key() -> None:
    step = json_schema()["$defs"]["Step"]
    assert set(step["properties"]) == {"name", "rollback", *kinds()}
    assert step["additionalProperties"] is False
