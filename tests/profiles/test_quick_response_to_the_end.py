"""Quick response, walked on: the solution, whether it helped, and the archive."""

from __future__ import annotations

from pathlib import Path

import pytest

from responder.domain.actions import ActionItem
from responder.domain.reporter_answers import AnswerKind
from responder.flows.actions import escalate_overdue
from responder.store.database import Database
from tests.profiles.walking import DAY, HOUR, MINUTE, Walk
from tests.profiles.world_of_quick_response import P0, P1, P2, approved, in_work, resolved_p0, walk_of


@pytest.fixture
def walk(tmp_path: Path, database: Database) -> Walk:
    """Monday, 9 o'clock in Shanghai, on SQLite alone where the day counts."""
    return walk_of(tmp_path, database)


# --- the solution ------------------------------------------------------------------------------------------


async def test_a_solution_is_an_urgent_patch_a_workaround_or_left_to_the_next_iteration(walk: Walk) -> None:
    await in_work(walk, **P2)
    for kind in ("urgent_patch", "workaround", "next_iteration"):
        ticket = await walk.do("propose", "sue", kind=kind, steps=["Do it"])
        assert ticket.status == "approved", "a P2 needs nobody's consent"
    assert "urgent_patch, workaround, next_iteration" in await walk.refused(
        "propose", "sue", kind="prayer", steps=["1"]
    )


@pytest.mark.parametrize("fields", [P0, P1])
async def test_product_manager_and_research_agree_to_the_solution_of_p0_and_p1(
    walk: Walk, fields: dict[str, str]
) -> None:
    await in_work(walk, **fields)
    await walk.do("propose", "sue", kind="workaround", steps=["Route around it"])
    assert (await walk.do("approve", "pam")).status == "proposed"
    assert "theo" in await walk.refused("approve", "theo")
    before = len(walk.sender.sent)
    assert (await walk.do("approve", "rita")).status == "approved"
    assert "theo" in [who for who, _ in walk.told_since(before)], "test has the cases to prepare"


async def test_consent_that_does_not_come_within_an_hour_is_asked_for_further_up(walk: Walk) -> None:
    await in_work(walk)
    await walk.do("propose", "sue", kind="workaround", steps=["Route around it"])
    before = len(walk.sender.sent)
    await walk.goes_by(HOUR, 10 * MINUTE)
    assert "see to it that somebody answers" in "".join(text for _, text in walk.told_since(before))
    assert (await walk.ticket())["status"] == "proposed"


# --- whether it helped -------------------------------------------------------------------------------------


async def test_test_verifies_within_an_hour_of_the_fix(walk: Walk) -> None:
    await approved(walk)
    await walk.do("restore", "rita", reason="Patched.")
    assert await walk.target("verify") == HOUR
    before = len(walk.sender.sent)
    await walk.goes_by(48 * MINUTE, MINUTE)
    assert [who for who, text in walk.told_since(before) if "verify clock" in text] == ["theo"]
    await walk.do("verify", "theo", by="test", text="12 regression cases pass.")
    assert (await walk.runs("verify")).was_met


async def test_not_gone_goes_back_to_diagnosis(walk: Walk) -> None:
    await approved(walk)
    await walk.do("restore", "rita", reason="Patched.")
    await walk.do("verify", "theo", by="test")
    await walk.says(AnswerKind.NOT_SOLVED, "It still stops.")
    ticket = await walk.ticket()
    assert (ticket["status"], ticket["episode"]) == ("handed_over", 2)
    assert "It is not gone, says the reporter: It still stops." in await walk.sentences()
    await walk.do("acknowledge", "rita")
    await walk.do("diagnose", "rita", text="The second seal, too.")
    await walk.do("restore", "rita", reason="Both seals.")
    await walk.says(AnswerKind.SOLVED)
    await walk.goes_by(10 * MINUTE, MINUTE)
    assert await walk.status() == "restored"
    assert "it stays restored: 26112301001 cannot resolve yet: a P0 needs a verification by test cases" in (
        await walk.sentences()
    ).replace((await walk.ticket())["number"], "26112301001"), "the cases of before are of before"


async def test_it_is_resolved_only_after_the_reporters_confirmation_and_the_tech_leads_review(walk: Walk) -> None:
    await approved(walk)
    await walk.do("restore", "rita", reason="Patched.")
    why = await walk.refused("resolve", "rita", reason="Done.")
    assert "a verification by test cases (verb: verify)" in why
    assert "the reporter's confirmation (verb: verify)" in why
    await walk.do("verify", "theo", by="test")
    await walk.goes_by(2 * HOUR)
    assert await walk.status() == "restored"
    before = len(walk.sender.sent)
    await walk.says(AnswerKind.SOLVED)
    assert "tom" in [who for who, _ in walk.told_since(before)], "the tech lead is asked once all else is there"
    assert await walk.status() == "restored"
    await walk.do("approve", "tom")
    assert await walk.status() == "resolved"


async def test_a_p0_is_not_resolved_without_a_plan_that_was_agreed_to(walk: Walk) -> None:
    await in_work(walk)
    await walk.do("restore", "sue", reason="It runs on the standby.")
    await walk.do("verify", "theo", by="test")
    await walk.says(AnswerKind.SOLVED)
    assert "an approved plan (verb: propose)" in await walk.refused("resolve", "sue", reason="Done.")


async def test_a_silent_reporter_is_reminded_after_a_day_and_after_three_taken_for_content(walk: Walk) -> None:
    await in_work(walk, **P2)
    await walk.do("restore", "sue", reason="Set right.")
    await walk.do("verify", "theo", by="test")
    letters = len(walk.letters())
    await walk.goes_by(DAY)
    assert len(walk.letters()) == letters + 1
    await walk.goes_by(2 * DAY - HOUR)
    assert await walk.status() == "restored"
    await walk.goes_by(HOUR)
    assert await walk.status() == "resolved"
    assert "no answer for 3d" in await walk.sentences()


# --- archive -----------------------------------------------------------------------------------------------


async def test_it_is_reviewed_and_archived_within_24_hours(walk: Walk) -> None:
    await resolved_p0(walk)
    assert (await walk.target("review"), await walk.target("archive")) == (DAY, DAY)
    why = await walk.refused("close", "pam", reason="Over.")
    assert "a root-cause review (verb: review) and the review meeting" in why
    assert "an article in the knowledge base (verb: article)" in why
    before = len(walk.sender.sent)
    await walk.goes_by(20 * HOUR)
    reminded = [(who, text) for who, text in walk.told_since(before) if "80 % of the" in text]
    assert [who for who, _ in reminded] == ["sue", "sue"], "of the review and of the archive"
    await walk.reviews("pam", meeting_at=walk.clock.now(), participants=("pam", "rita"), improvements="Thick seals.")
    assert (await walk.runs("review")).was_met
    await walk.writes_article("tom")
    assert (await walk.do("close", "pam", reason="Archived.")).status == "closed"
    assert (await walk.runs("archive")).was_met


async def test_a_review_without_its_meeting_does_not_close_it(walk: Walk) -> None:
    await resolved_p0(walk)
    await walk.reviews("pam")
    await walk.writes_article("tom")
    assert "the review meeting (verb: review)" in await walk.refused("close", "pam", reason="Over.")


async def test_what_lacks_nothing_is_archived_by_itself_before_the_day_is_over(walk: Walk) -> None:
    await resolved_p0(walk)
    await walk.reviews("pam", meeting_at=walk.clock.now())
    await walk.writes_article("tom")
    await walk.goes_by(20 * HOUR)
    assert await walk.status() == "closed"
    assert (await walk.runs("archive")).was_met


async def test_who_neither_reviews_nor_archives_is_told_to_the_product_manager(walk: Walk) -> None:
    await resolved_p0(walk)
    before = len(walk.sender.sent)
    await walk.goes_by(24 * HOUR)
    late = [(who, text) for who, text in walk.told_since(before) if "ran past its target" in text]
    assert [who for who, _ in late] == ["pam", "pam"]
    assert {name for name in ("review", "archive") if any(f"The {name} clock" in text for _, text in late)} == {
        "review",
        "archive",
    }


async def test_improvements_that_are_late_are_told_to_their_owner_then_to_service_and_product_manager(
    walk: Walk,
) -> None:
    await resolved_p0(walk)
    due = walk.clock.now() + DAY
    action = ActionItem(text="Order thick seals", owner="rita", due_at=due)
    await walk.reviews("pam", meeting_at=walk.clock.now(), actions=(action,))
    found = []
    for _ in range(2):
        walk.clock.advance(DAY)
        before = len(walk.sender.sent)
        await escalate_overdue(walk.desk)
        await walk.work()
        found.append(sorted(who for who, text in walk.told_since(before) if "Action 1 of rita" in text))
    assert found == [["rita"], ["pam", "sue"]]


async def test_a_p0_that_first_aid_has_healed_still_needs_its_review_meeting(walk: Walk) -> None:
    await walk.fires("critical")
    await walk.clears("critical")
    await walk.goes_by(10 * MINUTE, MINUTE)
    assert await walk.status() == "restored", "the tech lead looks at it first"
    await walk.do("approve", "tom")
    assert await walk.status() == "resolved"
    assert "the review meeting" in await walk.refused("close", "sue", reason="Over.")


async def test_the_contact_is_erased_180_days_after_the_archive(walk: Walk) -> None:
    await resolved_p0(walk)
    await walk.reviews("pam", meeting_at=walk.clock.now())
    await walk.writes_article("tom")
    await walk.do("close", "pam", reason="Archived.")
    for days, contact in ((179, "li.wei@example.org"), (1, "")):
        walk.clock.advance(days * DAY)
        await walk.forgets()
        assert (await walk.read(lambda tx: tx.reporters.of_ticket(1))).contact == contact
