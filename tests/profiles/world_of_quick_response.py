"""The people of the stories about quick response, and steps that many of them take."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from responder.domain.reporter_answers import AnswerKind
from responder.store.database import Database
from tests.profiles.walking import MINUTE, MONDAY, Walk

PEOPLE = {
    "sue": ([], {"service": 1}),
    "pam": (["product-manager"], {"service": 2}),
    "tom": (["tech-lead"], {"service": 2}),
    "rita": (["rd"], {"service": 3}),
    "theo": (["test"], {"service": 3}),
}
FORM = {"product": "Pump 3", "symptom": "it stops after a minute", "error_code": "E-7731"}
P0, P1, P2 = ({**FORM, "affected_users": users} for users in ("1001", "1000", "99"))


def walk_of(folder: Path, database: Database, more: str = "", start: datetime = MONDAY) -> Walk:
    return Walk(folder, database, "quick-response", PEOPLE, more=more, start=start)


on_a_fixed_day = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""PostgreSQL's worker asks the server's own clock, so only SQLite can live on a day of ours."""


async def in_work(walk: Walk, **fields: str) -> None:
    await walk.report(fields=fields or P0)
    await walk.do("acknowledge", "sue")


async def approved(walk: Walk) -> None:
    """A P0 with an urgent patch that product manager and R&D have agreed to."""
    await in_work(walk)
    await walk.do("diagnose", "rita", text="The seal leaks.", cause_class="product_defect", cause="Seal too thin.")
    await walk.do("propose", "rita", kind="urgent_patch", steps=["Release gradually", "Release fully"], owner="rita")
    await walk.do("approve", "pam")
    await walk.do("approve", "rita")


async def resolved_p0(walk: Walk) -> None:
    await approved(walk)
    await walk.do("restore", "rita", reason="Patched.")
    await walk.do("verify", "theo", by="test", text="12 regression cases pass.")
    await walk.says(AnswerKind.SOLVED)
    await walk.goes_by(10 * MINUTE, MINUTE)
    await walk.do("approve", "tom")
    assert await walk.status() == "resolved"
