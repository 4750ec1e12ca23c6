"""Tables and instants of the command line."""

from __future__ import annotations

import getpass
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from responder.cli.common import UNREACHABLE, me, moment, table
from responder.store.audit_log import AuditFilter
from responder.store.database import Database
from tests.cli.calling import begun, run

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


@pytest.mark.needs("user namespaces")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("tickets", "ack", "--help"), (0, "uid-12345")),
        (("people", "test", "--help"), (0, "uid-12345")),
        (("tickets", "show", "1", "--server", "http://127.0.0.1:9"), (UNREACHABLE, "cannot be reached")),
        (("token", "list", "--config", "ops/responder.yml"), (0, "first")),
        (("init", "another"), (0, "another")),
    ],
)
def test_a_user_without_a_name_on_this_machine_acts_by_number(
    tmp_path: Path, words: tuple[str, ...], expected: tuple[int, str]
) -> None:
    begun(tmp_path / "ops")
    made = _as_nobody_known(tmp_path, "token", "create", "first", "--config", "ops/responder.yml")
    assert (made.returncode, made.stderr) == (0, "")
    told = _as_nobody_known(tmp_path, *words)
    code, part = expected
    assert (told.returncode, part in told.stdout + told.stderr) == (code, True), told.stdout + told.stderr
    assert "Traceback" not in told.stderr


@pytest.mark.needs("user namespaces")
def test_what_is_done_at_the_shell_without_a_name_is_logged_by_number(tmp_path: Path) -> None:
    begun(tmp_path / "ops")
    _as_nobody_known(tmp_path, "token", "create", "first", "--config", "ops/responder.yml")
    database = Database(f"sqlite:///{tmp_path / 'ops' / 'responder.db'}")
    logged = database.write_now(lambda tx: tx.audit_log.listed(AuditFilter(), 100))
    database.close()
    assert ("uid-12345", "first") in {(one.actor, one.object) for one in logged}


def _as_nobody_known(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command under a user id that has no entry in /etc/passwd, as containers have them."""
    unset = ("LOGNAME", "USER", "LNAME", "USERNAME", "RESPONDER_AS")
    environment = {key: value for key, value in os.environ.items() if key not in unset}
    under = ("unshare", "-U", "--map-user=12345")
    return subprocess.run(
        [*under, sys.executable, "-m", "responder.cli", *words],
        cwd=folder, env={**environment, "COLUMNS": "200"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
