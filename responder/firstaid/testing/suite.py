"""A test file with its runbook, checked against each other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from responder.adapters.yaml_file import Document, Place, load
from responder.domain.runbook import Runbook
from responder.domain.target import Target
from responder.errors import ConfigError, Problem
from responder.firstaid.loader import TEST_FILES, load_runbook
from responder.firstaid.testing.files import CaseFile, SuiteFile, TargetFile


@dataclass(frozen=True, kw_only=True)
class Suite:
    """The tests of one file, and the runbook that they are about."""

    document: Document
    written: SuiteFile
    runbook: Runbook

    def targets_of(self, case: CaseFile) -> tuple[Target, ...]:
        """The inventory of a test: that of the file, with what the test says instead or in addition."""
        written = (self.written.target, *self.written.inventory, *case.inventory, *_described(case.target))
        return tuple({one.name: _as_target(one) for one in written}.values())

    def target_of(self, case: CaseFile) -> Target:
        """The target that a test runs on. It is in the inventory, or the file would not have been taken."""
        name = (case.target or self.written.target).name
        return next(target for target in self.targets_of(case) if target.name == name)

    def problem(self, index: int, place: Place, text: str) -> Problem:
        """Something about the test with this index, at a place in it."""
        return self.document.problem(("tests", index, *place), text)


def suite_files(paths: Iterable[Path]) -> list[Path]:
    """The test files that these files and folders hold. Raises ConfigError for what is not there."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(one for one in path.rglob("*") if one.name.endswith(TEST_FILES))
        elif path.name.endswith(TEST_FILES):
            found.append(path)
        else:
            beside = [path.with_name(path.stem + suffix) for suffix in TEST_FILES]
            known = [one for one in beside if one.is_file()]
            if not known:
                text = f"is no folder and no test file, and there is no {beside[0].name} beside it"
                raise ConfigError([Problem(path=path, line=1, column=1, text=text)])
            found += known
    return list(dict.fromkeys(found))


def runbooks_without_tests(paths: Iterable[Path]) -> list[Path]:
    """The runbooks in these folders that have no test file of their name beside them."""
    found = [one for path in paths if path.is_dir() for one in sorted(path.rglob("*.y*ml"))]
    return [one for one in found if not one.name.endswith(TEST_FILES) and _is_untested_runbook(one)]


def _is_untested_runbook(path: Path) -> bool:
    if any(path.with_name(path.stem + suffix).is_file() for suffix in TEST_FILES):
        return False
    try:
        data = load(path).data
    except ConfigError:
        return False
    return isinstance(data, dict) and "runbook" in data and "steps" in data


def runbook_of(document: Document, written: SuiteFile) -> Runbook:
    folder = document.path.parent
    path = folder / written.file if written.file else _found(folder, written.runbook)
    if path is None:
        text = f"there is no runbook {written.runbook} in {folder}; file: may name another place"
        raise ConfigError([document.problem(("runbook",), text)])
    runbook = load_runbook(path)
    if runbook.name != written.runbook:
        raise ConfigError([document.problem(("runbook",), f"{path} holds the runbook {runbook.name}")])
    return runbook


def _found(folder: Path, name: str) -> Path | None:
    likely = [folder / f"{name}.yml", folder / f"{name}.yaml"]
    others = sorted(one for one in (*folder.glob("*.yml"), *folder.glob("*.yaml")) if not one.name.endswith(TEST_FILES))
    for path in (*likely, *others):
        data = load(path).data if path.is_file() else None
        if isinstance(data, dict) and data.get("runbook") == name:
            return path
    return None


def _as_target(written: TargetFile) -> Target:
    address = written.address or f"{written.name}.test"
    return Target(**{**dict(written), "address": address})


def _described(target: TargetFile | None) -> tuple[TargetFile, ...]:
    """Nothing for a target that is only named: another place describes it."""
    return (target,) if target is not None and target.model_fields_set != {"name"} else ()
