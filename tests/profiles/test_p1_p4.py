"""The default profile, walked: restore first, then the root fix, and everything written down before the end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from responder.domain.actions import ActionItem
from responder.domain.parts import Part
from responder.domain.reporter_answers import AnswerKind
from responder.flows.actions import escalate_overdue
from responder.flows.health_check import plan_health_checks
from responder.flows.parts import add_part
from responder.flows.review import as_markdown, read_review
from responder.store.database import Database
from tests.profiles.walking import DAY, HOUR, MINUTE, MONDAY, Walk

PEOPLE: dict[str, tuple[list[str], dict[str, int]]] = {
    "ann": ([], {"ops": 1}),
    "ben": ([], {"ops": 2}),
    "cleo": ([], {"ops": 3}),
}
FIRST_AID = "first_aid:\n  - {name: restart it, when: ['alertname=\"ServiceDown\"'], runbook: restart-app}\n"
SEVERITY = {"P1": "critical", "P2": "error", "P3": "warning", "P4": "info"}
TARGETS = {
    "P1": {"respond": 15 * MINUTE, "restore": HOUR, "resolve": 4 * HOUR},
    "P2": {"respond": 30 * MINUTE, "restore": 2 * HOUR, "resolve": 8 * HOUR},
    "P3": {"respond": 4 * HOUR, "restore": 24 * HOUR, "resolve": 72 * HOUR},
    "P4": {"respond": 24 * HOUR, "resolve": 72 * HOUR},
}
LOOK = """
runbook: look
summary: Look at it
steps:
  - name: the disk has room
    check: {command: [df, -h]}
"""


def walk_of(folder: Path, database: Database, more: str = "") -> Walk:
    return Walk(folder, database, "p1-p4", PEOPLE, more=more)


@pytest.fixture
def walk(tmp_path: Path, database: Database) -> Walk:
    """Nothing but the profile and people."""
    return walk_of(tmp_path, database)


@pytest.fixture
def helped(tmp_path: Path, database: Database) -> Walk:
    """With a runbook that restarts the service."""
    return walk_of(tmp_path, database, FIRST_AID)


on_a_fixed_day = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""PostgreSQL's worker asks the server's own clock, so only SQLite can live on a day of ours."""


async def rings(walk: Walk, clock: str, duration: timedelta, step: timedelta) -> list[tuple[timedelta, str]]:
    """When after now the alarms of a clock tell whom, while time goes by; those of one instant by name."""
    start, found = walk.clock.now(), []
    while walk.clock.now() < start + duration:
        before = len(walk.sender.sent)
        await walk.goes_by(step, step)
        told = [who for who, text in walk.told_since(before) if f"the {clock} clock" in text.lower()]
        found += [(walk.clock.now() - start, who) for who in sorted(told)]
    return found


async def restored_by_people(walk: Walk, **fields: str) -> None:
    await walk.report(fields={"impact": "core", **fields})
    await walk.do("acknowledge", "ann")
    await walk.do("restore", "ann", reason="Switched to the standby.")


async def solved(walk: Walk, **fields: str) -> None:
    """Restored by people, and the reporter is content."""
    await restored_by_people(walk, **fields)
    await walk.says(AnswerKind.SOLVED)
    await walk.goes_by(10 * MINUTE, 5 * MINUTE)
    assert await walk.status() == "resolved"


# --- intake ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", ["hotline", "mail", "remote-support"])
async def test_every_channel_ends_in_one_ticket_as_monitoring_does(walk: Walk, channel: str) -> None:
    reported = await walk.report(channel=channel)
    await walk.fires()
    monitored = (await walk.ticket(2))["number"]
    assert (reported.source, reported.number == monitored) == (channel, False)
    assert len(await walk.read(lambda tx: tx.tickets.listed())) == 2


@on_a_fixed_day
async def test_numbers_are_unique(walk: Walk) -> None:
    assert [(await walk.report()).number for _ in range(3)] == [f"INC-20261123-00{serial}" for serial in (1, 2, 3)]


@pytest.mark.parametrize(
    ("fields", "grade"),
    [
        ({"impact": "Core business interrupted"}, "P1"),
        ({"affected_users": "1001"}, "P1"),
        ({"impact": "main function badly affected"}, "P2"),
        ({"affected_users": "100"}, "P2"),
        ({"impact": "partly abnormal"}, "P3"),
        ({}, "P3"),
        ({"impact": "slight"}, "P4"),
        ({"impact": "question"}, "P4"),
    ],
)
async def test_what_is_affected_gives_the_grade(walk: Walk, fields: dict[str, str], grade: str) -> None:
    assert (await walk.report(fields=fields)).grade == grade


# --- by when, and who is told ------------------------------------------------------------------------------


@pytest.mark.parametrize("grade", SEVERITY)
async def test_each_grade_has_its_targets(walk: Walk, grade: str) -> None:
    await walk.fires(SEVERITY[grade])
    ticket = await walk.ticket()
    names = [clock["name"] for clock in ticket["clocks"] if clock["name"] != "escalation"]
    assert ticket["grade"] == grade
    assert {name: await walk.target(name) for name in names} == TARGETS[grade]


@pytest.mark.parametrize(
    ("grade", "told"), [("P1", ["ann", "ben"]), ("P2", ["ann", "ben"]), ("P3", ["ann"]), ("P4", [])]
)
async def test_p1_and_p2_tell_the_chain_by_themselves(walk: Walk, grade: str, told: list[str]) -> None:
    await walk.fires(SEVERITY[grade])
    assert sorted(walk.told()) == told


@pytest.mark.parametrize(("grade", "half"), [("P1", 15 * MINUTE), ("P2", 30 * MINUTE)])
async def test_what_nobody_takes_goes_from_tier_1_to_tier_2_to_tier_3(walk: Walk, grade: str, half: timedelta) -> None:
    await walk.fires(SEVERITY[grade])
    tiers = [(await walk.ticket())["tier"]]
    before = len(walk.sender.sent)
    for _ in range(2):
        await walk.goes_by(half, half / 5)
        tiers.append((await walk.ticket())["tier"])
    assert tiers == [1, 2, 3]
    paged = [who for who, text in walk.told_since(before) if "clock" not in text.partition("\n")[0]]
    assert ("ben" in paged, paged[-1]) == (True, "cleo")


@pytest.mark.parametrize("grade", ["P3", "P4"])
async def test_lesser_grades_stay_where_they_are(walk: Walk, grade: str) -> None:
    await walk.fires(SEVERITY[grade])
    await walk.goes_by(2 * DAY)
    assert (await walk.ticket())["tier"] == 1


async def test_what_somebody_takes_goes_up_only_by_hand(walk: Walk) -> None:
    await walk.fires("critical")
    await walk.do("acknowledge", "ann")
    await walk.goes_by(HOUR, 5 * MINUTE)
    assert (await walk.ticket())["tier"] == 1
    for tier, who in ((2, "ann"), (3, "ben")):
        assert (await walk.do("escalate", who, reason="Beyond us.")).tier == tier
        await walk.do("acknowledge", "ben" if tier == 2 else "cleo")


@pytest.mark.parametrize("grade", ["P1", "P2", "P3"])
async def test_an_answer_that_does_not_come_is_warned_of_and_told_to_the_next_tier(walk: Walk, grade: str) -> None:
    await walk.fires(SEVERITY[grade])
    target = TARGETS[grade]["respond"]
    told = await rings(walk, "respond", target, target / 20)
    # Where it has gone up a tier by then, the next one is the one above.
    assert told in ([(target * 0.75, "ann"), (target, who)] for who in ("ben", "cleo"))


@pytest.mark.parametrize(
    ("grade", "clock"), [(grade, name) for grade in ("P1", "P2", "P3") for name in ("restore", "resolve")]
)
async def test_who_has_it_is_warned_before_it_is_late_and_the_next_tier_told_when_it_is(
    walk: Walk, grade: str, clock: str
) -> None:
    await walk.fires(SEVERITY[grade])
    await walk.do("acknowledge", "ann")
    target = TARGETS[grade][clock]
    told = await rings(walk, clock, target, target / 20)
    assert told == [(target * 0.75, "ann"), (target, "ann"), (target, "ben")]


async def test_a_p4_wakes_nobody_however_late_it_is(walk: Walk) -> None:
    await walk.fires("info")
    await walk.goes_by(4 * DAY, 3 * HOUR)
    assert walk.told() == []
    assert (await walk.runs("respond")).breached_at is not None


# --- restore first -----------------------------------------------------------------------------------------


async def test_a_restart_comes_before_any_human(helped: Walk) -> None:
    await helped.fires("critical")
    assert (helped.fleet.restarts(), helped.told()) == (["web-1"], [])
    assert await helped.status() == "restored"
    await helped.clears("critical")
    await helped.goes_by(10 * MINUTE, 5 * MINUTE)
    ticket = await helped.ticket()
    assert (ticket["status"], ticket["restored_by"]) == ("resolved", "machine")


async def test_where_the_restart_does_not_help_people_read_first_what_it_did(helped: Walk) -> None:
    helped.fleet.broken.add("web-1")
    await helped.fires("critical")
    assert sorted(helped.told()) == ["ann", "ben"]
    assert ["restart-app" in text for _, text in helped.told_since(0)] == [True, True]
    assert ["config is broken" in text for _, text in helped.told_since(0)] == [True, True]


async def test_the_root_fix_is_planned_while_the_service_runs_again(walk: Walk) -> None:
    await walk.fires("critical")
    await walk.do("acknowledge", "ann")
    await walk.do("restore", "ann", reason="Switched to the standby.")
    await walk.clears("critical")
    await walk.do("diagnose", "ben", text="The disk fails.", cause_class="product_defect", cause="A bad batch.")
    ticket = await walk.do("propose", "ben", kind="hardware_replacement", steps=["Change the disk"], owner="ben")
    assert ticket.status == "restored"
    assert "Plan 1 is approved: No gate stands before it." in await walk.sentences()
    assert "patch, config_change, hardware_replacement, workaround" in await walk.refused(
        "propose", "ben", kind="prayer", steps=["1"]
    )


async def test_spare_parts_are_held_by_the_plan_and_used_with_the_solution(walk: Walk) -> None:
    disk = Part(number="disk-4tb", name="4 TB disk", stock=2, changed_at=walk.clock.now())
    await add_part(walk.desk, disk, "ann")
    await walk.fires("critical")
    await walk.do("acknowledge", "ann")
    plan: dict[str, Any] = {"kind": "hardware_replacement", "steps": ["Change both disks"]}
    assert "3 of disk-4tb" in await walk.refused("propose", "ann", resources={"disk-4tb": 3}, **plan)
    await walk.do("propose", "ann", resources={"disk-4tb": 2}, **plan)
    held = (await walk.read(lambda tx: tx.parts.some(["disk-4tb"])))["disk-4tb"]
    assert (held.stock, held.free) == (2, 0)
    await walk.do("restore", "ann", reason="Both changed.")
    used = (await walk.read(lambda tx: tx.parts.some(["disk-4tb"])))["disk-4tb"]
    assert (used.stock, used.free) == (0, 0)


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
