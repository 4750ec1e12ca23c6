"""What the commands about rotas share: how people, times and overrides are shown."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.text import Text

from responder.cli.common import me, out, print_json, red, table
from responder.cli.rota_news import show_news

NameArgument = Annotated[str, typer.Argument(help="The rota's name in the people file.")]
TIMES = "such as 2026-01-05T09:00, tomorrow, monday 09:00 in the rota's zone, +8h, or with an offset"
AWAY_TIMES = (
    "such as 2026-01-05T09:00, tomorrow, monday 09:00 in the zone of the person's rotas, +8h, or with an offset"
)


def show_overrides(found: dict[str, Any], json: bool, none: str = "there is no override") -> None:
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
            local(until, found["zone"]) + ended,
            one["person"] or "(away)",
            one["instead_of"] or "everybody",
            one["actor"],
            one["reason"],
        )
    out.print(shown if found["overrides"] else none)
    show_news(found)


def show_absences(found: dict[str, Any], json: bool, none: str = "nobody is away") -> None:
    """Absences as a table, in the zone that the server names."""
    if json:
        print_json(found)
        return
    shown = table("absence", "who", "from", "back", "by", "why")
    for one in found["overrides"]:
        ended = f" (ended by {one['ended_by']})" if one["ended_by"] else ""
        shown.add_row(
            str(one["id"]),
            one["instead_of"],
            local(one["start"], found["zone"]),
            local(one["ended_at"] or one["until"], found["zone"]) + ended,
            one["actor"],
            one["reason"],
        )
    out.print(shown if found["overrides"] else none)
    show_news(found)


def joined(gaps: list[dict[str, str]]) -> list[tuple[str, str]]:
    """Gaps that touch as one: each from when until when."""
    made: list[tuple[str, str]] = []
    for one in gaps:
        if made and made[-1][1] == one["start"]:
            made[-1] = (made[-1][0], one["until"])
        else:
            made.append((one["start"], one["until"]))
    return made


def people(names: list[str]) -> Text:
    """The names, or that there is nobody."""
    return Text(", ".join(names)) if names else red("nobody")


def local(text: str, zone: str) -> str:
    """An instant as the clock on the wall shows it."""
    return f"{datetime.fromisoformat(text).astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M %Z}"


def by_me(wish: dict[str, str]) -> dict[str, str]:
    """The wish without what was not given, in the name of whoever runs the command."""
    return {**{name: value for name, value in wish.items() if value}, "actor": me()}
