"""The profile regulation, walked on: restore first, the permanent fix, and the end."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from responder.domain.reporter_answers import AnswerKind, Effect
from responder.domain.review import ReviewForm
from responder.errors import Refused
from responder.flows.actions import escalate_overdue, finish_action
from responder.flows.review import as_markdown, read_review, write_review
from responder.store.database import Database
from tests.profiles.pages import Page
from tests.profiles.walking import DAY, MINUTE, Walk
from tests.profiles.world_of_regulation import (
    PEOPLE,
    PLAN,
    WHYS,
    a_review,
    at,
    learnt,
    proposed,
    reported,
    reviewed,
    solved,
)
from tests.world import texts


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """On SQLite only: PostgreSQL's worker asks the server's own clock, which nobody can set."""
    return f"sqlite:///{tmp_path / 'responder.db'}"


@pytest.fixture
def walk(tmp_path: Path, database: Database) -> Walk:
    return Walk(tmp_path, database, "regulation", PEOPLE)


# --- restore first, then the permanent fix -----------------------------------------------------------


@pytest.mark.parametrize("kind", ["isolation", "switchover", "urgent_repair", "workaround", "permanent_fix"])
async def test_people_isolate_switch_over_repair_or_work_around_it(walk: Walk, kind: str) -> None:
    await reviewed(walk)
    await proposed(walk, kind=kind)
    assert (await walk.ticket())["dossier"]["plan"]["kind"] == kind


async def test_the_permanent_fix_is_planned_after_the_trouble_is_over(walk: Walk) -> None:
    await solved(walk)
    ticket = await walk.ticket()
    assert (ticket["status"], ticket["dossier"]["plan"]["kind"]) == ("resolved", "permanent_fix")
    assert ticket["dossier"]["plan"]["round"] == 2


@pytest.mark.parametrize(
    ("scope", "due_at"),
    [
        ("whole system", {"respond": at(9, 30), "restore": at(13), "resolve": at(9, day=24)}),
        ("department", {"respond": at(11), "restore": at(17), "resolve": at(9, day=26)}),
        ("single user", {"respond": at(17), "resolve": at(9, day=26)}),
    ],
)
async def test_answer_restoring_and_solving_have_their_times(
    walk: Walk, scope: str, due_at: dict[str, datetime]
) -> None:
    await reported(walk, scope=scope)
    clocks = (await walk.read(lambda tx: tx.tickets.find("1"))).clocks
    assert {name: clock.due_at for name, clock in clocks.items() if name != "assess"} == due_at


# --- the end -----------------------------------------------------------------------------------------


async def test_it_walks_from_the_report_to_the_archive(walk: Walk) -> None:
    await solved(walk)
    assert "What you reported as 20261123-001 should work again." in walk.letters()[-1]
    await learnt(walk)
    await walk.progress("hans", "The fuse was too weak; you have a stronger one now.")
    await walk.do("follow-up", "hans", text="told the results")
    await walk.leaps(3 * DAY)
    ticket = await walk.ticket()
    assert ticket["status"] == "closed"
    assert "It is closed." in walk.letters()[-1]
    await walk.says(AnswerKind.SCORE, score=5)
    assert (await walk.ticket())["dossier"]["satisfaction"] == 5
    met = {dict(labels)["clock"] for labels in await walk.sums("sla_clocks_met_total")}
    assert met == {"assess", "respond", "restore", "resolve"}
    await walk.leaps(180 * DAY)
    await walk.forgets()
    reporter = await walk.read(lambda tx: tx.reporters.one(1))
    assert (reporter.name, reporter.contact) == ("", "")


async def test_it_is_not_closed_before_root_cause_document_and_feedback_are_there(walk: Walk) -> None:
    await reviewed(walk)
    await walk.do("restore", "hans", reason="it runs again")
    await walk.leaps(10 * MINUTE)
    refused = await walk.refused("close", "hans", reason="done")
    for lacking in (
        "a cause class (verb: diagnose)",
        "a root-cause review (verb: review)",
        "an article in the knowledge base (verb: article)",
        "an approved plan (verb: propose)",
        "the follow-up call (verb: follow-up)",
    ):
        assert lacking in refused
    await walk.leaps(3 * DAY)
    assert "It could be closed, but: 20261123-001 cannot close yet" in texts(await walk.ticket())


async def test_the_review_asks_five_whys_and_shows_a_fishbone(walk: Walk) -> None:
    await solved(walk)
    with pytest.raises(Refused, match="there are no whys; give one to 7"):
        await write_review(walk.desk, "1", "ana", ReviewForm(root_cause="a weak fuse", cause_class="hardware"))
    with pytest.raises(Refused, match="there are hardware, software, operator_error, environment"):
        await write_review(walk.desk, "1", "ana", ReviewForm(root_cause="x", cause_class="fate", whys=WHYS))
    await write_review(walk.desk, "1", "ana", a_review(walk))
    shown = as_markdown(await read_review(walk.desk, "1"))
    assert all(why in shown for why in WHYS)
    assert "the test plan is old" in shown


async def test_preventive_measures_have_an_owner_and_a_day_and_are_asked_for(walk: Walk) -> None:
    await solved(walk)
    await learnt(walk)
    promised = (await read_review(walk.desk, "1")).actions
    assert [one.text.split()[0] for one in promised] == ["risk", "inspection", "training", "manual,"]
    for one in promised[1:]:
        await finish_action(walk.desk, one.id, "hans", "done")
    await walk.leaps(14 * DAY)
    called = len(walk.told())
    assert await escalate_overdue(walk.desk) == 1
    await walk.work()
    assert walk.told()[called:] == ["hans"]
    await walk.leaps(DAY)
    called = len(walk.told())
    await escalate_overdue(walk.desk)
    await walk.work()
    assert sorted(walk.told()[called:]) == ["ana", "hans"]


async def test_what_was_learnt_is_found_when_it_happens_again(walk: Walk) -> None:
    await solved(walk)
    await learnt(walk)
    await reported(walk)
    assert "article 1" in (await walk.history("handled", 2))[0]


async def test_a_reporter_who_says_not_solved_reopens_it_and_it_is_reviewed_again(walk: Walk) -> None:
    await solved(walk)
    heard = await walk.says(AnswerKind.NOT_SOLVED, "dark again")
    assert (heard.effect, heard.ticket.episode) == (Effect.TAKEN_UP_AGAIN, 2)
    assert (await walk.runs("assess")).is_running
    await walk.do("acknowledge", "hans")
    assert "may propose once there is the yes of 1 of role reviewer" in await walk.refused("propose", "hans", **PLAN)


# --- the machine -------------------------------------------------------------------------------------

CONTINGENCY = """first_aid: [{name: contingency plan, when: ['alertname="ServiceDown"'], runbook: restart-app}]\n"""


async def test_the_contingency_plan_runs_at_once_and_the_root_is_still_looked_for(
    tmp_path: Path, database: Database
) -> None:
    walk = Walk(tmp_path, database, "regulation", PEOPLE, more=CONTINGENCY)
    await walk.fires("critical", component="software")
    assert (walk.fleet.restarts(), walk.told()) == (["web-1"], [])
    await walk.clears("critical", component="software")
    await walk.leaps(10 * MINUTE)
    assert (await walk.ticket())["status"] == "resolved"
    refused = await walk.refused("close", "sven", reason="done")
    assert "a root-cause review" in refused
    assert "approved plan" not in refused
    await walk.do("diagnose", "sven", text="it leaks", cause_class="software")
    await learnt(walk)
    await walk.leaps(3 * DAY)
    assert (await walk.ticket())["status"] == "closed"


async def test_where_the_contingency_plan_does_not_help_the_teams_are_called(
    tmp_path: Path, database: Database
) -> None:
    walk = Walk(tmp_path, database, "regulation", PEOPLE, more=CONTINGENCY)
    walk.fleet.broken.add("web-1")
    await walk.fires("critical", component="software")
    assert walk.told() == ["sven", "rolf"]
    assert "config is broken" in walk.sender.sent[0][2]


# --- the page ----------------------------------------------------------------------------------------


def test_the_page_quotes_lines_that_stand_in_the_profile() -> None:
    page = Page("regulation")
    assert page.wrong_quotes() == []
    assert len(page.rows) >= 16


def test_the_people_of_the_page_are_enough_for_the_profile(tmp_path: Path) -> None:
    assert list(Page("regulation").configuration(tmp_path).policy.grades) == ["severe", "major", "minor"]


async def test_the_contingency_plan_of_the_page_can_be_added_to_the_profile(tmp_path: Path, database: Database) -> None:
    _, _, shown = Page("regulation").text.partition("```yaml\nfirst_aid:")
    more = f"first_aid:{shown.partition('```')[0]}"
    policy = Walk(tmp_path, database, "regulation", PEOPLE, more=more).desk.policy
    assert [rule.runbook for rule in policy.first_aid] == ["drain-haproxy", "switchover-keepalived"]
