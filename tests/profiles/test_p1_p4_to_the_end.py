"""The default profile, walked on: verified with the reporter, closed with everything written down, learnt from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from responder.domain.actions import ActionItem
from responder.domain.reporter_answers import AnswerKind
from responder.flows.actions import escalate_overdue
from responder.flows.health_check import plan_health_checks
from responder.flows.review import as_markdown, read_review
from responder.store.database import Database
from tests.profiles.walking import DAY, HOUR, MINUTE, MONDAY, Walk
from tests.profiles.world_of_p1_p4 import (
    FIRST_AID,
    LOOK,
    SEVERITY,
    on_a_fixed_day,
    restored_by_people,
    solved,
    walk_of,
)


@pytest.fixture
def walk(tmp_path: Path, database: Database) -> Walk:
    """Nothing but the profile and people."""
    return walk_of(tmp_path, database)


@pytest.fixture
def helped(tmp_path: Path, database: Database) -> Walk:
    """With a runbook that restarts the service."""
    return walk_of(tmp_path, database, FIRST_AID)


# --- verified with the reporter ----------------------------------------------------------------------------


async def test_it_is_resolved_only_when_the_reporter_says_that_business_is_back(walk: Walk) -> None:
    await restored_by_people(walk)
    await walk.goes_by(HOUR)
    assert "the reporter's confirmation (verb: verify)" in await walk.refused("resolve", "ann", reason="Done.")
    await walk.says(AnswerKind.NOT_SOLVED, "Still nothing.")
    assert await walk.status() == "handed_over"
    await walk.do("acknowledge", "ben")
    await walk.do("restore", "ben", reason="Now both nodes.")
    await walk.says(AnswerKind.SOLVED)
    await walk.goes_by(10 * MINUTE, 5 * MINUTE)
    assert await walk.status() == "resolved"


async def test_a_silent_reporter_is_reminded_after_a_day_and_after_three_taken_for_content(walk: Walk) -> None:
    await restored_by_people(walk)
    letters = len(walk.letters())
    await walk.goes_by(DAY)
    assert len(walk.letters()) == letters + 1
    await walk.goes_by(2 * DAY - HOUR)
    assert (len(walk.letters()), await walk.status()) == (letters + 2, "restored")
    await walk.goes_by(HOUR)
    assert await walk.status() == "resolved"
    assert "The reporter was asked for a confirmation: no answer for 3d." in await walk.sentences()


async def test_a_reporter_who_gives_no_score_is_reminded_and_then_keeps_nothing_open(walk: Walk) -> None:
    await walk.report(fields={"impact": "question"})
    await walk.do("acknowledge", "ann")
    await walk.do("restore", "ann", reason="Answered.")
    await walk.says(AnswerKind.SOLVED)
    await walk.goes_by(5 * MINUTE)
    await walk.do("diagnose", "ann", text="Asked how.", cause_class="user_operation")
    await walk.do("solve", "ann", text="Told how.")
    await walk.do("follow-up", "ann", text="Called.")
    letters = len(walk.letters())
    await walk.goes_by(DAY)
    assert len(walk.letters()) == letters + 1
    assert "the reporter's satisfaction" in await walk.refused("close", "ann", reason="Done.")
    await walk.goes_by(3 * DAY, 3 * HOUR)
    assert await walk.status() == "closed"


# --- closing -----------------------------------------------------------------------------------------------


async def test_a_p1_closes_with_cause_handling_follow_up_satisfaction_and_review_and_not_before(walk: Walk) -> None:
    await solved(walk)
    wanted = {
        "review": "a root-cause review",
        "diagnose": "a cause class",
        "solve": "what solved it",
        "follow-up": "the follow-up call",
        "satisfaction": "the reporter's satisfaction",
    }
    why = await walk.refused("close", "ann", reason="Done.")
    assert [f"{text} (verb: {verb})" in why for verb, text in wanted.items()] == [True] * 5
    await walk.do("diagnose", "ann", text="A leak.", cause_class="product_defect", cause="Thin seal.")
    await walk.do("solve", "ann", text="A thick seal.")
    await walk.do("follow-up", "ann", text="Called: all is well.")
    await walk.says(AnswerKind.SCORE, score=5)
    why = await walk.refused("close", "ann", reason="Done.")
    assert why.endswith("a P1 needs a root-cause review (verb: review).")
    await walk.reviews("ben", improvements="Thick seals everywhere.")
    assert (await walk.do("close", "ann", reason="Done.")).status == "closed"
    report = as_markdown(await read_review(walk.desk, "1"))
    for part in ("The seal is too thin.", "It leaked.", "Thick seals everywhere.", "Switched to the standby."):
        assert part in report


async def test_closing_is_told_to_the_reporter(walk: Walk) -> None:
    await walk.report(fields={"impact": "question"})
    await walk.do("acknowledge", "ann")
    before = len(walk.letters())
    await walk.do("dismiss", "ann", **{"as": "pseudo_fault", "reason": "Used upside down.", "guide": "Turn it round."})
    assert len(walk.letters()) == before + 1
    assert "Turn it round." in walk.letters()[-1]


@pytest.mark.parametrize(("grade", "needs_review"), [("P1", True), ("P2", True), ("P3", False), ("P4", False)])
async def test_p1_and_p2_need_a_review_whoever_restored_them(helped: Walk, grade: str, needs_review: bool) -> None:
    await helped.fires(SEVERITY[grade])
    await helped.clears(SEVERITY[grade])
    await helped.goes_by(10 * MINUTE, 5 * MINUTE)
    await helped.goes_by(72 * HOUR, 6 * HOUR)
    assert await helped.status() == ("resolved" if needs_review else "closed")
    if needs_review:
        assert "It could be closed, but: " in "".join(text for _, text in helped.told_since(0))
        await helped.reviews("ann")
        await helped.goes_by(DAY, 6 * HOUR)
        assert await helped.status() == "closed"


async def test_a_pseudo_fault_closes_without_a_review(walk: Walk) -> None:
    await walk.report(fields={"impact": "core"})
    await walk.do("acknowledge", "ann")
    given = {"as": "pseudo_fault", "reason": "It was not plugged in.", "guide": "Plug it in."}
    ticket = await walk.do("dismiss", "ann", **given)
    assert (ticket.status, ticket.grade) == ("closed", "P1")


@pytest.mark.parametrize(("grade", "after"), [("P1", 72 * HOUR), ("P3", 24 * HOUR)])
async def test_what_lacks_nothing_is_closed_by_itself(walk: Walk, grade: str, after: timedelta) -> None:
    await walk.fires(SEVERITY[grade])
    await walk.clears(SEVERITY[grade])
    await walk.goes_by(10 * MINUTE, 5 * MINUTE)
    await walk.reviews("ann")
    resolved_at = datetime.fromisoformat((await walk.ticket())["resolved_at"])
    await walk.goes_by(resolved_at + after - MINUTE - walk.clock.now(), 6 * HOUR)
    assert await walk.status() == "resolved"
    await walk.goes_by(MINUTE)
    assert await walk.status() == "closed"


# --- learnt ------------------------------------------------------------------------------------------------


async def test_the_knowledge_base_recognises_it_the_next_time(walk: Walk) -> None:
    said = {"symptom": "the pump stops after a minute", "error_code": "E-7731"}
    await solved(walk, **said)
    await walk.do("diagnose", "ann", text="A leak.", cause_class="product_defect", cause="Thin seal.")
    await walk.do("solve", "ann", text="Fit a thick seal.")
    await walk.do("follow-up", "ann", text="Called.")
    await walk.says(AnswerKind.SCORE, score=4)
    await walk.reviews("ben")
    await walk.writes_article("ben")
    await walk.do("close", "ann", reason="Done.")
    before = len(walk.sender.sent)
    await walk.report(fields=said)
    assert "Recurring: looks like article 1" in await walk.sentences(2)
    assert len(walk.told_since(before)) > 0


async def test_improvements_that_are_late_are_told_to_their_owner_and_then_to_the_team(walk: Walk) -> None:
    await solved(walk)
    action = ActionItem(text="Thick seals", owner="cleo", due_at=walk.clock.now() + DAY)
    await walk.reviews("ben", actions=(action,))
    found = []
    for _ in range(3):
        walk.clock.advance(DAY)
        before = len(walk.sender.sent)
        await escalate_overdue(walk.desk)
        await walk.work()
        found.append([who for who, text in walk.told_since(before) if "Action 1 of cleo" in text])
    assert found == [["cleo"], ["ann"], ["ann"]]


@on_a_fixed_day
async def test_a_health_check_finds_it_before_an_alert_does(tmp_path: Path, database: Database) -> None:
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "runbooks" / "look.yml").write_text(LOOK)
    more = "health_checks:\n  - {name: weekly, runbook: look, targets: [web-1], every: tue at 06:00}\n"
    walk = walk_of(tmp_path, database, more)
    await plan_health_checks(walk.desk)
    await walk.goes_by(datetime(2026, 11, 24, 5, 0, tzinfo=UTC) - MONDAY)
    assert await walk.read(lambda tx: tx.tickets.listed()) == []
    await walk.goes_by(HOUR)
    (ticket,) = await walk.read(lambda tx: tx.tickets.listed())
    assert (ticket.labels["alertname"], ticket.labels["step"], ticket.grade) == (
        "HealthCheckFinding",
        "the disk has room",
        "P4",
    )


async def test_the_contact_is_erased_180_days_after_closing(walk: Walk) -> None:
    await walk.report(fields={"impact": "question"})
    await walk.do("acknowledge", "ann")
    await walk.do("dismiss", "ann", **{"as": "false_alarm", "reason": "It works."})
    for days, contact in ((179, "li.wei@example.org"), (1, "")):
        walk.clock.advance(days * DAY)
        await walk.forgets()
        assert (await walk.read(lambda tx: tx.reporters.of_ticket(1))).contact == contact
