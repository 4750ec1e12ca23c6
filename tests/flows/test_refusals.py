"""No silent no: whatever refuses writes its sentence onto the ticket, and a person gets it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from responder.errors import HostUnreachable
from responder.flows.switches import turn_off_automation, turn_on_automation
from tests.world import HOST_KEY, World, alert, resolved, texts


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ({"instance": "db-9:9100"}, "'db-9:9100' (label instance) is no target in the inventory"),
        ({"instance": ""}, "no label instance"),
        ({"app": "x; rm -rf /"}, "parameter app: 'x; rm -rf /' is not a name"),
        ({"app": "--help"}, "parameter app: '--help' is not a name"),
    ],
)
async def test_what_cannot_be_run_says_why(world: World, labels: dict[str, str], sentence: str) -> None:
    await world.post(alert(**labels))
    await world.work()

    ticket = await world.ticket()
    assert sentence in texts(ticket)
    assert ticket["status"] == "handed_over"
    assert world.fleet.commands == []
    assert await world.sums("runs_total") == {(("outcome", "refused"), ("runbook", "restart-app")): 1}


async def test_the_kill_switch_stops_first_aid_by_command(world: World) -> None:
    await turn_off_automation(world.desk, "we move the rack", "lars")
    await world.post(alert())
    await world.work()
    assert "The kill switch is on: we move the rack" in texts(await world.ticket())
    assert world.fleet.commands == []

    await turn_on_automation(world.desk)
    await world.post(alert(instance="web-2:9100"))
    await world.work()
    assert world.fleet.restarts() == ["web-2"]


async def test_the_kill_switch_stops_first_aid_by_file(world: World) -> None:
    switch = world.path.parent / "automation-off"
    settings = world.desk.configuration.settings.model_copy(update={"kill_switch_file": switch})
    object.__setattr__(world.desk.configuration, "settings", settings)
    switch.touch()
    await world.post(alert())
    await world.work()

    assert f"the file {switch} exists" in texts(await world.ticket())
    assert world.fleet.commands == []


async def test_a_host_that_is_down_is_a_sentence_and_a_hand_over(world: World) -> None:
    def down(host: str, argv: object) -> None:
        raise HostUnreachable(f"{host} (10.0.0.1:22) gave no answer within 10 s.")

    world.fleet.before = down
    await world.post(alert())
    await world.work()

    ticket = await world.ticket()
    assert "web-1 (10.0.0.1:22) gave no answer within 10 s." in texts(ticket)
    assert ticket["status"] == "handed_over"
    assert ticket["runs"][0]["outcome"] == "failed"


async def test_a_second_ticket_on_a_busy_host_waits_and_then_gets_its_turn(world: World) -> None:
    from responder.domain.runbook import Run

    await world.post(alert("Other"))
    other = Run(id=0, ticket_id=1, runbook="restart-app", target="web-1", started_at=world.clock.now())
    busy = await world.database.write(lambda tx: tx.runs.start(other, [other.target]))
    await world.post(alert())
    await world.work()
    assert "Waiting: restart-app for" in texts(await world.ticket(2))
    assert world.fleet.commands == []

    from responder.domain.runbook import RunOutcome

    long_ago = world.clock.now() - timedelta(hours=2)
    await world.database.write(lambda tx: tx.runs.end(busy, RunOutcome.FAILED, "gone", long_ago))
    await world.advance(timedelta(seconds=5))
    assert world.fleet.restarts() == ["web-1"]


async def test_the_budget_per_hour_is_kept(world: World) -> None:
    inventory = "".join(f"  - {{name: n{i}, key_file: key, host_key: {HOST_KEY}}}\n" for i in range(6))
    world.path.parent.joinpath("inventory.yml").write_text(f"targets:\n{inventory}")
    world.desk = world.another_desk()
    for index in range(6):
        await world.post(alert(instance=f"n{index}"))
    await world.work()

    assert len(world.fleet.restarts()) == 4
    refused = [await world.ticket(number) for number in range(1, 7)]
    assert sum("its limit is 4" in texts(ticket) for ticket in refused) == 2


async def test_an_acknowledgement_stops_the_next_act_of_the_machine(world: World) -> None:
    from responder.flows.handle import acknowledge

    acknowledged = []

    def take_it(host: str, argv: object) -> None:
        acknowledged.append(host)

    world.fleet.before = take_it
    await world.post(alert())
    await acknowledge(world.desk, "1", "mei")
    await world.work()

    assert world.fleet.restarts() == []
    assert (await world.ticket())["status"] == "in_progress"


async def test_cleared_stops_the_next_act_even_within_a_step(world: World) -> None:
    import asyncio

    loop = asyncio.get_running_loop()

    class ClearingFleet(type(world.fleet)):  # type: ignore[misc]
        async def run(self, target, argv, *, timeout, stdin=""):  # type: ignore[no-untyped-def]
            answer = await super().run(target, argv, timeout=timeout)
            if argv[1] == "status":
                await world.post(resolved())
            return answer

    assert loop.is_running()
    world.fleet = ClearingFleet()
    world.desk = world.another_desk()
    await world.post(alert())
    await world.work()

    assert world.fleet.restarts() == []
    ticket = await world.ticket()
    assert ticket["runs"][0]["outcome"] == "cancelled"
    assert "The alert has cleared, so no further step starts." in texts(ticket)
