"""Every shipped runbook has tests that pass, that fail when it is broken, and a section in the docs."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from responder.errors import ConfigError
from responder.firstaid.lint.catalog import linted
from responder.firstaid.lint.finding import Severity
from responder.firstaid.lint.sheet import read_sheet
from responder.firstaid.loader import runbook_files
from responder.firstaid.testing.loading import load_suite
from responder.firstaid.testing.runner import CaseResult, run_suite
from tests.fakes import REPOSITORY

SHIPPED = REPOSITORY / "responder" / "runbooks"
LIBRARY = REPOSITORY / "docs" / "library.md"
NAMES = [path.stem for path in runbook_files(SHIPPED)]
_YAML = YAML(typ="safe")


def suite_of(name: str, folder: Path = SHIPPED) -> list[CaseResult]:
    return run_suite(load_suite(folder / f"{name}.test.yml"))


def written(name: str) -> Any:
    return _YAML.load((SHIPPED / f"{name}.yml").read_text())


def section_of(name: str) -> str:
    """The part of the docs below the runbook's heading."""
    found = re.search(rf"^#+ `?{name}`?$\n(.*?)(?=^#+ |\Z)", LIBRARY.read_text(), re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


@pytest.mark.parametrize("name", NAMES)
def test_its_tests_pass(name: str) -> None:
    assert [str(problem) for case in suite_of(name) for problem in case.problems] == []


@pytest.mark.parametrize("name", NAMES)
def test_the_linter_finds_nothing_in_it(name: str) -> None:
    found = linted(read_sheet(SHIPPED / f"{name}.yml"))
    assert [str(one) for one in found if one.severity is not Severity.INFO] == []


# --- broken on purpose -----------------------------------------------------------------------------


def parts() -> Iterator[tuple[str, str, int]]:
    """Every precheck and every part of every runbook."""
    for name in NAMES:
        runbook = written(name)
        for phase in ("precheck", "steps", "on_failure", "always"):
            yield from ((name, phase, index) for index in range(len(runbook.get(phase) or [])))


def fails(name: str, runbook: Any, folder: Path) -> bool:
    """Whether the runbook's tests notice what has become of it."""
    copy = shutil.copytree(SHIPPED, folder / "runbooks")
    text = StringIO()
    _YAML.dump(runbook, text)
    (copy / f"{name}.yml").write_text(text.getvalue())
    try:
        return not all(case.is_good for case in suite_of(name, copy))
    except ConfigError:
        return True


@pytest.mark.parametrize(("name", "phase", "index"), parts())
def test_its_tests_fail_without_one_of_its_steps(name: str, phase: str, index: int, tmp_path: Path) -> None:
    runbook = written(name)
    del runbook[phase][index]
    assert fails(name, runbook, tmp_path)


def bounded() -> Iterator[tuple[str, str]]:
    """Every parameter that an alert can fill in, and that has bounds beside its type."""
    for name in NAMES:
        for parameter, given in written(name).get("parameters", {}).items():
            if "label" in given and {"allow", "pattern"} & set(given):
                yield name, parameter


@pytest.mark.parametrize(("name", "parameter"), bounded())
def test_its_tests_fail_when_a_parameter_has_no_bounds(name: str, parameter: str, tmp_path: Path) -> None:
    runbook = written(name)
    for key in ("allow", "pattern"):
        runbook["parameters"][parameter].pop(key, None)
    assert fails(name, runbook, tmp_path)


def test_an_unbroken_copy_passes(tmp_path: Path) -> None:
    assert not fails("restart-unit", written("restart-unit"), tmp_path)


# --- the docs --------------------------------------------------------------------------------------


def named(parts: Iterable[Any]) -> Iterator[str]:
    """The names of the steps in these parts; a foreach itself is none."""
    for part in parts:
        inner = part.get("unbreakable") or part.get("foreach", {}).get("steps")
        if inner:
            yield from named(inner)
        elif "name" in part:
            yield part["name"]


@pytest.mark.parametrize("name", NAMES)
def test_the_docs_have_its_dry_run_with_every_step(name: str) -> None:
    section = section_of(name)
    assert f"responder run {name} --target" in section
    steps = named(part for phase in ("precheck", "steps") for part in written(name).get(phase, []))
    assert [step for step in steps if f". {step} (" not in section] == []


@pytest.mark.parametrize("name", NAMES)
def test_the_docs_name_its_parameters(name: str) -> None:
    runbook = written(name)
    assert [one for one in runbook.get("parameters", {}) if f"`{one}`" not in section_of(name)] == []


def test_the_docs_show_no_place_of_the_machine_that_they_were_made_on() -> None:
    assert re.findall(r"/work/|/root/|/dev/shm|/tmp/pytest|/home/", LIBRARY.read_text()) == []
