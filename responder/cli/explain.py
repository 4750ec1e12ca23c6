"""`responder explain`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from responder.cli.client import DEFAULT_SERVER, ServerOption
from responder.cli.clocks import explain_clock
from responder.cli.common import DEFAULT_CONFIG, ConfigOption, JsonOption, configuration, out, pairs, print_json
from responder.clock import SystemClock
from responder.flows.explain import explain as explained


def explain(
    labels: Annotated[list[str], typer.Argument(help="The alert's labels, as name=value; or: clock NUMBER [NAME].")],
    annotation: Annotated[list[str], typer.Option("--annotation", "-a", help="Its annotations.")] = [],  # noqa: B006
    config: ConfigOption = DEFAULT_CONFIG,
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Say which rule, grade, runbook and people an alert with these labels would get, and why.

    `explain clock NUMBER` says why the clocks of a ticket of a running server are due when they are.
    """
    if labels[0] == "clock" and len(labels) in (2, 3):
        explain_clock(labels[1], labels[2] if len(labels) == 3 else "", server, json=json)
        return
    found = explained(configuration(config), pairs(labels), pairs(annotation), SystemClock().now())
    if json:
        print_json(found)
    else:
        _show(found)


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
    line("people", f"{', '.join(found['people']) or 'nobody'} ({found['people_reason']})")


def _first_aid(aid: dict[str, Any] | None) -> str:
    if aid is None:
        return "none: no rule fits, so it goes to people at once"
    where = f"{aid['runbook']} on {aid['target'] or '?'} (rule “{aid['rule']}”)"
    return f"{where}, but refused: {aid['objection']}" if aid["objection"] else f"{where}; {aid['autonomy']}"
