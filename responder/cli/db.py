"""`responder db`: the database's schema."""

from __future__ import annotations

import typer

from responder.app import open_database
from responder.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    configuration,
    out,
    print_json,
    told_in_a_sentence,
)
from responder.store import schema

db = typer.Typer(help="The database.", no_args_is_help=True)


@db.command()
def upgrade(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Bring the schema to this version; `serve` does it too when it starts."""
    with told_in_a_sentence():
        database = open_database(configuration(config))
        before, after = schema.upgrade(database)
        database.close()
    if json:
        print_json({"before": before, "after": after})
    elif before == after:
        out.print(f"the schema is current ({after})", markup=False)
    else:
        out.print(f"upgraded from {before or 'nothing'} to {after}", markup=False)


@db.callback()
def _group() -> None:
    """Keeps `upgrade` a word of its own."""


def add_to(root: typer.Typer) -> None:
    root.add_typer(db, name="db")
