"""From the alert to the closed ticket, on both databases."""

from __future__ import annotations

from datetime import timedelta

from tests.world import World, alert, resolved, texts


async def test_a_service_that_first_aid_cures_is_closed_without_a_person(world: World) -> None:
    await world.post(alert())
    await world.work()

    ticket = await world.ticket()
    assert (ticket["status"], ticket["signal"], ticket["restored_by"]) == ("restored", "firing", "machine")
    assert world.fleet.restarts() == ["web-1"]

    await world.post(resolved())
    await world.advance(timedelta(minutes=10))
    assert (await world.ticket())["status"] == "resolved"
    await world.advance(timedelta(hours=72))

    ticket = await world.ticket()
    assert ticket["status"] == "closed"
    assert world.sender.sent == []
    assert {clock["name"]: clock["breached_at"] for clock in ticket["clocks"]} == {
        "respond": None,
        "restore": None,
        "resolve": None,
    }
    assert await world.sums("tickets_resolved_total") == {(("by", "machine"), ("priority", "P1"), ("team", "ops")): 1}


async def test_what_first_aid_cannot_cure_reaches_both_tiers_with_what_was_tried(world: World) -> None:
    world.fleet.broken.add("web-1")
    await world.post(alert())
    await world.work()

    ticket = await world.ticket()
    assert ticket["status"] == "handed_over"
    assert sorted(world.sender.people()) == ["lars", "mei"]
    _, subject, body = world.sender.sent[0]
    assert subject == f"[P1] {ticket['number']} ServiceDown on web-1:9100"
    for part in (
        "severity=critical",
        "$ svc restart app",
        "exit code 1",
        "config is broken",
        "https://responder.test/ack/",
    ):
        assert part in body


async def test_a_repeat_opens_nothing_and_pages_nobody_twice(world: World) -> None:
    world.fleet.broken.add("web-1")
    for _ in range(3):
        await world.post(alert())
        await world.work()

    ticket = await world.ticket()
    assert sorted(world.sender.people()) == ["lars", "mei"]
    assert {report["outcome"]: report["count"] for report in ticket["reports"]} == {"opened": 1, "repeated": 2}
    assert len(await world.read(lambda tx: tx.tickets.listed())) == 1


async def test_an_alert_without_a_runbook_goes_straight_to_people(world: World) -> None:
    await world.post(alert("DiskFull"))
    await world.work()

    assert "No first-aid rule fits." in texts(await world.ticket())
    assert sorted(world.sender.people()) == ["lars", "mei"]


async def test_a_low_grade_wakes_nobody_and_the_ticket_says_so(world: World) -> None:
    await world.post(alert("DiskFull", severity="info"))
    await world.work()

    assert world.sender.sent == []
    assert "P4 calls no tier" in texts(await world.ticket())


async def test_reported_success_without_an_all_clear_in_time_is_a_relapse_and_goes_to_people(world: World) -> None:
    await world.post(alert())
    await world.work()
    await world.advance(timedelta(minutes=5))

    ticket = await world.ticket()
    assert ticket["status"] == "handed_over"
    assert "after it was reported restored the alert still fires" in texts(ticket)
    assert sorted(world.sender.people()) == ["lars", "mei"]


async def test_a_relapse_in_the_quiet_time_goes_to_people_and_first_aid_is_not_repeated(world: World) -> None:
    await world.post(alert())
    await world.work()
    await world.post(resolved())
    await world.advance(timedelta(minutes=2))
    await world.post(alert())
    await world.work()

    assert (await world.ticket())["status"] == "handed_over"
    assert world.fleet.restarts() == ["web-1"]
    assert sorted(world.sender.people()) == ["lars", "mei"]


async def test_a_refire_soon_after_closing_reopens_and_the_cooldown_is_named(world: World) -> None:
    world.path.parent.joinpath("policy.yml").write_text(
        "extends: p1-p4\nmoves: []\ngrades: {P1: {quiet: 1m, close_after: 1m}}\n"
        "first_aid: [{name: r, when: ['alertname=\"ServiceDown\"'], runbook: restart-app}]\n"
    )
    world.desk = world.another_desk()
    await world.post(alert())
    await world.work()
    await world.post(resolved())
    await world.advance(timedelta(minutes=1))
    await world.advance(timedelta(minutes=1))
    assert (await world.ticket())["status"] == "closed"

    await world.post(alert())
    await world.work()

    ticket = await world.ticket()
    assert (ticket["status"], ticket["episode"]) == ("handed_over", 2)
    assert "cooldown of 15m" in texts(ticket)


async def test_a_later_refire_is_a_new_ticket_that_points_back(world: World) -> None:
    await world.post(alert())
    await world.work()
    await world.post(resolved())
    await world.advance(timedelta(minutes=10))
    await world.advance(timedelta(hours=72))
    await world.advance(timedelta(hours=2))
    await world.post(alert())

    second = await world.ticket(2)
    assert second["previous_id"] == 1
    assert (await world.ticket(1))["number"] in texts(second)


async def test_a_clock_that_runs_out_is_counted_once_and_said(world: World) -> None:
    from responder.flows.watch import look_at_clocks

    await world.post(alert("DiskFull"))
    await world.advance(timedelta(minutes=15))
    assert await look_at_clocks(world.desk) == 1
    assert await look_at_clocks(world.desk) == 0

    assert "The respond clock ran past its target" in texts(await world.ticket())
    assert await world.sums("sla_clocks_breached_total") == {
        (("clock", "respond"), ("priority", "P1"), ("team", "ops")): 1
    }


async def test_an_all_clear_before_first_aid_began_leaves_the_host_alone(world: World) -> None:
    await world.post(alert())
    await world.post(resolved())
    await world.work()

    assert world.fleet.commands == []
    assert (await world.ticket())["restored_by"] == "itself"
