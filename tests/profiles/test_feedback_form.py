"""The profile feedback-form, sentence by sentence, on a clock in Shanghai and over a Chinese holiday."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from responder.config.configuration import read
from responder.flows.explain_clock import explain_clocks
from responder.store.database import Database
from tests.profiles.walking import HOUR, Walk
from tests.profiles.world_of_feedback_form import FIELDS, SHANGHAI, a_walk, at, reported, written_on
from tests.world import texts


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """On SQLite only: PostgreSQL's worker asks the server's own clock, which nobody can set."""
    return f"sqlite:///{tmp_path / 'responder.db'}"


@pytest.fixture
def walk(tmp_path: Path, database: Database) -> Walk:
    """Wednesday morning; from the next day on all of China has a week off, and then Saturday is worked."""
    return a_walk(tmp_path, database, at(9, 30, 10))


# --- intake ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["user", "service", "engineer"])
async def test_users_service_staff_and_field_engineers_fill_in_one_form_each(walk: Walk, who: str) -> None:
    reporter = {"name": "Li Wei", "contact": "li.wei@example.org", "kind": who}
    ticket = await walk.report(reporter=reporter, channel="app")
    assert (ticket.id, ticket.number) == (1, "FB-20260930001")
    assert (await walk.read(lambda tx: tx.reporters.one(1))).kind == who


async def test_the_number_looks_like_that_of_the_form(tmp_path: Path, database: Database) -> None:
    walk = a_walk(tmp_path, database, datetime(2024, 5, 1, 9, tzinfo=SHANGHAI))
    numbers = [(await walk.report()).number for _ in range(2)]
    walk.clock.advance(15 * HOUR)
    numbers.append((await walk.report()).number)
    assert numbers == ["FB-20240501001", "FB-20240501002", "FB-20240502001"]


@pytest.mark.parametrize(
    "content", [{}, {"fields": {"impact": "core", "affected_users": 100000}}, {"urgency": "at once, please"}]
)
async def test_there_are_no_grades_whatever_a_form_says(walk: Walk, content: dict[str, Any]) -> None:
    ticket = await walk.report(**content)
    assert (ticket.grade, list(walk.desk.policy.grades)) == ("normal", ["normal"])


async def test_a_form_says_product_symptom_and_when_to_be_complete(walk: Walk) -> None:
    await walk.report(fields={"product": "P900", "symptom": "the cover rattles"})
    assert "the report is not complete: occurred_at missing" in await walk.refused("register", "dora")
    await walk.do("register", "dora", fields={"occurred_at": "2026-09-30 09:30"})
    await walk.do("register", "dora")


async def test_what_belongs_to_a_form_is_kept_with_it_under_its_name(walk: Walk) -> None:
    await reported(walk)
    await walk.do("attach", "dora", name="device.log", content="E42 cover open")
    assert [one["name"] for one in (await walk.ticket())["attachments"]] == ["device.log"]


# --- kinds and teams ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "team", "person"),
    [
        ("technical-hardware", "technical", "tom"),
        ("technical-software", "technical", "tom"),
        ("technical-operation", "technical", "tom"),
        ("service-wish", "service", "sue"),
        ("service-question", "service", "sue"),
    ],
)
async def test_the_service_desk_gives_it_to_the_technical_or_the_service_team(
    walk: Walk, kind: str, team: str, person: str
) -> None:
    await walk.report()
    assert ((await walk.ticket())["team"], walk.told()) == ("service-desk", ["dora"])
    ticket = await walk.do("classify", "dora", kind=kind)
    assert (ticket.team, walk.told()) == (team, ["dora", person])


async def test_the_service_desk_may_take_it_first_and_pass_it_on_later(walk: Walk) -> None:
    await walk.report()
    await walk.do("acknowledge", "dora")
    await walk.do("classify", "dora", kind="service-wish")
    await walk.do("give-back", "dora", reason="it is a wish")
    assert walk.told() == ["dora", "sue"]


async def test_somebody_has_it_on_the_same_working_day(walk: Walk) -> None:
    await reported(walk)
    respond = await walk.runs("respond")
    assert respond.due_at == at(9, 30, 18)
    called = len(walk.told())
    await walk.leaps_to(at(9, 30, 17, 59))
    assert walk.told()[called:] == ["tom"]  # three quarters of what is left of the day are over
    await walk.leaps_to(at(9, 30, 18))
    assert walk.told()[called + 1 :] == ["tom", "tara"]


async def test_what_comes_in_on_the_evening_before_the_holiday_is_due_after_it(
    tmp_path: Path, database: Database
) -> None:
    walk = a_walk(tmp_path, database, at(9, 30, 18, 30))
    await reported(walk)
    assert (await walk.runs("respond")).due_at == at(10, 8, 18)
    assert "You will hear from us by Thursday 8 October at 18:00 (Asia/Shanghai)." in walk.letters()[0]


# --- news on every working day -----------------------------------------------------------------------


async def test_the_reporter_hears_from_us_on_every_working_day_and_on_no_other(walk: Walk) -> None:
    await reported(walk)
    await walk.do("acknowledge", "tom")
    await walk.leaps_to(at(10, 13, 9))
    assert await written_on(walk, "progress") == [
        date(2026, 9, 30),
        date(2026, 10, 8),  # after the week of National Day
        date(2026, 10, 9),
        date(2026, 10, 10),  # a Saturday that is worked for the holiday
        date(2026, 10, 12),
    ]
    assert await walk.sums("sla_clocks_breached_total") == {}
    assert len([letter for letter in walk.letters() if "How your report" in letter]) == 5


async def test_no_letter_leaves_outside_working_hours(walk: Walk) -> None:
    await reported(walk)
    await walk.leaps_to(at(10, 31, 9))
    events = [one for one in (await walk.ticket())["events"] if one["text"] == "Written to the reporter (progress)."]
    hours = {datetime.fromisoformat(one["at"]).astimezone(SHANGHAI).hour for one in events}
    assert hours <= set(range(9, 18))
    assert len(events) == 19


async def test_each_round_is_explained_with_the_holiday_and_the_day_that_is_worked_for_it(walk: Walk) -> None:
    await reported(walk)
    await walk.leaps_to(at(9, 30, 19))
    _, (story,) = await explain_clocks(walk.desk, "1", "update")
    assert (story.target, story.due_at) == ("daily at 18:00", at(10, 8, 18))
    assert "holiday: National Day" in {line.text for line in story.lines}
    await walk.leaps_to(at(10, 9, 19))
    _, (story,) = await explain_clocks(walk.desk, "1", "update")
    assert story.due_at == at(10, 10, 18)
    assert "make-up working day: National Day" in {line.text for line in story.lines}


async def test_news_from_a_person_are_the_news_of_that_day(walk: Walk) -> None:
    await reported(walk)
    await walk.progress("tom", "A screw is on its way to you.")
    await walk.progress("tom", "It has left our house.")
    assert (await walk.runs("update")).due_at == at(10, 8, 18)
    await walk.leaps_to(at(10, 8, 9))
    assert await written_on(walk, "progress") == []
    assert "It has left our house." in walk.letters()[-1]


async def test_a_reporter_whom_no_channel_reaches_is_told_by_hand_and_people_are_reminded(walk: Walk) -> None:
    (walk.path.parent / "reporters-url").write_text("mailto://desk:x@smtp.example.org?to={contact}\n")
    walk.desk.take_over(read(walk.path))
    walk.in_the_years_around(date(2026, 9, 30))
    await walk.report(reporter={"name": "Li Wei", "contact": "+86 10 1234 5678"}, fields=FIELDS)
    await walk.do("acknowledge", "dora")
    await walk.leaps_to(at(9, 30, 17))
    assert "dora reminded that the reporter expects news." in texts(await walk.ticket())
    await walk.progress("dora", "We are on it.")
    await walk.told_by_hand("dora")
    assert (await walk.runs("update")).due_at == at(10, 8, 18)


async def test_an_alert_has_no_reporter_and_so_no_news_are_due(walk: Walk) -> None:
    await walk.fires()
    assert {clock["name"] for clock in (await walk.ticket())["clocks"]} == {"respond"}
