"""The page on which a person confirms a drill, and the report by API."""

from __future__ import annotations

from datetime import timedelta

from responder.adapters.links import DrillClaim
from responder.flows.drill import confirm, watch_drills
from tests.web.conftest import Client, header
from tests.world import World


async def test_following_the_link_changes_nothing_and_the_form_confirms(
    client: Client, world: World, act: dict[str, str]
) -> None:
    begun = await (await client.post("/api/v1/drills", json={"actor": "lars"}, headers=act)).json()
    assert (begun["ordered_by"], begun["silent"]) == ("lars", ["mei", "lars"])
    path = "/drill/" + world.desk.links.drill(DrillClaim(drill_id=begun["id"], person="mei")).rpartition("/")[2]

    shown = await client.get(path)
    assert (shown.status, "Confirm as mei" in await shown.text()) == (200, True)
    read = await header(world, "read")
    before = (await (await client.get("/api/v1/drills", headers=read)).json())["drills"][0]
    assert before["silent"] == ["mei", "lars"]

    done = await client.post(path)
    assert (done.status, "Thank you, mei." in await done.text()) == (200, True)
    after = (await (await client.get("/api/v1/drills", headers=read)).json())["drills"][0]
    assert after["silent"] == ["lars"]
    assert "mei has confirmed already" in await (await client.get(path)).text()


async def test_a_link_that_was_not_made_here_or_for_somebody_else_does_not_act(
    client: Client, world: World, act: dict[str, str]
) -> None:
    begun = await (await client.post("/api/v1/drills", headers=act)).json()
    stranger = "/drill/" + world.desk.links.drill(DrillClaim(drill_id=begun["id"], person="eve")).rpartition("/")[2]
    for path in (stranger, "/drill/x"):
        assert (await client.get(path)).status == 403
        assert (await client.post(path)).status == 409


async def test_a_second_drill_is_refused_while_one_is_at_work(client: Client, act: dict[str, str]) -> None:
    await client.post("/api/v1/drills", headers=act)
    again = await client.post("/api/v1/drills", headers=act)
    assert (again.status, "is at work until" in (await again.json())["detail"]) == (409, True)


async def test_the_metrics_name_who_confirmed_the_last_drill(client: Client, world: World, act: dict[str, str]) -> None:
    begun = await (await client.post("/api/v1/drills", json={"actor": "lars"}, headers=act)).json()
    await confirm(world.desk, DrillClaim(drill_id=begun["id"], person="mei"))
    world.clock.advance(timedelta(days=1))
    await watch_drills(world.desk)
    shown = await (await client.get("/metrics", headers=await header(world, "read"))).text()
    assert 'responder_drill_confirmed{person="mei"} 1.0' in shown
    assert 'responder_drill_confirmed{person="lars"} 0.0' in shown
    assert 'responder_drill_answers_total{outcome="silent"} 1.0' in shown
