"""`responder audit`: who did what, and whether everybody was told who should have been."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from responder.cli.client import DEFAULT_SERVER, ServerOption, ask
from responder.cli.common import FAILED, JsonOption, login, moment, out, print_json, table

audit = typer.Typer(
    help="Who did what or was refused, and whether everybody was told who should have been.", no_args_is_help=True
)
_LOG, _PATH = "/api/v1/audit", "/api/v1/audit/pages"


@audit.command()
def log(
    actor: Annotated[str, typer.Option(help="Only what this name did.")] = "",
    action: Annotated[str, typer.Option(help="Only this action, as the log writes it.")] = "",
    object_: Annotated[str, typer.Option("--object", help="Only what was done to this, such as a ticket.")] = "",
    outcome: Annotated[str, typer.Option(help="Only done, refused or failed.")] = "",
    from_: Annotated[str, typer.Option("--from", help="Not before this instant, such as 2026-01-05T09:00.")] = "",
    to: Annotated[str, typer.Option(help="Before this instant.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 50,
    cursor: Annotated[str, typer.Option(help="Go on behind a page: the next that it ended with.")] = "",
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """List who did what or was refused, newest first. This takes a token with the scope admin."""
    asked = {"actor": actor, "action": action, "object": object_, "outcome": outcome, "from": from_, "to": to}
    query = {"limit": limit, **{name: text for name, text in {**asked, "cursor": cursor}.items() if text}}
    found = ask("GET", server, f"{_LOG}?{urlencode(query)}")
    if json:
        print_json(found)
        return
    shown = table("when", "who", "what", "to what", "outcome", "why not", "from where")
    for one in found["entries"]:
        outcome_ = one["outcome"] + (f" {one['status']}" if one["outcome"] != "done" and one["status"] else "")
        shown.add_row(
            moment(one["at"]), one["actor"] or "a stranger", one["action"], one["object"], outcome_, one["text"],
            one["address"],
        )  # fmt: skip
    out.print(shown if found["entries"] else "no entry")
    if found["next"]:
        out.print(f"older ones: --cursor {found['next']}")


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
    who: Annotated[str, typer.Option("--as", envvar="RESPONDER_AS", help="Who you are.")] = login(),
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
    for text in found["unreached"]:
        out.print(text, markup=False)
    counted = ", ".join(f"{found[what]} {what[:-1] if found[what] == 1 else what}" for what in ("tickets", "messages"))
    out.print(f"{counted}: {'they agree' if found['agrees'] else 'THEY DIFFER'}", markup=False)
