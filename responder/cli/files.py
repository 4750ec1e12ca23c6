"""The configuration for commands that read its files themselves.

What asks a running server must not import this: the models of all files take longer to load than its answer.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from responder.cli.common import BAD_CONFIG, show_problems
from responder.config.configuration import Configuration, read
from responder.errors import ConfigError

ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", envvar="RESPONDER_CONFIG", help="The main file.", show_default=True)
]
DEFAULT_CONFIG = Path("responder.yml")


def configuration(path: Path) -> Configuration:
    """The checked configuration; with a mistake in it the command ends and shows every mistake."""
    try:
        return read(path)
    except ConfigError as error:
        show_problems(error)
        raise typer.Exit(BAD_CONFIG) from error
