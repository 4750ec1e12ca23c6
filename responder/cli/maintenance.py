"""`responder maintenance`: targets that people are working on, and alerts that are expected."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from responder.cli.client import DEFAULT_SERVER, ServerOption, ask
from responder.cli.common import BAD_CONFIG, JsonOption, fail, me, moment, out, print_json, table

maintenance = typer.Typer(
    help="Targets that people are working on, and alerts that are expected: nothing runs, nobody is paged.",
    no_args_is_help=True,
)
_PATH = "/api/v1/maintenance"
_WINDOWS = f"{_PATH}/windows"
TargetArgument = Annotated[str, typer.Argument(help="A target of the inventory.")]
GroupOption = Annotated[str, typer.Option("--group", help="All targets of this group.")]


@maintenance.command()
def start(
    lasting: Annotated[str, typer.Option("--for", help="How long, such as 2h; then it ends by itself.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, for everybody to read.")],
    target: TargetArgument = "",
    group: GroupOption = "",
    match: Annotated[
        list[str], typer.Option("--match", help="Alerts that match, like 'job=\"db\"'; all must hold.")
    ] = [],  # noqa: B006
    everything: Annotated[bool, typer.Option("--everything", help="Every alert.")] = False,
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Start no run on the target, or for the alerts that match, and page nobody for a while.

    A run that is at work there goes on.
    """
    if match or everything:
        if target or group:
            fail("give either a target or a group, or matchers", BAD_CONFIG)
        window = {
            "match": match,
            "everything": everything,
            "for": lasting,
            "reason": reason,
            "actor": me(),
        }
        _show(ask("POST", server, _WINDOWS, window), json)
        return
    wish = {"target": target, "group": group, "for": lasting, "reason": reason, "actor": me()}
    found = ask("PUT", server, _PATH, {name: value for name, value in wish.items() if value})
    _show(found, json)
    if not json:
        for run in found["at_work"]:
            out.print(f"{run} and goes on; `responder automation off --target` would stop it", markup=False)


@maintenance.command()
def end(
    target: TargetArgument = "",
    group: GroupOption = "",
    window: Annotated[int, typer.Option("--window", help="The number of a window of alerts.")] = 0,
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """End it before its time."""
    if window:
        _show(ask("DELETE", server, f"{_WINDOWS}/{window}", {"actor": me()}), json)
        return
    asked = {name: value for name, value in (("target", target), ("group", group)) if value}
    _show(ask("DELETE", server, f"{_PATH}?{urlencode(asked)}" if asked else _PATH), json)


@maintenance.command("list")
def list_(server: ServerOption = DEFAULT_SERVER, json: JsonOption = False) -> None:
    """List the targets in maintenance and the windows of alerts that are open."""
    _show(ask("GET", server, _PATH), json)


def add_to(root: typer.Typer) -> None:
    root.add_typer(maintenance, name="maintenance")


def _show(found: dict[str, Any], json: bool) -> None:
    if json:
        print_json(found)
        return
    shown = table("what", "until", "by", "why")
    for one in found.get("maintenance", []):
        shown.add_row(one["target"], moment(one["until"]), one["actor"], one["reason"])
    for one in found["windows"]:
        shown.add_row(_window(one), moment(one["until"]), one["actor"], one["reason"])
    is_any = found.get("maintenance") or found["windows"]
    out.print(shown if is_any else "nothing is in maintenance")


def _window(one: dict[str, Any]) -> str:
    """Which window it is, and what it expects."""
    name = one["name"] if one["id"] is None else f"window {one['id']}"
    what = "everything" if one["is_everything"] else ", ".join(one["matchers"])
    return f"{name}: {what}"
