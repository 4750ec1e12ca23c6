"""`responder statistics` against a real server, and against numbers that are there already."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from responder.cli.statistics import show
from tests.cli.calling import asked, run
from tests.cli.test_commands import server
from tests.cli.test_switches import folder, there

__all__ = ["folder", "server", "there"]
TOOK = {"count": 3, "mean": 75.0, "p25": 1.0, "median": 60.0, "p75": 70.0, "p90": 3600.0}
FOUND: dict[str, Any] = {
    "from": "2026-11-01",
    "to": "2026-11-30",
    "zone": "UTC",
    "total": 4,
    "answers": {"answered": 2, "waiting": 1, "never": 1},
    "durations_whole": [{"measure": "acknowledge", "by": "human", **TOOK}],
    "clocks_whole": [
        {"clock": "[bold]", "grade": "P1", "met": 3, "breached": 1, "attainment": 0.75},
        {"clock": "respond", "grade": "P2", "met": 0, "breached": 0, "attainment": None},
    ],
    "runbooks": [{"runbook": "restart-app", "proven": 9, "disproved": 1, "unknown": 2, "success_rate": 0.9}],
}


def test_an_empty_month_and_one_that_is_asked_for_wrongly(there: tuple[str, str]) -> None:
    found = asked("statistics", "--days", "7", "--zone", "UTC", *there)
    assert (found["total"], found["to"]) == (0, date.fromisoformat(found["to"]).isoformat())
    assert "0 tickets opened" in run("statistics", *there).stdout
    assert run("statistics", "--from", "2026-02-02", "--to", "2026-02-01", *there).exit_code == 1
    march = asked("statistics", "--from", "2026-03-01", "--to", "2026-03-31", "--team", "ops", *there)
    assert (march["from"], march["to"], march["team"]) == ("2026-03-01", "2026-03-31", "ops")


def test_what_is_shown_are_the_numbers_letter_by_letter(capsys: pytest.CaptureFixture[str]) -> None:
    show(FOUND)
    shown = capsys.readouterr().out
    for text in ("4 tickets opened", "2 answered by people, 1 wait", "1m", "1h", "1m 15s", "[bold]", "75.0%", "90.0%"):
        assert text in shown, text
    assert "–" in shown
