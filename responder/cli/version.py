"""`responder version`."""

from __future__ import annotations

from typing import Annotated

import orjson
import typer

from responder import __version__


# Not the option of `common`, whose tables and network take as long to load as all the rest of this command.
def version(json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False) -> None:
    """Print the version."""
    typer.echo(orjson.dumps({"version": __version__}, option=orjson.OPT_INDENT_2) if json else __version__)


def add_to(root: typer.Typer) -> None:
    root.command()(version)
