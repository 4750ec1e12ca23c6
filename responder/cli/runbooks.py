"""`responder runbooks`: how far each may go by itself, and how it has earned that."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import typer

from responder.cli.client import DEFAULT_SERVER, ServerOption, ask
from responder.cli.common import JsonOption, out, print_json, table

runbooks = typer.Typer(help="Runbooks of a running server: autonomy and record.", no_args_is_help=True)
_PATH = "/api/v1/runbooks"


@runbooks.command("list")
def list_(server: ServerOption = DEFAULT_SERVER, json: JsonOption = False) -> None:
    """List the runbooks, each with the rules that use it and its verified successes."""
    found = ask("GET", server, _PATH)
    if json:
        print_json(found)
        return
    shown = table("runbook", "rule", "autonomy", "judged", "success", "bound", "streak")
    for one in found["runbooks"]:
        for rule in one["rules"] or [None]:
            shown.add_row(
                one["runbook"], rule["rule"] if rule else "-", _autonomy(rule) if rule else "-",
                str(one["judged"]), _percent(one["success_rate"]), f"{one['lower_bound']:.2f}", str(one["streak"]),
            )  # fmt: skip
    out.print(shown)


@runbooks.command()
def history(
    name: Annotated[str, typer.Argument(help="The runbook's name.")],
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Show every judged run of a runbook, and when it was promoted or lost that again."""
    found = ask("GET", server, f"{_PATH}/{quote(name, safe='')}")
    if json:
        print_json(found)
        return
    turns = {(turn["run"], turn["rule"]): turn for turn in found["turns"]}
    for run in found["judged_runs"]:
        out.print(f"{run['at']}  run {run['run']}: {'proved' if run['verified'] else 'not proved'}", markup=False)
        for (number, rule), turn in turns.items():
            if number == run["run"]:
                verb = "promoted to auto" if turn["promoted"] else "no longer auto"
                out.print(f"  {rule}: {verb}: {turn['why']}", markup=False)
    if not found["judged_runs"]:
        out.print(f"{name} has no judged run yet")


def add_to(root: typer.Typer) -> None:
    root.add_typer(runbooks, name="runbooks")


def _autonomy(rule: dict[str, Any]) -> str:
    named = [f"{name} {level}" for key in ("grades", "groups") for name, level in rule[key].items()]
    earned = " (auto: earned)" if rule["earned"] else ""
    return f"{rule['autonomy']}{'; ' + ', '.join(named) if named else ''}{earned}"


def _percent(rate: float | None) -> str:
    return "-" if rate is None else f"{rate:.0%}"
