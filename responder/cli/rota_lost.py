"""`responder rota lost`: the overrides that count no more since their rota, or somebody of them, has gone."""

from __future__ import annotations

import typer

from responder.cli.client import DEFAULT_SERVER, ServerOption, ask
from responder.cli.common import FAILED, JsonOption, out, print_json, table
from responder.cli.rota_common import local


def lost(server: ServerOption = DEFAULT_SERVER, json: JsonOption = False) -> None:
    """List the overrides of rotas and people that have gone from the files. Exit code 1 if there are any.

    `responder rota end ROTA NUMBER` ends one, under the rota's old name.
    """
    found = ask("GET", server, "/api/v1/lost-overrides")
    if json:
        print_json(found)
    else:
        shown = table("override", "rota", "from", "until", "on call", "instead of", "why it counts no more")
        for one in found["overrides"]:
            span = (local(one["start"], found["zone"]), local(one["until"], found["zone"]))
            names = (one["person"], one["instead_of"] or "everybody", one["why"])
            shown.add_row(str(one["id"]), one["rota"], *span, *names)
        out.print(shown if found["overrides"] else "every override counts")
    if found["overrides"]:
        raise typer.Exit(FAILED)


def add_to(rota: typer.Typer) -> None:
    rota.command()(lost)
