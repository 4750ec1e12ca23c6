"""Every number of the profile feedback-form at its border."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from responder.domain.reporter_answers import AnswerKind
from responder.flows.reporter import ask_reporter
from responder.store.database import Database
from tests.profiles.borders import a_watchdog_is_missed_after, goes_on_after, heals_by_itself, letters_at, told_at
from tests.profiles.walking import DAY, HOUR, MINUTE, Walk
from tests.profiles.world_of_feedback_form import FIELDS, a_walk, at, handled, reported, written_at, written_on

FIRST_AID = """first_aid: [{name: restart it, when: ['alertname="ServiceDown"'], runbook: restart-app}]\n"""


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """On SQLite only: PostgreSQL's worker asks the server's own clock, which nobody can set."""
    return f"sqlite:///{tmp_path / 'responder.db'}"


@pytest.fixture
def walk(tmp_path: Path, database: Database) -> Walk:
    """Wednesday morning; from the next day on all of China has a week off, and then Saturday is worked."""
    return a_walk(tmp_path, database, at(9, 30, 10))


# --- working days ------------------------------------------------------------------------------------


async def test_news_leave_when_three_quarters_of_the_working_time_until_18_00_are_over(walk: Walk) -> None:
    await reported(walk)
    await walk.do("acknowledge", "tom")
    await walk.leaps_to(at(10, 10, 9))
    # 8 hours until the first evening. Then a round begins with the letter before: 2 + 9 hours, 2 h 45 min + 9 hours.
    third = at(10, 9, 15, 3) + timedelta(seconds=45)
    assert await written_at(walk, "progress") == [at(9, 30, 16), at(10, 8, 15, 15), third]


async def test_the_team_is_warned_after_three_quarters_of_what_is_left_of_the_day(walk: Walk) -> None:
    await reported(walk)
    assert await told_at(walk, at(9, 30, 16)) == ["tom"]
    assert await told_at(walk, at(9, 30, 18)) == ["tara", "tom"]


@pytest.mark.parametrize(
    ("comes_at", "due_at"),
    [
        (at(10, 8, 8, 59), at(10, 8, 18)),
        (at(10, 8, 17, 59), at(10, 8, 18)),
        (at(10, 8, 18), at(10, 9, 18)),
    ],
)
async def test_what_comes_in_before_six_is_for_the_same_day(
    tmp_path: Path, database: Database, comes_at: datetime, due_at: datetime
) -> None:
    walk = a_walk(tmp_path, database, comes_at)
    await reported(walk)
    assert ((await walk.runs("respond")).due_at, (await walk.runs("update")).due_at) == (due_at, due_at)


async def test_what_is_restored_before_anybody_has_it_was_answered_in_time(walk: Walk) -> None:
    await reported(walk)
    await walk.leaps_to(at(9, 30, 11))
    await walk.do("restore", "tom", reason="it was only loose")
    assert (await walk.runs("respond")).stopped_at == at(9, 30, 11)


async def test_while_the_reporter_checks_it_and_after_it_is_resolved_no_news_are_owed(walk: Walk) -> None:
    await handled(walk)
    await walk.leaps_to(at(10, 5, 9))
    assert (await walk.runs("update")).is_paused
    await walk.says(AnswerKind.SOLVED)
    assert not (await walk.runs("update")).is_running
    await walk.leaps_to(at(10, 10, 9))
    assert await written_on(walk, "progress") == []


async def test_what_heals_by_itself_is_resolved_after_5_minutes_and_closed_72_hours_later(walk: Walk) -> None:
    await heals_by_itself(walk, "critical", 5 * MINUTE)
    await goes_on_after(walk, 72 * HOUR, "resolved", "closed")


async def test_a_silent_watchdog_is_missed_after_10_minutes(walk: Walk) -> None:
    await a_watchdog_is_missed_after(walk, 10 * MINUTE)


# --- before a move -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["product", "symptom", "occurred_at"])
async def test_a_form_needs_its_product_symptom_and_time(walk: Walk, name: str) -> None:
    await walk.report(fields={one: text for one, text in FIELDS.items() if one != name})
    assert f"the report is not complete: {name} missing" in await walk.refused("register", "dora")


@pytest.mark.parametrize("cause_class", ["user_operation", "product_defect", "environment", "third_party"])
async def test_a_cause_is_of_one_of_four_classes(walk: Walk, cause_class: str) -> None:
    await reported(walk)
    await walk.do("diagnose", "tom", text="so it is", cause_class=cause_class)
    assert (await walk.ticket())["dossier"]["cause_class"] == cause_class


@pytest.mark.parametrize(
    ("kind", "is_technical"),
    [
        ("technical-hardware", True),
        ("technical-software", True),
        ("technical-operation", True),
        ("service-wish", False),
        ("service-question", False),
    ],
)
async def test_every_technical_form_needs_its_diagnosis_and_no_other(walk: Walk, kind: str, is_technical: bool) -> None:
    await reported(walk, kind)
    await walk.do("acknowledge", "tom")
    await walk.do("restore", "tom", reason="it is as wished")
    await walk.leaps(HOUR)
    await walk.says(AnswerKind.SOLVED)
    lacking = await walk.refused("close", "tom", reason="done")
    assert "what solved it (verb: solve)" in lacking
    assert ("a diagnosis (verb: diagnose)" in lacking, "a cause class" in lacking) == (is_technical, is_technical)


async def test_what_first_aid_has_healed_needs_no_paper_of_whatever_kind(tmp_path: Path, database: Database) -> None:
    walk = a_walk(tmp_path, database, at(9, 30, 10), FIRST_AID)
    await walk.fires()
    await walk.do("classify", "dora", kind="technical-hardware")
    await walk.clears()
    await goes_on_after(walk, 5 * MINUTE, "restored", "resolved")
    assert (await walk.do("close", "dora", reason="done")).status == "closed"


# --- reporters ---------------------------------------------------------------------------------------


async def test_a_silent_reporter_is_reminded_daily_to_the_minute(walk: Walk) -> None:
    await handled(walk)
    for day in (1, 2, 3, 4):
        (letter,) = await letters_at(walk, at(10, day, 10))
        assert "We have had no answer from you yet" in letter
    await goes_on_after(walk, DAY, "restored", "resolved")
    assert await written_on(walk, "reminder") == [date(2026, 10, day) for day in (1, 2, 3, 4)]


async def test_a_reporter_who_is_asked_something_is_waited_for_five_days(walk: Walk) -> None:
    await reported(walk)
    await walk.do("acknowledge", "tom")
    await ask_reporter(walk.desk, "1", "tom", "Which version do you have?")
    await walk.work()
    await goes_on_after(walk, 5 * DAY, "waiting", "in_progress")
