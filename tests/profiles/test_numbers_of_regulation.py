"""Every number of the profile regulation at its border."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from responder.flows.reporter import ask_reporter
from responder.store.database import Database
from tests.profiles.borders import a_watchdog_is_missed_after, goes_on_after, heals_by_itself, letters_at, told_at
from tests.profiles.walking import DAY, HOUR, MINUTE, Walk
from tests.profiles.world_of_regulation import FIELDS, PEOPLE, PLAN, at, learnt, reported, reviewed

SEVERITY = {"severe": "critical", "major": "warning", "minor": "info"}


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """On SQLite only: PostgreSQL's worker asks the server's own clock, which nobody can set."""
    return f"sqlite:///{tmp_path / 'responder.db'}"


@pytest.fixture
def walk(tmp_path: Path, database: Database) -> Walk:
    return Walk(tmp_path, database, "regulation", PEOPLE)


# --- intake ------------------------------------------------------------------------------------------


async def test_a_number_has_the_date_of_shanghai(walk: Walk) -> None:
    await walk.leaps_to(at(23, 59))
    late = await walk.report()
    await walk.leaps(MINUTE)
    assert [late.number, (await walk.report()).number] == ["20261123-001", "20261124-001"]


@pytest.mark.parametrize(("lasts", "grade"), [("4h", "minor"), ("241m", "major")])
async def test_what_is_predicted_to_last_longer_than_four_hours_is_major(walk: Walk, lasts: str, grade: str) -> None:
    assert (await walk.report(fields={"scope": "single user", "predicted_duration": lasts})).grade == grade


@pytest.mark.parametrize("name", ["product", "symptom", "scope"])
async def test_a_report_needs_its_product_symptom_and_scope(walk: Walk, name: str) -> None:
    await walk.report(fields={one: text for one, text in FIELDS.items() if one != name})
    assert f"the report is not complete: {name} missing" in await walk.refused("register", "rita")


@pytest.mark.parametrize(
    ("component", "team"),
    [("disk", "hardware"), ("database", "software"), ("climate", "facilities"), ("unknown", "reports")],
)
async def test_an_alert_that_names_its_component_goes_to_that_team(walk: Walk, component: str, team: str) -> None:
    await walk.fires("info", component=component)
    assert (await walk.ticket())["team"] == team


# --- grades ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("grade", "called"), [("severe", ["hans", "rolf"]), ("major", ["hans"]), ("minor", ["hans"])])
async def test_a_grade_calls_its_tiers_and_nobody_else(walk: Walk, grade: str, called: list[str]) -> None:
    await walk.fires(SEVERITY[grade], component="disk")
    assert sorted(walk.told()) == called


@pytest.mark.parametrize(("grade", "quiet"), [("severe", 10 * MINUTE), ("major", 10 * MINUTE), ("minor", 5 * MINUTE)])
async def test_what_heals_by_itself_is_resolved_when_it_is_quiet_and_closed_72_hours_later(
    walk: Walk, grade: str, quiet: timedelta
) -> None:
    await heals_by_itself(walk, SEVERITY[grade], quiet)
    await walk.do("diagnose", "rita", text="it leaks", cause_class="software")
    await learnt(walk)
    await goes_on_after(walk, 72 * HOUR, "resolved", "closed")


async def test_what_is_resolved_before_anybody_has_assessed_it_is_assessed_by_that(walk: Walk) -> None:
    await heals_by_itself(walk, "critical", 10 * MINUTE)
    assert (await walk.runs("assess")).stopped_at == at(9, 11)


@pytest.mark.parametrize(
    ("scope", "half_way", "over_at"),
    [("whole system", at(9, 22), at(9, 30)), ("department", at(10, 30), at(11)), ("single user", at(15), at(17))],
)
async def test_reviewers_are_called_after_three_quarters_of_the_time_and_analysts_at_its_end(
    walk: Walk, scope: str, half_way: datetime, over_at: datetime
) -> None:
    await reported(walk, scope=scope)
    await walk.do("acknowledge", "rita")
    if scope != "whole system":
        assert await told_at(walk, half_way) == ["rita"]
    assert await told_at(walk, over_at) == ["ana", "rita"]


async def test_a_silent_watchdog_is_missed_after_10_minutes(walk: Walk) -> None:
    await a_watchdog_is_missed_after(walk, 10 * MINUTE)


# --- before a move -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("done", "lacking"),
    [
        ({"regrade": {"grade": "severe", "reason": "page 3"}}, "a severe needs its kind (verb: classify)"),
        ({"classify": {"kind": "hardware"}}, "a severe needs a grade that a person has set or confirmed"),
    ],
)
async def test_a_plan_needs_both_the_assessment_and_the_kind(
    walk: Walk, done: dict[str, dict[str, Any]], lacking: str
) -> None:
    await reported(walk)
    await walk.do("acknowledge", "rita")
    for verb, content in done.items():
        await walk.do(verb, "rita", **content)
    assert lacking in await walk.refused("propose", "rita", **PLAN)


@pytest.mark.parametrize("cause_class", ["hardware", "software", "operator_error", "environment"])
async def test_a_cause_is_of_one_of_four_classes(walk: Walk, cause_class: str) -> None:
    await reported(walk)
    await walk.do("diagnose", "rita", text="so it is", cause_class=cause_class)
    assert (await walk.ticket())["dossier"]["cause_class"] == cause_class


# --- people who are waited for -----------------------------------------------------------------------


async def test_reviewers_have_two_hours_to_the_minute(walk: Walk) -> None:
    await reviewed(walk)
    await walk.refused("propose", "hans", **PLAN)
    await walk.work()
    assert await told_at(walk, at(11)) == ["rita", "rolf"]


async def test_a_reporter_who_is_asked_something_is_reminded_daily_and_waited_for_three_days(walk: Walk) -> None:
    await reported(walk)
    await walk.do("acknowledge", "rita")
    await ask_reporter(walk.desk, "1", "rita", "Which light is on?")
    await walk.work()
    for day in (24, 25):
        (letter,) = await letters_at(walk, at(9, day=day))
        assert "We have had no answer from you yet" in letter
    await goes_on_after(walk, DAY, "waiting", "in_progress")
