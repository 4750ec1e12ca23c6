"""Backtest with rules against noise: maintenance windows and hold-off hold in the replay as they do in earnest."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from responder.config.configuration import read
from responder.domain.hold_off import HoldOffRule
from responder.domain.maintenance import MaintenanceWindow, Once
from responder.domain.matching import parse_matcher
from responder.domain.policy import CorrelationRule
from responder.flows.backtest import Backtest, backtest
from responder.store.database import Database
from tests.flows.people import HOUR, MINUTE, Team

WEB = (parse_matcher('job="web"'),)
PATIENT = HoldOffRule(name="patient", when=WEB, lasting=10 * MINUTE, grades=("P1", "P2", "P3"))
BY_CLUSTER = CorrelationRule(name="cluster", when=(parse_matcher('cluster="eu"'),), by=("cluster",))


@pytest.fixture
def world(tmp_path: Path, database: Database) -> Team:
    return Team(tmp_path, database)


def window(world: Team, lasting: timedelta) -> MaintenanceWindow:
    now = world.clock.now()
    return MaintenanceWindow(name="upgrade", when=WEB, times=(Once(start=now, end=now + lasting),))


async def replayed(world: Team, **changes: Any) -> tuple[Backtest, Backtest]:
    """The present rules against themselves, and against those without any rule against noise."""
    present, now = world.desk.configuration, world.clock.now()
    plain = read(world.path)
    period = (now - 12 * HOUR, now + MINUTE)
    return await backtest(world.database, present, present, period), await backtest(
        world.database, plain, present, period
    )


async def test_what_shows_and_ends_in_a_window_pages_nobody_in_the_replay_either(world: Team) -> None:
    world.rule(maintenance=(window(world, 2 * HOUR),))
    await world.fires(job="web")
    await world.advance(HOUR)
    await world.clears(job="web")
    await world.advance(3 * HOUR)
    same, other = await replayed(world)
    assert (same.pages, same.differences) == ((0, 0), ())
    assert other.pages == (2, 0)
    (difference,) = other.differences
    assert {"held", "pages"} <= set(difference.fields)
    assert (difference.before.held, difference.after.held) == ({}, {"maintenance": 1})


async def test_what_outlives_its_window_pages_in_the_replay_as_it_did(world: Team) -> None:
    world.rule(maintenance=(window(world, 2 * HOUR),))
    await world.fires(job="web")
    await world.advance(3 * HOUR)
    same, _ = await replayed(world)
    assert same.pages == (len(world.sender.sent), len(world.sender.sent)) == (2, 2)


async def test_short_hiccups_are_held_off_in_the_replay_too(world: Team) -> None:
    world.rule(hold_off=(PATIENT,))
    for _ in range(3):
        await world.fires("error", job="web")
        await world.advance(5 * MINUTE)
        await world.clears(severity="error", job="web")
        await world.advance(5 * MINUTE)
    await world.fires("error", job="web")
    await world.advance(10 * MINUTE)
    same, other = await replayed(world)
    assert same.pages[0] == len(world.sender.sent) > 0
    assert other.pages[0] > other.pages[1]


async def test_an_alert_that_nobody_expects_ends_the_hold_in_the_replay_too(world: Team) -> None:
    world.rule(maintenance=(window(world, 4 * HOUR),), correlation=(BY_CLUSTER,))
    await world.fires(job="web", cluster="eu")
    await world.advance(MINUTE)
    await world.fires("error", name="DiskFull", job="node", cluster="eu")
    same, _ = await replayed(world)
    assert same.pages[0] == len(world.sender.sent) == 2


async def test_several_alerts_that_are_all_expected_are_held_together_in_the_replay(world: Team) -> None:
    world.rule(maintenance=(window(world, 4 * HOUR),), correlation=(BY_CLUSTER,))
    await world.fires(job="web", cluster="eu")
    await world.advance(MINUTE)
    await world.fires("error", name="DiskFull", job="web", cluster="eu")
    same, _ = await replayed(world)
    assert same.pages == (0, 0)
