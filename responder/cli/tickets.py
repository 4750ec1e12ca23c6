"""`responder tickets`: list and show; the verbs of people are in `handling`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import typer

from responder.cli.client import DEFAULT_SERVER, ServerOption, ask
from responder.cli.common import JsonOption, moment, out, print_json, table
from responder.clock import SystemClock
from responder.domain.durations import spoken

Key = Annotated[str, typer.Argument(help="The ticket's number or id.")]
tickets = typer.Typer(help="See and handle tickets of a running server.", no_args_is_help=True)


@tickets.command("list")
def list_(
    server: ServerOption = DEFAULT_SERVER,
    everything: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False,
    grade: Annotated[str, typer.Option(help="Only this grade.")] = "",
    limit: Annotated[int, typer.Option(help="At most so many.")] = 50,
    json: JsonOption = False,
) -> None:
    """List tickets, newest first."""
    query = {"limit": limit, **({} if everything else {"open": 1}), **({"grade": grade} if grade else {})}
    found = ask("GET", server, f"/api/v1/tickets?{urlencode(query)}")
    if json:
        print_json(found)
        return
    shown = table("grade", "number", "status", "signal", "age", "who", "what")
    for ticket in found["tickets"]:
        who = ticket["acknowledged_by"] or ("machine" if ticket["restored_by"] == "machine" else "")
        shown.add_row(
            ticket["grade"], ticket["number"], ticket["status"].replace("_", " "), ticket["signal"],
            _age(ticket["opened_at"]), who, ticket["title"],
        )  # fmt: skip
    out.print(shown if found["tickets"] else "no ticket")


@tickets.command()
def show(key: Key, server: ServerOption = DEFAULT_SERVER, json: JsonOption = False) -> None:
    """Show one ticket with its whole history."""
    found = ask("GET", server, f"/api/v1/tickets/{quote(key, safe='')}")
    if json:
        print_json(found)
    else:
        _show(found)


def add_to(root: typer.Typer) -> None:
    # Here, because the verbs are commands of this group.
    import responder.cli.handling  # noqa: F401

    root.add_typer(tickets, name="tickets")


def done(ticket: dict[str, Any], json: bool) -> None:
    if json:
        print_json(ticket)
    else:
        who = f", {ticket['acknowledged_by']} has it" if ticket["acknowledged_by"] else ""
        out.print(f"{ticket['number']} is {ticket['status'].replace('_', ' ')}{who}", markup=False)


def _age(at: str) -> str:
    return spoken(SystemClock().now() - datetime.fromisoformat(at))


def _show(ticket: dict[str, Any]) -> None:
    out.print(f"{ticket['grade']} {ticket['number']}: {ticket['title']}", markup=False, style="bold", soft_wrap=True)
    out.print(f"{ticket['status'].replace('_', ' ')}, {ticket['signal']}; {ticket['grade_reason']}", markup=False)
    out.print(f"opened {moment(ticket['opened_at'])}; all times are UTC", markup=False)
    if ticket["held"]:
        out.print(ticket["held"]["sentence"], markup=False, style="bold")
    if ticket["members"]:
        out.print(f"waiting behind it: {', '.join(ticket['members'])}", markup=False)
    _show_report(ticket["report_fields"])
    for clock in sorted(ticket["clocks"], key=lambda one: one["due_at"] or "~"):
        out.print(f"clock {clock['name']}: {_clock(clock)}", markup=False)
    if ticket["escalation"]:
        out.print(next_call(ticket["escalation"][-1], reaches_nobody=ticket["reaches_nobody"]), markup=False)
    for event in ticket["events"]:
        out.print(f"{_moment(event['at'])}  {event['actor']}: {event['text']}", markup=False, soft_wrap=True)
    for run in ticket["runs"]:
        out.print(f"run {run['id']}: {run['runbook']} on {run['target']}, {run['outcome'] or 'at work'}", markup=False)
        for step in run["steps"]:
            out.print(f"{_moment(step['started_at'])}  {step['name']}: {step['sentence'] or 'at work'}", markup=False)
            for act in step["acts"]:
                said = f"{act['host'] or step['host']} $ {' '.join(act['command'])}  [exit {act['exit_code']}]"
                out.print(said, markup=False, soft_wrap=True)
                out.print(act["output"], markup=False, style="dim")
    for message in ticket["messages"]:
        reasons = [tries_of(message), message["error"]]
        why = f" ({'; '.join(filter(None, reasons))})" if any(reasons) else ""
        state = message["state"].replace("_", " ")
        out.print(f"message to {message['person']} by {message['channel']}: {state}{why}", markup=False)


def tries_of(message: dict[str, Any]) -> str:
    """When a message that has not left was tried last, and when it is next."""
    if message["sent_at"]:
        return ""
    tried = f"tried at {_moment(message['tried_at'])}" if message["tried_at"] else ""
    due = f"next at {_moment(message['due_at'])}" if message["due_at"] else ""
    return ", ".join(filter(None, (tried, due)))


def _show_report(report: dict[str, Any]) -> None:
    for field in report["known"]:
        value = " ".join(field["value"].split())
        out.print(f"field {field['label']}: {value} ({field['how']})", markup=False, soft_wrap=True)
    for field in report["missing"]:
        out.print(f"missing: {field['label']}", markup=False)


def _clock(clock: dict[str, Any]) -> str:
    state = "past its target" if clock["breached_at"] else "stopped" if clock["stopped_at"] else "running"
    return f"due {_moment(clock['due_at'])}, {state}" if clock["due_at"] else "paused or without a target"


def next_call(chain: dict[str, Any], *, reaches_nobody: bool = False) -> str:
    """Who is called next, and when; or why nobody is. And whether all of that is in vain."""
    call = chain["next"]
    in_vain = " No message reaches anybody." if reaches_nobody else ""
    if call is not None:
        whom = f"{', '.join(call['who']) or 'nobody'} ({call['means']})"
        return f"next call: {whom} at {_moment(call['at'])}, by “{chain['plan']}”{'.' if in_vain else ''}{in_vain}"
    if chain["over"]:
        return f"nobody more is called: {chain['over']}{in_vain}"
    if not chain["calls"]:
        return "it calls nobody: it waits in the list."
    return f"nobody more is called: everybody was{' in vain.' if reaches_nobody else '.'}{in_vain}"


def _moment(at: str) -> str:
    return f"{datetime.fromisoformat(at):%Y-%m-%d %H:%M:%S}"
