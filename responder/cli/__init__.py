"""The command line: one file per group of commands, loaded only when it is asked for."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterable
from importlib import import_module
from typing import Annotated

import typer

from responder import __version__

COMMANDS = {
    "serve": ("serve", "Serve: take reports, give first aid, hand over. Stops on SIGTERM, reloads on SIGHUP."),
    "worker": (
        "serve",
        "Only do jobs, beside a `serve` elsewhere, for example inside another network. Needs PostgreSQL.",
    ),
    "init": (
        "init",
        "Write a commented configuration, policy, inventory and people file, secrets, and the Alertmanager snippet.",
    ),
    "check": ("check", "Check all files, against each other too, and look through the runbooks for what is unwise."),
    "schema": (
        "check",
        "Print the JSON Schema of runbook files, of their test files, of policy files, or of mail rules, for editors.",
    ),
    "explain": (
        "explain",
        "Say which rule, grade, runbook and people an alert with these labels would get, what would hold it back, "
        "and why.",
    ),
    "coverage": ("coverage", "Say which alerts of Prometheus rule files have no grade rule, no runbook and no owner."),
    "backtest": (
        "backtest",
        "Replay the stored reports against changed rules and runbooks; say what would differ. It acts never.",
    ),
    "run": ("run", "Rehearse a runbook on a host: every look is made for real, every act is only shown."),
    "test": ("test", "Run the tests of runbooks: the real engine on hosts that only answer what a test says."),
    "demo": (
        "demo",
        "Play a scenario on two nodes with a real service: self-healed, handed over, flapping, a burst of 200 alerts.",
    ),
    "send-test-alert": ("alerts", "Send an alert as Alertmanager would, to see what becomes of it."),
    "tickets": ("tickets", "See and handle tickets of a running server."),
    "approvals": ("approvals", "What waits for people's yes: steps, runs and suggestions."),
    "reviews": ("reviews", "What was learnt from an incident: root cause, improvements."),
    "actions": ("actions", "What reviews promised to improve: done, moved, overdue."),
    "parts": ("parts", "Spare parts: the stock, and what plans have reserved of it."),
    "people": ("people", "Who is told, on which channels, and whether these lead to them."),
    "reporters": ("reporters", "Reports by people, and what is said to and by them."),
    "rota": ("rota", "Who is on call: shifts, gaps, overrides and swaps."),
    "who": ("rota", "Say who is on call in every tier, until when, and why them."),
    "knowledge": ("knowledge", "The known-issue base: past cases and articles."),
    "health": ("health", "Health checks: when, and what they found."),
    "heartbeats": ("heartbeats", "List what is watched for silence. Ends with 1 if something is silent or has failed."),
    "runbooks": ("runbooks", "Runbooks of a running server: autonomy and record."),
    "automation": (
        "automation",
        "The kill switch: no automation starts a further step, anywhere, of a runbook, or on a target.",
    ),
    "maintenance": (
        "maintenance",
        "Targets that people are working on, and alerts that are expected: nothing runs, nobody is paged.",
    ),
    "noise": ("noise", "Alerts that nobody ever acted on, by rule, with the pages that they cost."),
    "statistics": ("statistics", "Tickets, how long they took, service levels and first aid of a period."),
    "mail": ("mail", "Mails: what would become of one, what became of those that came."),
    "quarantine": ("quarantine", "Reports that were not understood, with their bytes."),
    "audit": ("audit", "Who did what or was refused, and whether everybody was told who should have been."),
    "hosts": ("hosts", "Inventory hosts: keys to pin, and a try."),
    "user": ("user", "Accounts of people who sign in to the console."),
    "token": ("token", "API tokens; only their digests are stored."),
    "db": ("db", "The database."),
    "doctor": (
        "doctor",
        "Look at files, secrets, database, Prometheus, mailbox, sign-in, hosts and the server; say what is wrong.",
    ),
    "version": ("version", "Print the version."),
}
"""In which module of this package each is, and the first sentence of its help."""


def main() -> None:
    """Runs the command that the arguments name."""
    # Nothing of what is imported is ever garbage; `serve` freezes it and goes on with the collector.
    gc.disable()
    command = _wanted(sys.argv[1:])
    gc.enable()
    command()


def _wanted(arguments: Iterable[str]) -> typer.Typer:
    name = next((word for word in arguments if not word.startswith("-")), "")
    if name in COMMANDS:
        return application([name])
    # A shell that completes a line does not give its words as arguments.
    return application() if "_RESPONDER_COMPLETE" in os.environ else outline()


def application(names: Iterable[str] = tuple(COMMANDS)) -> typer.Typer:
    """The commands of these names, all by default."""
    root = _root()
    for module in dict.fromkeys(COMMANDS[name][0] for name in names):
        import_module(f"responder.cli.{module}").add_to(root)
    return root


def outline() -> typer.Typer:
    """All commands by name and first sentence, for the help: loading them would take two seconds."""
    root = _root()
    for name, (_, sentence) in COMMANDS.items():
        root.command(name, help=sentence)(_nothing)
    return root


def _root() -> typer.Typer:
    root = typer.Typer(
        name="responder",
        help="Alerts become graded tickets, runbooks give first aid over SSH, people get the rest.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown",
    )
    root.callback(invoke_without_command=True)(_version)
    return root


def _version(
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False,
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


def _nothing() -> None:
    """What stands in the outline is never run."""


if __name__ == "__main__":
    main()
