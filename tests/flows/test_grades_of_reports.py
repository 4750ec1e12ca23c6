"""What a person writes, and who they are, grades their report; the ticket does not show who they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from responder.domain.grading import GradeRule
from responder.store.database import Database
from tests.flows.reports import CONTACT, Reports
from tests.world import alert, texts

RULES = (
    GradeRule(name="down", grade="P1", words=("down", "无法访问")),
    GradeRule(name="partners", grade="P2", senders=("*@example.org",)),
)


@pytest.fixture
def world(tmp_path: Path, database: Database) -> Reports:
    made = Reports(tmp_path, database)
    made.rule(grade_rules=RULES)
    return made


async def test_words_and_senders_grade_a_report(world: Reports) -> None:
    asks = await world.opens(title="A question", fields={"symptom": "how do I print?"})
    reports = await world.opens(title="A question", fields={"symptom": "今天早上网站无法访问"})
    assert (asks.grade, reports.grade) == ("P2", "P1")
    assert "the report says 无法访问" in texts(await world.ticket("2"))


async def test_neither_the_sender_nor_the_words_are_kept_with_the_ticket(world: Reports) -> None:
    await world.opens(title="A question")
    ticket = await world.ticket("1")
    assert CONTACT not in texts(ticket)
    assert not [name for name in ticket["annotations"] if ":" in name]


async def test_an_alert_that_says_the_same_is_graded_as_before(world: Reports) -> None:
    await world.post({**alert("Down"), "annotations": {"summary": "down", "description": "all down"}})
    await world.work()
    assert (await world.ticket("1"))["grade"] == "P3"
