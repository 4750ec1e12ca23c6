"""Tables and instants of the command line."""

from __future__ import annotations

import getpass
from io import StringIO

import pytest
from rich.console import Console

from responder.cli.common import UNREACHABLE, me, moment, table
from tests.cli.test_commands import run

ROW = (
    "backup-of-the-database",
    "started_too_long",
    "0 2 * * mon-fri (Europe/Berlin)",
    "2026-11-21 11:40 UTC",
    "it failed",
)


def shown(width: int, *rows: tuple[str, ...]) -> str:
    made = table("heartbeat", "state", "schedule", "last", "about")
    for row in rows:
        made.add_row(*row)
    into = StringIO()
    Console(file=into, width=width, soft_wrap=True, highlight=False).print(made)
    return into.getvalue()


@pytest.mark.parametrize("width", [60, 80, 100])
def test_a_narrow_terminal_breaks_cells_and_cuts_nothing_off(width: int) -> None:
    told = shown(width, ROW)
    assert all(len(line) <= width for line in told.splitlines())
    letters = "".join(told.split())
    for cell in ("backup-of-the-database", "started_too_long"[:6], "it"):
        assert cell in told
    assert sorted(letters) == sorted(
        "".join("".join(("heartbeat", "state", "schedule", "last", "about", *ROW)).split())
    )


def test_with_room_only_the_last_column_breaks() -> None:
    lines = shown(120, (*ROW[:-1], "it failed " * 6)).splitlines()
    assert len(lines) > 2
    assert all(cell in lines[1] for cell in ROW[:-1])


def test_a_table_without_rows_shows_its_columns() -> None:
    assert shown(80).split() == ["heartbeat", "state", "schedule", "last", "about"]


def test_an_instant_is_told_to_the_minute_in_utc() -> None:
    assert moment("2026-11-21T13:46:44.746908Z") == "2026-11-21 13:46 UTC"
    assert moment("2026-11-21T13:46:44+02:00") == "2026-11-21 11:46 UTC"
    assert moment("") == moment(None) == ""


def test_a_server_that_is_not_there_is_told_with_how_to_name_another() -> None:
    told = run("who", "--server", "http://127.0.0.1:9")
    assert (told.exit_code, "--server or in RESPONDER_SERVER" in told.output) == (UNREACHABLE, True)
    assert told.output.startswith("http://127.0.0.1:9/api/v1/on-call cannot be reached: Connection refused\n")


def test_who_acts_may_stand_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RESPONDER_AS", raising=False)
    assert me() == getpass.getuser()
    monkeypatch.setenv("RESPONDER_AS", "mei")
    assert (me(), "RESPONDER_AS" in run("tickets", "ack", "--help").output) == ("mei", True)
