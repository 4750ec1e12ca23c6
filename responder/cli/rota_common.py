"""What the commands about rotas share: how people, times and overrides are shown."""

from __future__ import annotations

import getpass
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.markup import escape

from responder.cli.common import out, print_json, table

NameArgument = Annotated[str, typer.Argument(help="The rota's name in the people file.")]
TIMES = "such as 2026-01-05T09:00 in the rota's zone, or with an offset"


def show_overrides(found: dict[str, Any], json: bool) -> None:
    """Overrides as a table, in the zone that the server names."""
    if json:
        print_json(found)
        return
    shown = table("override", "from", "until", "on call", "instead of", "by", "why")
    for one in found["overrides"]:
        until = one["ended_at"] or one["until"]
        ended = f" (ended by {one['ended_by']})" if one["ended_by"] else ""
        shown.add_row(
            str(one["id"]),
            local(one["start"], found["zone"]),
            local(until, found["zone"]) + escape(ended),
            escape(one["person"] or "(away)"),
            escape(one["instead_of"] or "everybody"),
            escape(one["actor"]),
            escape(one["reason"]),
        )
    out.print(shown if found["overrides"] else "there is no override")


def people(names: list[str]) -> str:
    """The names, or that there is nobody."""
    return escape(", ".join(names)) if names else "[red]nobody[/red]"


def local(text: str, zone: str) -> str:
    """An instant as the clock on the wall shows it."""
    return f"{datetime.fromisoformat(text).astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M %Z}"


def by_me(wish: dict[str, str]) -> dict[str, str]:
    """The wish without what was not given, in the name of whoever runs the command."""
    return {**{name: value for name, value in wish.items() if value}, "actor": getpass.getuser()}
