"""`responder quarantine`: what came in and was not understood."""

from __future__ import annotations

import typer

from responder.cli.client import DEFAULT_SERVER, ServerOption, ask
from responder.cli.common import JsonOption, fail, out, print_json, table

quarantine = typer.Typer(help="Reports that were not understood, with their bytes.", no_args_is_help=True)


@quarantine.command("list")
def list_(server: ServerOption = DEFAULT_SERVER, json: JsonOption = False) -> None:
    """List the latest, newest first."""
    found = ask("GET", server, "/api/v1/quarantine")
    if json:
        print_json(found)
        return
    shown = table("receipt", "source", "at", "why")
    for one in found:
        shown.add_row(one["receipt"], one["source"], one["received_at"][:19], one["reason"])
    out.print(shown if found else "nothing is in quarantine")


@quarantine.command()
def show(receipt: str, server: ServerOption = DEFAULT_SERVER, json: JsonOption = False) -> None:
    """Show one with the beginning of its body."""
    found = next((one for one in ask("GET", server, "/api/v1/quarantine") if one["receipt"] == receipt), None)
    if found is None:
        fail(f"There is no {receipt} among the latest.")
    if json:
        print_json(found)
    else:
        out.print(f"{found['source']} at {found['received_at']}: {found['reason']}\n{found['body']}", markup=False)


def add_to(root: typer.Typer) -> None:
    root.add_typer(quarantine, name="quarantine")
