"""The people of the default profile's stories, and steps that many of them take."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from responder.domain.reporter_answers import AnswerKind
from responder.store.database import Database
from tests.profiles.walking import HOUR, MINUTE, Walk

PEOPLE: dict[str, tuple[list[str], dict[str, int]]] = {
    "ann": ([], {"ops": 1}),
    "ben": ([], {"ops": 2}),
    "cleo": ([], {"ops": 3}),
}
FIRST_AID = "first_aid:\n  - {name: restart it, when: ['alertname=\"ServiceDown\"'], runbook: restart-app}\n"
SEVERITY = {"P1": "critical", "P2": "error", "P3": "warning", "P4": "info"}
TARGETS = {
    "P1": {"respond": 15 * MINUTE, "restore": HOUR, "resolve": 4 * HOUR},
    "P2": {"respond": 30 * MINUTE, "restore": 2 * HOUR, "resolve": 8 * HOUR},
    "P3": {"respond": 4 * HOUR, "restore": 24 * HOUR, "resolve": 72 * HOUR},
    "P4": {"respond": 24 * HOUR, "resolve": 72 * HOUR},
}
LOOK = """
runbook: look
summary: Look at it
steps:
  - name: the disk has room
    check: {command: [df, -h]}
"""


def walk_of(folder: Path, database: Database, more: str = "") -> Walk:
    return Walk(folder, database, "p1-p4", PEOPLE, more=more)


on_a_fixed_day = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""PostgreSQL's worker asks the server's own clock, so only SQLite can live on a day of ours."""


async def rings(walk: Walk, clock: str, duration: timedelta, step: timedelta) -> list[tuple[timedelta, str]]:
    """When after now the alarms of a clock tell whom, while time goes by; those of one instant by name."""
    start, found = walk.clock.now(), []
    while walk.clock.now() < start + duration:
        before = len(walk.sender.sent)
        await walk.goes_by(step, step)
        told = [who for who, text in walk.told_since(before) if f"the {clock} clock" in text.lower()]
        found += [(walk.clock.now() - start, who) for who in sorted(told)]
    return found


async def restored_by_people(walk: Walk, **fields: str) -> None:
    await walk.report(fields={"impact": "core", **fields})
    await walk.do("acknowledge", "ann")
    await walk.do("restore", "ann", reason="Switched to the standby.")


async def solved(walk: Walk, **fields: str) -> None:
    """Restored by people, and the reporter is content."""
    await restored_by_people(walk, **fields)
    await walk.says(AnswerKind.SOLVED)
    await walk.goes_by(10 * MINUTE, 5 * MINUTE)
    assert await walk.status() == "resolved"
