"""The command line: one file per group of commands, loaded only when it is asked for."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable
from importlib import import_module
from typing import Annotated

import typer

from responder import __version__

_GROUPS = {
    "serve": "serve",
    "worker": "serve",
    "init": "init",
    "check": "check",
    "schema": "check",
    "explain": "explain",
    "coverage": "coverage",
    "backtest": "backtest",
    "run": "run",
    "test": "test",
    "demo": "demo",
    "send-test-alert": "alerts",
    "tickets": "tickets",
    "approvals": "approvals",
    "reviews": "reviews",
    "actions": "actions",
    "parts": "parts",
    "people": "people",
    "reporters": "reporters",
    "rota": "rota",
    "who": "rota",
    "knowledge": "knowledge",
    "health": "health",
    "heartbeats": "heartbeats",
    "runbooks": "runbooks",
    "automation": "automation",
    "maintenance": "maintenance",
    "noise": "noise",
    "quarantine": "quarantine",
    "audit": "audit",
    "hosts": "hosts",
    "token": "token",
    "db": "db",
    "doctor": "doctor",
    "version": "version",
}


def main() -> None:
    """Runs the command that the arguments name."""
    # Nothing of what is imported is ever garbage; `serve` freezes it and goes on with the collector.
    gc.disable()
    wanted = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    command = application([wanted] if wanted in _GROUPS else list(_GROUPS))
    gc.enable()
    command()


def application(names: Iterable[str] = tuple(_GROUPS)) -> typer.Typer:
    """The commands of these names, all by default."""
    root = typer.Typer(
        name="responder",
        help="Alerts become graded tickets, runbooks give first aid over SSH, people get the rest.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown",
    )
    for module in dict.fromkeys(_GROUPS[name] for name in names):
        import_module(f"responder.cli.{module}").add_to(root)

    @root.callback(invoke_without_command=True)
    def _root(
        version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False,
    ) -> None:
        if version:
            typer.echo(__version__)
            raise typer.Exit

    return root


if __name__ == "__main__":
    main()
