"""`responder explain clock NUMBER`: every stretch, pause and holiday of a deadline."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from responder.cli.client import ask
from responder.cli.common import out, print_json
from responder.domain.durations import spoken


def explain_clock(key: str, name: str, server: str, *, json: bool) -> None:
    """Prints the story of a ticket's clocks, in each calendar's own zone."""
    query = f"?{urlencode({'clock': name})}" if name else ""
    found = ask("GET", server, f"/api/v1/tickets/{quote(key, safe='')}/clocks{query}")
    if json:
        print_json(found)
        return
    for index, clock in enumerate(found["clocks"]):
        if index:
            out.print()
        _show(found["number"], clock)
    if not found["clocks"]:
        out.print(f"{found['number']} has no clock", markup=False)


def _show(number: str, clock: dict[str, Any]) -> None:
    zone = ZoneInfo(clock["zone"])
    version = f" (version {clock['calendar_version']})" if clock["calendar_version"] else ""
    out.print(f"{number}, clock {clock['clock']}: {clock['text']}", markup=False, style="bold", soft_wrap=True)
    out.print(f"target {clock['target']}; calendar {clock['calendar']}{version}, {clock['zone']}", markup=False)
    for line in clock["lines"]:
        out.print(_line(line, zone), markup=False, soft_wrap=True)
    used = spoken(timedelta(seconds=clock["used_seconds"]))
    due = _moment(clock["due_at"], zone) if clock["due_at"] else "no time: it does not run"
    out.print(f"used {used}; due at {due}; {clock['state']}", markup=False, soft_wrap=True)


def _line(line: dict[str, Any], zone: tzinfo) -> str:
    if line["counted_seconds"] is None:
        return f"{_moment(line['at'], zone)}  {line['text']}"
    length = timedelta(seconds=line["counted_seconds"])
    counted = f"+{spoken(length)}" if length else "does not count"
    return f"{_moment(line['at'], zone)}    to {_moment(line['until'], zone)}  {line['text']}: {counted}"


def _moment(at: str, zone: tzinfo) -> str:
    local = datetime.fromisoformat(at).astimezone(zone)
    offset = "UTC" if local.utcoffset() == UTC.utcoffset(None) else f"{local:%z}"
    return f"{local:%a %Y-%m-%d %H:%M:%S} {offset}"
