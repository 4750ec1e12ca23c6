"""`responder automation`: the kill switch."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from responder.cli.client import DEFAULT_SERVER, ServerOption, ask
from responder.cli.common import BAD_CONFIG, JsonOption, fail, me, out, print_json

automation = typer.Typer(
    help="The kill switch: no automation starts a further step, anywhere, of a runbook, or on a target.",
    no_args_is_help=True,
)
_PATH = "/api/v1/kill-switch"
RunbookOption = Annotated[str, typer.Option("--runbook", help="Only this runbook.")]
TargetOption = Annotated[str, typer.Option("--target", help="Only this target.")]


@automation.command()
def off(
    why: Annotated[str, typer.Argument(help="Why, for everybody to read.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="The same, as an option.")] = "",
    runbook: RunbookOption = "",
    target: TargetOption = "",
    lasting: Annotated[str, typer.Option("--for", help="It ends by itself after so long, such as 2h.")] = "",
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Switch automation off. Tickets go straight to people."""
    if not (why or reason):
        fail("Say why, for everybody to read: responder automation off --reason TEXT.", BAD_CONFIG)
    wish = {"reason": reason or why, "actor": me(), "runbook": runbook, "target": target, "for": lasting}
    _show(ask("PUT", server, _PATH, {name: value for name, value in wish.items() if value}), json)


@automation.command()
def on(
    runbook: RunbookOption = "",
    target: TargetOption = "",
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Switch automation on again, or the runbook or target; what else is off stays off."""
    _show(ask("DELETE", server, _path(runbook, target)), json)


@automation.command()
def status(
    runbook: RunbookOption = "",
    target: TargetOption = "",
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Say whether automation is on, and what is off."""
    _show(ask("GET", server, _path(runbook, target)), json)


def add_to(root: typer.Typer) -> None:
    root.add_typer(automation, name="automation")


def _path(runbook: str, target: str) -> str:
    asked = {name: value for name, value in (("runbook", runbook), ("target", target)) if value}
    return f"{_PATH}?{urlencode(asked)}" if asked else _PATH


def _show(found: dict[str, Any], json: bool) -> None:
    if json:
        print_json(found)
        return
    out.print(f"automation is off: {found['reason']}" if found["on"] else "automation is on", markup=False)
    for one in found["switches"]:
        if one["reason"] != found["reason"]:
            what = "everything" if one["scope"] == "everything" else f"{one['scope']} {one['name']}"
            out.print(f"off: {what}: {one['reason']}", markup=False)
