"""Asking the reporter lets the ticket wait: what the policy wants before a ticket waits holds here, too."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from responder.domain.gates import GateRule
from responder.domain.requirements import Need
from responder.domain.ticket import Action
from responder.errors import Refused
from responder.flows.consent import answer
from responder.flows.reporter import ask_reporter
from responder.store.database import Database
from tests.flows.reports import Reports
from tests.world import texts

GATE = GateRule(name="the head agrees", move=Action.WAIT, roles=("head",), needed=1)
QUESTION = "Which light is on?"


@pytest.fixture
def world(tmp_path: Path, database: Database) -> Reports:
    return Reports(tmp_path, database)


async def opened(world: Reports, **rules: Any) -> None:
    world.rule(**rules)
    await world.opens()
    await world.do("acknowledge", "mei")


async def refused(world: Reports, match: str) -> None:
    before = await world.purposes()
    with pytest.raises(Refused, match=match):
        await ask_reporter(world.desk, "1", "mei", QUESTION)
    ticket = await world.ticket()
    assert (ticket["status"], await world.purposes()) == ("in_progress", before)
    assert "mei could not ask the reporter: " in texts(ticket)


async def test_what_the_policy_needs_before_a_ticket_waits_is_needed_before_a_question(world: Reports) -> None:
    await opened(world, needs=(Need(move=Action.WAIT, needs=("diagnosis",)),))
    await refused(world, "cannot wait yet: a P3 needs")
    await world.do("diagnose", "mei", text="the fan", cause="because")
    await ask_reporter(world.desk, "1", "mei", QUESTION)
    assert (await world.ticket())["status"] == "waiting"
    # It waits already: a further question moves nothing.
    await ask_reporter(world.desk, "1", "mei", QUESTION)


async def test_the_gate_before_waiting_is_asked_by_a_question_and_opens_for_it(world: Reports) -> None:
    head = replace(world.desk.configuration.people["lars"], roles=("head",))
    world.desk.take_over(replace(world.desk.configuration, people={**world.desk.configuration.people, "lars": head}))
    await opened(world, gates=(GATE,))
    await refused(world, "may wait once")
    await refused(world, "waits for consent before it may wait")
    (asked,) = await world.read(lambda tx: tx.approvals.of_ticket(1))
    await answer(world.desk, asked.id, "lars", yes=True)
    await ask_reporter(world.desk, "1", "mei", QUESTION)
    assert (await world.ticket())["status"] == "waiting"


async def test_a_ticket_that_may_not_wait_at_all_says_so_in_its_history(world: Reports) -> None:
    await world.opens()
    with pytest.raises(Refused):
        await ask_reporter(world.desk, "1", "mei", QUESTION)
    assert "mei could not ask the reporter: " in texts(await world.ticket())
