"""`responder audit`: whether everybody was told who should have been."""

from __future__ import annotations

import getpass
from typing import Annotated, Any

import typer

from responder.cli.client import DEFAULT_SERVER, ServerOption, ask
from responder.cli.common import FAILED, JsonOption, out, print_json, table

audit = typer.Typer(help="Whether everybody was told who should have been.", no_args_is_help=True)
_PATH = "/api/v1/audit/pages"


@audit.command()
def pages(server: ServerOption = DEFAULT_SERVER, json: JsonOption = False) -> None:
    """Compare who should have been told by now with the messages. Ends with 1 if they differ."""
    found = ask("GET", server, _PATH)
    if json:
        print_json(found)
    else:
        _show(found)
    if not found["agrees"]:
        raise typer.Exit(FAILED)


@audit.command()
def accept(
    key: Annotated[str, typer.Argument(help="The difference, as `responder audit pages` names it.")],
    reason: Annotated[str, typer.Option("--reason", help="Why it is no trouble any more, for everybody to read.")],
    who: Annotated[str, typer.Option("--as", envvar="RESPONDER_AS", help="Who you are.")] = getpass.getuser(),
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Say that you have looked at a difference that cannot be mended, such as a row that was deleted."""
    found = ask("POST", server, f"{_PATH}/accept", {"key": key, "reason": reason, "actor": who})
    if json:
        print_json(found)
    else:
        _show(found)


def add_to(root: typer.Typer) -> None:
    root.add_typer(audit, name="audit")


def _show(found: dict[str, Any]) -> None:
    if found["calling"]:
        shown = table("ticket", "has it", "told")
        for one in found["calling"]:
            told = "; ".join(one["told"]) or "nobody"
            shown.add_row(one["ticket"], one["acknowledged_by"] or "nobody", told)
        out.print(shown)
    for one in found["differences"]:
        accepted = one["accepted"]
        by = f" (looked at by {accepted['by']}: {accepted['reason']})" if accepted else ""
        out.print(f"{one['key']}: {one['text']}{by}", markup=False)
    counted = ", ".join(f"{found[what]} {what[:-1] if found[what] == 1 else what}" for what in ("tickets", "messages"))
    out.print(f"{counted}: {'they agree' if found['agrees'] else 'THEY DIFFER'}", markup=False)
