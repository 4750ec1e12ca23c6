"""`responder heartbeats`: cron jobs and sources that are watched for silence."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import typer

from responder.cli.client import DEFAULT_SERVER, ServerOption, ask
from responder.cli.common import FAILED, JsonOption, moment, out, print_json, table

_PATH = "/api/v1/heartbeats"
_BAD = ("late", "down", "started_too_long")


def heartbeats(
    url: Annotated[str, typer.Option("--url", help="Print the address that this cron job calls.")] = "",
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """List what is watched for silence. Ends with 1 if something is silent or has failed."""
    if url:
        found = ask("GET", server, f"{_PATH}/{quote(url, safe='')}/url")
        if json:
            print_json(found)
        else:
            out.print(found["url"], markup=False)
        return
    found = ask("GET", server, _PATH)
    if json:
        print_json(found)
    else:
        _show(found["cron_jobs"], found["sources"])
    is_bad = any(one["state"] in _BAD for one in found["cron_jobs"]) or any(
        one["silent_since"] for one in found["sources"]
    )
    if is_bad:
        raise typer.Exit(FAILED)


def add_to(root: typer.Typer) -> None:
    root.command()(heartbeats)


def _show(jobs: list[dict[str, str]], sources: list[dict[str, str]]) -> None:
    shown = table("heartbeat", "state", "schedule", "last", "late from", "about")
    for one in jobs:
        times = (moment(one["last_at"]) or "never", moment(one["late_at"]))
        shown.add_row(one["name"], one["state"], one["schedule"], *times, one["text"])
    for one in sources:
        state = "late" if one["silent_since"] else "new" if one["not_heard_since"] else "up"
        about = [f"silent since {moment(one['silent_since'])}"] if one["silent_since"] else []
        about += [f"not heard since the start ({moment(one['not_heard_since'])})"] if one["not_heard_since"] else []
        last = moment(one["last_at"]) or "never"
        shown.add_row(one["name"], state, f"of source {one['source']}", last, "", ", ".join(about))
    out.print(shown if jobs or sources else "nothing is watched for silence")
