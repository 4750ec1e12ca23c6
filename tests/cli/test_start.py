"""Commands start without what they do not need: told by the modules that they load, for times say nothing here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import typer

import responder.cli
from responder.cli import COMMANDS, application, outline

HEAVY = {"apprise", "sqlalchemy", "paramiko", "ruamel", "alembic", "holidays", "icalendar", "procrastinate"}
CLIENTS = sorted(
    set(COMMANDS)
    - {
        "serve",
        "worker",
        "init",
        "check",
        "schema",
        "explain",
        "coverage",
        "backtest",
        "run",
        "test",
        "demo",
        "mail",
        "user",
    }
    # Its commands read and write files beside asking the server.
    - {"reviews"}
    - {"hosts", "token", "db", "doctor", "version"}
)
NOBODY_THERE = "http://127.0.0.1:1"
LOADED = """
import sys
from responder.cli import main
sys.argv[0] = "responder"
try:
    main()
finally:
    print("loaded", *sys.modules, file=sys.stderr)
"""
ONE_BY_ONE = """
import sys
from responder.cli import main
names, before = sys.argv[1:], set()
for name in names:
    sys.argv = ["responder", name, "--help"]
    try:
        main()
    except SystemExit:
        print(name, *set(sys.modules) - before, file=sys.stderr)
    before = set(sys.modules)
"""
"""What none of them has loaded when all were called, each by itself has not loaded."""


def loaded_by(*arguments: str) -> set[str]:
    """The modules, and the packages at their top, that are there when a command has ended."""
    ran = subprocess.run([sys.executable, "-c", LOADED, *arguments], capture_output=True, text=True, check=False)
    names = ran.stderr.splitlines()[-1].split()
    assert "responder.cli" in names, ran.stderr
    return set(names) | {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("words", [["version"], ["version", "--json"], ["--version"], ["--help"], []])
def test_the_version_and_the_help_load_neither_files_nor_network_nor_database(words: list[str]) -> None:
    assert not loaded_by(*words) & {*HEAVY, "aiohttp", "responder.config", "responder.domain"}


def test_a_client_that_asks_a_server_loads_neither_files_nor_database_nor_hosts() -> None:
    loaded = loaded_by("tickets", "list", "--server", NOBODY_THERE)
    assert "aiohttp" in loaded
    assert not loaded & {*HEAVY, "responder.config", "responder.store", "responder.app"}


def test_no_client_loads_files_or_database_or_hosts() -> None:
    ran = subprocess.run([sys.executable, "-c", ONE_BY_ONE, *CLIENTS], capture_output=True, text=True, check=False)
    loaded = {name: set(modules) for name, *modules in map(str.split, ran.stderr.splitlines())}
    assert list(loaded) == CLIENTS, ran.stderr
    heavy = {*HEAVY, "responder.config", "responder.store", "responder.app"}
    assert {name: modules & heavy for name, modules in loaded.items() if modules & heavy} == {}


def test_tokens_and_the_schema_need_no_web_server_and_no_hosts() -> None:
    assert not loaded_by("token", "--help") & {"paramiko", "aiohttp", "responder.web", "responder.flows"}


def test_a_start_leaves_for_later_what_most_services_never_need() -> None:
    later = {
        "alembic",
        "holidays",
        "icalendar",
        "recurring_ical_events",
        "procrastinate",
        "psycopg",
        "inscriptis",
        "lxml",
        "aiosmtpd",
    }
    assert not loaded_by("serve", "--help") & later


def test_the_outline_names_all_commands_with_the_first_sentence_of_their_own_help() -> None:
    assert sentences(outline()) == sentences(application())


def test_a_word_that_is_no_command_is_answered_with_the_one_that_was_meant() -> None:
    ran = subprocess.run([sys.executable, "-m", "responder.cli", "tokn"], capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert "Did you mean 'token'?" in ran.stderr


def test_a_shell_that_completes_a_line_is_given_the_words_of_a_group() -> None:
    line = {"COMP_WORDS": "responder token l", "COMP_CWORD": "2", "_RESPONDER_COMPLETE": "complete_bash"}
    code = "import sys; sys.argv = ['responder']; from responder.cli import main; main()"
    ran = subprocess.run([sys.executable, "-c", code], env=line, capture_output=True, text=True, check=False)
    assert ran.stdout.split() == ["list"]


def sentences(commands: typer.Typer) -> dict[str, str]:
    """By command, what the help of all shows of it."""
    made = typer.main.get_group(commands)
    return {name: (command.help or "").split("\n\n")[0] for name, command in made.commands.items()}


def test_no_module_of_commands_is_left_out() -> None:
    files = Path(responder.cli.__file__).parent.glob("*.py")
    modules = {path.stem for path in files if "def add_to(root" in path.read_text()}
    assert modules <= {module for module, _ in COMMANDS.values()}
