"""The profile sop-3level, sentence by sentence of the procedure, on a clock in Shanghai."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from responder.domain.reporter_answers import AnswerKind, Effect
from responder.flows.reporter import ask_reporter
from responder.store.database import Database
from tests.profiles.walking import DAY, MINUTE, Walk
from tests.profiles.world_of_sop_3level import (
    PEOPLE,
    SHANGHAI,
    at,
    reported,
)


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """On SQLite only: PostgreSQL's worker asks the server's own clock, which nobody can set."""
    return f"sqlite:///{tmp_path / 'responder.db'}"


@pytest.fixture
def walk(tmp_path: Path, database: Database) -> Walk:
    return Walk(tmp_path, database, "sop-3level", PEOPLE)


# --- intake ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", ["desk", "hotline", "online-service", "ticket-system", "mail", "dealer"])
async def test_every_channel_ends_in_one_ticket(walk: Walk, channel: str) -> None:
    ticket = await walk.report(channel=channel)
    assert (ticket.id, ticket.number, ticket.source) == (1, "20261123-001", channel)


async def test_the_number_looks_like_that_of_the_procedure(tmp_path: Path, database: Database) -> None:
    walk = Walk(tmp_path, database, "sop-3level", PEOPLE, start=datetime(2024, 5, 1, 9, tzinfo=SHANGHAI))
    assert (await walk.report()).number == "20240501-001"


async def test_the_number_is_the_date_and_a_serial_that_begins_anew_at_midnight_in_shanghai(walk: Walk) -> None:
    first, second = await walk.report(), await walk.report()
    walk.clock.advance_to(at(23, 59))
    third = await walk.report()
    walk.clock.advance(MINUTE)
    fourth = await walk.report()
    numbers = [one.number for one in (first, second, third, fourth)]
    assert numbers == ["20261123-001", "20261123-002", "20261123-003", "20261124-001"]


@pytest.mark.parametrize(
    ("impact", "level"),
    [
        ("core function unusable", "level-1"),
        ("Core", "level-1"),
        ("down", "level-1"),
        ("partly unusable", "level-2"),
        ("partial", "level-2"),
        ("slight", "level-3"),
        ("cosmetic", "level-3"),
        ("", "level-3"),
    ],
)
async def test_the_level_follows_from_what_can_still_be_used(walk: Walk, impact: str, level: str) -> None:
    ticket = await walk.report(fields={"impact": impact})
    assert ticket.grade == level


@pytest.mark.parametrize(
    ("severity", "level"), [("critical", "level-1"), ("major", "level-2"), ("warning", "level-3"), ("info", "level-3")]
)
async def test_an_alert_says_its_level_by_its_severity(walk: Walk, severity: str, level: str) -> None:
    await walk.fires(severity)
    assert (await walk.ticket())["grade"] == level


async def test_a_report_says_at_least_product_and_symptom_or_is_not_complete(walk: Walk) -> None:
    await walk.report(fields={"product": "P900"})
    assert "the report is not complete: symptom missing" in await walk.refused("register", "desk")
    await walk.do("register", "desk", fields={"symptom": "no light"})
    await walk.do("register", "desk")


# --- response ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "warned_at", "due_at"),
    [
        ("level-1", at(10, 30), at(11)),
        ("level-2", at(12), at(13)),
        ("level-3", at(15), at(17)),
    ],
)
async def test_the_answer_is_due_after_2_4_or_8_hours_and_the_next_tier_is_warned_before(
    walk: Walk, level: str, warned_at: datetime, due_at: datetime
) -> None:
    await reported(walk, level)
    assert (await walk.runs("respond")).due_at == due_at
    called = len(walk.told())
    await walk.leaps_to(warned_at - MINUTE)
    assert walk.told()[called:] == []
    await walk.leaps_to(warned_at)
    assert walk.told()[called:] == ["otto"]
    await walk.leaps_to(due_at)
    assert walk.told()[called + 1 :] == ["mina", "otto"]
    assert await walk.sums("sla_clocks_breached_total") == {
        (("clock", "respond"), ("priority", level), ("team", "service-desk")): 1
    }


async def test_an_answer_in_time_is_met_and_nobody_is_warned(walk: Walk) -> None:
    await reported(walk)
    await walk.leaps_to(at(10, 29))
    await walk.do("acknowledge", "desk")
    await walk.leaps_to(at(12))
    respond = await walk.runs("respond")
    assert (respond.stopped_at, respond.was_met) == (at(10, 29), True)
    assert walk.told() == ["desk", "otto"]  # level 1 calls tiers 1 and 2


# --- kinds, teams, tiers -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "team", "person"),
    [("hardware", "support-1", "hanna"), ("software", "support-2", "sam"), ("pseudo-fault", "service-desk", "desk")],
)
async def test_the_kind_says_which_team_has_it(walk: Walk, kind: str, team: str, person: str) -> None:
    await reported(walk, "level-3")
    assert (await walk.ticket())["team"] == "service-desk"
    ticket = await walk.do("classify", "desk", kind=kind)
    assert (ticket.team, walk.told()[-1]) == (team, person)


@pytest.mark.parametrize(("component", "team"), [("disk", "support-1"), ("database", "support-2")])
async def test_an_alert_that_names_its_component_goes_to_that_team(walk: Walk, component: str, team: str) -> None:
    await walk.fires("info", component=component)
    assert (await walk.ticket())["team"] == team


async def test_it_goes_from_the_junior_engineer_to_the_support_engineer_and_to_the_cross_department_review(
    walk: Walk,
) -> None:
    await reported(walk, "level-3")
    await walk.do("classify", "desk", kind="hardware")
    assert walk.told()[-1] == "hanna"
    await walk.do("escalate", "hanna", reason="too deep for me")
    assert walk.told()[-1] == "otto"
    await walk.do("escalate", "otto", reason="the design is at fault")
    assert walk.told()[-1] == "rosa"
    assert "has no tier above 3" in await walk.refused("escalate", "rosa", reason="and now?")


async def test_deep_diagnosis_is_due_24_hours_after_the_escalation(walk: Walk) -> None:
    await reported(walk, "level-2")
    assert "diagnose" not in {clock["name"] for clock in (await walk.ticket())["clocks"]}
    await walk.do("acknowledge", "desk")
    await walk.leaps_to(at(14))
    await walk.do("escalate", "desk", reason="too deep for me")
    assert (await walk.runs("diagnose")).due_at == at(14, day=24)
    await walk.do("acknowledge", "otto")
    called = len(walk.told())
    await walk.leaps_to(at(8, day=24))
    assert walk.told()[called:] == ["otto"]  # three quarters of the time are over
    await walk.do("diagnose", "otto", text="The board is burnt")
    assert (await walk.runs("diagnose")).was_met


async def test_what_is_not_diagnosed_by_then_goes_to_research_production_and_quality(walk: Walk) -> None:
    await reported(walk, "level-2")
    await walk.do("escalate", "desk", reason="too deep for me")
    await walk.do("acknowledge", "otto")
    await walk.leaps_to(at(8, 59, day=24))
    called = len(walk.told())
    await walk.leaps_to(at(9, day=24))
    assert set(walk.told()[called:]) == {"mina", "rosa", "remy", "pia", "quin"}
    ticket = await walk.ticket()
    assert (ticket["status"], ticket["tier"]) == ("handed_over", 3)
    assert (await walk.runs("diagnose")).breached_at == at(9, day=24)


# --- progress and first aid by people ----------------------------------------------------------------


async def test_the_reporter_hears_from_us_every_day_until_it_is_closed(walk: Walk) -> None:
    await reported(walk, "level-3")
    assert "You will hear from us by today at 17:00 (Asia/Shanghai)." in walk.letters()[0]
    await walk.do("acknowledge", "desk")
    for day in (23, 24, 25):
        await walk.leaps_to(at(17, day=day))
    assert [letter.count("How your report") for letter in walk.letters()] == [0, 1, 1, 1]
    await walk.do("restore", "desk", reason="the plug was loose")
    assert "Please check it" in walk.letters()[-1]
    await walk.leaps_to(at(17, 30, day=26))
    assert "We have had no answer from you yet" in walk.letters()[-1]
    await walk.says(AnswerKind.SOLVED)
    await walk.do("diagnose", "desk", text="loose", cause_class="user_operation")
    await walk.do("solve", "desk", text="pushed the plug in")
    await walk.leaps(3 * DAY)
    assert "It is closed." in walk.letters()[-1]
    breached = {dict(labels)["clock"] for labels in await walk.sums("sla_clocks_breached_total")}
    assert "update" not in breached


async def test_news_in_the_words_of_a_person_are_the_news_of_that_day(walk: Walk) -> None:
    await reported(walk)
    await walk.progress("desk", "A courier brings a spare pump.")
    assert "A courier brings a spare pump." in walk.letters()[-1]
    assert (await walk.runs("update")).due_at == at(17, day=24)
    sent = len(walk.letters())
    await walk.leaps_to(at(23, 59))
    assert len(walk.letters()) == sent


async def test_remote_guidance_is_a_question_and_an_answer_before_any_diagnosis(walk: Walk) -> None:
    await reported(walk, "level-3")
    await walk.do("acknowledge", "desk")
    await ask_reporter(walk.desk, "1", "desk", "Please hold the button for ten seconds. What does the light do?")
    await walk.work()
    assert "Please hold the button for ten seconds." in walk.letters()[-1]
    assert (await walk.ticket())["waiting_for"] == "reporter"
    heard = await walk.says(AnswerKind.INFORMATION, "It is green again!")
    assert (heard.effect, heard.ticket.status) == (Effect.GOES_ON, "in_progress")


async def test_a_pseudo_fault_is_closed_with_a_guide_which_the_reporter_gets(walk: Walk) -> None:
    await reported(walk, "level-3")
    await walk.do("classify", "desk", kind="pseudo-fault")
    wish: dict[str, Any] = {"as": "pseudo_fault", "reason": "it was switched off"}
    for name in ("pseudo_fault", "false_alarm"):
        lacking = await walk.refused("dismiss", "desk", **{**wish, "as": name})
        assert "a level-3 needs the guide that was sent" in lacking
    ticket = await walk.do("dismiss", "desk", guide="Page 4: how to switch it on", **wish)
    assert (ticket.status, ticket.disposition) == ("closed", "pseudo_fault")
    assert "What helps: Page 4: how to switch it on" in walk.letters()[-1]
    assert await walk.sums("sla_clocks_met_total") == {}
    assert {dict(labels)["reason"] for labels in await walk.sums("sla_clocks_excluded_total")} == {"pseudo_fault"}
