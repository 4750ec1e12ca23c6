"""The profile regulation, sentence by sentence, on a clock in Shanghai."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from responder.domain.actions import ActionItem
from responder.domain.reporter_answers import AnswerKind, Effect
from responder.domain.review import ReviewForm
from responder.errors import Refused
from responder.flows import knowledge
from responder.flows.actions import escalate_overdue, finish_action
from responder.flows.review import as_markdown, read_review, write_review
from responder.store.database import Database
from tests.profiles.pages import Page
from tests.profiles.walking import DAY, HOUR, MINUTE, Walk
from tests.world import texts

SHANGHAI = ZoneInfo("Asia/Shanghai")
PEOPLE: dict[str, tuple[list[str], dict[str, int]]] = {
    "rita": (["reviewer"], {"reports": 1}),
    "ana": (["analyst"], {"reports": 2}),
    "hans": ([], {"hardware": 1}),
    "sven": ([], {"software": 1}),
    "rolf": ([], {"hardware": 2, "software": 2}),
    "dora": ([], {"service-desk": 1}),
    "finn": ([], {"facilities": 1}),
}
FIELDS = {"product": "P900", "symptom": "no light", "scope": "whole system"}
PLAN: dict[str, Any] = {"kind": "permanent_fix", "steps": ["Fit a stronger fuse"]}
WHYS = (
    "The fuse blew",
    "It was too weak",
    "The inrush was never measured",
    "No test asks for it",
    "The test plan is from 2009",
)
FACTORS = ("method: the test plan is old", "material: a weak fuse", "people: nobody was asked")


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """On SQLite only: PostgreSQL's worker asks the server's own clock, which nobody can set."""
    return f"sqlite:///{tmp_path / 'responder.db'}"


@pytest.fixture
def walk(tmp_path: Path, database: Database) -> Walk:
    return Walk(tmp_path, database, "regulation", PEOPLE)


def at(hour: int, minute: int = 0, *, day: int = 23) -> datetime:
    """A local time in November 2026."""
    return datetime(2026, 11, day, hour, minute, tzinfo=SHANGHAI)


async def reported(walk: Walk, **fields: str) -> None:
    await walk.report("The pump stops", channel="website", fields={**FIELDS, **fields})


async def reviewed(walk: Walk) -> None:
    """Reported, held against the standard by a reviewer, and taken by the team of its kind."""
    await reported(walk)
    await walk.do("regrade", "rita", grade="severe", reason="by the standard, page 3")
    await walk.do("classify", "rita", kind="hardware")
    await walk.do("acknowledge", "hans")


async def proposed(walk: Walk, **plan: Any) -> None:
    """A plan which the reviewers have let through."""
    await walk.refused("propose", "hans", **{**PLAN, **plan})
    await walk.do("approve", "rita")
    await walk.do("propose", "hans", **{**PLAN, **plan})


async def solved(walk: Walk) -> None:
    """Isolated first, then mended for good, and quiet for long enough."""
    await reviewed(walk)
    await proposed(walk, kind="isolation", steps=["Take the pump off the mains"])
    await walk.do("restore", "hans", reason="the second pump has taken over")
    await walk.do("propose", "hans", **PLAN)
    await walk.do("diagnose", "hans", text="The fuse is too weak", cause_class="hardware")
    await walk.leaps(10 * MINUTE)


def a_review(walk: Walk) -> ReviewForm:
    measures = ["risk review of all fuses", "inspection plan: fuses, monthly", "training on inrush", "manual, page 12"]
    due = walk.clock.now() + 14 * DAY
    return ReviewForm(
        root_cause="The test plan is too old",
        cause_class="hardware",
        whys=WHYS,
        factors=FACTORS,
        actions=tuple(ActionItem(text=text, owner="hans", due_at=due) for text in measures),
    )


async def learnt(walk: Walk) -> None:
    """Reviewed by five whys, and the maintenance document is updated."""
    await write_review(walk.desk, "1", "ana", a_review(walk))
    article = await knowledge.draft(walk.desk, "1", "ana")
    await knowledge.edit(walk.desk, article.id, {"solution": "Fit the fuse of 16 A"}, "ana")
    await knowledge.publish(walk.desk, article.id, "ana")


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
    assert "may propose once 1 of role reviewer agree" in await walk.refused("propose", "hans", **PLAN)
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
    assert "may propose once 1 of role reviewer agree" in await walk.refused("propose", "hans", **PLAN)


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
