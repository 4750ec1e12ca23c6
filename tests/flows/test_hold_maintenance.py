"""In maintenance: the ticket opens and says so, nothing runs and nobody is paged, until the window ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from responder.domain.hold_off import HoldOffRule
from responder.domain.maintenance import MaintenanceWindow, Once
from responder.domain.matching import parse_matcher
from responder.domain.policy import CorrelationRule, FirstAidRule
from responder.domain.recount import COUNTED, recounted
from responder.domain.ticket import Sums
from responder.errors import NotFound, Refused
from responder.flows.maintenance import start_maintenance
from responder.flows.maintenance_windows import begin_window, end_window, open_windows
from responder.flows.watch import look_at_clocks
from responder.store.database import Database
from responder.store.maintenance_windows import AdHocWindow
from tests.flows.people import HOUR, MINUTE, Team
from tests.world import alert, resolved, texts

PAGED = ["lars", "mei"]
AID = FirstAidRule(name="restart it", when=(parse_matcher('alertname="ServiceDown"'),), runbook="restart-app")


@pytest.fixture
def world(tmp_path: Path, database: Database) -> Team:
    return Team(tmp_path, database)


def expect(world: Team, *when: str, lasting: timedelta = 2 * HOUR, everything: bool = False) -> None:
    """A window of the policy that is open from now on."""
    now = world.clock.now()
    window = MaintenanceWindow(
        name="upgrade",
        when=tuple(map(parse_matcher, when)),
        times=(Once(start=now, end=now + lasting),),
        is_everything=everything,
    )
    world.rule(maintenance=(*world.desk.policy.maintenance, window))


async def looked_at_clocks(world: Team) -> None:
    while await look_at_clocks(world.desk):
        pass
    await world.work()


async def test_an_expected_alert_opens_a_ticket_that_says_so_and_nothing_else_happens(world: Team) -> None:
    world.rule(first_aid=(AID,))
    expect(world, 'job="web"')
    await world.fires(job="web")
    await world.advance(HOUR)

    ticket = await world.ticket()
    assert (ticket["status"], ticket["disposition"]) == ("new", "maintenance")
    assert (ticket["runs"], ticket["messages"], world.sender.sent) == ([], [], [])
    assert texts(ticket).count("In maintenance until") == 1
    assert "(upgrade): nothing runs and nobody is paged." in texts(ticket)
    assert ticket["held"]["name"] == "maintenance"
    assert await world.sums("tickets_held_total") == {(("by", "maintenance"),): 1}


async def test_what_outlives_its_window_pages_in_the_moment_it_ends(world: Team) -> None:
    expect(world, 'job="web"')
    await world.fires(job="web")
    await world.advance(2 * HOUR - timedelta(seconds=1))
    assert world.sender.sent == []
    await world.advance(timedelta(seconds=1))

    assert sorted(world.sender.people()) == PAGED
    ticket = await world.ticket()
    assert (ticket["status"], ticket["disposition"], ticket["held"]) == ("handed_over", "", None)
    assert "Nothing holds it any more, and it still shows: it goes on." in texts(ticket)


async def test_first_aid_that_was_held_begins_when_the_window_ends(world: Team) -> None:
    world.rule(first_aid=(AID,))
    expect(world, 'job="web"', lasting=HOUR)
    await world.fires(job="web")
    await world.advance(HOUR)
    assert world.fleet.restarts() == ["web-1"]
    assert (await world.ticket())["disposition"] == ""


async def test_an_alert_that_nobody_expects_pages_at_once(world: Team) -> None:
    expect(world, 'job="db"')
    await world.fires(job="web")
    assert sorted(world.sender.people()) == PAGED


async def test_what_opens_and_ends_inside_a_window_counts_in_no_service_level_but_is_shown(world: Team) -> None:
    expect(world, 'job="web"')
    await world.fires(job="web")
    await world.advance(10 * MINUTE)
    await world.clears(job="web")
    await world.advance(HOUR)

    ticket = await world.ticket()
    assert (ticket["status"], ticket["disposition"], world.sender.sent) == ("resolved", "maintenance", [])
    assert await world.sums("sla_clocks_met_total") == {}
    excluded = await world.sums("sla_clocks_excluded_total")
    assert {dict(labels)["reason"] for labels in excluded} == {"maintenance"}
    assert {dict(labels)["clock"] for labels in excluded} == {"respond", "restore", "resolve"}
    assert await world.sums("ticket_restore_seconds_sum") == {}
    assert await _recounted(world) == await _counted(world)


async def test_what_outlived_its_window_is_recounted_as_it_was_counted(world: Team) -> None:
    expect(world, 'job="web"', lasting=5 * MINUTE)
    await world.fires(job="web")
    await world.advance(5 * MINUTE)
    await world.do("acknowledge")
    await world.clears(job="web")
    await world.advance(HOUR)
    assert (await world.ticket())["status"] == "resolved"
    assert await world.sums("sla_clocks_excluded_total") == {}
    assert await _recounted(world) == await _counted(world)


async def test_what_a_person_takes_in_maintenance_counts_like_any_other_ticket(world: Team) -> None:
    expect(world, 'job="web"')
    await world.fires(job="web")
    await world.do("acknowledge")
    assert (await world.ticket())["disposition"] == ""
    await world.clears(job="web")
    await world.advance(3 * HOUR)
    assert await world.sums("sla_clocks_excluded_total") == {}
    assert world.sender.sent == []
    assert await _recounted(world) == await _counted(world)


async def test_it_comes_and_goes_in_maintenance_and_still_pages_nobody(world: Team) -> None:
    expect(world, 'job="web"', lasting=30 * MINUTE)
    for _ in range(5):
        await world.fires(job="web")
        await world.advance(MINUTE)
        await world.clears(job="web")
        await world.advance(MINUTE)
    assert world.sender.sent == []
    await world.fires(job="web")
    await world.advance(HOUR)
    assert sorted(world.sender.people()) == PAGED


async def test_an_attached_alert_that_nobody_expects_takes_the_whole_ticket_out_of_the_hold(world: Team) -> None:
    rule = CorrelationRule(name="host", when=(parse_matcher('instance=~".+"'),), by=("instance",))
    world.rule(correlation=(rule,))
    expect(world, 'job="web"')
    await world.fires(job="web")
    assert world.sender.sent == []
    await world.fires("warning", name="DiskFull", job="node")
    assert sorted(world.sender.people()) == PAGED


async def test_alerts_that_are_all_expected_wait_together(world: Team) -> None:
    rule = CorrelationRule(name="host", when=(parse_matcher('instance=~".+"'),), by=("instance",))
    world.rule(correlation=(rule,))
    expect(world, 'job=~"web|node"')
    await world.fires(job="web")
    await world.fires("warning", name="DiskFull", job="node")
    await world.advance(HOUR)
    assert world.sender.sent == []


async def test_a_clock_that_runs_out_in_maintenance_pages_nobody_and_is_noted(world: Team) -> None:
    respond = world.desk.policy.clock("respond")
    assert respond is not None
    alarm = replace(respond.on_breach, tell=("team", "next_tier"), escalate=True)
    clocks = tuple(replace(one, on_breach=alarm, on_warn=alarm) for one in world.desk.policy.clocks)
    world.rule(clocks=clocks)
    expect(world, 'job="web"')
    await world.fires(job="web")
    await world.advance(HOUR)
    await looked_at_clocks(world)

    ticket = await world.ticket()
    assert (world.sender.sent, ticket["status"], ticket["tier"]) == ([], "new", 0)
    assert "Nobody is told of this clock: In maintenance until" in texts(ticket)


async def test_a_clock_that_runs_out_inside_a_window_is_left_out_and_not_counted_as_breached_too(world: Team) -> None:
    expect(world, 'job="web"')
    await world.fires(job="web")
    await world.advance(HOUR)
    await looked_at_clocks(world)
    assert (await world.runs("respond")).breached_at
    await world.clears(job="web")
    await world.advance(30 * MINUTE)

    assert (await world.ticket())["status"] == "resolved"
    assert await world.sums("sla_clocks_breached_total") == {}
    excluded = await world.sums("sla_clocks_excluded_total")
    assert {(dict(labels)["clock"], dict(labels)["was"]) for labels in excluded} >= {("respond", "breached")}
    assert set(excluded.values()) == {1}
    assert await _recounted(world) == await _counted(world)


@pytest.mark.parametrize("taken_by", ["the end of the window", "a person"])
async def test_a_clock_that_ran_out_inside_a_window_counts_once_the_ticket_does(world: Team, taken_by: str) -> None:
    expect(world, 'job="web"')
    await world.fires(job="web")
    await world.advance(HOUR)
    await looked_at_clocks(world)
    assert await world.sums("sla_clocks_breached_total") == {}
    if taken_by == "a person":
        await world.do("acknowledge")
    else:
        await world.advance(HOUR)
    breached = await world.sums("sla_clocks_breached_total")
    assert dict(next(labels for labels in breached if ("clock", "respond") in labels))["priority"] == "P1"
    assert set(breached.values()) == {1}
    await world.clears(job="web")
    await world.advance(HOUR)
    assert await world.sums("sla_clocks_breached_total") == breached
    assert await world.sums("sla_clocks_excluded_total") == {}
    assert await _recounted(world) == await _counted(world)


# --- targets in maintenance, and windows by hand ---------------------------------------------------------------


async def test_alerts_of_a_target_in_maintenance_are_held_too(world: Team) -> None:
    await start_maintenance(world.desk, ["web-1"], "new kernel", "mei", lasting=HOUR)
    await world.fires(instance="web-1:9100")
    await world.fires(instance="web-2:9100")
    assert sorted(world.sender.people()) == PAGED
    assert "web-1 by mei: new kernel" in texts(await world.ticket("1"))
    await world.advance(HOUR)
    assert sorted(world.sender.people()) == sorted(PAGED * 2)


async def test_a_window_that_people_began_holds_and_one_that_they_end_lets_go_within_a_minute(world: Team) -> None:
    number = await begin_window(world.desk, ['job="web"'], "swap", "lars", lasting=8 * HOUR)
    await world.fires(job="web")
    await world.advance(HOUR)
    assert world.sender.sent == []
    (shown,) = await world.read(lambda tx: open_windows(world.desk, tx, world.clock.now()))
    assert (shown.id, shown.matchers, shown.actor, shown.reason) == (number, ('job="web"',), "lars", "swap")

    await end_window(world.desk, number, "lars")
    await world.advance(MINUTE)
    assert sorted(world.sender.people()) == PAGED
    with pytest.raises(NotFound, match=f"no open maintenance window {number}"):
        await end_window(world.desk, number, "lars")


async def test_a_window_for_everything_must_say_so(world: Team) -> None:
    for matchers in ([], ['job=~".*"'], ['job!="web"']):
        with pytest.raises(Refused, match="would mute every alert"):
            await begin_window(world.desk, matchers, "x", "lars", lasting=HOUR)
    with pytest.raises(Refused, match="is not a matcher"):
        await begin_window(world.desk, ["job"], "x", "lars", lasting=HOUR)
    await begin_window(world.desk, [], "move", "lars", lasting=HOUR, everything=True)
    await world.fires()
    assert world.sender.sent == []


@pytest.mark.parametrize("matchers", [("job",), ('job=~"("',), (7,), ()])
async def test_a_window_that_is_not_understood_holds_nothing(world: Team, matchers: tuple[Any, ...]) -> None:
    now = world.clock.now()
    broken = AdHocWindow(matchers=matchers, reason="x", actor="lars", at=now, until=now + HOUR)
    await world.database.write(lambda tx: tx.maintenance.begin(broken))
    await world.fires()
    assert sorted(world.sender.people()) == PAGED


async def test_a_second_window_says_so_once_more_and_keeps_holding(world: Team) -> None:
    expect(world, 'job="web"', lasting=30 * MINUTE)
    await world.fires(job="web")
    await begin_window(world.desk, ['job="web"'], "longer", "lars", lasting=HOUR)
    await world.advance(45 * MINUTE)
    said = texts(await world.ticket())
    assert (said.count("In maintenance until"), said.count("lars: longer")) == (2, 1)
    assert world.sender.sent == []
    await world.advance(15 * MINUTE)
    assert sorted(world.sender.people()) == PAGED


async def test_what_reopens_after_a_held_life_is_held_anew_by_a_job_of_its_own(world: Team) -> None:
    expect(world, 'job="web"', lasting=3 * HOUR)
    await world.post(alert(job="web"))
    await world.work()
    await world.post(resolved(job="web"))
    await world.advance(30 * MINUTE)
    assert (await world.ticket())["status"] == "resolved"
    world.rule(first_aid=(AID,))
    await world.fires(job="web")
    await world.advance(3 * HOUR)
    assert (world.fleet.restarts(), world.sender.sent) == (["web-1"], [])


async def test_what_opened_before_its_window_and_waited_for_something_else_still_counts(world: Team) -> None:
    patient = HoldOffRule(name="patient", when=(parse_matcher('job="web"'),), lasting=HOUR, grades=("P1",))
    world.rule(hold_off=(patient,))
    await world.fires(job="web")
    expect(world, 'job="web"')
    await world.advance(MINUTE)
    ticket = await world.ticket()
    assert (ticket["held"]["name"], ticket["disposition"]) == ("maintenance", "")


async def _counted(world: Team) -> dict[Any, float]:
    rows = await world.read(lambda tx: tx.sums.all())
    return {(name, tuple(sorted(labels.items()))): value for name, labels, value in rows if name in COUNTED}


async def _recounted(world: Team) -> dict[Any, float]:
    def told(tx: Any) -> Sums:
        found = Sums()
        for ticket_id in tx.tickets.all_ids():
            ticket = tx.tickets.one(ticket_id).ticket
            found.update(recounted(ticket, tx.tickets.events(ticket_id), world.desk.policy))
        return found

    return dict(await world.read(told))
