"""`responder coverage`."""

from __future__ import annotations

from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer

from responder.cli.common import BAD_CONFIG, FAILED, JsonOption, err, fail, out, pairs, print_json, table
from responder.cli.files import DEFAULT_CONFIG, ConfigOption, configuration
from responder.domain.coverage import Answer
from responder.errors import Problem
from responder.flows.coverage import ASPECTS, AidChoice, Choice, Coverage, Verdict
from responder.flows.coverage import coverage as judged

_NOUNS = {"grade": "grade rule", "runbook": "runbook", "owner": "owner"}


def coverage(
    rules: Annotated[list[Path], typer.Argument(help="Rule files of Prometheus, or folders with them.")],
    label: Annotated[
        list[str], typer.Option("--label", "-l", help="A label that every alert gets outside the files, name=value.")
    ] = [],  # noqa: B006
    fail_on: Annotated[str, typer.Option(help="The gaps that make the exit code 1: grade, runbook, owner.")] = "grade",
    strict: Annotated[bool, typer.Option("--strict", help="What is only perhaps covered is a gap too.")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Say which alerts of Prometheus rule files have no grade rule, no runbook and no owner."""
    counted = _aspects(fail_on)
    found = judged(configuration(config), rules, pairs(label))
    if json:
        print_json(_plain(found))
    else:
        _show(found)
    if not found.verdicts:
        fail("no alerting rule was found", BAD_CONFIG)
    gaps = (Answer.NO, Answer.MAYBE) if strict else (Answer.NO,)
    if found.problems or any(found.count(aspect, gap) for aspect in counted for gap in gaps):
        raise typer.Exit(FAILED)


def add_to(root: typer.Typer) -> None:
    root.command()(coverage)


def _aspects(words: str) -> list[str]:
    wanted = [word.strip() for word in words.split(",") if word.strip()]
    for word in wanted:
        if word not in ASPECTS:
            fail(f"--fail-on knows {', '.join(ASPECTS)}, not {word!r}", BAD_CONFIG)
    return wanted


def _show(found: Coverage) -> None:
    for problem in (*found.problems, *found.skipped):
        err.print(_place(problem), markup=False, soft_wrap=True)
    shown = table("where", "alert", "grade", "owner", "first aid")
    for verdict in found.verdicts:
        where = f"{verdict.path}:{verdict.line}"
        if verdict.is_heartbeat:
            shown.add_row(
                where, verdict.alert, "heartbeat", "", f"its silence is reported ({_said(verdict.heartbeat)})"
            )
        else:
            shown.add_row(where, verdict.alert, _grade(verdict), _owner(verdict), _aid(verdict))
    if found.verdicts:
        out.print(shown, markup=False)
        for line in _totals(found):
            out.print(line, markup=False, soft_wrap=True)


def _place(problem: Problem) -> str:
    return f"{problem.path}:{problem.line}:{problem.column}: {problem.text}"


def _grade(verdict: Verdict) -> str:
    return _said(verdict.grade) if verdict.answers["grade"] is not Answer.NO else f"NONE ({verdict.grade[0].gives})"


def _owner(verdict: Verdict) -> str:
    return _said(verdict.owner) if verdict.answers["owner"] is not Answer.NO else f"NONE ({verdict.owner[0].gives})"


def _said(choices: tuple[Choice, ...]) -> str:
    """`P1 or P2 by severity, else P3`."""
    parts = []
    for labels, some in groupby(choices, key=lambda choice: choice.depends_on):
        gives = " or ".join(dict.fromkeys(choice.gives for choice in some))
        parts.append(f"{gives} by {', '.join(labels)}" if labels else gives)
    return ", else ".join(parts)


def _aid(verdict: Verdict) -> str:
    return "; else ".join(map(_aid_choice, verdict.runbook)) or "NONE"


def _aid_choice(choice: AidChoice) -> str:
    text = choice.gives + (f" if {', '.join(choice.depends_on)}" if choice.depends_on else "")
    if choice.objection:
        return f"NONE: {text} would be refused: {choice.objection}"
    open_ = [label for label, there in choice.needs.items() if there is Answer.MAYBE]
    return f"{text} (needs {', '.join(open_)})" if open_ else text


def _totals(found: Coverage) -> list[str]:
    total = len(found.verdicts)
    lines = []
    for aspect, noun in _NOUNS.items():
        perhaps = found.count(aspect, Answer.MAYBE)
        also = f"; {perhaps} depend on labels that only the firing alert has" if perhaps else ""
        lines.append(f"{found.count(aspect, Answer.NO)} of {total} alerts have no {noun}{also}")
    lines.append(f"{found.files} files read, {len(found.problems)} mistakes, {len(found.skipped)} files without rules")
    return lines


def _plain(found: Coverage) -> dict[str, Any]:
    return {
        "alerts": [{**asdict(verdict), "is_heartbeat": verdict.is_heartbeat} for verdict in found.verdicts],
        "totals": {
            "alerts": len(found.verdicts),
            "files": found.files,
            **{aspect: {one.value: found.count(aspect, one) for one in Answer} for aspect in ASPECTS},
        },
        "problems": [{**asdict(one), "path": str(one.path)} for one in found.problems],
        "skipped": [{**asdict(one), "path": str(one.path)} for one in found.skipped],
    }
