"""The profile feedback-form, walked on: the end of a form, and the machine."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from responder.domain.reporter_answers import AnswerKind, Effect
from responder.flows.knowledge import search
from responder.flows.reporter import ask_reporter
from responder.store.database import Database
from tests.profiles.pages import Page
from tests.profiles.walking import DAY, HOUR, MINUTE, Walk
from tests.profiles.world_of_feedback_form import FIELDS, a_walk, at, handled, reported, written_on
from tests.world import texts


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """On SQLite only: PostgreSQL's worker asks the server's own clock, which nobody can set."""
    return f"sqlite:///{tmp_path / 'responder.db'}"


@pytest.fixture
def walk(tmp_path: Path, database: Database) -> Walk:
    """Wednesday morning; from the next day on all of China has a week off, and then Saturday is worked."""
    return a_walk(tmp_path, database, at(9, 30, 10))


# --- the end -----------------------------------------------------------------------------------------


async def test_the_reporter_confirms_it_before_it_is_resolved(walk: Walk) -> None:
    await handled(walk)
    assert (await walk.ticket())["status"] == "restored"
    assert "needs the reporter's confirmation" in texts(await walk.ticket())
    heard = await walk.says(AnswerKind.SOLVED, "quiet now")
    assert (heard.effect, heard.ticket.status) == (Effect.CONFIRMED, "resolved")


async def test_what_was_never_classified_is_not_resolved(walk: Walk) -> None:
    await walk.report(fields=FIELDS)
    await walk.do("acknowledge", "dora")
    await walk.do("restore", "dora", reason="it was a misunderstanding")
    await walk.leaps(HOUR)
    assert (await walk.says(AnswerKind.SOLVED)).ticket.status == "restored"
    assert "a normal needs its kind (verb: classify)" in texts(await walk.ticket())
    assert (await walk.do("classify", "dora", kind="service-question")).status == "resolved"


async def test_not_solved_takes_it_up_again_with_news_on_every_working_day(walk: Walk) -> None:
    await handled(walk)
    heard = await walk.says(AnswerKind.NOT_SOLVED, "it still rattles")
    assert (heard.effect, heard.ticket.status) == (Effect.TAKEN_UP_AGAIN, "handed_over")
    assert "We have taken up your report FB-20260930001 again." in walk.letters()[-1]
    await walk.leaps_to(at(10, 9, 9))
    assert await written_on(walk, "progress") == [date(2026, 9, 30), date(2026, 10, 8)]


async def test_after_five_days_without_a_word_the_reporter_is_taken_as_content(walk: Walk) -> None:
    await handled(walk)
    await walk.leaps_to(at(10, 5, 9, 59))
    assert (await walk.ticket())["status"] == "restored"
    await walk.leaps(MINUTE)
    assert (await walk.ticket())["status"] == "resolved"
    assert len(await written_on(walk, "reminder")) == 4


async def test_it_is_closed_once_the_satisfaction_is_recorded(walk: Walk) -> None:
    await handled(walk)
    await walk.says(AnswerKind.SOLVED)
    assert "How was it?" in walk.letters()[-1]
    await walk.leaps(3 * DAY)
    ticket = await walk.ticket()
    assert ticket["status"] == "resolved"
    assert (
        "It could be closed, but: FB-20260930001 cannot close yet: a normal needs the reporter's satisfaction"
        in texts(ticket)
    )
    await walk.says(AnswerKind.SCORE, "a bit slow", score=4)
    await walk.leaps(DAY)
    ticket = await walk.ticket()
    assert (ticket["status"], ticket["dossier"]["satisfaction"]) == ("closed", 4)


async def test_a_score_that_nobody_gave_is_recorded_as_no_answer_and_never_invented(walk: Walk) -> None:
    await handled(walk)
    await walk.says(AnswerKind.SOLVED)
    await walk.leaps(30 * DAY)
    ticket = await walk.ticket()
    assert (ticket["status"], ticket["dossier"]["satisfaction"]) == ("closed", None)
    assert ticket["dossier"]["satisfaction_text"] == "no answer for 5d"


@pytest.mark.parametrize(
    ("kind", "lacking"),
    [
        ("technical-hardware", "what solved it (verb: solve) and a diagnosis (verb: diagnose) and a cause class"),
        ("service-wish", "what solved it (verb: solve) and the reporter's satisfaction"),
    ],
)
async def test_a_technical_form_also_needs_its_diagnosis(walk: Walk, kind: str, lacking: str) -> None:
    await reported(walk, kind)
    await walk.do("acknowledge", "tom")
    await walk.do("restore", "tom", reason="it is as wished")
    await walk.leaps(HOUR)
    await walk.says(AnswerKind.SOLVED)
    assert lacking in await walk.refused("close", "tom", reason="done")


async def test_a_question_about_the_use_is_answered_and_closed_without_a_diagnosis(walk: Walk) -> None:
    await reported(walk, "service-question")
    await walk.do("acknowledge", "sue")
    await walk.progress("sue", "Hold the button for ten seconds.")
    await walk.do("solve", "sue", text="explained the button")
    await walk.do("restore", "sue", reason="answered")
    await walk.leaps(HOUR)
    await walk.says(AnswerKind.SOLVED)
    await walk.says(AnswerKind.SCORE, score=5)
    await walk.leaps(3 * DAY)
    assert (await walk.ticket())["status"] == "closed"


async def test_what_is_asked_of_the_reporter_waits_for_the_answer(walk: Walk) -> None:
    await reported(walk)
    await walk.do("acknowledge", "tom")
    await ask_reporter(walk.desk, "1", "tom", "Which version do you have?")
    await walk.work()
    heard = await walk.says(AnswerKind.INFORMATION, "2.4")
    assert (heard.effect, heard.ticket.status) == (Effect.GOES_ON, "in_progress")


async def test_it_walks_from_the_form_to_the_case_library_and_the_archive(walk: Walk) -> None:
    await handled(walk)
    await walk.says(AnswerKind.SOLVED)
    await walk.says(AnswerKind.SCORE, score=5)
    await walk.leaps(3 * DAY)
    assert (await walk.ticket())["status"] == "closed"
    (case,) = await search(walk.desk, "rattles screw")
    assert case.name == "FB-20260930001"
    await walk.report("The cover rattles", fields={**FIELDS, "occurred_at": "2026-10-03 09:30"})
    assert "FB-20260930001" in (await walk.history("handled", 2))[0]
    await walk.leaps(180 * DAY)
    await walk.forgets()
    reporter = await walk.read(lambda tx: tx.reporters.one(1))
    assert (reporter.name, reporter.contact) == ("", "")


# --- the machine -------------------------------------------------------------------------------------


async def test_an_alert_gets_first_aid_and_ends_without_any_paper(tmp_path: Path, database: Database) -> None:
    more = """first_aid: [{name: restart it, when: ['alertname="ServiceDown"'], runbook: restart-app}]\n"""
    walk = a_walk(tmp_path, database, at(9, 30, 10), more)
    await walk.fires()
    assert walk.fleet.restarts() == ["web-1"]
    await walk.clears()
    await walk.leaps(3 * DAY + 5 * MINUTE)
    ticket = await walk.ticket()
    assert (ticket["number"], ticket["status"], ticket["restored_by"]) == ("FB-20260930001", "closed", "machine")
    assert walk.told() == []


# --- the page ----------------------------------------------------------------------------------------


def test_the_page_quotes_lines_that_stand_in_the_profile() -> None:
    page = Page("feedback-form")
    assert page.wrong_quotes() == []
    assert len(page.rows) >= 12


def test_the_people_of_the_page_are_enough_for_the_profile(tmp_path: Path) -> None:
    assert list(Page("feedback-form").configuration(tmp_path).policy.grades) == ["normal"]
