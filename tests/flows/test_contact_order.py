"""Channels are tried in their reader's order, and only as long as it is needed; who sleeps is not woken for less."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from responder.domain.escalation import Callees, EscalationPlan, Step
from responder.domain.oncall import Recipient
from responder.domain.ticket import Change
from responder.errors import Refused, SendFailed, SendRefused
from responder.flows import handle
from responder.flows.telling import write_notice
from responder.store.database import Database
from responder.store.transaction import Transaction
from tests.world import World, alert, texts

PEOPLE = """
people:
  - name: mei
    channels:
      - {name: pager, url: "json://127.0.0.1:9/mei-pager"}
      - {name: mail, url: "json://127.0.0.1:9/mei-mail"}
      - {name: phone, url: "json://127.0.0.1:9/mei-phone"}
    contact: [{channels: [pager]}, {after: 5m, channels: [mail, phone]}]
  - {name: lars, channels: [{name: phone, url: "json://127.0.0.1:9/lars"}]}
  - {name: rosa, channels: [{name: phone, url: "json://127.0.0.1:9/rosa"}]}
teams:
  - {name: ops, tiers: {1: [mei], 2: [lars], 3: [rosa]}}
"""
ASLEEP = """
people:
  - {name: mei, channels: [{name: pager, url: "json://127.0.0.1:9/mei"}], quiet_hours: QUIET}
  - {name: lars, channels: [{name: phone, url: "json://127.0.0.1:9/lars"}], quiet_hours: LARS}
teams:
  - {name: ops, tiers: {1: [mei], 2: [lars]}}
"""
FIVE, SECOND = timedelta(minutes=5), timedelta(seconds=1)


@pytest.fixture
def world(tmp_path: Path, database: Database) -> World:
    return World(tmp_path, database, people=PEOPLE)


async def fires(world: World, severity: str = "warning") -> None:
    await world.post(alert("DiskFull", severity=severity))
    await world.work()


def states(ticket: dict[str, Any]) -> dict[str, str]:
    return {f"{one['person']} {one['channel']}": one["state"] for one in ticket["messages"]}


# --- the order of channels ------------------------------------------------------------------------------------


async def test_later_channels_are_tried_when_nobody_has_the_ticket_by_then(world: World) -> None:
    await fires(world)
    assert world.sender.people() == ["mei-pager"]
    assert states(await world.ticket()) == {"mei pager": "sent", "mei mail": "waiting", "mei phone": "waiting"}
    await world.advance(FIVE - SECOND)
    assert world.sender.people() == ["mei-pager"]

    await world.advance(SECOND)
    assert sorted(world.sender.people()) == ["mei-mail", "mei-pager", "mei-phone"]


async def test_later_channels_stay_silent_once_somebody_has_the_ticket(world: World) -> None:
    await fires(world)
    await handle.acknowledge(world.desk, "1", "mei")
    await world.advance(FIVE)

    assert world.sender.people() == ["mei-pager"]
    ticket = await world.ticket()
    assert states(ticket) == {"mei pager": "sent", "mei mail": "overtaken", "mei phone": "overtaken"}
    assert "Not sent to mei by mail: mei has acknowledged the ticket." in texts(ticket)


async def test_a_channel_that_refuses_for_good_brings_the_next_ones_at_once_and_only_once(world: World) -> None:
    world.sender.failures.append(SendRefused("no such pager."))
    await fires(world)
    assert sorted(world.sender.people()) == ["mei-mail", "mei-phone"]
    assert "The next way to mei is tried at once: mail, phone." in texts(await world.ticket())

    await world.advance(FIVE)
    assert len(world.sender.sent) == 2


async def test_a_channel_that_fails_for_now_keeps_its_own_pace_beside_the_later_ones(world: World) -> None:
    world.sender.failures.extend(SendFailed("no answer.") for _ in range(5))
    await fires(world)
    for _ in range(4):
        await world.advance(timedelta(minutes=1))
        assert "mei-mail" not in world.sender.people()
    await world.advance(timedelta(minutes=1))
    assert "mei-mail" in world.sender.people()


async def test_what_only_tells_goes_out_on_one_step_if_that_has_taken_it(world: World) -> None:
    await fires(world)
    await handle.acknowledge(world.desk, "1", "mei")
    told = [Recipient(person="mei", channel=name) for name in ("pager", "mail")]

    def body(tx: Transaction) -> None:
        known = tx.tickets.one(1, locked=True)
        change = Change.of(known.ticket, known.clocks)
        write_notice(world.desk, tx, change, told, purpose="a-word", text="It has helped.")
        tx.apply([change], world.clock.now())

    await world.desk.store.write(body)
    await world.work()
    await world.advance(FIVE)
    assert world.sender.people() == ["mei-pager", "mei-pager"]
    assert "Not sent to mei by mail: mei was told by pager." in texts(await world.ticket())


async def test_all_channels_of_a_person_refused_means_the_next_person(world: World) -> None:
    world.sender.failures.extend(SendRefused("gone.") for _ in range(3))
    await fires(world)
    assert world.sender.people() == ["lars"]
    assert "No channel reaches mei, so the next are called." in texts(await world.ticket())


# --- quiet hours ----------------------------------------------------------------------------------------------


def asleep(tmp_path: Path, database: Database, *, lars: bool = False) -> World:
    """A world in which mei, and perhaps lars, is in quiet hours for one more hour."""
    world = World(tmp_path, database)
    now = world.clock.now()
    begin, end = now - timedelta(hours=2), now + timedelta(hours=1)
    hours = f'{{from: "{begin:%H:%M:%S}", to: "{end:%H:%M:%S}"}}'
    people = ASLEEP.replace("QUIET", hours).replace("LARS", hours if lars else "[]")
    (tmp_path / "people.yml").write_text(people)
    world.desk = world.another_desk()
    return world


async def test_who_is_in_quiet_hours_is_told_when_they_end_and_the_next_tier_is_called(
    tmp_path: Path, database: Database
) -> None:
    world = asleep(tmp_path, database)
    await fires(world)

    ticket = await world.ticket()
    assert states(ticket) == {"mei pager": "held", "lars phone": "sent"}
    assert "Held: mei by pager: mei is in quiet hours until" in texts(ticket)
    assert "mei is in quiet hours, so the next are called." in texts(ticket)
    await world.advance(timedelta(hours=1))
    assert world.sender.people() == ["lars", "mei"]


async def test_a_page_of_the_highest_grade_wakes_everybody(tmp_path: Path, database: Database) -> None:
    world = asleep(tmp_path, database)
    await fires(world, "critical")
    assert sorted(world.sender.people()) == ["lars", "mei"]


async def test_when_everybody_is_asleep_it_waits_and_says_so(tmp_path: Path, database: Database) -> None:
    world = asleep(tmp_path, database, lars=True)
    await fires(world)
    assert world.sender.people() == []
    assert "lars, mei are in quiet hours, and nobody is left to call" in texts(await world.ticket())

    await world.advance(timedelta(hours=1))
    assert sorted(world.sender.people()) == ["lars", "mei"]
    assert len(await world.read(lambda tx: tx.tickets.listed())) == 1


async def test_what_waits_for_its_time_is_not_late(world: World) -> None:
    await fires(world)
    assert await world.read(lambda tx: tx.messages.waiting(world.clock.now())) == (0, None)
    later: datetime = world.clock.now() + FIVE
    assert await world.read(lambda tx: tx.messages.waiting(later)) == (2, later)


# --- the question whether somebody is still on it -------------------------------------------------------------


@pytest.fixture
async def asked(world: World) -> World:
    """Mei has the ticket, was silent for 45 minutes, and was asked on her first channel; the answer has 20 minutes."""
    configuration = world.desk.configuration
    steps = (Step(callees=Callees(tiers=(1,))),)
    plan = EscalationPlan(name="night", steps=steps, still_on_it=9 * FIVE, answer_within=4 * FIVE)
    policy = replace(configuration.policy, escalation=(plan,))
    world.desk.take_over(replace(configuration, policy=policy))
    await fires(world)
    await handle.acknowledge(world.desk, "1", "mei")
    await world.advance(9 * FIVE)
    assert "are you still on it?" in world.sender.sent[-1][1]
    world.sender.sent.clear()
    return world


async def test_a_question_without_an_answer_goes_on_to_the_later_channels(asked: World) -> None:
    await asked.advance(FIVE - SECOND)
    assert asked.sender.people() == []
    await asked.advance(SECOND)
    assert sorted(asked.sender.people()) == ["mei-mail", "mei-phone"]
    await asked.advance(3 * FIVE)
    assert (await asked.ticket())["status"] == "handed_over"


@pytest.mark.parametrize("verb", ["still-on-it", "note"])
async def test_an_answer_or_any_other_sign_ends_the_question(asked: World, verb: str) -> None:
    await asked.advance(SECOND)
    await handle.do(asked.desk, verb, "1", actor="mei", content={"text": "looking"} if verb == "note" else {})
    await asked.advance(FIVE)
    assert asked.sender.people() == []
    assert "Not sent to mei by mail: mei has given a sign at" in texts(await asked.ticket())


async def test_nobody_is_asked_further_about_what_somebody_else_has_now(asked: World) -> None:
    await handle.do(asked.desk, "take-over", "1", actor="lars", content={})
    await asked.work()
    [(channel, _, body)] = asked.sender.sent
    assert (channel, "lars takes it over from mei." in body) == ("mei-pager", True)
    asked.sender.sent.clear()
    await asked.advance(FIVE)
    assert asked.sender.people() == []
    assert "Not sent to mei by mail: lars has it now." in texts(await asked.ticket())


async def test_nobody_is_asked_further_about_what_waits_for_a_vendor(asked: World) -> None:
    await handle.do(asked.desk, "wait", "1", actor="lars", content={"for": "vendor", "reason": "a disk"})
    await asked.advance(FIVE)
    assert asked.sender.people() == []
    assert "Not sent to mei by mail: The ticket is waiting." in texts(await asked.ticket())


# --- who is called in to help -----------------------------------------------------------------------------------


@pytest.fixture
async def helped(world: World) -> World:
    """Lars has the ticket and has called mei in; her first channel has taken it."""
    await fires(world)
    await handle.acknowledge(world.desk, "1", "lars")
    await world.advance(SECOND)
    world.sender.sent.clear()
    await handle.do(world.desk, "pull-in", "1", actor="lars", content={"whom": "mei", "text": "the database"})
    await world.work()
    assert world.sender.people() == ["mei-pager"]
    world.sender.sent.clear()
    return world


async def test_a_call_for_help_goes_on_to_the_later_channels_until_there_is_a_sign(helped: World) -> None:
    await helped.advance(FIVE - SECOND)
    assert helped.sender.people() == []
    await helped.advance(SECOND)
    assert sorted(helped.sender.people()) == ["mei-mail", "mei-phone"]
    assert "lars asks for help: the database" in helped.sender.sent[0][2]


@pytest.mark.parametrize(
    ("verb", "content"), [("note", {"text": "I am coming"}), ("take-over", {}), ("acknowledge", {})]
)
async def test_any_sign_of_who_was_called_in_ends_the_call(helped: World, verb: str, content: dict[str, Any]) -> None:
    await helped.advance(SECOND)
    with suppress(Refused):  # even what is refused is a sign: lars has it already
        await handle.do(helped.desk, verb, "1", actor="mei", content=content)
    await helped.work()
    helped.sender.sent.clear()
    await helped.advance(FIVE)
    assert helped.sender.people() == []
    assert "Not sent to mei by phone: mei has given a sign at" in texts(await helped.ticket())


async def test_a_sign_of_somebody_else_or_from_before_does_not_end_the_call_for_help(world: World) -> None:
    await fires(world)
    await handle.do(world.desk, "note", "1", actor="mei", content={"text": "seen"})
    await handle.acknowledge(world.desk, "1", "lars")
    await world.advance(SECOND)
    await handle.do(world.desk, "pull-in", "1", actor="lars", content={"whom": "mei", "text": "the database"})
    await world.advance(SECOND)
    await handle.do(world.desk, "note", "1", actor="lars", content={"text": "waiting for mei"})
    world.sender.sent.clear()
    await world.advance(FIVE)
    assert sorted(world.sender.people()) == ["mei-mail", "mei-phone"]


async def test_nobody_is_called_in_any_further_to_what_is_over(helped: World) -> None:
    await handle.do(helped.desk, "dismiss", "1", actor="lars", content={"as": "false_alarm", "reason": "a test"})
    await helped.advance(FIVE)
    assert helped.sender.people() == []
    assert "Not sent to mei by phone: The ticket is closed." in texts(await helped.ticket())


async def test_a_question_that_its_channel_refuses_goes_to_the_later_channels_at_once(asked: World) -> None:
    await handle.do(asked.desk, "still-on-it", "1", actor="mei", content={})
    asked.sender.failures.append(SendRefused("no such pager."))
    await asked.advance(4 * FIVE)
    await asked.advance(5 * FIVE)
    assert sorted(asked.sender.people()) == ["mei-mail", "mei-phone"]


async def test_who_answered_before_an_outage_and_is_silent_after_it_is_asked_again(asked: World) -> None:
    await handle.do(asked.desk, "still-on-it", "1", actor="mei", content={})
    await asked.advance(20 * FIVE)
    assert [subject for whom, subject, _ in asked.sender.sent if "still on it?" in subject] != []
