"""What others wrote is shown letter by letter by every command, whatever is in it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.text import Text
from typer.core import TyperGroup

import responder.cli
from responder.cli import application
from responder.cli.common import Plain, printable, table
from tests.cli.calling import asked, begun, run
from tests.cli.test_commands import server

__all__ = ["server"]
HOSTILE = "[/bold] [URGENT] printer [red]hot[/red] off [level-3] :fire: [link=https://evil.test]x[/link]"
SOURCES = sorted(Path(responder.cli.__file__).parent.rglob("*.py"))
# These act, or look at what a server of a test has not got.
NOT_WALKED = {"automation on", "automation off", "knowledge index", "health run", "people drill"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = begun(tmp_path / "ops")
    main = made / "responder.yml"
    main.write_text(f"{main.read_text()}\nmail: {{address: desk@example.org}}\n")
    return made


@pytest.fixture
def there(folder: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """A server that holds a hostile text wherever one can come from outside or by hand."""
    made = asked("token", "create", "me", "--scope", "act", "--config", str(folder / "responder.yml"))
    monkeypatch.setenv("RESPONDER_TOKEN", made["token"])
    at = ("--server", server)
    mail = f"From: Li Wei <li.wei@example.org>\nSubject: {HOSTILE}\nMessage-ID: <1@example.org>\n\n{HOSTILE}\n"
    for raw in (mail.encode(), b"no sender " + HOSTILE.encode()):
        sent = run("mail", "take", *at, given=raw)
        assert sent.exit_code == 0, sent.output
    for words in (
        ("reporters", "open", HOSTILE, "--name", HOSTILE, "--contact", "li.wei@example.org"),
        ("parts", "add", "D-1", HOSTILE, "--place", HOSTILE),
        ("maintenance", "start", "--match", 'job="db"', "--for", "2h", "--reason", HOSTILE),
        ("automation", "off", HOSTILE),
    ):
        done = run(*words, *at)
        assert done.exit_code == 0, done.output
    for ticket in asked("tickets", "list", *at)["tickets"]:
        assert run("tickets", "note", ticket["number"], HOSTILE, *at).exit_code == 0
    return at


def readers(group: TyperGroup, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of all commands that ask a server and need to be told nothing."""
    for name, command in group.commands.items():
        words = (*before, name)
        if isinstance(command, TyperGroup):
            yield from readers(command, words)
        elif needs_nothing(command) and " ".join(words) not in NOT_WALKED:
            yield words


def needs_nothing(command: Any) -> bool:
    names = {one.name for one in command.params}
    return {"server", "json"} <= names and not any(one.required for one in command.params)


def joined(text: str) -> str:
    """Without the breaks of lines and the columns of a table."""
    return "".join(text.split())


@pytest.mark.timeout(400)
def test_no_command_that_lists_what_others_wrote_reads_anything_out_of_it(there: tuple[str, str]) -> None:
    walked = [*readers(typer.main.get_group(application()))]
    keys = [ticket["number"] for ticket in asked("tickets", "list", *there)["tickets"]]
    shown = [("parts", "history", "D-1"), ("mail", "show", "1"), *(("tickets", "show", key) for key in keys)]
    # Its table leaves the bodies to `show`.
    receipts = [one["receipt"] for one in asked("quarantine", "list", *there)["quarantine"]]
    shown += [("quarantine", "show", receipt) for receipt in receipts]
    silent = []
    assert {("tickets", "list"), ("mail", "list"), ("quarantine", "list"), ("parts", "list"), ("who",)} <= {*walked}
    for words in (*walked, *shown):
        plain, full = run(*words, *there), run(*words, "--json", *there)
        assert isinstance(plain.exception, SystemExit | None), (words, plain.output)
        if HOSTILE in full.stdout and joined(HOSTILE) not in joined(plain.stdout):
            silent.append(" ".join(words))
    assert silent == ["quarantine list"]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_no_command_makes_a_console_of_its_own_or_asks_for_markup(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    called = {ast.unparse(one.func).rpartition(".")[2] for one in ast.walk(tree) if isinstance(one, ast.Call)}
    assert path.name == "common.py" or not called & {"Console", "from_markup", "from_ansi", "rprint"}
    imported = {one.module for one in ast.walk(tree) if isinstance(one, ast.ImportFrom)}
    assert not imported & {"rich.markup", "rich"}


def told(what: object) -> str:
    console = Plain(width=200)
    console.file = StringIO()
    console.print(what)
    return console.file.getvalue()


@pytest.mark.parametrize("text", [HOSTILE, "[/]", "[[x]]", "\\[red]", "[@click=app.bell]x[/]", ":smile:", "[1;31m"])
def test_a_line_and_a_cell_show_the_text_itself(text: str) -> None:
    made = table(text, "b")
    made.add_row(text, text)
    assert (told(text), told(made).count(text)) == (f"{text}\n", 3)


@pytest.mark.parametrize("sign", ["\x1b", "\x07", "\x9b", "\x00", "\x7f", "\u202e", "\u2066"])
def test_nothing_of_a_text_is_a_command_to_the_terminal(sign: str) -> None:
    made = table("what")
    made.add_row(Text(f"a{sign}]0;owned"))
    made.add_row(f"a{sign}]0;owned")
    assert sign not in told(made) + told(f"a{sign}b") + told(Text(f"a{sign}b"))
    assert told(f"a{sign}]0;b\n\tc") == "a\ufffd]0;b\n        c\n"


def test_letters_of_all_languages_and_breaks_of_lines_are_printable() -> None:
    assert printable("打印机 ñ 👩‍🔧 עברית\n\tx") == "打印机 ñ 👩‍🔧 עברית\n\tx"
