"""What follows from a change of a rota, for people to read: who is told of it, and the times without anybody."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.markup import escape

from responder.cli.common import out


def show_news(found: dict[str, Any]) -> None:
    """Who is told of what was changed and when, from whom pages are held, and each gap that it opens; those within 14
    days are a warning."""
    told = [*found.get("told", ()), *(each for one in found["overrides"] for each in one.get("told", ()))]
    for line in dict.fromkeys(_told(one, ZoneInfo(found["zone"])) for one in told):
        if line:
            out.print(line, soft_wrap=True)
    for text in found.get("held", ()):
        out.print(f"[red]warning[/red]: {escape(text)}", soft_wrap=True)
    gaps = found.get("gaps", ())
    for gap in gaps:
        warning = "[red]warning[/red]: " if gap["is_near"] else ""
        out.print(f"{warning}{escape(gap['text'])}", soft_wrap=True)
    if gaps:
        out.print("`responder rota override` puts somebody there")


def _told(one: dict[str, Any], zone: ZoneInfo) -> str:
    who, why = escape(one["person"]), escape(one["error"])
    if one["state"] == "failed":
        return f"[red]{who} could not be told[/red], so somebody has to say it: {why}"
    if one["state"] == "failed_for_now":
        return f"{who} could not be told yet, it is tried again: {why}"
    if one["state"] not in ("waiting", "held", "sending"):
        return ""
    if not one["due_at"]:
        return f"{who} is told"
    return f"{who} is in quiet hours, and is told {datetime.fromisoformat(one['due_at']).astimezone(zone):%a %H:%M %Z}"
