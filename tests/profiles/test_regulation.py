"""The profile regulation, sentence by sentence, on a clock in Shanghai."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from responder.store.database import Database
from tests.profiles.walking import HOUR, MINUTE, Walk
from tests.profiles.world_of_regulation import (
    FIELDS,
    PEOPLE,
    PLAN,
    at,
    reported,
    reviewed,
)
from tests.world import texts


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """On SQLite only: PostgreSQL's worker asks the server's own clock, which nobody can set."""
    return f"sqlite:///{tmp_path / 'responder.db'}"


@pytest.fixture
def walk(tmp_path: Path, database: Database) -> Walk:
    return Walk(tmp_path, database, "regulation", PEOPLE)


# --- intake ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", ["hotline", "website", "app", "social-media", "mail", "survey"])
async def test_every_channel_ends_in_one_record(walk: Walk, channel: str) -> None:
    ticket = await walk.report(channel=channel)
    assert (ticket.id, ticket.number, ticket.source) == (1, "20261123-001", channel)


@pytest.mark.parametrize(
    ("fields", "grade"),
    [
        ({"impact": "outage"}, "severe"),
        ({"impact": "data loss", "scope": "single user"}, "severe"),
        ({"scope": "whole system"}, "severe"),
        ({"scope": "single user", "predicted_duration": "5h"}, "major"),
        ({"scope": "single user", "predicted_duration": "4h"}, "minor"),
        ({"scope": "several users"}, "major"),
        ({"scope": "department"}, "major"),
        ({"scope": "single user"}, "minor"),
        ({}, "minor"),
    ],
)
async def test_the_grade_follows_from_scope_predicted_duration_and_severity(
    walk: Walk, fields: dict[str, str], grade: str
) -> None:
    assert (await walk.report(fields=fields)).grade == grade


@pytest.mark.parametrize(("severity", "grade"), [("critical", "severe"), ("warning", "major"), ("info", "minor")])
async def test_an_alert_says_its_grade_by_its_severity(walk: Walk, severity: str, grade: str) -> None:
    await walk.fires(severity)
    assert (await walk.ticket())["grade"] == grade


async def test_the_urgency_that_the_reporter_marks_is_kept_and_decides_nothing(walk: Walk) -> None:
    ticket = await walk.report(urgency="at once!", fields={"scope": "single user"})
    assert ticket.grade == "minor"
    assert (await walk.ticket())["dossier"]["fields"]["urgency"] == "at once!"
    assert "urgency: at once!" in walk.sender.sent[1][2]


async def test_evidence_is_kept_with_the_record_under_its_name(walk: Walk) -> None:
    await reported(walk)
    await walk.do("attach", "rita", name="system.log", content="E42")
    assert [one["name"] for one in (await walk.ticket())["attachments"]] == ["system.log"]


async def test_a_report_says_product_symptom_and_scope_or_is_not_complete(walk: Walk) -> None:
    await walk.report()
    lacking = await walk.refused("register", "rita")
    assert "the report is not complete: product, symptom, scope missing" in lacking
    await walk.do("register", "rita", fields=FIELDS)
    await walk.do("register", "rita")


# --- the review of the report ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "target"), [("whole system", HOUR / 2), ("department", 2 * HOUR), ("single user", 8 * HOUR)]
)
async def test_the_hotline_is_open_all_night_and_reviewers_must_look_by_then(
    walk: Walk, scope: str, target: timedelta
) -> None:
    await walk.leaps_to(at(3, day=24))
    await reported(walk, scope=scope)
    await walk.do("acknowledge", "rita")
    assert (await walk.runs("assess")).due_at == at(3, day=24) + target
    called = len(walk.told())
    await walk.leaps_to(at(3, day=24) + 0.75 * target - MINUTE)
    assert walk.told()[called:] == []
    await walk.leaps(MINUTE)
    assert walk.told()[called:] == ["rita"]
    await walk.leaps_to(at(3, day=24) + target)
    assert walk.told()[called + 1 :] == ["rita", "ana"]


async def test_a_grade_by_a_rule_is_no_review_but_one_that_a_person_confirms_is(walk: Walk) -> None:
    await reported(walk)
    assert (await walk.runs("assess")).is_running
    await walk.do("regrade", "rita", grade="severe", reason="by the standard, page 3")
    assert (await walk.runs("assess")).was_met
    await walk.do("acknowledge", "rita")
    await walk.do("give-back", "rita", reason="not mine")
    await walk.do("acknowledge", "rita")
    assert not (await walk.runs("assess")).is_running


async def test_no_plan_comes_before_the_report_is_reviewed(walk: Walk) -> None:
    await reported(walk)
    await walk.do("acknowledge", "rita")
    lacking = await walk.refused("propose", "rita", **PLAN)
    assert "a grade that a person has set or confirmed (verb: regrade) and its kind (verb: classify)" in lacking


async def test_trained_reviewers_must_agree_before_a_plan_is_made(walk: Walk) -> None:
    await reviewed(walk)
    assert "may propose once there is the yes of 1 of role reviewer" in await walk.refused("propose", "hans", **PLAN)
    await walk.work()
    assert "report review: may 20261123-001 propose?" in texts(await walk.ticket())
    assert walk.told()[-1] == "rita"
    assert "hans has not the role reviewer that this needs; rita could answer" in await walk.refused("approve", "hans")
    assert "waits for consent" in await walk.refused("propose", "hans", **PLAN)
    await walk.do("approve", "rita")
    assert (await walk.do("propose", "hans", **PLAN)).status == "approved"


async def test_reviewers_who_do_not_answer_in_two_hours_are_asked_again_and_the_next_tier_is_told(walk: Walk) -> None:
    await reviewed(walk)
    await walk.refused("propose", "hans", **PLAN)
    await walk.work()
    called = len(walk.told())
    await walk.leaps(2 * HOUR - MINUTE)
    assert walk.told()[called:] == []
    await walk.leaps(MINUTE)
    assert set(walk.told()[called:]) == {"rita", "rolf"}


async def test_a_report_that_reviewers_turn_down_gets_no_plan(walk: Walk) -> None:
    await reviewed(walk)
    await walk.refused("propose", "hans", **PLAN)
    await walk.do("reject", "rita", reason="the symptom is not that of the standard")
    assert "the symptom is not that of the standard" in texts(await walk.ticket())
    assert (await walk.ticket())["status"] == "in_progress"


@pytest.mark.parametrize(
    ("kind", "team", "person"),
    [
        ("hardware", "hardware", "hans"),
        ("software", "software", "sven"),
        ("operator-error", "service-desk", "dora"),
        ("environment", "facilities", "finn"),
    ],
)
async def test_what_is_reviewed_goes_to_the_team_of_its_kind(walk: Walk, kind: str, team: str, person: str) -> None:
    await reported(walk, scope="single user")
    assert ((await walk.ticket())["team"], walk.told()) == ("reports", ["rita"])
    assert (await walk.do("classify", "rita", kind=kind)).team == team
    assert walk.told() == ["rita", person]


async def test_what_is_severe_also_calls_the_urgent_repair_team(walk: Walk) -> None:
    await walk.fires("critical", component="disk")
    assert walk.told() == ["hans", "rolf"]


async def test_an_operator_error_ends_with_a_guide(walk: Walk) -> None:
    await reported(walk, scope="single user")
    await walk.do("classify", "rita", kind="operator-error")
    ticket = await walk.do(
        "dismiss", "dora", **{"as": "pseudo_fault", "reason": "it was switched off", "guide": "Page 4"}
    )
    assert (ticket.status, ticket.disposition) == ("closed", "pseudo_fault")
    assert "What helps: Page 4" in walk.letters()[-1]
