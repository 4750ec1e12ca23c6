"""`responder db`: the database's schema."""

from __future__ import annotations

from dataclasses import asdict

import typer

from responder.cli.common import FAILED, JsonOption, awaited, out, print_json, told_in_a_sentence
from responder.cli.files import DEFAULT_CONFIG, ConfigOption, configuration
from responder.config.configuration import Configuration
from responder.domain.counting import counted
from responder.flows.recount import Recount
from responder.flows.recount import recount as told_anew
from responder.store import schema
from responder.store.database import Database

db = typer.Typer(help="The database.", no_args_is_help=True)


@db.command()
def upgrade(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Bring the schema to this version; `serve` does it too when it starts."""
    with told_in_a_sentence():
        database = Database(configuration(config).database_url)
        before, after = schema.upgrade(database)
        database.close()
    if json:
        print_json({"before": before, "after": after})
    elif before == after:
        out.print(f"the schema is current ({after})", markup=False)
    else:
        out.print(f"upgraded from {before or 'nothing'} to {after}", markup=False)


@db.command()
def recount(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Tell all sums of tickets anew from their events, beside what the counters say. Changes nothing.

    A policy that was changed while tickets were open explains differences of their clocks.
    """
    found = awaited(lambda: _recount(configuration(config)))
    if json:
        print_json(asdict(found))
    else:
        for one in found.differences:
            labels = ", ".join(f"{name}={value}" for name, value in one.labels)
            out.print(f"{one.name}{{{labels}}}: counted {one.counted:g}, the events tell {one.told:g}", markup=False)
        sums = (("ticket", found.tickets), ("sum", found.sums), ("difference", len(found.differences)))
        out.print(", ".join(counted(number, noun) for noun, number in sums), markup=False)
    if found.differences:
        raise typer.Exit(FAILED)


async def _recount(read: Configuration) -> Recount:
    database = Database(read.database_url)
    try:
        return await told_anew(database, read.policy)
    finally:
        database.close()


@db.callback()
def _group() -> None:
    """Keeps `upgrade` a word of its own."""


def add_to(root: typer.Typer) -> None:
    root.add_typer(db, name="db")
