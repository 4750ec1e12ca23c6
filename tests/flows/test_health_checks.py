"""Health checks: at their time, on every target, only looking; findings open tickets and end them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from responder.clock import microseconds
from responder.config.configuration import read
from responder.domain.acts import CommandResult, Query, Sample
from responder.domain.health_check import (
    MOST_NEW_TICKETS,
    CheckState,
    Finding,
    HealthCheck,
    Look,
    Seen,
    concluded,
    next_time,
    report_text,
)
from responder.domain.target import Target
from responder.errors import AuthRefused, CommandTimedOut, HostUnreachable, NotFound, QueryFailed
from responder.flows.batcher import Batcher
from responder.flows.health_check import health_check, order_health_check, plan_health_checks
from responder.flows.maintenance import start_maintenance
from responder.flows.switches import turn_off_automation
from responder.store.database import Database
from responder.store.jobs import Job
from responder.web.context import CONTEXT, Context
from responder.web.health_checks import routes
from responder.web.problems import errors_as_problems
from tests.fakes import NOW, Crash
from tests.world import HOST_KEY, World

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
POLICY = """
extends: p1-p4
health_checks:
  - {name: daily, runbook: look, groups: [all], every: daily at 06:00}
"""
LOOK = """
runbook: look
summary: Look at it
steps:
  - name: what runs
    collect: {commands: [[ps]]}
  - name: the disk has room
    check: {command: [df], within: 1m}
  - name: the clock is right
    check: {command: [chronyc]}
"""
WEB_1 = {"check": "daily", "instance": "web-1", "step": "the disk has room"}


def inventory(count: int) -> str:
    names = (
        f"  - {{name: web-{n}, key_file: key, host_key: {HOST_KEY}, groups: [all]}}\n" for n in range(1, count + 1)
    )
    return f"targets:\n{''.join(names)}"


@dataclass
class Fleet:
    """Hosts on which all is well, except for what `answers` says of a host and the first word of a command."""

    answers: dict[tuple[str, str], CommandResult | BaseException] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    gate: asyncio.Event | None = None
    at_work: int = 0
    most_at_work: int = 0

    async def run(self, target: Target, argv: Sequence[str], *, timeout: timedelta, stdin: str = "") -> CommandResult:
        self.asked.append((target.name, argv[0]))
        self.at_work += 1
        self.most_at_work = max(self.most_at_work, self.at_work)
        if self.gate is not None:
            await self.gate.wait()
        self.at_work -= 1
        answer = self.answers.get((target.name, argv[0]), CommandResult(exit_code=0, stdout=f"{argv[0]} is well"))
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def fails(self, host: str, command: str, said: str = "95% full") -> None:
        self.answers[host, command] = CommandResult(exit_code=1, stdout=said)

    async def close(self) -> None: ...


def world_of(folder: Path, database: Database, **changed: str) -> tuple[World, Fleet]:
    files = {"policy": POLICY, "inventory": inventory(2), **changed}
    (folder / "runbooks").mkdir(exist_ok=True)
    (folder / "runbooks" / "look.yml").write_text(files.pop("look", LOOK))
    made, fleet = World(folder, database, **files), Fleet()
    made.desk.hosts = fleet
    # At a time of day at which no test comes across 06:00 by chance.
    made.clock.advance_to((made.clock.now() + DAY).replace(hour=10, minute=0, second=0))
    return made, fleet


@pytest.fixture
def both(tmp_path: Path, database: Database) -> tuple[World, Fleet]:
    return world_of(tmp_path, database)


@pytest.fixture
def world(both: tuple[World, Fleet]) -> World:
    return both[0]


@pytest.fixture
def fleet(both: tuple[World, Fleet]) -> Fleet:
    return both[1]


async def check(world: World) -> HealthCheck:
    """One check, whole, a minute after the one before."""
    world.clock.advance(MINUTE)
    ordered = await order_health_check(world.desk, "daily", "mei")
    return await done(world, ordered.id)


async def done(world: World, check_id: int) -> HealthCheck:
    """What the job of this check does."""
    await health_check(world.desk, job_of(await one(world, check_id)))
    return await one(world, check_id)


def job_of(promised: HealthCheck) -> Job:
    args = {"check": promised.id, "due": microseconds(promised.due_at)}
    return Job(kind="health_check", args=args, due_at=promised.due_at)


async def one(world: World, check_id: int) -> HealthCheck:
    found: HealthCheck = await world.read(lambda tx: tx.health_checks.one(check_id))
    return found


async def planned(world: World) -> dict[str, HealthCheck]:
    found: dict[str, HealthCheck] = await world.read(lambda tx: tx.health_checks.planned())
    return found


async def promised(world: World, at: datetime) -> int:
    """How many jobs are promised that are due by then."""
    waiting = dict(await world.read(lambda tx: tx.jobs.waiting(at)))
    return int(waiting.get("health_check", 0))


async def tickets(world: World) -> dict[str, Any]:
    """Our own tickets by what they are about."""
    found = await world.read(lambda tx: tx.tickets.listed())
    names = ("alertname", "instance", "step")
    return {" ".join(one.labels[name] for name in names if name in one.labels): one for one in found}


def reload(world: World, **changed: object) -> None:
    world.desk.take_over(replace(read(world.path), **changed))  # type: ignore[arg-type]


# --- when ------------------------------------------------------------------------------------------


async def test_the_next_time_is_promised_once_however_often_it_is_planned(world: World) -> None:
    due_at = next_time(world.desk.policy.health_checks[0], world.desk.policy.zone, world.clock.now())
    other = world.another_desk()
    counts = await asyncio.gather(*(plan_health_checks(desk) for desk in (world.desk, other, world.desk, other)))
    assert sum(counts) == 1
    world.clock.advance((due_at - world.clock.now()) / 2)
    assert await plan_health_checks(world.desk) == 0
    assert (await planned(world))["daily"].started_at == due_at
    assert (await promised(world, due_at - MINUTE), await promised(world, due_at)) == (0, 1)


async def test_a_planned_check_runs_at_its_time_and_plans_the_next(world: World, fleet: Fleet) -> None:
    await plan_health_checks(world.desk)
    first = (await planned(world))["daily"]
    world.clock.advance_to(first.started_at)
    found = await done(world, first.id)
    assert (found.state, found.counted(Seen.GOOD), found.counted(Seen.FINDING)) == (CheckState.DONE, 8, 0)
    following = (await planned(world))["daily"]
    assert following.started_at == first.started_at + DAY
    assert await promised(world, following.started_at) == 2
    assert await plan_health_checks(world.desk) == 0


async def test_the_worker_does_planned_and_ordered_checks_and_what_follows_from_them(
    world: World, fleet: Fleet
) -> None:
    await plan_health_checks(world.desk)
    first = (await planned(world))["daily"]
    fleet.fails("web-1", "df")
    ordered = await order_health_check(world.desk, "daily", "mei")
    await world.work()
    assert (await one(world, ordered.id)).counted(Seen.FINDING) == 1
    # P4 calls nobody: it waits in the list.
    assert ((await world.ticket())["status"], world.sender.people()) == ("handed_over", [])

    fleet.answers = {}
    await world.advance(first.due_at - world.clock.now())
    assert [str(gone) for gone in (await one(world, first.id)).gone] == ["web-1: the disk has room"]
    assert (await world.ticket())["status"] == "restored"
    assert (await planned(world))["daily"].due_at == first.due_at + DAY


async def test_a_job_that_comes_twice_or_whose_check_is_done_looks_at_nothing(world: World, fleet: Fleet) -> None:
    found = await check(world)
    asked = len(fleet.asked)
    world.clock.advance(HOUR)
    assert await done(world, found.id) == found
    assert len(fleet.asked) == asked


async def test_a_job_woken_too_early_by_the_databases_clock_is_promised_again(world: World, fleet: Fleet) -> None:
    await plan_health_checks(world.desk)
    first = (await planned(world))["daily"]
    world.clock.advance_to(first.started_at - timedelta(milliseconds=5))
    assert await done(world, first.id) == first
    assert (fleet.asked, await promised(world, first.started_at)) == ([], 2)


async def test_a_reload_that_moves_the_time_moves_the_check_and_its_old_job_does_nothing(
    world: World, fleet: Fleet
) -> None:
    await plan_health_checks(world.desk)
    old = (await planned(world))["daily"]
    (world.path.parent / "policy.yml").write_text(POLICY.replace("daily at 06:00", "1st at 07:30"))
    reload(world)
    assert await plan_health_checks(world.desk) == 1
    new = (await planned(world))["daily"]
    assert (new.due_at.day, f"{new.due_at:%H:%M}", await promised(world, new.due_at)) == (1, "07:30", 2)
    world.clock.advance_to(old.due_at)
    await health_check(world.desk, job_of(old))
    assert (fleet.asked, await promised(world, new.due_at)) == ([], 2)
    world.clock.advance_to(new.due_at)
    assert (await done(world, new.id)).counted(Seen.GOOD) == 8


async def test_a_reload_that_takes_a_check_away_ends_its_series(world: World, fleet: Fleet) -> None:
    await plan_health_checks(world.desk)
    old = (await planned(world))["daily"]
    ordered = await order_health_check(world.desk, "daily", "mei")
    (world.path.parent / "policy.yml").write_text("extends: p1-p4\n")
    reload(world)
    assert await plan_health_checks(world.desk) == 0
    world.clock.advance_to(old.started_at)
    await health_check(world.desk, job_of(old))
    assert await planned(world) == {}
    # Who has ordered one learns why there is none.
    assert (await done(world, ordered.id)).problem == "the policy has no health check daily any more."
    assert fleet.asked == []


async def test_a_check_whose_time_passed_while_nobody_served_is_made_up_for_once(world: World, fleet: Fleet) -> None:
    await plan_health_checks(world.desk)
    first = (await planned(world))["daily"]
    world.clock.advance_to(first.started_at + 10 * DAY)
    assert await plan_health_checks(world.desk) == 1
    assert await plan_health_checks(world.desk) == 0
    assert await promised(world, world.clock.now()) == 2
    await health_check(world.desk, job_of(first))
    assert fleet.asked == []
    assert (await done(world, first.id)).state is CheckState.DONE
    asked = len(fleet.asked)
    await done(world, first.id)
    assert len(fleet.asked) == asked
    assert (await planned(world))["daily"].due_at > world.clock.now()


async def test_a_check_that_a_crash_cut_short_is_done_again_and_leaves_one_report(world: World, fleet: Fleet) -> None:
    await plan_health_checks(world.desk)
    first = (await planned(world))["daily"]
    world.clock.advance_to(first.started_at)
    fleet.answers["web-2", "df"] = Crash("here")
    with pytest.raises(Crash):
        await done(world, first.id)
    assert (await one(world, first.id)).state is CheckState.RUNNING
    del fleet.answers["web-2", "df"]
    world.clock.advance(MINUTE)
    found = await done(world, first.id)
    assert (found.state, found.counted(Seen.GOOD)) == (CheckState.DONE, 8)
    assert list(await planned(world)) == ["daily"]
    assert await promised(world, first.started_at + DAY) == 2


async def test_an_order_for_a_check_that_is_not_there_names_those_that_are(world: World) -> None:
    with pytest.raises(NotFound, match=r"The policy has no health check weekly; there are: daily\."):
        await order_health_check(world.desk, "weekly", "mei")


# --- looking ---------------------------------------------------------------------------------------


async def test_every_step_is_looked_at_on_every_target_one_after_the_other(world: World, fleet: Fleet) -> None:
    fleet.fails("web-1", "df")
    found = await check(world)
    for host in ("web-1", "web-2"):
        assert [command for name, command in fleet.asked if name == host] == ["ps", "df", "chronyc"]
    shown = {look.key: (look.seen, look.text) for look in found.looks}
    # `within` is for what was just changed: a health check looks once.
    assert shown["web-1", "the disk has room"] == (
        Seen.FINDING,
        "95% full (expected df to exit with 0 within 1m, but it exited with 1: 95% full)",
    )
    assert shown["web-1", "the clock is right"] == (Seen.GOOD, "chronyc is well")
    assert shown["web-2", "reachable"] == (Seen.GOOD, "")
    (kept,) = [look.kept for look in found.looks if look.key == ("web-1", "what runs")]
    assert kept == {"ps": "ps is well"}


async def test_no_more_than_eight_targets_are_looked_at_at_the_same_time(tmp_path: Path, database: Database) -> None:
    world, fleet = world_of(tmp_path, database, inventory=inventory(12))
    fleet.gate = asyncio.Event()
    checking = asyncio.create_task(check(world))
    while fleet.at_work < 8:
        await asyncio.sleep(0)
    for _ in range(100):
        await asyncio.sleep(0)
    fleet.gate.set()
    assert len((await checking).targets) == 12
    assert fleet.most_at_work == 8


@pytest.mark.parametrize(
    "error", [HostUnreachable("web-1 cannot be reached: no route"), AuthRefused("web-1 did not accept the key")]
)
async def test_a_target_that_lets_nobody_in_is_one_finding_and_is_asked_once(
    world: World, fleet: Fleet, error: Exception
) -> None:
    for command in ("ps", "df", "chronyc"):
        fleet.answers["web-1", command] = error
    found = await check(world)
    assert [name for name, _ in fleet.asked].count("web-1") == 1
    seen = {look.step: look.seen for look in found.looks if look.target == "web-1"}
    assert seen == {
        "reachable": Seen.FINDING,
        "what runs": Seen.UNSEEN,
        "the disk has room": Seen.UNSEEN,
        "the clock is right": Seen.UNSEEN,
    }
    (ticket,) = (await tickets(world)).values()
    assert (ticket.labels["step"], ticket.title) == ("reachable", f"web-1: reachable: {error}")


async def test_a_look_that_takes_too_long_is_not_seen_and_the_others_go_on(world: World, fleet: Fleet) -> None:
    fleet.answers["web-1", "ps"] = fleet.answers["web-1", "df"] = CommandTimedOut("it took 30s", after=30 * MINUTE)
    found = await check(world)
    seen = {look.step: (look.seen, look.text) for look in found.looks if look.target == "web-1"}
    assert seen["the disk has room"] == (Seen.UNSEEN, "it took 30s")
    assert (seen["the clock is right"][0], seen["reachable"][0]) == (Seen.GOOD, Seen.GOOD)
    assert [look.kept for look in found.looks if look.key == ("web-1", "what runs")] == [{"ps": "it took 30s"}]
    assert await tickets(world) == {}


class NoPrometheus:
    """Prometheus is away."""

    async def query(self, query: Query) -> tuple[Sample, ...]:
        raise QueryFailed("Prometheus does not answer.")


async def test_a_question_that_prometheus_does_not_answer_is_not_seen(tmp_path: Path, database: Database) -> None:
    look = LOOK + "  - {name: up, promql: {expr: up, expect: some}}\n"
    world, _ = world_of(tmp_path, database, look=look)
    world.desk.web = NoPrometheus()  # type: ignore[assignment]
    found = await check(world)
    seen = {look.key: (look.seen, look.text) for look in found.looks}
    assert seen["web-1", "up"] == (Seen.UNSEEN, "Prometheus does not answer.")


async def test_steps_on_the_members_of_a_group_count_for_the_host_they_look_at(
    tmp_path: Path, database: Database
) -> None:
    foreach = "  - {name: all, foreach: {group: all, steps: [{name: up, check: {command: [uptime]}}]}}\n"
    world, fleet = world_of(tmp_path, database, look=LOOK + foreach)
    fleet.fails("web-2", "uptime", "down")
    found = await check(world)
    assert [(one.target, one.step) for one in found.findings] == [("web-2", "up")]


async def test_what_a_look_says_is_masked_before_it_is_kept(world: World, fleet: Fleet) -> None:
    secret = "json://127.0.0.1:9/mei"
    fleet.fails("web-1", "df", f"full of {secret}")
    fleet.answers["web-2", "ps"] = CommandResult(exit_code=0, stdout=f"sends to {secret}")
    found = await check(world)
    assert secret not in report_text(found, everything=True)
    assert "full of ***" in report_text(found, everything=True)
    assert all(secret not in ticket.title for ticket in (await tickets(world)).values())


async def test_the_kill_switch_and_maintenance_are_said_and_stop_no_look(world: World, fleet: Fleet) -> None:
    await turn_off_automation(world.desk, "release day", "mei")
    await start_maintenance(world.desk, ["web-1"], "new disk", "lars", lasting=HOUR)
    fleet.fails("web-1", "df")
    found = await check(world)
    off, maintenance = found.notes
    assert off.startswith("Automation is switched off for everything: release day (switched off by mei")
    assert maintenance.startswith("web-1 is in maintenance until ")
    assert "(lars: new disk). It is looked at all the same." in maintenance
    assert (found.counted(Seen.GOOD), found.counted(Seen.FINDING)) == (7, 1)
    assert off in report_text(found)


# --- tickets ---------------------------------------------------------------------------------------


async def test_a_finding_is_a_ticket_of_our_own_until_it_is_gone(world: World, fleet: Fleet) -> None:
    fleet.fails("web-1", "df")
    found = await check(world)
    (ticket,) = (await tickets(world)).values()
    assert (ticket.grade, ticket.source, ticket.signal) == ("P4", "responder", "firing")
    assert ticket.title.startswith("web-1: the disk has room: 95% full (expected df to exit with 0")
    assert ticket.labels == {"alertname": "HealthCheckFinding", **WEB_1, "severity": "info"}
    assert (found.new, found.gone, found.compared_with) == ((("web-1", "the disk has room"),), (), None)

    again = await check(world)
    assert (again.new, again.gone, again.compared_with) == ((), (), found.id)
    assert len(await tickets(world)) == 1

    del fleet.answers["web-1", "df"]
    good = await check(world)
    assert [str(one) for one in good.gone] == ["web-1: the disk has room"]
    (ticket,) = (await tickets(world)).values()
    assert (ticket.signal, ticket.status) == ("cleared", "restored")
    assert (await check(world)).gone == ()


async def test_a_finding_that_cannot_be_looked_at_again_is_not_taken_for_gone(world: World, fleet: Fleet) -> None:
    fleet.fails("web-1", "df")
    await check(world)
    broken = HostUnreachable("web-1 cannot be reached")
    full = fleet.answers["web-1", "df"]
    for command in ("ps", "df", "chronyc"):
        fleet.answers["web-1", command] = broken
    away = await check(world)
    assert (away.new, away.gone) == ((("web-1", "reachable"),), ())
    assert [(one.step, one.is_seen) for one in away.findings] == [("reachable", True), ("the disk has room", False)]
    assert "Open from before, and not seen this time: web-1: the disk has room" in report_text(away)
    assert (await tickets(world))["HealthCheckFinding web-1 the disk has room"].signal == "firing"

    fleet.answers = {("web-1", "df"): full}
    assert [str(one) for one in (await check(world)).gone] == ["web-1: reachable"]
    fleet.answers = {}
    assert [str(one) for one in (await check(world)).gone] == ["web-1: the disk has room"]
    assert {ticket.signal for ticket in (await tickets(world)).values()} == {"cleared"}


async def test_a_target_that_is_no_longer_checked_ends_its_findings(world: World, fleet: Fleet) -> None:
    fleet.fails("web-2", "df")
    await check(world)
    (world.path.parent / "inventory.yml").write_text(inventory(1))
    reload(world)
    assert [str(one) for one in (await check(world)).gone] == ["web-2: the disk has room"]
    (ticket,) = (await tickets(world)).values()
    assert ticket.signal == "cleared"


async def test_a_finding_whose_ticket_a_person_closed_is_reported_again(world: World, fleet: Fleet) -> None:
    fleet.fails("web-1", "df")
    await check(world)
    (ticket,) = (await tickets(world)).values()
    await world.database.write(lambda tx: _closed(tx, ticket.id))
    world.clock.advance(2 * DAY)
    await check(world)
    found = await world.read(lambda tx: tx.tickets.listed())
    assert [(one.status, one.previous_id) for one in found] == [("new", ticket.id), ("closed", None)]


def _closed(tx: Any, ticket_id: int) -> None:
    from responder.domain.ticket import Change

    known = tx.tickets.one(ticket_id, locked=True)
    change = Change.of(known.ticket, known.clocks)
    change.update(status="closed", closed_at=NOW, firing={})
    tx.apply([change], NOW)


async def test_the_severity_of_findings_is_what_the_check_is_graded_by(tmp_path: Path, database: Database) -> None:
    policy = POLICY.replace("every:", "grade_by: warning, every:")
    world, fleet = world_of(tmp_path, database, policy=policy)
    fleet.fails("web-1", "df")
    await check(world)
    (ticket,) = (await tickets(world)).values()
    assert (ticket.grade, ticket.labels["severity"]) == ("P3", "warning")


async def test_a_check_that_cannot_run_at_all_is_a_report_and_no_all_clear(world: World, fleet: Fleet) -> None:
    fleet.fails("web-1", "df")
    await check(world)
    reload(world, runbooks={})
    world.desk.hosts = fleet
    failed = await check(world)
    assert failed.problem == "there is no runbook look; there are ."
    assert "It could not run: there is no runbook look" in report_text(failed)
    assert [one.is_seen for one in failed.findings] == [False]
    found = await tickets(world)
    assert found["HealthCheckNotRun"].title == "Health check daily: there is no runbook look; there are ."
    assert found["HealthCheckFinding web-1 the disk has room"].signal == "firing"

    reload(world)
    await check(world)
    found = await tickets(world)
    assert found["HealthCheckNotRun"].signal == "cleared"
    assert found["HealthCheckFinding web-1 the disk has room"].signal == "firing"


async def test_one_check_never_opens_so_many_tickets_that_it_looks_like_a_storm(
    tmp_path: Path, database: Database
) -> None:
    world, fleet = world_of(tmp_path, database, inventory=inventory(MOST_NEW_TICKETS + 5))
    for number in range(1, MOST_NEW_TICKETS + 6):
        fleet.fails(f"web-{number}", "df")
    first = await check(world)
    found = await tickets(world)
    assert len(found) == MOST_NEW_TICKETS + 1
    assert found["HealthCheckFurtherFindings"].title.startswith("Health check daily: 5 further findings without a")
    assert len(first.without_ticket) == 5

    second = await check(world)
    found = await tickets(world)
    assert (len(found), second.new, second.without_ticket) == (MOST_NEW_TICKETS + 6, (), ())
    assert found["HealthCheckFurtherFindings"].signal == "cleared"

    fleet.answers = {}
    await check(world)
    assert {ticket.signal for ticket in (await tickets(world)).values()} == {"cleared"}


# --- the report ------------------------------------------------------------------------------------


def looked(target: str, step: str, seen: Seen = Seen.GOOD, text: str = "") -> Look:
    return Look(target=target, step=step, seen=seen, text=text)


def a_check(**changes: Any) -> HealthCheck:
    made = HealthCheck(
        id=2,
        name="weekly",
        due_at=NOW,
        started_at=NOW,
        state=CheckState.RUNNING,
        runbook="look",
        targets=("web-1", "web-2"),
    )
    return replace(made, **changes)


def test_the_report_has_a_line_for_each_target_and_what_is_new_and_gone() -> None:
    before = a_check(
        id=1, findings=(Finding(target="web-1", step="ntp", text="x"), Finding(target="web-2", step="ram", text="y"))
    )
    looks = [
        looked("web-1", "reachable"),
        looked("web-1", "disk", Seen.FINDING, "95% full"),
        looked("web-1", "ntp"),
        looked("web-2", "reachable", Seen.FINDING, "no route"),
        looked("web-2", "ram", Seen.UNSEEN),
        looked("web-2", "ntp", Seen.UNSEEN),
    ]
    text = report_text(concluded(a_check(notes=("It is Monday.",)), looks, before, NOW + 90 * timedelta(seconds=1)))
    assert text.splitlines() == [
        "Health check weekly (number 2): 2026-11-20 10:00 UTC, took 1m 30s",
        "look on 2 targets: 2 good, 2 findings, 2 not seen",
        "It is Monday.",
        "",
        "web-1: 2 good, 1 finding",
        "  finding: disk: 95% full",
        "",
        "web-2: 0 good, 1 finding, 2 not seen",
        "  finding: reachable: no route",
        "  not seen: ram; ntp",
        "",
        "New since number 1: web-1: disk; web-2: reachable",
        "Gone since number 1: web-1: ntp",
        "Open from before, and not seen this time: web-2: ram",
    ]


def test_with_everything_the_report_also_has_what_was_good_and_what_was_kept() -> None:
    kept = replace(looked("web-1", "ps"), kept={"ps -e": "1 init\n2 sh"})
    text = report_text(
        concluded(a_check(), [looked("web-1", "disk", text="40% full"), kept], None, NOW), everything=True
    )
    assert "  good: disk: 40% full\n  good: ps\n    $ ps -e\n    1 init\n    2 sh\n" in text
    assert text.endswith("New, as there is no check before it: nothing")


def test_of_two_looks_at_the_same_thing_the_worse_counts() -> None:
    looks = [looked("a", "x", seen) for seen in (Seen.UNSEEN, Seen.FINDING, Seen.GOOD)]
    found = concluded(a_check(), looks, None, NOW)
    assert [(one.seen, found.counted(Seen.FINDING)) for one in found.looks] == [(Seen.FINDING, 1)]


async def test_only_the_newest_results_of_a_name_are_kept(world: World) -> None:
    for _ in range(4):
        await check(world)
    await plan_health_checks(world.desk)
    await world.database.write(lambda tx: tx.health_checks.forget("daily", keep=2))
    assert [one.id for one in await world.read(lambda tx: tx.health_checks.listed())] == [4, 3]
    assert list(await planned(world)) == ["daily"]


# --- the API ---------------------------------------------------------------------------------------


async def _never() -> None: ...


async def _ready() -> str:
    return ""


@pytest.fixture
async def client(world: World, aiohttp_client) -> TestClient[web.Request, web.Application]:  # type: ignore[no-untyped-def]
    application = web.Application(middlewares=[errors_as_problems])
    application[CONTEXT] = Context(desk=world.desk, batcher=Batcher(world.desk, 3), reload=_never, is_ready=_ready)
    application.add_routes(routes())
    made: TestClient[web.Request, web.Application] = await aiohttp_client(TestServer(application))
    return made


async def test_checks_are_ordered_and_read_over_http(
    world: World, fleet: Fleet, client: TestClient[web.Request, web.Application]
) -> None:
    await plan_health_checks(world.desk)
    fleet.fails("web-1", "df")
    ordered = await (await client.post("/api/v1/health-checks/daily/run", json={"actor": "mei"})).json()
    assert (ordered["state"], ordered["ordered_by"]) == ("ordered", "mei")
    assert await promised(world, world.clock.now()) == 1
    await done(world, ordered["id"])

    listed = await (await client.get("/api/v1/health-checks")).json()
    (rule,) = listed["checks"]
    assert (rule["name"], rule["targets"], rule["every"], rule["zone"]) == (
        "daily",
        ["web-1", "web-2"],
        "daily at 06:00",
        "UTC",
    )
    assert rule["next_at"].endswith("T06:00:00Z")
    (result,) = listed["results"]
    assert (result["good"], result["findings"], result["unseen"], result["new"]) == (7, 1, 0, 1)
    none = await (await client.get("/api/v1/health-checks?name=other")).json()
    assert none == {"checks": [], "results": [], "next": None}

    shown = await (await client.get(f"/api/v1/health-checks/{ordered['id']}")).json()
    assert "  finding: the disk has room: 95% full (expected df to exit with 0" in shown["text"]
    assert "good: the clock is right" not in shown["text"]
    assert len(shown["looks"]) == 8
    everything = await (await client.get(f"/api/v1/health-checks/{ordered['id']}?all=1")).json()
    assert "good: the clock is right" in everything["text"]
    assert (await client.get("/api/v1/health-checks/99")).status == 404
    assert (await client.post("/api/v1/health-checks/none/run")).status == 404
