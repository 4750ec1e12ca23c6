"""`responder explain`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from responder.cli.client import DEFAULT_SERVER, ServerOption, ask
from responder.cli.clocks import explain_clock
from responder.cli.common import BAD_CONFIG, JsonOption, fail, out, pairs, print_json
from responder.cli.files import DEFAULT_CONFIG, ConfigOption, configuration
from responder.clock import SystemClock
from responder.config.rotas import as_instant
from responder.domain.spoken_times import written_out
from responder.flows.explain import explain as explained


def explain(
    labels: Annotated[list[str], typer.Argument(help="The alert's labels, as name=value; or: clock NUMBER [NAME].")],
    annotation: Annotated[list[str], typer.Option("--annotation", "-a", help="Its annotations.")] = [],  # noqa: B006
    live: Annotated[
        bool, typer.Option("--live", help="Ask the server, which knows overrides and open tickets.")
    ] = False,
    at: Annotated[
        str,
        typer.Option(
            "--at", help="When it begins to show, such as 2026-12-24T20:00 or tomorrow 20:00; now without it."
        ),
    ] = "",
    config: ConfigOption = DEFAULT_CONFIG,
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Say which rule, grade, runbook and people an alert with these labels would get, what would hold it back, and why.

    Without --live only files are read: windows and hold-off of the policy, the rota without its overrides.

    `explain clock NUMBER` says why the clocks of a ticket of a running server are due when they are.
    """
    if labels[0] == "clock" and len(labels) in (2, 3):
        explain_clock(labels[1], labels[2] if len(labels) == 3 else "", server, json=json)
        return
    if live:
        wish = {"labels": pairs(labels), "annotations": pairs(annotation), "at": at}
        found = ask("POST", server, "/api/v1/explain", wish)
    else:
        known = configuration(config)
        found = explained(known, pairs(labels), pairs(annotation), _instant(at, known.policy.zone))
    if json:
        print_json(found)
    else:
        _show(found)


def _instant(at: str, zone: ZoneInfo) -> datetime:
    now = SystemClock().now()
    if not at:
        return now
    try:
        return as_instant(written_out(at, zone, now), zone)
    except ValueError as error:
        fail(f"--at: {error}", BAD_CONFIG)


def add_to(root: typer.Typer) -> None:
    root.command()(explain)


def _show(found: dict[str, Any]) -> None:
    def line(name: str, text: str) -> None:
        out.print(f"{name:<10} {text}", markup=False, soft_wrap=True)

    if found["heartbeat"]:
        line("heartbeat", f"{found['heartbeat']}: it opens no ticket; its silence does")
        return
    line("grade", f"{found['grade']}: {found['reason']}")
    line("rule", found["rule"])
    line("clocks", ", ".join(f"{name} in {target}" for name, target in found["clocks"].items()))
    line("team", found["team"])
    line("first aid", _first_aid(found["first_aid"]))
    if found["ticket"]:
        line("ticket", f"{found['ticket']}: it would be {found['outcome'].replace('_', ' ')}")
    line("held", _held(found["held"]))
    line("people", f"{', '.join(found['people']) or 'nobody'} ({found['people_reason']})")
    for call in found["calls"][1:]:
        line("then", f"at {call['at']}: {', '.join(call['people']) or 'nobody'} ({call['means']})")
    for text in found["unknown"]:
        line("unknown", text)


def _held(held: dict[str, Any] | None) -> str:
    if held is None:
        return "by nothing: it goes on at once"
    return f"{held['sentence']} Until {held['until'] or 'that is over'}."


def _first_aid(aid: dict[str, Any] | None) -> str:
    if aid is None:
        return "none: no rule fits, so it goes to people at once"
    where = f"{aid['runbook']} on {aid['target'] or '?'} (rule “{aid['rule']}”)"
    return f"{where}, but refused: {aid['objection']}" if aid["objection"] else f"{where}; {aid['autonomy']}"
