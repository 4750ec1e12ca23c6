"""Every number of the profile sop-3level at its border."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from responder.domain.reporter_answers import AnswerKind
from responder.flows.reporter import ask_reporter
from responder.store.database import Database
from tests.profiles.borders import a_watchdog_is_missed_after, goes_on_after, heals_by_itself, letters_at, told_at
from tests.profiles.walking import DAY, HOUR, MINUTE, Walk
from tests.profiles.world_of_sop_3level import PEOPLE, PLAN, at, diagnosed, repaired, reported

LEVELS = ("level-1", "level-2", "level-3")
SEVERITY = {"level-1": "critical", "level-2": "major", "level-3": "info"}


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """On SQLite only: PostgreSQL's worker asks the server's own clock, which nobody can set."""
    return f"sqlite:///{tmp_path / 'responder.db'}"


@pytest.fixture
def walk(tmp_path: Path, database: Database) -> Walk:
    return Walk(tmp_path, database, "sop-3level", PEOPLE)


# --- grades ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "called"), [("level-1", ["desk", "otto"]), ("level-2", ["desk"]), ("level-3", ["desk"])]
)
async def test_a_level_calls_its_tiers_and_nobody_else(walk: Walk, level: str, called: list[str]) -> None:
    await reported(walk, level)
    assert sorted(walk.told()) == called


@pytest.mark.parametrize("level", LEVELS)
async def test_after_an_escalation_the_diagnosis_is_due_in_24_hours_at_every_level(walk: Walk, level: str) -> None:
    await reported(walk, level)
    await walk.leaps(HOUR)
    await walk.do("escalate", "desk", reason="too deep for me")
    assert await walk.target("diagnose") == 24 * HOUR


@pytest.mark.parametrize("level", LEVELS)
async def test_the_letter_of_the_day_leaves_when_nine_tenths_of_the_time_until_17_00_are_over(
    walk: Walk, level: str
) -> None:
    await reported(walk, level)
    assert (await walk.runs("update")).due_at == at(17)
    (letter,) = await letters_at(walk, at(16, 12))
    assert "How your report" in letter


@pytest.mark.parametrize(
    ("level", "quiet"), [("level-1", 10 * MINUTE), ("level-2", 10 * MINUTE), ("level-3", 5 * MINUTE)]
)
async def test_what_heals_by_itself_is_resolved_when_it_is_quiet_and_closed_72_hours_later(
    walk: Walk, level: str, quiet: Any
) -> None:
    await heals_by_itself(walk, SEVERITY[level], quiet)
    assert (await walk.ticket())["grade"] == level
    await goes_on_after(walk, 72 * HOUR, "resolved", "closed")


# --- clocks ------------------------------------------------------------------------------------------


async def test_what_is_restored_before_anybody_has_it_was_answered_in_time(walk: Walk) -> None:
    await reported(walk)
    await walk.leaps_to(at(10))
    await walk.do("restore", "desk", reason="the plug was loose")
    assert (await walk.runs("respond")).stopped_at == at(10)


async def test_what_is_restored_needs_no_deep_diagnosis_any_more(walk: Walk) -> None:
    await reported(walk)
    await walk.do("escalate", "desk", reason="too deep for me")
    await walk.leaps_to(at(10))
    await walk.do("restore", "otto", reason="the plug was loose")
    assert (await walk.runs("diagnose")).stopped_at == at(10)


async def test_who_diagnoses_is_warned_after_18_hours_and_nobody_else(walk: Walk) -> None:
    await reported(walk, "level-3")
    await walk.do("escalate", "desk", reason="too deep for me")
    await walk.do("acknowledge", "otto")
    assert await told_at(walk, at(3, day=24)) == ["otto"]


async def test_news_are_owed_while_it_waits_and_not_while_the_reporter_checks_it(walk: Walk) -> None:
    await reported(walk)
    await walk.do("acknowledge", "desk")
    await walk.do("wait", "desk", **{"for": "part", "reason": "a fuse"})
    assert not (await walk.runs("update")).is_paused
    await walk.do("restore", "desk", reason="the plug was loose")
    assert (await walk.runs("update")).is_paused
    await walk.leaps(10 * MINUTE)
    await walk.says(AnswerKind.SOLVED)
    update = await walk.runs("update")
    assert (await walk.status(), update.is_paused, update.is_running) == ("resolved", True, True)


async def test_a_silent_watchdog_is_missed_after_10_minutes(walk: Walk) -> None:
    await a_watchdog_is_missed_after(walk, 10 * MINUTE)


# --- before a move -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["product", "symptom"])
async def test_a_report_needs_its_product_and_its_symptom(walk: Walk, name: str) -> None:
    fields = {"product": "P900", "symptom": "no light"}
    await walk.report(fields={one: text for one, text in fields.items() if one != name})
    assert f"the report is not complete: {name} missing" in await walk.refused("register", "desk")


@pytest.mark.parametrize("level", ["level-1", "level-2", "level-3"])
async def test_only_a_normal_fault_that_people_restored_is_closed_without_an_approved_plan(
    walk: Walk, level: str
) -> None:
    await diagnosed(walk, level)
    await walk.do("solve", "otto", text="A new board")
    await walk.do("restore", "otto", reason="It runs again")
    await walk.leaps(10 * MINUTE)
    await walk.says(AnswerKind.SOLVED)
    if level == "level-3":
        assert (await walk.do("close", "otto", reason="done")).status == "closed"
    else:
        assert f"a {level} needs an approved plan" in await walk.refused("close", "otto", reason="done")


@pytest.mark.parametrize("level", LEVELS)
async def test_no_level_is_planned_without_a_kind_and_a_diagnosis(walk: Walk, level: str) -> None:
    await reported(walk, level)
    await walk.do("acknowledge", "desk")
    lacking = await walk.refused("propose", "desk", **PLAN)
    assert f"a {level} needs its kind (verb: classify) and a diagnosis (verb: diagnose)" in lacking


async def test_a_false_alarm_of_another_kind_needs_no_guide(walk: Walk) -> None:
    await reported(walk, "level-3")
    await walk.do("classify", "desk", kind="hardware")
    assert (await walk.do("dismiss", "desk", **{"as": "false_alarm", "reason": "it runs"})).status == "closed"


# --- gates -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "over_at", "asked_again"),
    [
        ("level-1", at(13), ["mina", "rosa", "rosa"]),
        ("level-2", at(17), ["mina", "rosa"]),
        ("level-3", at(9, day=24), ["otto"]),
    ],
)
async def test_consent_is_asked_for_again_after_4_8_or_24_hours_and_from_level_2_on_further_up(
    walk: Walk, level: str, over_at: datetime, asked_again: list[str]
) -> None:
    await diagnosed(walk, level)
    await walk.do("propose", "otto", **PLAN)
    assert await told_at(walk, over_at) == asked_again
    assert await walk.status() == "proposed"


# --- reporters ---------------------------------------------------------------------------------------


async def test_a_silent_reporter_is_reminded_after_a_day_and_two_and_taken_as_content_after_three(walk: Walk) -> None:
    await repaired(walk)
    for day in (24, 25):
        (letter,) = await letters_at(walk, at(9, day=day))
        assert "We have had no answer from you yet" in letter
    await goes_on_after(walk, DAY, "restored", "resolved")


async def test_a_reporter_who_is_asked_something_is_waited_for_three_days(walk: Walk) -> None:
    await reported(walk, "level-3")
    await walk.do("acknowledge", "desk")
    await ask_reporter(walk.desk, "1", "desk", "Which light is on?")
    await walk.work()
    await goes_on_after(walk, 3 * DAY, "waiting", "in_progress")
