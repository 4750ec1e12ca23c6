"""Guides: what is sent to the reporter of something that was no fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from responder.domain.gates import GateRule
from responder.domain.ticket import Action
from responder.errors import Refused
from responder.store.database import Database
from tests.flows.people import Team, with_needs

FALSE_ALARM = {"as": "false_alarm", "reason": "misuse"}


@pytest.fixture
async def world(tmp_path: Path, database: Database) -> Team:
    """A ticket under a policy that wants a guide, however it is dismissed."""
    team = Team(tmp_path, database)
    with_needs("guide", move=Action.DISMISS)(team)
    await team.fires()
    return team


async def guide_of(world: Team) -> tuple[str, str]:
    ticket = await world.ticket()
    return ticket["status"], ticket["dossier"]["guide"]


async def test_a_policy_may_want_a_guide_however_a_ticket_is_dismissed(world: Team) -> None:
    with pytest.raises(Refused, match=r"a P1 needs the guide that was sent \(verb: dismiss\)\.$"):
        await world.do("dismiss", **FALSE_ALARM)
    await world.do("dismiss", **FALSE_ALARM, guide="how to read the lamp")
    assert await guide_of(world) == ("closed", "how to read the lamp")


async def test_a_guide_of_a_dismissal_that_is_refused_is_not_kept(world: Team) -> None:
    with pytest.raises(Refused, match="not as 'luck'"):
        await world.do("dismiss", **{**FALSE_ALARM, "as": "luck"}, guide="page 4")
    assert await guide_of(world) == ("handed_over", "")


async def test_a_gate_that_is_asked_about_a_dismissal_keeps_no_guide_either(world: Team) -> None:
    world.rule(gates=(GateRule(name="no trouble", move=Action.DISMISS, roles=("manager",)),))
    with pytest.raises(Refused, match="may dismiss once there is the yes of 1 of role manager"):
        await world.do("dismiss", **FALSE_ALARM, guide="page 4")
    assert await guide_of(world) == ("handed_over", "")
    await world.do("approve", "lars")
    await world.do("dismiss", **FALSE_ALARM, guide="page 5")
    assert await guide_of(world) == ("closed", "page 5")


async def test_what_was_sent_before_the_ticket_came_back_still_counts(world: Team) -> None:
    await world.do("dismiss", **FALSE_ALARM, guide="page 4")
    await world.do("reopen", reason="it is no false alarm")
    await world.do("dismiss", **FALSE_ALARM)
    assert await guide_of(world) == ("closed", "page 4")
