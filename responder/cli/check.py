"""`responder check` and `responder schema`."""

from __future__ import annotations

from dataclasses import asdict

import typer

from responder.cli.common import BAD_CONFIG, DEFAULT_CONFIG, ConfigOption, JsonOption, out, print_json, show_problems
from responder.config.configuration import Configuration, read
from responder.errors import ConfigError
from responder.firstaid.loader import json_schema


def check(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Check all files, against each other too. Exit code 2 and file:line:column for every mistake."""
    try:
        loaded = read(config)
    except ConfigError as error:
        if json:
            print_json({"ok": False, "problems": [{**asdict(one), "path": str(one.path)} for one in error.problems]})
        else:
            show_problems(error)
        raise typer.Exit(BAD_CONFIG) from error
    if json:
        print_json({"ok": True, **_counts(loaded)})
    else:
        out.print("all files are right: " + ", ".join(f"{count} {what}" for what, count in _counts(loaded).items()))


def schema() -> None:
    """Print the JSON Schema of runbook files, for editors."""
    print_json(json_schema())


def add_to(root: typer.Typer) -> None:
    root.command()(check)
    root.command()(schema)


def _counts(loaded: Configuration) -> dict[str, int]:
    return {
        "sources": len(loaded.settings.sources),
        "grade rules": len(loaded.policy.grade_rules),
        "first-aid rules": len(loaded.policy.first_aid),
        "runbooks": len(loaded.runbooks),
        "targets": len(loaded.targets),
        "people": len(loaded.people),
    }
