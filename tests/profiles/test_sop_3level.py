"""The profile sop-3level, sentence by sentence of the procedure, on a clock in Shanghai."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from responder.domain.parts import Part
from responder.domain.reporter_answers import AnswerKind, Effect
from responder.flows.parts import add_part
from responder.flows.reporter import ask_reporter
from responder.store.database import Database
from tests.profiles.pages import Page
from tests.profiles.walking import DAY, HOUR, MINUTE, Walk
from tests.world import texts

SHANGHAI = ZoneInfo("Asia/Shanghai")
PEOPLE: dict[str, tuple[list[str], dict[str, int]]] = {
    "desk": ([], {"service-desk": 1}),
    "hanna": ([], {"support-1": 1}),
    "sam": ([], {"support-2": 1}),
    "otto": (["support-engineer"], {"service-desk": 2, "support-1": 2, "support-2": 2}),
    "rosa": (["rd-director", "rd"], {"service-desk": 3, "support-1": 3, "support-2": 3}),
    "pia": (["production"], {}),
    "quin": (["quality"], {}),
    "mina": (["support-manager"], {}),
    "hugo": (["support-head"], {}),
}
IMPACTS = {"level-1": "core function unusable", "level-2": "partly unusable", "level-3": "cosmetic"}
BOARD = "board-7"
PLAN: dict[str, Any] = {
    "kind": "replace",
    "steps": ["Order the courier", "Swap the board"],
    "due": "2026-11-24T12:00+08:00",
}


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """On SQLite only: PostgreSQL's worker asks the server's own clock, which nobody can set."""
    return f"sqlite:///{tmp_path / 'responder.db'}"


@pytest.fixture
def walk(tmp_path: Path, database: Database) -> Walk:
    return Walk(tmp_path, database, "sop-3level", PEOPLE)


def at(hour: int, minute: int = 0, *, day: int = 23) -> datetime:
    """A local time in November 2026."""
    return datetime(2026, 11, day, hour, minute, tzinfo=SHANGHAI)


async def reported(walk: Walk, level: str = "level-1") -> None:
    fields = {"product": "P900", "symptom": "no light", "impact": IMPACTS[level]}
    await walk.report("The pump stops", channel="dealer", fields=fields)


async def diagnosed(walk: Walk, level: str = "level-1") -> None:
    """Classified, taken, escalated to the support engineer, and diagnosed."""
    await reported(walk, level)
    await walk.do("classify", "desk", kind="hardware")
    await walk.do("acknowledge", "hanna")
    await walk.do("escalate", "hanna", reason="the board must be measured")
    await walk.do("acknowledge", "otto")
    await walk.do("diagnose", "otto", text="The board is burnt", cause_class="product_defect", cause="a weak fuse")


async def repaired(walk: Walk, level: str = "level-1") -> None:
    """Planned, approved by whoever must, and repaired."""
    await diagnosed(walk, level)
    await walk.do("propose", "otto", **PLAN)
    for name in {"level-1": ["mina", "rosa"], "level-2": ["mina"], "level-3": ["otto"]}[level]:
        await walk.do("approve", name)
    await walk.do("solve", "otto", text="A new board with a stronger fuse")
    await walk.do("restore", "otto", reason="It runs with the new board")


async def a_board_in_stock(walk: Walk, count: int = 1) -> None:
    part = Part(number=BOARD, name="power board", place="shelf 2", stock=count, changed_at=walk.clock.now())
    await add_part(walk.desk, part, "storekeeper")


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
        ("partly unusable", "level-2"),
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
    assert set(walk.told()[called:]) == {"mina", "rosa", "pia", "quin"}
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
    assert "No longer reserved: 1 of board-7 (power board); 1 are free." in texts(await walk.ticket())
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
