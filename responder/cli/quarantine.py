"""`responder quarantine`: what came in and was not understood."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

import typer

from responder.cli.client import DEFAULT_SERVER, ServerOption, ask, every
from responder.cli.common import JsonOption, fail, out, print_json, table

quarantine = typer.Typer(help="Reports that were not understood, with their bytes.", no_args_is_help=True)
_PATH = "/api/v1/quarantine"


@quarantine.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many.")] = 50,
    cursor: Annotated[str, typer.Option(help="Go on behind a page: the next that it ended with.")] = "",
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """List the latest, newest first."""
    found = ask("GET", server, f"{_PATH}?{urlencode({'limit': limit, 'cursor': cursor})}")
    if json:
        print_json(found)
        return
    shown = table("receipt", "source", "at", "why")
    for one in found["quarantine"]:
        shown.add_row(one["receipt"], one["source"], one["received_at"][:19], one["reason"])
    out.print(shown if found["quarantine"] else "nothing is in quarantine")
    if found["next"]:
        out.print(f"older ones: --cursor {found['next']}")


@quarantine.command()
def show(receipt: str, server: ServerOption = DEFAULT_SERVER, json: JsonOption = False) -> None:
    """Show one with the beginning of its body."""
    kept = every(server, f"{_PATH}?limit=500", "quarantine")
    found = next((one for one in kept if one["receipt"] == receipt), None)
    if found is None:
        fail(f"There is no {receipt} in quarantine.")
    if json:
        print_json(found)
    else:
        out.print(f"{found['source']} at {found['received_at']}: {found['reason']}\n{found['body']}", markup=False)


def add_to(root: typer.Typer) -> None:
    root.add_typer(quarantine, name="quarantine")
