"""The default profile, walked: restore first, then the root fix, and everything written down before the end."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from responder.domain.parts import Part
from responder.flows.parts import add_part
from responder.store.database import Database
from tests.profiles.walking import DAY, HOUR, MINUTE, Walk
from tests.profiles.world_of_p1_p4 import (
    FIRST_AID,
    SEVERITY,
    TARGETS,
    on_a_fixed_day,
    rings,
    walk_of,
)


@pytest.fixture
def walk(tmp_path: Path, database: Database) -> Walk:
    """Nothing but the profile and people."""
    return walk_of(tmp_path, database)


@pytest.fixture
def helped(tmp_path: Path, database: Database) -> Walk:
    """With a runbook that restarts the service."""
    return walk_of(tmp_path, database, FIRST_AID)


# --- intake ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", ["hotline", "mail", "remote-support"])
async def test_every_channel_ends_in_one_ticket_as_monitoring_does(walk: Walk, channel: str) -> None:
    reported = await walk.report(channel=channel)
    await walk.fires()
    monitored = (await walk.ticket(2))["number"]
    assert (reported.source, reported.number == monitored) == (channel, False)
    assert len(await walk.read(lambda tx: tx.tickets.listed())) == 2


@on_a_fixed_day
async def test_numbers_are_unique(walk: Walk) -> None:
    assert [(await walk.report()).number for _ in range(3)] == [f"INC-20261123-00{serial}" for serial in (1, 2, 3)]


@pytest.mark.parametrize(
    ("fields", "grade"),
    [
        ({"impact": "Core business interrupted"}, "P1"),
        ({"affected_users": "1001"}, "P1"),
        ({"impact": "main function badly affected"}, "P2"),
        ({"affected_users": "100"}, "P2"),
        ({"impact": "partly abnormal"}, "P3"),
        ({}, "P3"),
        ({"impact": "slight"}, "P4"),
        ({"impact": "question"}, "P4"),
    ],
)
async def test_what_is_affected_gives_the_grade(walk: Walk, fields: dict[str, str], grade: str) -> None:
    assert (await walk.report(fields=fields)).grade == grade


# --- by when, and who is told ------------------------------------------------------------------------------


@pytest.mark.parametrize("grade", SEVERITY)
async def test_each_grade_has_its_targets(walk: Walk, grade: str) -> None:
    await walk.fires(SEVERITY[grade])
    ticket = await walk.ticket()
    names = [clock["name"] for clock in ticket["clocks"] if clock["name"] != "escalation"]
    assert ticket["grade"] == grade
    assert {name: await walk.target(name) for name in names} == TARGETS[grade]


@pytest.mark.parametrize(
    ("grade", "told"), [("P1", ["ann", "ben"]), ("P2", ["ann", "ben"]), ("P3", ["ann"]), ("P4", [])]
)
async def test_p1_and_p2_tell_the_chain_by_themselves(walk: Walk, grade: str, told: list[str]) -> None:
    await walk.fires(SEVERITY[grade])
    assert sorted(walk.told()) == told


@pytest.mark.parametrize(("grade", "half"), [("P1", 15 * MINUTE), ("P2", 30 * MINUTE)])
async def test_what_nobody_takes_goes_from_tier_1_to_tier_2_to_tier_3(walk: Walk, grade: str, half: timedelta) -> None:
    await walk.fires(SEVERITY[grade])
    tiers = [(await walk.ticket())["tier"]]
    before = len(walk.sender.sent)
    for _ in range(2):
        await walk.goes_by(half, half / 5)
        tiers.append((await walk.ticket())["tier"])
    assert tiers == [1, 2, 3]
    paged = [who for who, text in walk.told_since(before) if "clock" not in text.partition("\n")[0]]
    assert ("ben" in paged, paged[-1]) == (True, "cleo")


@pytest.mark.parametrize("grade", ["P3", "P4"])
async def test_lesser_grades_stay_where_they_are(walk: Walk, grade: str) -> None:
    await walk.fires(SEVERITY[grade])
    await walk.goes_by(2 * DAY)
    assert (await walk.ticket())["tier"] == 1


async def test_what_somebody_takes_goes_up_only_by_hand(walk: Walk) -> None:
    await walk.fires("critical")
    await walk.do("acknowledge", "ann")
    await walk.goes_by(HOUR, 5 * MINUTE)
    assert (await walk.ticket())["tier"] == 1
    for tier, who in ((2, "ann"), (3, "ben")):
        assert (await walk.do("escalate", who, reason="Beyond us.")).tier == tier
        await walk.do("acknowledge", "ben" if tier == 2 else "cleo")


@pytest.mark.parametrize("grade", ["P1", "P2", "P3"])
async def test_an_answer_that_does_not_come_is_warned_of_and_told_to_the_next_tier(walk: Walk, grade: str) -> None:
    await walk.fires(SEVERITY[grade])
    target = TARGETS[grade]["respond"]
    told = await rings(walk, "respond", target, target / 20)
    # Where it has gone up a tier by then, the next one is the one above.
    assert told in ([(target * 0.75, "ann"), (target, who)] for who in ("ben", "cleo"))


@pytest.mark.parametrize(
    ("grade", "clock"), [(grade, name) for grade in ("P1", "P2", "P3") for name in ("restore", "resolve")]
)
async def test_who_has_it_is_warned_before_it_is_late_and_the_next_tier_told_when_it_is(
    walk: Walk, grade: str, clock: str
) -> None:
    await walk.fires(SEVERITY[grade])
    await walk.do("acknowledge", "ann")
    target = TARGETS[grade][clock]
    told = await rings(walk, clock, target, target / 20)
    assert told == [(target * 0.75, "ann"), (target, "ann"), (target, "ben")]


async def test_a_p4_wakes_nobody_however_late_it_is(walk: Walk) -> None:
    await walk.fires("info")
    await walk.goes_by(4 * DAY, 3 * HOUR)
    assert walk.told() == []
    assert (await walk.runs("respond")).breached_at is not None


# --- restore first -----------------------------------------------------------------------------------------


async def test_a_restart_comes_before_any_human(helped: Walk) -> None:
    await helped.fires("critical")
    assert (helped.fleet.restarts(), helped.told()) == (["web-1"], [])
    assert await helped.status() == "restored"
    await helped.clears("critical")
    await helped.goes_by(10 * MINUTE, 5 * MINUTE)
    ticket = await helped.ticket()
    assert (ticket["status"], ticket["restored_by"]) == ("resolved", "machine")


async def test_where_the_restart_does_not_help_people_read_first_what_it_did(helped: Walk) -> None:
    helped.fleet.broken.add("web-1")
    await helped.fires("critical")
    assert sorted(helped.told()) == ["ann", "ben"]
    assert ["restart-app" in text for _, text in helped.told_since(0)] == [True, True]
    assert ["config is broken" in text for _, text in helped.told_since(0)] == [True, True]


async def test_the_root_fix_is_planned_while_the_service_runs_again(walk: Walk) -> None:
    await walk.fires("critical")
    await walk.do("acknowledge", "ann")
    await walk.do("restore", "ann", reason="Switched to the standby.")
    await walk.clears("critical")
    await walk.do("diagnose", "ben", text="The disk fails.", cause_class="product_defect", cause="A bad batch.")
    ticket = await walk.do("propose", "ben", kind="hardware_replacement", steps=["Change the disk"], owner="ben")
    assert ticket.status == "restored"
    assert "Plan 1 is approved: No gate stands before it." in await walk.sentences()
    assert "patch, config_change, hardware_replacement, workaround" in await walk.refused(
        "propose", "ben", kind="prayer", steps=["1"]
    )


async def test_spare_parts_are_held_by_the_plan_and_used_with_the_solution(walk: Walk) -> None:
    disk = Part(number="disk-4tb", name="4 TB disk", stock=2, changed_at=walk.clock.now())
    await add_part(walk.desk, disk, "ann")
    await walk.fires("critical")
    await walk.do("acknowledge", "ann")
    plan: dict[str, Any] = {"kind": "hardware_replacement", "steps": ["Change both disks"]}
    assert "3 of disk-4tb" in await walk.refused("propose", "ann", resources={"disk-4tb": 3}, **plan)
    await walk.do("propose", "ann", resources={"disk-4tb": 2}, **plan)
    held = (await walk.read(lambda tx: tx.parts.some(["disk-4tb"])))["disk-4tb"]
    assert (held.stock, held.free) == (2, 0)
    await walk.do("restore", "ann", reason="Both changed.")
    used = (await walk.read(lambda tx: tx.parts.some(["disk-4tb"])))["disk-4tb"]
    assert (used.stock, used.free) == (0, 0)
