"""`responder noise`: alerts that nobody ever acted on, and the pages that they cost."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

import typer

from responder.cli.client import DEFAULT_SERVER, ServerOption, ask
from responder.cli.common import JsonOption, out, print_json, table


def noise(
    since: Annotated[str, typer.Option("--since", help="How far to look back, such as 30d.")] = "30d",
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Alerts that nobody ever acted on, by rule, with the pages that they cost."""
    found = ask("GET", server, f"/api/v1/noise?{urlencode({'since': since})}")
    if json:
        print_json(found)
        return
    shown = table("pages", "tickets", "last", "alert", "graded by")
    for rule in found["rules"]:
        last = f"{rule['last']} {rule['last_at'][:10]}"
        shown.add_row(str(rule["pages"]), str(rule["tickets"]), last, rule["alert"], rule["rule"])
    if found["rules"]:
        out.print(shown)
    if not found["pages"]:
        out.print(f"no page in {since} that can be judged; that of an open ticket can after a day", markup=False)
        return
    out.print(
        f"{found['wasted']} of {found['pages']} pages in {since} were for alerts that nobody ever acted on",
        markup=False,
    )


def add_to(root: typer.Typer) -> None:
    root.command()(noise)
