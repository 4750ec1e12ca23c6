"""`responder mail list`, `show`, `again` and `drop`: what came, and what became of it."""

from __future__ import annotations

import sys
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from responder.cli.client import DEFAULT_SERVER, ServerOption, ask, fetch
from responder.cli.common import JsonOption, me, moment, out, print_json, table


def list_(
    taken: Annotated[str, typer.Option("--taken", help="Only what was taken for this, such as quarantined.")] = "",
    sender: Annotated[str, typer.Option("--sender", help="Only mails of this address.")] = "",
    ticket: Annotated[str, typer.Option("--ticket", help="Only mails of this ticket.")] = "",
    since: Annotated[str, typer.Option("--since", help="How far back, such as 7d.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="How many.")] = 50,
    before: Annotated[int, typer.Option("--before", min=0, help="Older than the mail with this id.")] = 0,
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """List what came, what became of it and why, newest first."""
    wish = {"taken": taken, "sender": sender, "ticket": ticket, "since": since, "limit": limit, "before": before}
    found = ask("GET", server, f"/api/v1/mails?{urlencode({name: value for name, value in wish.items() if value})}")
    if json:
        print_json(found)
        return
    shown = table("id", "at", "way", "from", "taken", "ticket", "why")
    for one in found["mails"]:
        at = moment(one["received_at"])
        shown.add_row(str(one["id"]), at, one["way"], one["sender"], one["taken"], one["number"], one["why"])
    out.print(shown if found["mails"] else "no mail came", markup=False)
    if found["before"]:
        out.print(f"for older ones: --before {found['before']}")


def show(
    mail_id: Annotated[int, typer.Argument(metavar="ID", min=1)],
    raw: Annotated[bool, typer.Option("--raw", help="Print its bytes as they came.")] = False,
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Show what became of one mail, and why; or the mail itself as it came."""
    if raw:
        sys.stdout.buffer.write(fetch(server, f"/api/v1/mails/{mail_id}/content"))
        return
    _print(ask("GET", server, f"/api/v1/mails/{mail_id}"), json=json)


def again(
    mail_id: Annotated[int, typer.Argument(metavar="ID", min=1)],
    actor: Annotated[str | None, typer.Option("--as", help="In whose name.")] = None,
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Take a mail again that was set aside, after what was wrong has been mended."""
    _print(ask("POST", server, f"/api/v1/mails/{mail_id}/again", {"actor": actor or me()}), json=json)


def drop(
    mail_id: Annotated[int, typer.Argument(metavar="ID", min=1)],
    reason: Annotated[str, typer.Option("--reason", help="Why nothing is to become of it.")],
    actor: Annotated[str | None, typer.Option("--as", help="In whose name.")] = None,
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Drop a mail that was set aside and that nobody needs; its ticket clears with the last one."""
    content = {"actor": actor or me(), "reason": reason}
    _print(ask("POST", server, f"/api/v1/mails/{mail_id}/drop", content), json=json)


def _print(one: dict[str, Any], *, json: bool) -> None:
    if json:
        print_json(one)
        return
    number = f" {one['number']}" if one["number"] else ""
    out.print(f"{one['taken']}{number}: {one['why']}", markup=False)
    of = f" from {one['sender']}" if one["sender"] else ""
    out.print(f"came {moment(one['received_at'])} by {one['way']}{of}", markup=False)
    out.print(f"Message-ID {one['message_id']}, receipt {one['receipt']}", markup=False)
    if "size" in one:
        kept = f"{one['size']} bytes are kept" if one["size"] is not None else "its bytes are not kept any more"
        out.print(kept)
