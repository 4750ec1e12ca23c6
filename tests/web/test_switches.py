"""The kill switch and maintenance over HTTP: for programs, and on the page."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from responder.domain.switches import EVERYTHING, of_runbook, of_target
from responder.flows.switches import turn_off_automation
from responder.store.database import Database
from tests.flows.test_budgets import PER_RACK, RACKS
from tests.web.conftest import GUARDED, Client, cookie, header
from tests.world import World, alert

SWITCH, MAINTENANCE = "/api/v1/kill-switch", "/api/v1/maintenance"


@pytest.fixture
def world(tmp_path: Path, database: Database) -> World:
    return World(tmp_path, database, main=GUARDED, inventory=RACKS, policy=PER_RACK)


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", MAINTENANCE, "read"),
        ("PUT", MAINTENANCE, "act"),
        ("DELETE", MAINTENANCE, "act"),
        ("POST", "/automation/off", "act"),
        ("POST", "/automation/on", "act"),
    ],
)
async def test_without_a_token_or_with_a_lesser_one_nothing_is_switched(
    client: Client, world: World, method: str, path: str, scope: str
) -> None:
    lesser = {"read": "ingest", "act": "read"}[scope]
    for headers in ({}, await header(world, lesser)):
        assert (await client.request(method, path, headers=headers)).status in (401, 403)


async def test_one_target_is_switched_off_for_a_while_and_on_again(client: Client, act: dict[str, str]) -> None:
    wish = {"reason": "fragile", "actor": "mei", "target": "web-1:9100", "for": "2h"}
    off = await (await client.put(SWITCH, json=wish, headers=act)).json()
    assert (off["on"], "fragile (target web-1 switched off by mei" in off["reason"]) == (True, True)
    everything = await (await client.get(SWITCH, headers=act)).json()
    assert (everything["on"], everything["reason"]) == (False, "")
    (listed,) = everything["switches"]
    assert (listed["scope"], listed["name"], listed["by_file"]) == ("target", "web-1", False)
    assert listed["until"]
    for query, is_off in (("target=web-1", True), ("target=web-2", False), ("runbook=restart-app", False)):
        assert (await (await client.get(f"{SWITCH}?{query}", headers=act)).json())["on"] is is_off

    on = await (await client.delete(f"{SWITCH}?target=web-1", headers=act)).json()
    assert (on["on"], on["switches"]) == (False, [])


async def test_the_calls_of_before_still_switch_everything(client: Client, act: dict[str, str]) -> None:
    off = await (await client.put(SWITCH, json={"reason": "rack", "actor": "mei"}, headers=act)).json()
    assert (off["on"], off["reason"].startswith("rack (switched off by mei")) == (True, True)
    assert (await (await client.get(f"{SWITCH}?target=web-1", headers=act)).json())["on"] is True
    assert (await (await client.delete(SWITCH, headers=act)).json())["on"] is False


@pytest.mark.parametrize(
    ("method", "query", "content", "status"),
    [
        ("PUT", "", {}, 422),
        ("PUT", "", {"reason": "x", "target": "web-9"}, 404),
        ("PUT", "", {"reason": "x", "runbook": "restart-ap"}, 404),
        ("PUT", "", {"reason": "x", "runbook": "restart-app", "target": "web-1"}, 409),
        ("PUT", "", {"reason": "x", "for": "soon"}, 422),
        ("PUT", "", {"reason": "x", "for": "0s"}, 422),
        ("PUT", "", {"reason": "x", "for": 5}, 422),
        ("PUT", "", {"reason": "x", "target": ["web-1"]}, 422),
        ("PUT", "", {"reason": "x", "host": "web-1"}, 422),
        ("DELETE", "?host=web-1", None, 422),
        ("DELETE", "", {"taget": "web-1"}, 422),
        ("DELETE", "?target=web-9", None, 404),
        ("DELETE", "?runbook=restart-ap", None, 404),
        ("GET", "?target=web-9", None, 404),
    ],
)
async def test_what_is_not_understood_switches_nothing(
    client: Client, world: World, act: dict[str, str], method: str, query: str, content: Any, status: int
) -> None:
    await turn_off_automation(world.desk, "as before", "lars")
    answer = await client.request(method, SWITCH + query, json=content, headers=act)
    assert answer.status == status
    assert (await answer.json())["detail"]
    after = await (await client.get(SWITCH, headers=act)).json()
    assert [one["reason"].partition(" (")[0] for one in after["switches"]] == ["as before"]


async def test_a_target_named_in_the_body_of_a_delete_is_not_everything(
    client: Client, world: World, act: dict[str, str]
) -> None:
    await turn_off_automation(world.desk, "all", "lars")
    await turn_off_automation(world.desk, "one", "lars", of_target("web-1"))
    await client.delete(SWITCH, json={"target": "web-1"}, headers=act)
    after = await (await client.get(SWITCH, headers=act)).json()
    assert [one["scope"] for one in after["switches"]] == ["everything"]


# --- maintenance -----------------------------------------------------------------------------------


async def test_a_group_is_put_into_maintenance_and_one_of_it_taken_out_again(
    client: Client, world: World, act: dict[str, str]
) -> None:
    wish = {"group": "web", "for": "2h", "reason": "new kernel", "actor": "mei"}
    begun = await (await client.put(MAINTENANCE, json=wish, headers=act)).json()
    assert [one["target"] for one in begun["maintenance"]] == ["web-1", "web-2", "web-3", "web-4"]
    assert {(one["actor"], one["reason"]) for one in begun["maintenance"]} == {("mei", "new kernel")}
    ended = await (await client.delete(f"{MAINTENANCE}?target=web-3", headers=act)).json()
    assert [one["target"] for one in ended["maintenance"]] == ["web-1", "web-2", "web-4"]
    world.clock.advance(timedelta(hours=2))
    assert (await (await client.get(MAINTENANCE, headers=act)).json())["maintenance"] == []


async def test_several_targets_are_put_into_maintenance_at_once(client: Client, act: dict[str, str]) -> None:
    wanted = {"target": ["web-1", "web-2"], "for": "1h", "reason": "new disks"}
    answer = await client.put("/api/v1/maintenance", json=wanted, headers=act)
    assert (answer.status, [one["target"] for one in (await answer.json())["maintenance"]]) == (200, ["web-1", "web-2"])


@pytest.mark.parametrize(
    ("content", "status"),
    [
        ({"target": "web-1", "reason": "x"}, 422),
        ({"target": "web-1", "for": "2h"}, 422),
        ({"for": "2h", "reason": "x"}, 409),
        ({"target": "web-9", "for": "2h", "reason": "x"}, 404),
        ({"group": "none", "for": "2h", "reason": "x"}, 404),
        ({"targets": ["web-1"], "for": "2h", "reason": "x"}, 422),
    ],
)
async def test_maintenance_that_is_not_understood_begins_nowhere(
    client: Client, act: dict[str, str], content: dict[str, str], status: int
) -> None:
    assert (await client.put(MAINTENANCE, json=content, headers=act)).status == status
    assert (await (await client.get(MAINTENANCE, headers=act)).json())["maintenance"] == []


# --- the page --------------------------------------------------------------------------------------


async def test_the_page_switches_off_and_on(client: Client, act: dict[str, str]) -> None:
    assert "Automation is off" not in await (await client.get("/", headers=act)).text()
    form = {"reason": "<b>fragile</b>", "actor": "mei", "target": "web-1", "runbook": "", "for": "2h"}
    page = await (await client.post("/automation/off", data=form, headers=act)).text()
    assert "Automation is off</strong> (target web-1): &lt;b&gt;fragile&lt;/b&gt;" in page
    assert page.count("until <time") == 1
    assert "Switch on" in page

    page = await (await client.post("/automation/on", data={"runbook": "", "target": "web-1"}, headers=act)).text()
    assert "Automation is off" not in page


@pytest.mark.parametrize(
    ("form", "field", "status"),
    [
        ({"reason": "", "for": "2h"}, "reason", 422),
        ({"reason": "fragile", "target": "web-9"}, "target", 422),
        ({"reason": "fragile", "runbook": "none"}, "runbook", 422),
        ({"reason": "fragile", "for": "soon", "actor": "mei"}, "for", 422),
        ({"reason": "fragile", "runbook": "restart-app", "target": "web-1"}, "runbook", 409),
    ],
)
async def test_a_form_that_is_not_understood_comes_back_as_it_was(
    client: Client, act: dict[str, str], form: dict[str, str], field: str, status: int
) -> None:
    answer = await client.post("/automation/off", data=form, headers=act)
    page = await answer.text()
    assert (answer.status, "Nothing was switched off" in page) == (status, True)
    [at] = re.findall(r"<[^>]* autofocus>", page)
    assert f'name="{field}"' in at
    for name, value in form.items():
        assert re.search(rf'name="{name}" [^>]*value="{value}"', page)
    assert (await (await client.get(SWITCH, headers=act)).json())["switches"] == []


async def test_a_form_without_its_fields_does_not_switch_everything_on(
    client: Client, world: World, act: dict[str, str]
) -> None:
    await turn_off_automation(world.desk, "all", "lars")
    assert (await client.post("/automation/on", data={}, headers=act)).status == 422
    assert (await (await client.get(SWITCH, headers=act)).json())["on"] is True


async def test_the_form_has_an_address_that_fills_it_in(client: Client, act: dict[str, str]) -> None:
    page = await (await client.get("/automation/off?target=web-1", headers=act)).text()
    assert re.search(r'name="target" [^>]*value="web-1"', page)
    assert "Nothing was" not in page


async def test_times_of_a_switch_are_those_of_the_reader_on_every_page(client: Client, world: World) -> None:
    mei = await cookie(world, "responder", "mei", zone="Asia/Shanghai")
    for scope in (EVERYTHING, of_target("web-1"), of_runbook("restart-app")):
        await turn_off_automation(world.desk, "fragile", "lars", scope, lasting=timedelta(hours=2))
    for path in ("/", "/inventory", "/runbooks", "/runbooks/restart-app"):
        page = await (await client.get(path, headers=mei)).text()
        assert "fragile" in page, path
        assert "UTC" not in page, path


async def test_no_target_is_said_to_be_free_while_everything_is_off(client: Client, world: World) -> None:
    viewer, free = await cookie(world, "viewer"), '<span class="good">yes</span>'
    assert free in await (await client.get("/inventory", headers=viewer)).text()
    await turn_off_automation(world.desk, "fragile", "lars")
    assert free not in await (await client.get("/inventory", headers=viewer)).text()


async def test_what_the_file_switches_off_has_no_button(client: Client, world: World, act: dict[str, str]) -> None:
    (world.path.parent / "automation-off").touch()
    page = await (await client.get("/", headers=act)).text()
    assert "automation-off exists" in page
    assert "Switch on" not in page


async def test_maintenance_is_shown_on_the_page(client: Client, act: dict[str, str]) -> None:
    wish = {"target": "web-1", "for": "2h", "reason": "new kernel", "actor": "mei"}
    await client.put(MAINTENANCE, json=wish, headers=act)
    page = await (await client.get("/", headers=act)).text()
    assert '<li>web-1 <span class="soft">in maintenance until' in page
    assert "(mei: new kernel)" in page


@pytest.mark.parametrize("path", ["/automation/off", "/automation/on"])
@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.test"}])
async def test_another_site_cannot_use_the_forms(
    client: Client, world: World, act: dict[str, str], path: str, headers: dict[str, str]
) -> None:
    await turn_off_automation(world.desk, "as before", "lars", of_runbook("restart-app"))
    form = {"reason": "x", "runbook": "restart-app", "target": ""}
    assert (await client.post(path, data=form, headers={**act, **headers})).status == 403
    after = await (await client.get(SWITCH, headers=act)).json()
    assert [one["reason"].partition(" (")[0] for one in after["switches"]] == ["as before"]


# --- metrics ---------------------------------------------------------------------------------------


async def gauges(client: Client, name: str) -> dict[tuple[str, ...], float]:
    text = await (await client.get("/metrics")).text()
    return {
        tuple(value for _, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == f"responder_{name}"
    }


async def test_what_is_left_of_budgets_is_a_metric_and_labels_of_alerts_add_no_series(
    client: Client, world: World
) -> None:
    untouched = {("one per rack", "r1"): 1, ("one per rack", "r2"): 1, ("runs per hour", "restart-app"): 4}
    assert await gauges(client, "budget_remaining") == untouched
    await world.post(alert(), alert(instance="nowhere:9100", rack="r9"))
    await world.work()
    spent = {("one per rack", "r1"): 0, ("one per rack", "r2"): 1, ("runs per hour", "restart-app"): 3}
    assert await gauges(client, "budget_remaining") == spent
    world.clock.advance(timedelta(minutes=30))
    assert (await gauges(client, "budget_remaining"))["one per rack", "r1"] == 1


async def test_what_is_off_is_a_metric(client: Client, world: World) -> None:
    assert await gauges(client, "automation_off") == {("everything",): 0}
    await turn_off_automation(world.desk, "x", "mei", of_target("web-1"))
    assert await gauges(client, "automation_off") == {("everything",): 0, ("target web-1",): 1}
    assert await gauges(client, "kill_switch") == {(): 0}
    (world.path.parent / "automation-off").write_text("target web-1\nrunbook restart-app\n")
    assert await gauges(client, "automation_off") == {
        ("everything",): 0,
        ("runbook restart-app",): 1,
        ("target web-1",): 1,
    }
    (world.path.parent / "automation-off").write_text("")
    assert (await gauges(client, "automation_off"))["everything",] == 1
    assert await gauges(client, "kill_switch") == {(): 1}
