"""`responder health`: what scheduled looks at the targets have found."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote, urlencode

import typer

from responder.cli.client import DEFAULT_SERVER, ServerOption, ask
from responder.cli.common import JsonOption, login, out, print_json, table

health = typer.Typer(help="Health checks: when, and what they found.", no_args_is_help=True)
_PATH = "/api/v1/health-checks"


@health.command("list")
def list_(
    name: Annotated[str, typer.Argument(help="Only this check.")] = "",
    limit: Annotated[int, typer.Option(help="At most so many results.")] = 20,
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """List the checks of the policy, and their results, newest first."""
    query = {"limit": limit, **({"name": name} if name else {})}
    found = ask("GET", server, f"{_PATH}?{urlencode(query)}")
    if json:
        print_json(found)
        return
    for one in found["checks"]:
        what = f"{one['runbook']} on {_named(one['targets'])}, {one['every']} ({one['zone']})"
        out.print(f"{one['name']}: {what}; next {one['next_at'] or 'not planned yet'}", markup=False)
    if not found["checks"]:
        out.print("the policy has no health check", markup=False)
    if found["results"]:
        out.print(_results(found["results"]))


@health.command()
def show(
    number: Annotated[int, typer.Argument(help="The result's number.")],
    everything: Annotated[bool, typer.Option("--all", help="What was good, too.")] = False,
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Show one report: findings of each target, and what is new or gone since the check before."""
    found = ask("GET", server, f"{_PATH}/{number}?all=1" if everything else f"{_PATH}/{number}")
    if json:
        print_json(found)
    else:
        out.print(found["text"], markup=False)


@health.command()
def run(
    name: Annotated[str, typer.Argument(help="The check's name in the policy.")],
    who: Annotated[str, typer.Option("--as", envvar="RESPONDER_AS", help="Who you are, for the report.")] = login(),
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Let a check run now, beside its schedule. It only looks."""
    found = ask("POST", server, f"{_PATH}/{quote(name, safe='')}/run", {"actor": who})
    if json:
        print_json(found)
    else:
        out.print(f"{name} is ordered; its report is number {found['id']}: responder health show {found['id']}")


def add_to(root: typer.Typer) -> None:
    root.add_typer(health, name="health")


def _named(targets: list[str]) -> str:
    return ", ".join(targets) if len(targets) <= 3 else f"{len(targets)} targets"


def _results(results: list[dict[str, Any]]) -> Any:
    shown = table("number", "check", "at", "state", "good", "findings", "not seen", "new", "gone", "problem")
    for one in results:
        counts = (one["good"], one["findings"], one["unseen"], one["new"], one["gone"])
        shown.add_row(
            str(one["id"]), one["name"], one["started_at"], one["state"], *map(str, counts), one["problem"]
        )  # fmt: skip
    return shown
