"""The page of reports and the same numbers over the API."""

from __future__ import annotations

import csv
import re
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from responder.domain.message import Message
from responder.domain.observed import ClockEnd, Ended, Measure
from responder.domain.ticket import Disposition, Status
from responder.flows.texts.languages import entries
from responder.store.tables import runs
from responder.web.rendering import TEMPLATES, environment
from responder.web.statistics_tables import TABLES, as_csv
from responder.web.timeline_chart import story_of, timeline_chart
from tests.flows.people import MINUTE, Team
from tests.store.test_statistics import a_ticket, observed, stored, took
from tests.web.conftest import Client, header
from tests.web.test_words_of_pages import words_of
from tests.world import World, alert, resolved

EVIL = "<script>alert(1)</script>"
SHARP = ("style=", "<script>alert", "onload=", "javascript:")
PATHS = ["/reports", "/reports.md", "/api/v1/statistics", "/api/v1/statistics/tickets.csv"]


@pytest.fixture
async def read(world: World) -> dict[str, str]:
    return await header(world, "read")


async def filled(world: World) -> None:
    """Three tickets of today: one answered and resolved by people, one waiting, one excluded; names are hostile."""
    at = world.clock.now() - timedelta(minutes=5)
    given = {"handed_over_at": at, "kind": EVIL}
    tickets = [
        a_ticket(1, at, **given, acknowledged_at=at, grade=EVIL),
        a_ticket(2, at, **given, status=Status.HANDED_OVER),
        a_ticket(3, at, disposition=Disposition.FALSE_ALARM),
    ]
    done = observed(
        tickets[0],
        took(60),
        took(300, "machine", Measure.RESTORE),
        Ended(clock=EVIL, end=ClockEnd.MET, rounds=3),
        Ended(clock=EVIL, end=ClockEnd.BREACHED),
    )
    await stored(world.database, tickets, [(done, at)])
    run: dict[str, Any] = {"ticket_id": 1, "target": "web-1", "snapshot": {}, "step": 0, "epoch": 0, "leg": 0}
    run |= {"runbook": EVIL, "sentence": "", "ordered_by": "", "started_at": at, "outcome": "helped", "verified": True}
    await world.database.write(lambda tx: tx.connection.execute(runs.insert(), [run]))


@pytest.mark.parametrize("path", PATHS)
async def test_who_may_not_read_is_shown_nothing(client: Client, world: World, path: str) -> None:
    assert (await client.get(path, allow_redirects=False)).status in (302, 303, 401)
    assert (await client.get(path, headers=await header(world, "ingest"))).status in (401, 403)


async def test_the_api_gives_every_number(client: Client, world: World, read: dict[str, str]) -> None:
    await filled(world)
    found = await (await client.get("/api/v1/statistics?days=2&zone=UTC", headers=read)).json()
    today = f"{world.clock.now() - timedelta(minutes=5):%Y-%m-%d}"
    assert (found["total"], found["endings"], found["step"]) == (3, {"false_alarm": 1}, "day")
    assert found["answers"] == {"answered": 1, "waiting": 1, "never": 0}
    assert sum(one["count"] for one in found["hours"]) == 3
    assert {"start": today, "grade": "P1", "kind": EVIL, "count": 1} in found["tickets"]
    assert found["durations"][0] == {
        "start": today, "measure": "acknowledge", "by": "human",
        "count": 1, "mean": 60, "p25": 60, "median": 60, "p75": 60, "p90": 60,
    }  # fmt: skip
    assert found["clocks_whole"] == [
        {"clock": EVIL, "grade": EVIL, "met": 3, "breached": 1, "excluded": 0, "attainment": 0.75}
    ]
    assert found["runbooks"][0]["success_rate"] == 1


async def test_the_page_shows_them_and_takes_every_name_for_text(
    client: Client, world: World, read: dict[str, str]
) -> None:
    await filled(world)
    answer = await client.get("/reports?days=7&zone=UTC", headers=read)
    page = await answer.text()
    assert answer.status == 200
    assert [word for word in SHARP if word in page] == []
    assert page.count(EVIL.replace("<", "&lt;").replace(">", "&gt;")) > 6
    assert re.search(r"Tickets opened</dt><dd>3<", page)
    assert "75%" in page
    assert "1m" in page
    assert page.count('role="img"') == page.count("<desc ") == page.count("<title id=") > 5
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy


async def test_ids_of_a_page_are_unique_and_every_label_leads_to_one(
    client: Client, world: World, read: dict[str, str]
) -> None:
    await filled(world)
    page = await (await client.get("/reports", headers=read)).text()
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    wanted = {
        name for names in re.findall(r' aria-(?:labelledby|describedby)="([^"]+)"', page) for name in names.split()
    }
    assert wanted | set(re.findall(r"url\(#([^)]+)\)", page)) <= set(ids)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("from=yesterday", "“from”"),
        ("from=2026-02-02&to=2026-02-01", "after"),
        ("from=2020-01-01&to=2026-01-01", "at most 400"),
        ("from=1066-10-14", "between"),
        ("days=0", "whole number"),
        ("days=401", "whole number"),
        ("days=%D9%A3", "whole number"),
        ("zone=../../etc/passwd", "time zone"),
        ("zone=Mars", "time zone"),
        ("zone=Europe", "time zone"),
    ],
)
async def test_what_cannot_be_asked_is_refused_with_a_sentence(
    client: Client, read: dict[str, str], path: str, query: str, says: str
) -> None:
    answer = await client.get(f"{path}?{query}", headers=read)
    assert (answer.status, says in (await answer.json())["detail"]) == (422, True)


async def test_the_address_of_a_page_keeps_what_was_asked(client: Client, world: World, read: dict[str, str]) -> None:
    query = "from=2026-03-01&to=2026-03-31&zone=Asia/Kathmandu&team=nobody-knows-it&grade=P2"
    page = await (await client.get(f"/reports?{query}", headers=read)).text()
    assert '<option value="nobody-knows-it" selected>' in page
    assert '<option value="P2" selected>' in page
    again = re.search(r'href="/api/v1/statistics\?([^"]+)"', page)
    assert again is not None
    found = await (await client.get(f"/api/v1/statistics?{again[1].replace('&amp;', '&')}", headers=read)).json()
    wanted = {"from": "2026-03-01", "to": "2026-03-31", "zone": "Asia/Kathmandu", "team": "nobody-knows-it"}
    assert found == {**found, **wanted, "grade": "P2"}


async def test_where_nothing_happened_the_page_says_so_and_what_to_do(client: Client, read: dict[str, str]) -> None:
    page = await (await client.get("/reports", headers=read)).text()
    assert "Nothing happened in this period." in page
    assert "<svg" not in page.partition("<main")[2].partition("</main>")[0]


@pytest.mark.parametrize("name", TABLES)
async def test_every_table_comes_as_csv(client: Client, world: World, read: dict[str, str], name: str) -> None:
    await filled(world)
    answer = await client.get(f"/api/v1/statistics/{name}.csv?zone=UTC", headers=read)
    rows = list(csv.DictReader(StringIO(await answer.text())))
    found = await (await client.get("/api/v1/statistics?zone=UTC", headers=read)).json()
    assert (answer.content_type, len(rows)) == ("text/csv", len(found[name]))
    assert "attachment" in answer.headers["Content-Disposition"]
    assert list(rows[0]) == list(found[name][0])


async def test_there_is_no_other_table(client: Client, read: dict[str, str]) -> None:
    answer = await client.get("/api/v1/statistics/users.csv", headers=read)
    assert (answer.status, "tickets, hours" in (await answer.json())["detail"]) == (404, True)


def test_no_cell_is_a_formula() -> None:
    text = as_csv([{"runbook": "=cmd|' /C calc'!A0", "count": -1}, {"runbook": "@x", "count": 1}])
    assert list(csv.DictReader(StringIO(text))) == [
        {"runbook": "'=cmd|' /C calc'!A0", "count": "-1"},
        {"runbook": "'@x", "count": "1"},
    ]
    assert as_csv([]) == ""


async def test_the_summary_as_markdown_has_the_numbers_and_whole_tables(
    client: Client, world: World, read: dict[str, str]
) -> None:
    await filled(world)
    answer = await client.get("/reports.md?zone=UTC&lang=en", headers=read)
    text = await answer.text()
    assert answer.content_type == "text/markdown"
    assert "- Tickets opened: 3" in text
    assert "| First answer by people | 1 | 1m | 1m | 1m | 1m | 1m |" in text
    assert "\\<script\\>" in text
    assert EVIL not in text
    for block in text.split("\n\n"):
        rows = [line for line in block.splitlines() if line.startswith("|")]
        assert len({line.count("|") - line.count("\\|") for line in rows}) <= 1, block


def test_the_words_of_the_summary_have_their_chinese() -> None:
    known = {text for kind, text in entries("zh") if not kind}
    assert [word for word in words_of((TEMPLATES / "reports.md").read_text()) if word not in known] == []


# --- the story of a ticket -------------------------------------------------------------------------------------


def drawn(chart: object, now: datetime, language: str = "en") -> str:
    template = '{% from "charts.html" import ticket_timeline with context %}{{ ticket_timeline(chart) }}'
    return environment(language).from_string(template).render(chart=chart, zone="UTC", now=now)


async def test_a_ticket_is_drawn_with_status_signal_run_messages_and_clocks(tmp_path: Path, world: World) -> None:
    world.fleet.broken.add("web-1")
    await world.post(alert())
    await world.work()
    world.clock.advance(4 * MINUTE)
    await Team.do(world, "acknowledge")  # type: ignore[arg-type]
    world.clock.advance(20 * MINUTE)
    await world.post(resolved())
    await world.work()
    world.clock.advance(MINUTE)
    await world.post(alert())
    await world.work()
    ticket, now = await world.ticket(), world.clock.now()
    story = story_of(ticket, now, ZoneInfo("UTC"))
    assert [(span.text, span.end) for span in story.statuses][-1] == (ticket["status"], now)
    stays = [(span.text, (span.end or now) - span.start) for span in story.signals]
    assert stays == [("firing", 24 * MINUTE), ("cleared", MINUTE), ("firing", 0 * MINUTE)]
    assert [span.look for span in story.runs] == ["failed"]
    assert {clock.name for clock in story.clocks} >= {"respond", "restore", "resolve"}
    page = drawn(timeline_chart(ticket, now), now)
    assert page.count("<svg") == 2
    assert [word for word in SHARP if word in page] == []
    assert drawn(timeline_chart(ticket, now, "Asia/Shanghai"), now, "zh") != page


async def test_a_fresh_ticket_and_hostile_names_can_be_drawn(world: World) -> None:
    await world.post(alert())
    ticket, now = await world.ticket(), world.clock.now()
    for clock in ticket["clocks"]:
        clock["name"] = EVIL
    message = dict.fromkeys(Message.__dataclass_fields__, "")
    made = {**message, "person": EVIL, "channel": EVIL, "state": "sent", "sent_at": None}
    ticket["messages"] = [{**made, "created_at": ticket["opened_at"]}]
    page = drawn(timeline_chart(ticket, now), now)
    assert [word for word in SHARP if word in page] == []
    assert EVIL not in page


async def test_first_aid_is_an_answer_of_the_machine_and_observed_once(world: World) -> None:
    await world.post(alert())
    await world.work()
    counted = text("SELECT count(*) FROM observations WHERE who = 'machine' AND acknowledge IS NOT NULL")
    assert await world.read(lambda tx: tx.connection.execute(counted).scalar_one()) == 1
