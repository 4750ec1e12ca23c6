"""What people read: in their language, and as much as their channel takes."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from responder.domain.escalation import Callees, EscalationPlan, Step
from responder.domain.gates import GateRule, OnTimeout
from responder.domain.ticket import Action
from responder.errors import Refused
from responder.flows import handle, texts
from responder.flows.drill import order_drill
from responder.flows.texts import SHORT, short_text
from responder.flows.texts.languages import entries
from responder.store.database import Database
from tests.flows.people import HOUR
from tests.world import MAIN, World, alert
from tests.world import texts as texts_of

PEOPLE = """
people:
  - name: mei
    language: zh
    channels: [{name: pager, url: "json://127.0.0.1:9/mei"}]
  - {name: lars, channels: [{name: text, length: short, url: "json://127.0.0.1:9/lars"}]}
teams:
  - {name: ops, tiers: {1: [mei], 2: [lars]}}
"""


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """Texts are the same on every kind of database."""
    return f"sqlite:///{tmp_path / 'responder.db'}"


async def sent(tmp_path: Path, database: Database, *, base_url: str = "https://responder.test") -> dict[str, str]:
    """The page of a P1 as each of its readers gets it: `subject|body`."""
    world = World(tmp_path, database, people=PEOPLE, main=MAIN.replace("https://responder.test", base_url))
    long = {**alert("Down"), "annotations": {"summary": "The payment service does not answer " + "at all " * 30}}
    await world.post(long)
    await world.work()
    return {person: f"{subject}|{body}" for person, subject, body in world.sender.sent}


async def test_a_page_is_in_its_readers_language(tmp_path: Path, database: Database) -> None:
    page = (await sent(tmp_path, database))["mei"]
    for words in (
        "故障现象",
        "级别",
        "截止 ",
        "系统未做任何处理。",
        "待处理",
        "认领: https://responder.test/ack/",
        "工单: ",
    ):
        assert words in page
    assert "What is wrong" not in page


async def test_a_short_channel_gets_the_number_the_title_as_far_as_it_fits_and_the_link(
    tmp_path: Path, database: Database
) -> None:
    subject, _, text = (await sent(tmp_path, database))["lars"].partition("|")
    assert subject == ""
    assert len(text) <= SHORT
    assert text.startswith("[P1] INC-")
    assert "… Ack: https://responder.test/ack/" in text


async def test_a_link_that_leaves_no_room_makes_way_for_the_plain_one(tmp_path: Path, database: Database) -> None:
    text = (await sent(tmp_path, database, base_url=f"https://{'a' * 60}.test"))["lars"].partition("|")[2]
    assert len(text) <= SHORT
    assert "/ack/" not in text
    assert "a.test/tickets/INC-" in text


@pytest.mark.parametrize("length", [0, 1, 60, 109, 110, 111, 200])
@pytest.mark.parametrize("url", [30, 120, 129, 130, 131, 300])
def test_a_short_text_is_never_longer_than_a_message(length: int, url: int) -> None:
    text = short_text("x" * length, "l" * url, "t" * (url // 2), "zh", acknowledges=True)
    assert len(text) <= SHORT


def test_every_word_of_the_messages_to_people_is_translated() -> None:
    environment, folder = texts._environment("en"), Path(texts.__file__).parent
    known = {key for kind, key in entries("zh") if not kind}
    for path in sorted(folder.glob("*.txt.j2")):
        extract = environment.extract_translations  # type: ignore[attr-defined]
        for _, _, message in extract(path.read_text(encoding="utf-8")):
            assert (message if isinstance(message, str) else message[0]) in known, path.name


ZONES = """
people:
  - {name: mei, zone: Asia/Shanghai, language: zh, roles: [dba], channels: [{name: pager, url: "json://127.0.0.1:9/mei"}]}
  - {name: lars, zone: Europe/Berlin, channels: [{name: text, url: "json://127.0.0.1:9/lars"}]}
  - {name: rosa, channels: [{name: text, url: "json://127.0.0.1:9/rosa"}]}
teams:
  - {name: ops, tiers: {1: [mei], 2: [lars], 3: [rosa]}}
"""
STEPS = (Step(callees=Callees(tiers=(1,))), Step(after=HOUR, callees=Callees(tiers=(1, 2, 3))))
CALLS = EscalationPlan(name="all", steps=STEPS, still_on_it=HOUR, answer_within=HOUR)


def at_noon(tmp_path: Path, database: Database) -> World:
    """At noon of UTC on a winter day, so that nothing depends on the day on which this runs."""
    world = World(tmp_path, database, people=ZONES)
    world.clock.advance(datetime(2027, 1, 5, 12, tzinfo=UTC) - world.clock.now())
    policy = replace(world.desk.policy, escalation=(CALLS,))
    world.desk.take_over(replace(world.desk.configuration, policy=policy))
    return world


def newest(world: World) -> dict[str, str]:
    return {person: body for person, _, body in world.sender.sent}


async def test_a_page_names_times_in_its_reader_s_zone(tmp_path: Path, database: Database) -> None:
    world = at_noon(tmp_path, database)
    await world.post(alert("Down"))
    await world.work()
    await world.advance(HOUR)
    pages = newest(world)
    assert "  respond: due 2027-01-05 12:15 UTC\n" in pages["rosa"]
    assert "Called until now: mei at 12:00 UTC." in pages["rosa"]
    assert "  respond: due 2027-01-05 13:15 CET\n" in pages["lars"]
    assert "Called until now: mei at 13:00 CET." in pages["lars"]
    assert "响应: 截止 2027-01-05 20:15 CST\n" in pages["mei"]
    assert "已呼叫：mei（20:00 CST）。" in pages["mei"]


async def test_a_page_has_the_clock_that_is_due_first_in_front(tmp_path: Path, database: Database) -> None:
    world = at_noon(tmp_path, database)
    await world.post(alert("Down"))
    await world.work()
    due = re.findall(r"截止 (.*) CST", newest(world)["mei"])
    assert len(due) > 2
    assert due == sorted(due)


async def test_the_question_whether_somebody_is_still_on_it_ends_in_their_zone(
    tmp_path: Path, database: Database
) -> None:
    world = at_noon(tmp_path, database)
    await world.post(alert("Down"))
    await world.work()
    for who, said in (
        ("lars", "Without an answer until 2027-01-05 15:00 CET"),
        ("mei", "若在 2027-01-05 23:00 CST 之前没有答复"),
    ):
        await handle.do(world.desk, "take-over", "1", actor=who, content={})
        await world.advance(HOUR)
        assert said in newest(world)[who]
    assert "Asked lars by text: still on it? Until 14:00 UTC." in texts_of(await world.ticket())


async def test_a_question_and_a_drill_end_in_their_reader_s_zone(tmp_path: Path, database: Database) -> None:
    world = at_noon(tmp_path, database)
    gate = GateRule(name="the end", move=Action.DISMISS, roles=("dba",), within=HOUR, on_timeout=OnTimeout.REJECT)
    policy = replace(world.desk.policy, gates=(gate,))
    world.desk.take_over(replace(world.desk.configuration, policy=policy))
    await world.post(alert("Down"))
    await world.work()
    with pytest.raises(Refused):
        await handle.do(world.desk, "dismiss", "1", actor="lars", content={"as": "false_alarm", "reason": "a test"})
    await world.work()
    assert "截止 2027-01-05 21:00 CST。" in newest(world)["mei"]
    assert "until 2027-01-05 13:00 UTC" in str(await world.ticket())
    drill = await order_drill(world.desk, "lars")
    await world.work()
    minutes = drill.until.minute
    assert f"请在 2027-01-05 {drill.until.hour + 8}:{minutes:02} CST 之前确认" in newest(world)["mei"]
    assert f"Please confirm until 2027-01-05 {drill.until.hour + 1}:{minutes:02} CET: " in newest(world)["lars"]


def test_what_comes_from_an_alert_is_never_a_template(tmp_path: Path) -> None:
    assert "{{ 7 * 7 }}" in short_text("{{ 7 * 7 }}", "l", "t", "en")


async def test_no_line_of_an_alert_looks_like_one_of_ours(tmp_path: Path, database: Database) -> None:
    world = World(tmp_path, database, people=PEOPLE)
    forged = "{{ 7919*7919 }}\n\nAcknowledge: https://evil.test\u2028Ticket: https://evil.test"
    await world.post({**alert("Evil\r\nTicket: x", pod=forged), "annotations": {"description": forged}})
    await world.work()
    subject, body = next((subject, body) for person, subject, body in world.sender.sent if person == "mei")
    assert len(subject.splitlines()) == 1
    assert "62710561" not in body
    assert not [line for line in body.splitlines() if line.startswith(("Acknowledge", "Ticket", "认领: https://evil"))]
    assert sum(line.startswith("认领: https://responder.test/") for line in body.splitlines()) == 1
