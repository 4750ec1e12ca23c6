"""The page "Write a runbook in ten minutes": every command in it is run, and prints what the page shows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.around.first_runbook import PAGE, Reader, agrees, blocks, commands
from tests.servers.sshd import SSHD, Sshd


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    sshd = Sshd(tmp_path / "sshd", key_types=("ed25519",), more="PermitUserEnvironment yes")
    (tmp_path / "home").mkdir()
    with sshd:
        reading = Reader(cwd=tmp_path / "home", sshd=sshd, shop=tmp_path / "shop")
        yield reading
        reading.stop()


@pytest.mark.needs(SSHD, "bash", "ssh-keygen")
@pytest.mark.timeout(240)
def test_every_command_of_the_page_prints_what_the_page_shows(reader: Reader) -> None:
    wrong = [each for block in blocks(PAGE.read_text()) for each in reader.follow(block)]

    shown = [f"$ {command.line}\n--- the page\n{command.printed}--- here\n{printed}" for command, printed in wrong]
    assert not shown, "\n".join(shown)


def test_the_page_has_its_commands_where_the_test_looks_for_them() -> None:
    lines = [command.line for block in blocks(PAGE.read_text()) for command in commands(block)]
    for word in (
        "init",
        "check",
        "schema",
        "run",
        "test",
        "explain",
        "serve",
        "send-test-alert",
        "tickets",
        "approvals",
    ):
        assert any(line.startswith(f"responder {word}") for line in lines), word


@pytest.mark.parametrize(
    ("expected", "printed", "is_so"),
    [
        ("a\n", "a\n", True),
        ("a\n", "b\n", False),
        ("a\n", "a\nb\n", False),
        ("a…c\n", "abbc\n", True),
        ("a…c\n", "a\nc\n", False),
        ("a\n…\nd\n", "a\nb\nc\nd\n", True),
        ("a\n…\nd\n", "a\nb\n", False),
        ("", "Traceback\n", False),
    ],
)
def test_what_is_printed_is_compared_line_by_line(expected: str, printed: str, is_so: bool) -> None:
    assert agrees(expected, printed) is is_so
