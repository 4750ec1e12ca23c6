"""`responder version`."""

from __future__ import annotations

import typer

from responder import __version__
from responder.cli.common import JsonOption, print_json


def version(json: JsonOption = False) -> None:
    """Print the version."""
    if json:
        print_json({"version": __version__})
    else:
        typer.echo(__version__)


def add_to(root: typer.Typer) -> None:
    root.command()(version)
