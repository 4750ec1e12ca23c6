"""Quick response, walked: every number of the procedure, from intake to archive."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from responder.domain.sla import Daily
from responder.store.database import Database
from tests.profiles.walking import HOUR, MINUTE, Walk
from tests.profiles.world_of_quick_response import (
    FORM,
    P0,
    P1,
    P2,
    approved,
    in_work,
    on_a_fixed_day,
    resolved_p0,
    walk_of,
)


@pytest.fixture
def walk(tmp_path: Path, database: Database) -> Walk:
    """Monday, 9 o'clock in Shanghai, on SQLite alone where the day counts."""
    return walk_of(tmp_path, database)


# --- intake ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", ["app", "website", "mini-program", "desk", "offline"])
async def test_every_channel_ends_in_one_registered_fault(walk: Walk, channel: str) -> None:
    ticket = await walk.report(channel=channel, fields=P0)
    assert ticket.source == channel
    assert not (await walk.runs("register")).is_running
    assert len(await walk.read(lambda tx: tx.tickets.listed())) == 1


@on_a_fixed_day
async def test_a_number_is_a_6_digit_date_2_digits_of_the_kind_and_a_3_digit_serial(walk: Walk) -> None:
    abnormal, problem = {"kind": "function-abnormal"}, {"kind": "function-problem"}
    numbers = [(await walk.report(**kind)).number for kind in (abnormal, problem, abnormal, {})]
    assert numbers == ["26112301001", "26112302001", "26112301002", "26112301003"]


@on_a_fixed_day
async def test_its_example_has_an_8_digit_date_and_no_kind(tmp_path: Path, database: Database) -> None:
    day = datetime(2023, 10, 24, 16, 0, tzinfo=UTC)
    walk = walk_of(tmp_path, database, 'number: "{date:%Y%m%d}{seq:03d}"\n', day)
    ticket = await walk.report()
    # In Shanghai the 25th has just begun.
    assert ticket.number == "20231025001"


async def test_a_fault_is_registered_within_half_an_hour(walk: Walk) -> None:
    await walk.report(fields={"product": "Pump 3"})
    assert await walk.target("register") == 30 * MINUTE
    before = len(walk.sender.sent)
    await walk.goes_by(24 * MINUTE, MINUTE)
    assert [who for who, text in walk.told_since(before) if "80 % of the register clock" in text] == ["sue"]
    assert "symptom missing" in await walk.refused("register", "sue")
    await walk.do("register", "sue", fields={"symptom": "it stops"})
    clock = await walk.runs("register")
    assert (clock.is_running, clock.was_met) == (False, True)


async def test_a_fault_that_nobody_registers_in_time_is_told_to_the_next_tier(walk: Walk) -> None:
    await walk.report(fields={"product": "Pump 3"})
    await walk.do("acknowledge", "sue")
    before = len(walk.sender.sent)
    await walk.goes_by(30 * MINUTE, MINUTE)
    assert [who for who, text in walk.told_since(before) if "register clock ran past" in text] == ["pam"]


async def test_what_no_rule_grades_is_analysed_and_graded_within_an_hour(walk: Walk) -> None:
    ticket = await walk.report(fields=FORM)
    assert (ticket.grade, await walk.target("grade")) == ("P2", HOUR)
    assert (await walk.runs("grade")).is_running
    before = len(walk.sender.sent)
    await walk.goes_by(48 * MINUTE, MINUTE)
    assert ("sue", True) in [(who, "80 % of the grade clock" in text) for who, text in walk.told_since(before)]
    ticket = await walk.do("regrade", "sue", grade="P0", reason="Nobody can pay.")
    assert (ticket.grade, (await walk.runs("grade")).was_met) == ("P0", True)


@pytest.mark.parametrize(
    ("fields", "grade"),
    [
        ({"impact": "core function down"}, "P0"),
        ({"affected_users": "1001"}, "P0"),
        ({"revenue": "yes", "affected_users": "3"}, "P0"),
        ({"affected_users": "1000"}, "P1"),
        ({"affected_users": "100"}, "P1"),
        ({"impact": "main function partly abnormal"}, "P1"),
        ({"affected_users": "99"}, "P2"),
        ({"impact": "cosmetic"}, "P2"),
    ],
)
async def test_users_revenue_and_function_give_the_grade(walk: Walk, fields: dict[str, str], grade: str) -> None:
    assert (await walk.report(fields={**FORM, **fields})).grade == grade


async def test_the_reporter_gets_a_first_answer_within_an_hour(walk: Walk) -> None:
    await in_work(walk)
    assert await walk.target("first_answer") == HOUR
    # That the report has come in is no answer yet.
    assert (await walk.runs("first_answer")).is_running
    before = len(walk.sender.sent)
    await walk.goes_by(48 * MINUTE, MINUTE)
    assert [who for who, text in walk.told_since(before) if "first_answer" in text] == ["sue"]
    await walk.progress("sue", "A special team works on it.")
    assert (await walk.runs("first_answer")).was_met


async def test_whether_it_is_recurring_or_new_is_looked_up_at_once(walk: Walk) -> None:
    await resolved_p0(walk)
    await walk.reviews("pam", meeting_at=walk.clock.now())
    await walk.writes_article("tom")
    await walk.do("solve", "rita", text="Fit the thick seal.")
    await walk.do("close", "pam", reason="Archived.")
    assert "New: nothing in the knowledge base is like it." in await walk.sentences(1)
    await walk.report(fields=P2)
    assert "Recurring: looks like " in await walk.sentences(2)
    await walk.report("The invoice shows a wrong sum", fields={"product": "Shop", "symptom": "tax is counted twice"})
    assert "New: nothing in the knowledge base is like it." in await walk.sentences(3)


# --- who, by when ------------------------------------------------------------------------------------------


async def test_a_p0_calls_the_special_team_at_once(walk: Walk) -> None:
    await walk.report(fields=P0)
    assert sorted(walk.told()) == ["pam", "rita", "sue", "theo", "tom"]
    assert await walk.target("respond") == 5 * MINUTE
    before = len(walk.sender.sent)
    await walk.goes_by(5 * MINUTE, MINUTE)
    # Warned after 4 of 5 minutes, then handed to tier 2.
    assert [who for who, text in walk.told_since(before) if "respond" in text] == ["pam", "pam"]
    assert (await walk.ticket())["tier"] == 2


@on_a_fixed_day
async def test_a_p1_is_taken_on_the_same_day(walk: Walk) -> None:
    await walk.report(fields=P1)
    assert sorted(walk.told()) == ["pam", "sue", "tom"]
    clock = await walk.runs("respond")
    assert clock.due_at == datetime(2026, 11, 23, 15, 59, tzinfo=UTC), "23:59 in Shanghai"
    assert clock.target == Daily(at=datetime(2026, 11, 23, 23, 59, tzinfo=UTC).time())


async def test_a_p2_is_taken_within_48_hours_and_else_goes_up(walk: Walk) -> None:
    await walk.report(fields=P2)
    assert (walk.told(), await walk.target("respond")) == (["sue"], 48 * HOUR)
    await walk.goes_by(39 * HOUR)
    assert (await walk.ticket())["tier"] == 1
    await walk.goes_by(9 * HOUR)
    ticket = await walk.ticket()
    assert (ticket["tier"], ticket["status"]) == (2, "handed_over")


async def test_it_goes_from_service_to_product_manager_and_tech_lead_to_research_and_test(walk: Walk) -> None:
    await in_work(walk, **P2)
    before = len(walk.sender.sent)
    assert (await walk.do("escalate", "sue", reason="Not known to us.")).tier == 2
    assert [who for who, _ in walk.told_since(before)] == ["pam"]
    await walk.do("acknowledge", "tom")
    assert (await walk.do("escalate", "tom", reason="It is in the code.")).tier == 3
    assert [who for who, _ in walk.told_since(before)] == ["pam", "rita"]
    await walk.do("acknowledge", "rita")
    assert "no tier above 3" in await walk.refused("escalate", "rita", reason="And now?")


# --- progress ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fields", "every"), [(P0, 2 * HOUR), (P1, 6 * HOUR)])
async def test_progress_is_due_every_2_hours_for_a_p0_and_every_6_for_a_p1(
    walk: Walk, fields: dict[str, str], every: timedelta
) -> None:
    await in_work(walk, **fields)
    for _ in range(3):
        start = walk.clock.now()
        assert (await walk.runs("update")).due_at == start + every
        before = len(walk.sender.sent)
        await walk.goes_by(0.8 * every, every / 20)
        assert [who for who, text in walk.told_since(before) if "expects news" in text] == ["sue"]
        await walk.progress("sue", "We go on.")
    assert len(walk.letters()) == 4
    assert (await walk.runs("update")).breached_at is None


async def test_news_that_do_not_come_are_told_to_the_product_manager_each_round(walk: Walk) -> None:
    await in_work(walk)
    before = len(walk.sender.sent)
    await walk.goes_by(4 * HOUR, 10 * MINUTE)
    assert [who for who, text in walk.told_since(before) if "update clock ran past" in text] == ["pam", "pam"]


@on_a_fixed_day
async def test_progress_of_a_p2_is_due_daily_at_17_00_in_the_zone_of_the_policy(walk: Walk) -> None:
    await in_work(walk, **P2)
    days = []
    for _ in range(4):
        due_at = (await walk.runs("update")).due_at
        assert due_at is not None
        days.append(due_at)
        await walk.goes_by(due_at - HOUR - walk.clock.now())
        await walk.progress("sue", "We go on.")
        await walk.goes_by(2 * HOUR)
    assert days == [datetime(2026, 11, day, 9, 0, tzinfo=UTC) for day in (23, 24, 25, 26)], "17:00 in Shanghai"
    missed = [dict(labels)["clock"] for labels in await walk.sums("sla_clocks_breached_total")]
    assert missed == ["first_answer"], "news in the afternoon are no answer within the hour"


async def test_news_are_not_due_while_the_reporter_is_asked_or_tries_it(walk: Walk) -> None:
    await approved(walk)
    await walk.do("restore", "rita", reason="Patched.")
    assert not (await walk.runs("update")).is_running
    await walk.do("verify", "theo", by="test", good=False, text="Case 3 fails.")
    assert (await walk.runs("update")).due_at == walk.clock.now() + 2 * HOUR


async def test_what_an_alert_has_opened_owes_nobody_news(walk: Walk) -> None:
    await walk.fires("critical")
    clocks = {clock["name"] for clock in (await walk.ticket())["clocks"]}
    assert clocks == {"register", "grade", "respond"}
