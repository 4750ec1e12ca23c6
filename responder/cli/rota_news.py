"""What follows from a change of a rota, for people to read: who is told of it, and the times without anybody."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.text import Text

from responder.cli.common import out, red

_WARNING = red("warning") + Text(": ")


def show_news(found: dict[str, Any]) -> None:
    """Who is told of what was changed and when, from whom pages are held, and each gap that it opens; those within 14
    days are a warning."""
    told = [*found.get("told", ()), *(each for one in found["overrides"] for each in one.get("told", ()))]
    for said in dict.fromkeys(_told(one, ZoneInfo(found["zone"])) for one in told):
        if any(said):
            out.print(Text.assemble(red(said[0]), said[1]), soft_wrap=True)
    for text in found.get("held", ()):
        out.print(_WARNING + text, soft_wrap=True)
    gaps = found.get("gaps", ())
    for gap in gaps:
        out.print(_WARNING + gap["text"] if gap["is_near"] else gap["text"], soft_wrap=True)
    if gaps:
        out.print("`responder rota override` puts somebody there")


def _told(one: dict[str, Any], zone: ZoneInfo) -> tuple[str, str]:
    """What is to be seen at once, and the rest of the sentence."""
    who, why = one["person"], one["error"]
    if one["state"] == "failed":
        return f"{who} could not be told", f", so somebody has to say it: {why}"
    if one["state"] == "failed_for_now":
        return "", f"{who} could not be told yet, it is tried again: {why}"
    if one["state"] not in ("waiting", "held", "sending"):
        return "", ""
    if not one["due_at"]:
        return "", f"{who} is told"
    at = datetime.fromisoformat(one["due_at"]).astimezone(zone)
    return "", f"{who} is in quiet hours, and is told {at:%a %H:%M %Z}"
