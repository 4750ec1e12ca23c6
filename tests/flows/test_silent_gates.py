"""Gates that nobody answers in time: what silence means is the policy's word."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from responder.domain.gates import GateRule, OnTimeout
from responder.domain.ticket import Action
from responder.errors import Refused
from responder.store.database import Database
from tests.flows.people import BOTH, HOUR, Team
from tests.world import texts

PLAN: dict[str, Any] = {"kind": "patch", "steps": ["move the data"], "owner": "mei", "due": "2030-01-01T12:00:00Z"}


@pytest.fixture
def world(tmp_path: Path, database: Database) -> Team:
    return Team(tmp_path, database)


async def proposed(world: Team, *gates: GateRule) -> None:
    world.rule(gates=gates)
    await world.fires()
    await world.do("acknowledge", "mei")
    await world.do("propose", "mei", **PLAN)


async def test_silence_opens_a_gate_that_passes_by_itself_and_the_ticket_says_so(world: Team) -> None:
    await proposed(world, replace(BOTH, on_timeout=OnTimeout.PASS))
    await world.advance(3 * HOUR)
    assert (await world.ticket())["status"] == "proposed"
    await world.advance(HOUR)
    ticket = await world.ticket()
    assert ticket["status"] == "approved"
    assert "Plan 1 is approved" in texts(ticket)


async def test_silence_closes_a_gate_that_rejects_by_itself(world: Team) -> None:
    await proposed(world, replace(BOTH, on_timeout=OnTimeout.REJECT))
    await world.advance(4 * HOUR)
    assert (await world.ticket())["status"] == "in_progress"


async def test_silence_lets_a_ticket_close_where_the_gate_before_closing_passes_by_itself(world: Team) -> None:
    world.rule(gates=(replace(BOTH, move=Action.DISMISS, on_timeout=OnTimeout.PASS),))
    await world.fires()
    wanted = {"as": "false_alarm", "reason": "a test"}
    with pytest.raises(Refused, match="may dismiss once"):
        await world.do("dismiss", **wanted)
    await world.advance(4 * HOUR)
    await world.do("dismiss", **wanted)
    assert (await world.ticket())["status"] == "closed"
