"""`responder maintenance`: targets that people are working on."""

from __future__ import annotations

import getpass
from typing import Annotated, Any
from urllib.parse import urlencode

import typer
from rich.markup import escape

from responder.cli.client import DEFAULT_SERVER, ServerOption, ask
from responder.cli.common import JsonOption, out, print_json, table

maintenance = typer.Typer(help="Targets that people are working on: no run starts there.", no_args_is_help=True)
_PATH = "/api/v1/maintenance"
TargetArgument = Annotated[str, typer.Argument(help="A target of the inventory.")]
GroupOption = Annotated[str, typer.Option("--group", help="All targets of this group.")]


@maintenance.command()
def start(
    lasting: Annotated[str, typer.Option("--for", help="How long, such as 2h; then it ends by itself.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, for everybody to read.")],
    target: TargetArgument = "",
    group: GroupOption = "",
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Start no run on the target for a while. A run that is at work there goes on."""
    wish = {"target": target, "group": group, "for": lasting, "reason": reason, "actor": getpass.getuser()}
    found = ask("PUT", server, _PATH, {name: value for name, value in wish.items() if value})
    _show(found, json)
    if not json:
        for run in found["at_work"]:
            out.print(f"{run} and goes on; `responder automation off --target` would stop it", markup=False)


@maintenance.command()
def end(
    target: TargetArgument = "",
    group: GroupOption = "",
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """End it before its time."""
    asked = {name: value for name, value in (("target", target), ("group", group)) if value}
    _show(ask("DELETE", server, f"{_PATH}?{urlencode(asked)}" if asked else _PATH), json)


@maintenance.command("list")
def list_(server: ServerOption = DEFAULT_SERVER, json: JsonOption = False) -> None:
    """List the targets in maintenance."""
    _show(ask("GET", server, _PATH), json)


def add_to(root: typer.Typer) -> None:
    root.add_typer(maintenance, name="maintenance")


def _show(found: dict[str, Any], json: bool) -> None:
    if json:
        print_json(found)
        return
    shown = table("target", "until", "by", "why")
    for one in found["maintenance"]:
        shown.add_row(one["target"], one["until"], escape(one["actor"]), escape(one["reason"]))
    out.print(shown if found["maintenance"] else "no target is in maintenance")
