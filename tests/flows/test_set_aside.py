"""A job that cannot be done becomes visible, and the ticket still reaches a person."""

from __future__ import annotations

from responder.errors import Refused
from responder.flows import set_aside
from responder.store.jobs import Job
from tests.world import World, alert, texts


def a_job(world: World, kind: str, **args: object) -> Job:
    return Job(kind=kind, args=args, due_at=world.clock.now())


async def test_first_aid_that_cannot_be_carried_out_goes_to_people_with_the_reason(world: World) -> None:
    await world.post(alert())
    await set_aside.set_aside(world.desk, a_job(world, "first_aid", ticket=1), "ZeroDivisionError: a mistake")
    world.fleet.broken.add("web-1")
    await world.work()

    assert "The job first_aid was given up: ZeroDivisionError: a mistake" in texts(await world.ticket())
    assert sorted(world.sender.people()) == ["lars", "mei"]
    assert await world.sums("jobs_set_aside_total") == {(("kind", "first_aid"),): 1}


async def test_a_message_that_cannot_be_handled_is_a_ticket_of_its_own(world: World) -> None:
    await set_aside.set_aside(world.desk, a_job(world, "deliver", message=7), "no such row")
    await world.work()

    ticket = await world.ticket()
    assert (ticket["grade"], ticket["source"]) == ("P1", "responder")
    assert "A job was given up: deliver" in ticket["title"]
    assert sorted(world.sender.people()) == ["lars", "mei"]


async def test_a_failure_about_a_failure_goes_no_further(world: World) -> None:
    await set_aside.set_aside(world.desk, a_job(world, "deliver", message=7), "no such row")
    await set_aside.set_aside(world.desk, a_job(world, "hand_over", ticket=1), "again")
    assert len(await world.read(lambda tx: tx.tickets.listed())) == 1


async def test_a_poisoned_job_is_set_aside_by_the_worker_and_the_page_still_leaves(world: World) -> None:
    async def poisoned(job: Job) -> None:
        raise Refused("this runbook makes the engine stumble")

    await world.post(alert())
    await world.work(first_aid=poisoned)

    assert "The job first_aid was given up: this runbook makes the engine stumble" in texts(await world.ticket())
    assert sorted(world.sender.people()) == ["lars", "mei"]
