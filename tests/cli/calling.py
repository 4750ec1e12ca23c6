"""The command line in this process, as its `main` does it, and what `responder init` writes."""

from __future__ import annotations

import json
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from responder.cli import COMMANDS, application


def run(*words: str, env: dict[str, str] | None = None, given: bytes | None = None) -> Result:
    """As `responder` with these words: what it names is loaded, and with options alone everything."""
    # It says for the whole process where logs go, and of its ends there is but this one.
    assert words[:1] not in (("serve",), ("worker",)), "in a process of its own, please"
    names = [words[0]] if words and words[0] in COMMANDS else [*COMMANDS]
    return CliRunner().invoke(application(names), list(words), input=given, env=env)


def asked(*words: str, env: dict[str, str] | None = None) -> Any:
    result = run(*words, "--json", env=env)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def begun(folder: Path, *options: str) -> Path:
    """A folder as `responder init` leaves it. Written once and copied: nothing in it says where it is."""
    shutil.copytree(_begun(*options).name, folder)
    return folder


@cache
def _begun(*options: str) -> tempfile.TemporaryDirectory[str]:
    kept = tempfile.TemporaryDirectory()
    made = run("init", kept.name, *options)
    assert made.exit_code == 0, made.output
    return kept
