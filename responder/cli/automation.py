"""`responder automation`: the kill switch."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from responder.cli.client import DEFAULT_SERVER, ServerOption, ask
from responder.cli.common import JsonOption, out, print_json

automation = typer.Typer(help="The kill switch: no automation starts a further step.", no_args_is_help=True)


@automation.command()
def off(
    reason: Annotated[str, typer.Argument(help="Why, for everybody to read.")],
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Switch automation off. Tickets go straight to people."""
    _show(ask("PUT", server, "/api/v1/kill-switch", {"reason": reason, "actor": getpass.getuser()}), json)


@automation.command()
def on(server: ServerOption = DEFAULT_SERVER, json: JsonOption = False) -> None:
    """Switch automation on again."""
    _show(ask("DELETE", server, "/api/v1/kill-switch"), json)


@automation.command()
def status(server: ServerOption = DEFAULT_SERVER, json: JsonOption = False) -> None:
    """Say whether automation is on."""
    _show(ask("GET", server, "/api/v1/kill-switch"), json)


def add_to(root: typer.Typer) -> None:
    root.add_typer(automation, name="automation")


def _show(found: dict[str, object], json: bool) -> None:
    if json:
        print_json(found)
    else:
        out.print(f"automation is off: {found['reason']}" if found["on"] else "automation is on", markup=False)
