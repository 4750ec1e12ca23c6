"""The profile sop-3level, walked on: solutions, approvals, the end, and the machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from responder.domain.reporter_answers import AnswerKind, Effect
from responder.store.database import Database
from tests.profiles.pages import Page
from tests.profiles.walking import DAY, HOUR, MINUTE, Walk
from tests.profiles.world_of_sop_3level import (
    BOARD,
    PEOPLE,
    PLAN,
    a_board_in_stock,
    at,
    diagnosed,
    repaired,
    reported,
)
from tests.world import texts


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """On SQLite only: PostgreSQL's worker asks the server's own clock, which nobody can set."""
    return f"sqlite:///{tmp_path / 'responder.db'}"


@pytest.fixture
def walk(tmp_path: Path, database: Database) -> Walk:
    return Walk(tmp_path, database, "sop-3level", PEOPLE)


# --- solutions ---------------------------------------------------------------------------------------


async def test_a_solution_needs_kind_diagnosis_steps_a_time_and_a_known_kind_of_solution(walk: Walk) -> None:
    await reported(walk)
    await walk.do("acknowledge", "desk")
    lacking = await walk.refused("propose", "desk", **PLAN)
    assert "a level-1 needs its kind (verb: classify) and a diagnosis (verb: diagnose)" in lacking
    await walk.do("classify", "desk", kind="hardware")
    await walk.do("diagnose", "desk", text="The board is burnt")
    assert "at least one step" in await walk.refused("propose", "desk", **{**PLAN, "steps": []})
    assert "a plan with a time by which it is done" in await walk.refused("propose", "desk", **{**PLAN, "due": ""})
    unknown = await walk.refused("propose", "desk", **{**PLAN, "kind": "prayer"})
    assert "there are repair, replace, return_refund, compensation" in unknown
    assert "would have no owner" in await walk.refused("propose", "desk", **PLAN, owner="nobody")
    assert (await walk.ticket())["status"] == "in_progress"


@pytest.mark.parametrize("kind", ["repair", "replace", "return_refund", "compensation"])
async def test_a_solution_has_a_kind_steps_an_owner_and_a_time(walk: Walk, kind: str) -> None:
    await diagnosed(walk)
    await walk.do("propose", "otto", **{**PLAN, "kind": kind}, owner="hanna")
    plan = (await walk.ticket())["dossier"]["plan"]
    assert (plan["kind"], plan["steps"], plan["owner"]) == (kind, PLAN["steps"], "hanna")
    assert plan["due_at"] == "2026-11-24T04:00:00Z"


async def test_a_plan_reserves_its_spare_parts_and_uses_them_up(walk: Walk) -> None:
    await a_board_in_stock(walk)
    await diagnosed(walk)
    assert "There is no spare part 'board-9'" in await walk.refused("propose", "otto", **PLAN, resources={"board-9": 1})
    assert "2 of board-7 (power board) are needed, but 1 is free" in await walk.refused(
        "propose", "otto", **PLAN, resources={BOARD: 2}
    )
    await walk.do("propose", "otto", **PLAN, resources={BOARD: 1})
    assert "Reserved: 1 of board-7 (power board) at shelf 2; 0 more are free." in texts(await walk.ticket())
    await walk.do("approve", "mina")
    await walk.do("approve", "rosa")
    await walk.do("restore", "otto", reason="It runs with the new board")
    assert "Used: 1 of board-7 (power board); 0 are left." in texts(await walk.ticket())


# --- approvals ---------------------------------------------------------------------------------------


async def test_a_level_1_plan_needs_the_support_manager_and_the_director_jointly(walk: Walk) -> None:
    await diagnosed(walk)
    await walk.do("propose", "otto", **PLAN)
    refused = await walk.refused("approve", "otto")
    assert "otto has not the roles support-manager, rd-director that this needs; rosa, mina could answer" in refused
    assert (await walk.do("approve", "mina")).status == "proposed"
    assert (await walk.do("approve", "mina")).status == "proposed"  # twice is not two
    assert (await walk.do("approve", "rosa")).status == "approved"


async def test_one_no_rejects_a_level_1_plan_and_its_parts_are_free_again(walk: Walk) -> None:
    await a_board_in_stock(walk)
    await diagnosed(walk)
    await walk.do("propose", "otto", **PLAN, resources={BOARD: 1})
    await walk.do("approve", "mina")
    ticket = await walk.do("reject", "rosa", reason="a repair is cheaper")
    assert ticket.status == "in_progress"
    assert "No longer reserved: 1 of board-7 (power board); 1 is free." in texts(await walk.ticket())
    await walk.do("propose", "otto", **{**PLAN, "kind": "repair"})
    assert (await walk.do("approve", "rosa")).status == "proposed"


async def test_a_level_2_plan_needs_the_support_manager_alone(walk: Walk) -> None:
    await diagnosed(walk, "level-2")
    await walk.do("propose", "otto", **PLAN)
    assert "otto has not the role support-manager" in await walk.refused("approve", "otto")
    assert "rosa has not the role support-manager" in await walk.refused("approve", "rosa")
    assert (await walk.do("approve", "mina")).status == "approved"


async def test_a_level_3_plan_is_the_engineers_own_and_the_head_is_told(walk: Walk) -> None:
    await diagnosed(walk, "level-3")
    await walk.do("propose", "otto", **PLAN)
    assert "mina has not the role support-engineer" in await walk.refused("approve", "mina")
    assert "hugo" not in walk.told()
    assert (await walk.do("approve", "otto")).status == "approved"
    assert "hugo" in walk.told()


async def test_managers_who_do_not_answer_are_asked_again_and_the_next_tier_is_told(walk: Walk) -> None:
    await diagnosed(walk)
    await walk.do("propose", "otto", **PLAN)
    called = len(walk.told())
    await walk.leaps_to(at(12, 59))
    assert walk.told()[called:] == []
    await walk.leaps_to(at(13))
    assert sorted(set(walk.told()[called:])) == ["mina", "rosa"]
    assert "Please see to it that somebody answers." in texts(await walk.ticket())


async def test_a_level_1_fault_is_not_closed_without_a_plan_that_both_have_approved(walk: Walk) -> None:
    await diagnosed(walk)
    await walk.do("solve", "otto", text="A new board")
    await walk.do("restore", "otto", reason="It runs again")
    await walk.leaps(10 * MINUTE)
    await walk.says(AnswerKind.SOLVED)
    assert "a level-1 needs an approved plan" in await walk.refused("close", "otto", reason="done")


# --- the end -----------------------------------------------------------------------------------------


async def test_it_walks_from_the_dealers_report_to_the_archive(walk: Walk) -> None:
    await repaired(walk)
    await walk.leaps(HOUR)
    ticket = await walk.ticket()
    assert ticket["status"] == "restored"
    assert "needs the reporter's confirmation" in texts(ticket)
    heard = await walk.says(AnswerKind.SOLVED, "it runs, thank you")
    assert heard.ticket.status == "resolved"
    await walk.leaps(3 * DAY)
    ticket = await walk.ticket()
    assert (ticket["status"], ticket["disposition"]) == ("closed", "")
    await walk.says(AnswerKind.SCORE, score=5)
    assert (await walk.ticket())["dossier"]["satisfaction"] == 5
    met = {dict(labels)["clock"]: count for labels, count in (await walk.sums("sla_clocks_met_total")).items()}
    assert met == {"respond": 1, "diagnose": 1, "update": 1}
    await walk.leaps(180 * DAY)
    await walk.forgets()
    reporter = await walk.read(lambda tx: tx.reporters.one(1))
    assert (reporter.name, reporter.contact) == ("", "")


async def test_it_is_not_closed_before_cause_and_solution_are_written_down(walk: Walk) -> None:
    await reported(walk, "level-3")
    await walk.do("acknowledge", "desk")
    await walk.do("restore", "desk", reason="the plug was loose")
    await walk.leaps(5 * MINUTE)
    await walk.says(AnswerKind.SOLVED)
    refused = await walk.refused("close", "desk", reason="done")
    assert "a level-3 needs a cause class (verb: diagnose) and what solved it (verb: solve)" in refused


async def test_a_reporter_who_says_nothing_for_three_days_is_taken_as_content(walk: Walk) -> None:
    await repaired(walk)
    await walk.leaps(3 * DAY - MINUTE)
    assert (await walk.ticket())["status"] == "restored"
    await walk.leaps(MINUTE)
    assert (await walk.ticket())["status"] == "resolved"
    assert sum("We have had no answer from you yet" in letter for letter in walk.letters()) == 2


async def test_not_solved_takes_it_back_to_diagnosis_and_a_new_plan_needs_new_approval(walk: Walk) -> None:
    await repaired(walk)
    heard = await walk.says(AnswerKind.NOT_SOLVED, "it stopped again")
    assert (heard.effect, heard.ticket.status, heard.ticket.episode) == (Effect.TAKEN_UP_AGAIN, "handed_over", 2)
    assert "it stopped again" in texts(await walk.ticket())
    await walk.do("acknowledge", "otto")
    await walk.do("propose", "otto", **{**PLAN, "kind": "return_refund"})
    assert (await walk.do("approve", "mina")).status == "proposed"


async def test_progress_to_the_reporter_goes_on_after_a_relapse(walk: Walk) -> None:
    await repaired(walk)
    assert (await walk.runs("update")).is_paused
    await walk.leaps(DAY)
    await walk.says(AnswerKind.NOT_SOLVED, "it stopped again")
    update = await walk.runs("update")
    assert (update.is_paused, update.due_at) == (False, at(17, day=24))


# --- the machine -------------------------------------------------------------------------------------


async def test_an_alert_gets_first_aid_under_the_same_profile_and_no_letter_is_due(
    tmp_path: Path, database: Database
) -> None:
    more = """first_aid: [{name: restart it, when: ['alertname="ServiceDown"'], runbook: restart-app}]\n"""
    walk = Walk(tmp_path, database, "sop-3level", PEOPLE, more=more)
    await walk.fires("critical")
    assert walk.fleet.restarts() == ["web-1"]
    ticket = await walk.ticket()
    assert (ticket["number"], ticket["status"], ticket["restored_by"]) == ("20261123-001", "restored", "machine")
    assert {clock["name"] for clock in ticket["clocks"]} == {"respond"}
    await walk.clears("critical")
    await walk.leaps(10 * MINUTE)
    assert (await walk.ticket())["status"] == "resolved"
    await walk.leaps(3 * DAY)
    assert ((await walk.ticket())["status"], walk.told()) == ("closed", [])


async def test_an_alert_that_first_aid_does_not_help_is_walked_by_people_like_a_report(
    tmp_path: Path, database: Database
) -> None:
    more = """first_aid: [{name: restart it, when: ['alertname="ServiceDown"'], runbook: restart-app}]\n"""
    walk = Walk(tmp_path, database, "sop-3level", PEOPLE, more=more)
    walk.fleet.broken.add("web-1")
    await walk.fires("critical", component="database")
    assert walk.told() == ["sam", "otto"]
    await walk.do("acknowledge", "sam")
    await walk.do("diagnose", "sam", text="its configuration is broken", cause_class="environment")
    await walk.do("propose", "sam", **{**PLAN, "kind": "repair"})
    await walk.do("approve", "mina")
    await walk.do("approve", "rosa")
    await walk.do("solve", "sam", text="the configuration of yesterday")
    await walk.do("restore", "sam", reason="it runs")
    await walk.clears("critical", component="database")
    await walk.leaps(10 * MINUTE + 3 * DAY)
    assert (await walk.ticket())["status"] == "closed"


# --- the page ----------------------------------------------------------------------------------------


def test_the_page_quotes_lines_that_stand_in_the_profile() -> None:
    page = Page("sop-3level")
    assert page.wrong_quotes() == []
    assert len(page.rows) >= 16


def test_the_people_of_the_page_are_enough_for_the_profile(tmp_path: Path) -> None:
    assert list(Page("sop-3level").configuration(tmp_path).policy.grades) == ["level-1", "level-2", "level-3"]
