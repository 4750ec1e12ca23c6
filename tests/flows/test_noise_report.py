"""The noise report over real tickets: what was paged, taken, cured or left alone."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from responder.domain.matching import parse_matcher
from responder.domain.policy import FirstAidRule
from responder.errors import StoreUnavailable
from responder.flows.noise_report import noise_report
from responder.store.database import Database
from responder.store.jobs import Job
from tests.flows.people import HOUR, MINUTE, Team
from tests.world import alert

P2 = "error"
AID = FirstAidRule(name="restart it", when=(parse_matcher('alertname="Cured"'),), runbook="restart-app")


@pytest.fixture
def world(tmp_path: Path, database: Database) -> Team:
    made = Team(tmp_path, database)
    made.rule(first_aid=(AID,))
    return made


async def comes_and_goes(world: Team, name: str, severity: str = P2, **labels: str) -> None:
    await world.fires(severity, name=name, **labels)
    await world.advance(MINUTE)
    await world.clears(name=name, severity=severity, **labels)


async def test_alerts_that_nobody_acted_on_are_listed_with_the_pages_they_cost(world: Team) -> None:
    for number in range(3):
        await comes_and_goes(world, "Ignored", instance=f"a-{number}")
    await comes_and_goes(world, "Slight", severity="info")
    await comes_and_goes(world, "Cured")
    await world.fires(P2, name="Taken")
    await world.do("acknowledge", key="6")
    await world.clears(name="Taken", severity=P2)
    await world.fires(P2, name="False")
    await world.do("dismiss", key="7", **{"as": "false_alarm", "reason": "the probe lies"})

    found = await noise_report(world.desk)
    assert [(rule.alert, rule.tickets, rule.pages) for rule in found.rules] == [
        ("Ignored", 3, 6),
        ("False", 1, 2),
        ("Slight", 1, 0),
    ]
    assert (found.tickets, found.pages, found.wasted) == (7, 10, 8)
    assert {rule.rule for rule in found.rules} != {""}


async def test_only_the_time_asked_for_counts(world: Team) -> None:
    await comes_and_goes(world, "Ignored")
    await world.advance(HOUR)
    assert (await noise_report(world.desk, timedelta(minutes=30))).rules == ()
    assert len((await noise_report(world.desk, timedelta(hours=2))).rules) == 1


async def test_a_page_that_was_overtaken_before_it_left_costs_nothing(world: Team) -> None:
    async def later(job: Job) -> None:
        raise StoreUnavailable("not now")

    await world.post(alert("Short", severity=P2))
    await world.work(deliver=later)
    await world.clears(name="Short", severity=P2)
    await world.advance(HOUR)
    (rule,) = (await noise_report(world.desk)).rules
    assert (rule.pages, world.sender.sent) == (0, [])
