"""`responder approvals`: what waits for a yes, and the yes or no to it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from responder.cli.client import DEFAULT_SERVER, ServerOption, ask
from responder.cli.common import JsonOption, login, out, print_json, table

Id = Annotated[int, typer.Argument(help="The approval's number.")]
Actor = Annotated[str, typer.Option("--as", envvar="RESPONDER_AS", help="Who you are in the people file.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for everybody to read.")]
approvals = typer.Typer(help="What waits for people's yes: steps, runs and suggestions.", no_args_is_help=True)
_PATH = "/api/v1/approvals"


@approvals.command("list")
def list_(
    server: ServerOption = DEFAULT_SERVER,
    everything: Annotated[bool, typer.Option("--all", help="Decided ones too.")] = False,
    json: JsonOption = False,
) -> None:
    """List what waits for an answer, newest first."""
    found = ask("GET", server, f"{_PATH}?all=1" if everything else _PATH)
    if json:
        print_json(found)
        return
    shown = table("id", "ticket", "kind", "state", "needed", "until", "question")
    for one in found["approvals"]:
        shown.add_row(
            str(one["id"]), one["ticket"], one["kind"], one["state"], one["wanted"], one["due_at"] or "",
            one["question"],
        )  # fmt: skip
    out.print(shown if found["approvals"] else "nothing waits for an answer")


@approvals.command()
def show(number: Id, server: ServerOption = DEFAULT_SERVER, json: JsonOption = False) -> None:
    """Show one question, and exactly what would run."""
    _show(ask("GET", server, f"{_PATH}/{number}"), json)


@approvals.command()
def approve(
    number: Id,
    who: Actor = login(),
    reason: Reason = "",
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Say yes."""
    _done(ask("POST", server, f"{_PATH}/{number}/approve", {"actor": who, "reason": reason}), json)


@approvals.command()
def reject(
    number: Id,
    who: Actor = login(),
    reason: Reason = "",
    server: ServerOption = DEFAULT_SERVER,
    json: JsonOption = False,
) -> None:
    """Say no; one no refuses it at once."""
    _done(ask("POST", server, f"{_PATH}/{number}/reject", {"actor": who, "reason": reason}), json)


def add_to(root: typer.Typer) -> None:
    root.add_typer(approvals, name="approvals")


def _done(approval: dict[str, Any], json: bool) -> None:
    if json:
        print_json(approval)
        return
    said = approval["sentence"] or f"noted; needed: {approval['wanted']}"
    out.print(f"{approval['ticket']}, {approval['runbook']} on {approval['target']}: {said}", markup=False)


def _show(approval: dict[str, Any], json: bool) -> None:
    if json:
        print_json(approval)
        return
    out.print(f"{approval['grade']} {approval['ticket']}: {approval['title']}", markup=False, style="bold")
    out.print(approval["question"], markup=False)
    until = f" until {approval['due_at']}" if approval["due_at"] else ""
    out.print(f"{approval['state']}; needed: {approval['wanted']}{until}", markup=False)
    for one in approval["answers"]:
        out.print(f"{one['person']}: {'yes' if one['yes'] else 'no'} {one['reason']}".rstrip(), markup=False)
    if approval["sentence"]:
        out.print(approval["sentence"], markup=False)
    for step in approval["steps"]:
        mark = "  <- waits here" if step["is_asked"] else ""
        phase = "" if step["phase"] == "steps" else f", {step['phase'].replace('_', ' ')}"
        out.print(f"{step['number']}. {step['name']} ({step['kind']} on {step['host']}{phase}){mark}", markup=False)
        for line in step["lines"]:
            out.print(f"   {line}", markup=False)
