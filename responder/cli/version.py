"""`responder version`."""

from __future__ import annotations

import typer

from responder import __version__


def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def add_to(root: typer.Typer) -> None:
    root.command()(version)
