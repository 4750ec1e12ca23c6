"""`responder test`: unit tests for runbooks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from responder.cli.common import BAD_CONFIG, FAILED, JsonOption, err, out, print_json, show_problems
from responder.errors import ConfigError, Problem
from responder.firstaid.testing.loading import load_suite
from responder.firstaid.testing.runner import CaseResult, run_suite
from responder.firstaid.testing.suite import runbooks_without_tests, suite_files


def run_tests(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Test files, runbooks, or folders; here by default.")
    ] = None,
    only: Annotated[str, typer.Option("-k", help="Only tests whose name, or whose runbook's, contains this.")] = "",
    json: JsonOption = False,
) -> None:
    """Run the tests of runbooks: the real engine on hosts that only answer what a test says.

    Exit code 1 when a test fails, 2 when a file is wrong or there is no test.
    """
    wanted = paths or [Path()]
    tested, mistakes = _all(wanted, only)
    untested = [] if mistakes or only else runbooks_without_tests(wanted)
    if json:
        print_json(_plain(tested, mistakes, untested))
    else:
        _show(tested, mistakes, untested)
    if mistakes:
        raise typer.Exit(BAD_CONFIG)
    if not all(one.is_good for one in tested):
        raise typer.Exit(FAILED)


def add_to(root: typer.Typer) -> None:
    root.command("test")(run_tests)


def _all(paths: Sequence[Path], only: str) -> tuple[list[CaseResult], list[Problem]]:
    tested: list[CaseResult] = []
    mistakes: list[Problem] = []
    try:
        files = suite_files(paths)
    except ConfigError as error:
        return [], error.problems
    for path in files:
        try:
            tested += run_suite(load_suite(path), only)
        except ConfigError as error:
            mistakes += error.problems
    if not tested and not mistakes:
        text = f"no test is called like {only!r}" if only else "there are no tests here; write a file NAME.test.yml"
        mistakes.append(Problem(path=paths[0], line=1, column=1, text=text))
    return tested, mistakes


def _show(tested: Sequence[CaseResult], mistakes: list[Problem], untested: Sequence[Path]) -> None:
    for one in tested:
        lives = f" ({one.lives - 1} crashes)" if one.lives > 1 else ""
        out.print(f"{'ok    ' if one.is_good else 'FAILED'} {one.runbook}: {one.name}{lives}", markup=False)
        for problem in one.problems:
            out.print(f"  {problem}", markup=False)
    for path in untested:
        err.print(f"{path}: this runbook has no test", markup=False, soft_wrap=True)
    if mistakes:
        show_problems(ConfigError(mistakes))
    failed = sum(not one.is_good for one in tested)
    out.print(f"{len(tested) - failed} passed, {failed} failed")


def _plain(tested: Sequence[CaseResult], mistakes: Sequence[Problem], untested: Sequence[Path]) -> dict[str, object]:
    return {
        "ok": not mistakes and all(one.is_good for one in tested),
        "tests": [
            {
                "file": str(one.path),
                "runbook": one.runbook,
                "name": one.name,
                "ok": one.is_good,
                "lives": one.lives,
                "problems": [_problem(problem) for problem in one.problems],
            }
            for one in tested
        ],
        "mistakes": [_problem(problem) for problem in mistakes],
        "without_tests": [str(path) for path in untested],
    }


def _problem(problem: Problem) -> dict[str, object]:
    return {"file": str(problem.path), "line": problem.line, "column": problem.column, "text": problem.text}
