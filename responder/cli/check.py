"""`responder check` and `responder schema`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from responder.cli.common import BAD_CONFIG, JsonOption, err, out, print_json, show_problems
from responder.cli.files import DEFAULT_CONFIG, ConfigOption
from responder.config.configuration import Configuration, read
from responder.config.lint import findings
from responder.config.mail_rules import mail_rule_schema
from responder.config.policy_schema import json_schema as schema_of_policies
from responder.errors import ConfigError, Problem
from responder.firstaid.lint.catalog import INVALID, linted, refused
from responder.firstaid.lint.finding import Finding, Severity
from responder.firstaid.lint.sheet import read_sheet
from responder.firstaid.loader import TEST_FILES, json_schema, runbook_files
from responder.firstaid.testing.files import json_schema as schema_of_tests

_LEFT_OUT = "rules that need the inventory and the policy were left out"


def check(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Runbooks, or folders of them, instead of a whole configuration.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 2 for warnings too.")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Check all files, against each other too, and look through the runbooks for what is unwise.

    Exit code 2 and file:line:column for every mistake. Warnings are shown; with --strict they are mistakes.
    """
    if paths:
        found, summary, counts = _of_runbooks(paths)
    else:
        found, summary, counts = _of_configuration(config)
    is_bad = any(one.severity is Severity.ERROR or (strict and one.severity is Severity.WARNING) for one in found)
    if json:
        print_json(_plain(found, counts, is_bad=is_bad, is_whole=not paths))
    else:
        _show(found, summary, is_bad=is_bad)
    if is_bad:
        raise typer.Exit(BAD_CONFIG)


class Kind(StrEnum):
    RUNBOOK = "runbook"
    TESTS = "tests"
    POLICY = "policy"
    MAIL_RULE = "mail-rule"


_SCHEMAS = {
    Kind.RUNBOOK: json_schema,
    Kind.TESTS: schema_of_tests,
    Kind.POLICY: schema_of_policies,
    Kind.MAIL_RULE: mail_rule_schema,
}


def schema(
    of: Annotated[Kind, typer.Argument(help="Runbooks, their tests, policies, or mail rules.")] = Kind.RUNBOOK,
) -> None:
    """Print the JSON Schema of runbook files, of their test files, of policy files, or of mail rules, for editors."""
    print_json(_SCHEMAS[of]())


def add_to(root: typer.Typer) -> None:
    root.command()(check)
    root.command()(schema)


_Checked = tuple[list[Finding], str, dict[str, int]]
"""What was found, what to say when all is well, and how much of what there is."""


def _of_configuration(config: Path) -> _Checked:
    try:
        loaded = read(config)
        found = findings(loaded)
    except ConfigError as error:
        return [refused(problem) for problem in error.problems], "", {}
    counts = _counts(loaded)
    return found, "all files are right: " + ", ".join(_counted(what, count) for what, count in counts.items()), counts


def _of_runbooks(paths: Sequence[Path]) -> _Checked:
    found: list[Finding] = []
    files, problems = _files(paths)
    for path in files:
        try:
            found += linted(read_sheet(path))
        except ConfigError as error:
            problems += error.problems
    found += [refused(problem) for problem in problems]
    number = "1 runbook is" if len(files) == 1 else f"{len(files)} runbooks are"
    return found, f"{number} right; {_LEFT_OUT}", {"runbooks": len(files)}


def _files(paths: Sequence[Path]) -> tuple[list[Path], list[Problem]]:
    files: dict[Path, None] = {}
    problems = []
    for path in paths:
        here = runbook_files(path) if path.is_dir() else [path]
        if not here:
            problems.append(Problem(path=path, line=1, column=1, text="there is no runbook in this folder"))
        files |= {one: None for one in here if path.is_dir() or not one.name.endswith(TEST_FILES)}
    return list(files), problems


def _show(found: Sequence[Finding], summary: str, *, is_bad: bool) -> None:
    for one in found:
        if one.rule == INVALID:
            show_problems(ConfigError([one.problem]))
        else:
            err.print(str(one), markup=False, soft_wrap=True)
    if not is_bad:
        warnings = sum(one.severity is Severity.WARNING for one in found)
        told = {0: "", 1: ", with 1 warning"}.get(warnings, f", with {warnings} warnings")
        out.print(summary + told)


def _plain(found: Sequence[Finding], counts: dict[str, int], *, is_bad: bool, is_whole: bool) -> dict[str, object]:
    errors = [one for one in found if one.severity is Severity.ERROR]
    return {
        "ok": not is_bad,
        **({} if errors else counts),
        "left_out": "" if is_whole else _LEFT_OUT,
        "problems": [{**asdict(one.problem), "path": str(one.problem.path)} for one in errors],
        "findings": [
            {
                **asdict(one.problem),
                "path": str(one.problem.path),
                "rule": one.rule,
                "severity": one.severity.value,
                "docs": one.docs,
            }
            for one in found
        ],
    }


def _counted(what: str, count: int) -> str:
    return f"{count} {what}" if count != 1 else "1 person" if what == "people" else f"1 {what.removesuffix('s')}"


def _counts(loaded: Configuration) -> dict[str, int]:
    return {
        "sources": len(loaded.settings.sources),
        "grade rules": len(loaded.policy.grade_rules),
        "first-aid rules": len(loaded.policy.first_aid),
        "runbooks": len(loaded.runbooks),
        "targets": len(loaded.targets),
        "people": len(loaded.people),
    }
