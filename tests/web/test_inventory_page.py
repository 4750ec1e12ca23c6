"""The inventory: how each target stands, maintenance, and keys that are not accepted by a click."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from responder.domain.runbook import Run
from responder.domain.switches import of_target
from responder.domain.target import fingerprint
from responder.flows.maintenance import in_maintenance_now, start_maintenance
from responder.flows.orders import Wish, order_run
from responder.flows.switches import turn_off_automation
from responder.store.run_search import RunSearch
from responder.store.transaction import Transaction
from tests.web.conftest import Client, cookie, header
from tests.world import HOST_KEY, World, alert

FORMS = re.compile(r'<form[^>]*method="post"[^>]*action="([^"]*)"')


@pytest.fixture
async def read(world: World) -> dict[str, str]:
    return await header(world, "read")


def with_targets(world: World, change: Callable[[Any], Any]) -> None:
    """As if the inventory file said so."""
    configuration = world.desk.configuration
    world.desk.take_over(replace(configuration, targets=tuple(map(change, configuration.targets))))


def words(page: str) -> str:
    return " ".join(re.sub("<[^>]+>", " ", page).split())


async def lines(client: Client, headers: dict[str, str], query: str = "") -> list[str]:
    answer = await client.get(f"/inventory{query}", headers=headers)
    text = await answer.text()
    assert answer.status == 200, text
    return [
        words(line) for line in text.partition("<tbody>")[2].partition("</tbody>")[0].split("</tr>") if "<tr" in line
    ]


async def one(client: Client, headers: dict[str, str], name: str) -> dict[str, Any]:
    told = await (await client.get("/api/v1/inventory", headers=headers)).json()
    found: dict[str, Any] = next(target for target in told["targets"] if target["name"] == name)
    return found


async def test_an_idle_target_may_be_acted_on(client: Client, read: dict[str, str]) -> None:
    assert await lines(client, read) == ["web-1 web-1 yes none", "web-2 web-2 yes none"]


async def test_a_run_in_progress_holds_its_target_and_a_cooldown_follows(
    client: Client, world: World, read: dict[str, str]
) -> None:
    await world.post(alert("Slow"))
    await world.work()
    await order_run(world.desk, "1", Wish(runbook="restart-app", target="web-1"), "lars")
    assert "held by a run restart-app" in (await lines(client, read))[0]
    assert (await one(client, read, "web-1"))["held_by"]["id"] == 1
    await world.work()
    first, second = await lines(client, read)
    assert "restart-app again in 15m helped restart-app" in first
    assert second == "web-2 web-2 yes none"
    world.clock.advance(timedelta(minutes=15))
    assert (await lines(client, read))[0].startswith("web-1 web-1 yes helped")


async def test_maintenance_begins_and_ends_on_the_page_in_the_name_of_who_has_signed_in(
    client: Client, world: World
) -> None:
    lars = await cookie(world, "responder", "lars")
    form = {"target": "web-1", "reason": "a new disk", "for": "2h"}
    answer = await client.post("/inventory/maintenance?q=web", data=form, headers=lars, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/inventory?q=web")
    line = (await lines(client, lars))[0]
    assert "in maintenance until" in line
    assert "(lars: a new disk)" in line
    await client.post("/inventory/maintenance/end", data={"target": "web-1"}, headers=lars)
    assert await world.read(lambda tx: in_maintenance_now(tx, world.clock.now())) == {}


@pytest.mark.parametrize(
    ("form", "status", "why"),
    [
        ({"target": "web-1", "reason": "x", "for": "long"}, 422, "“for”"),
        ({"target": "web-1", "reason": "", "for": "2h"}, 422, "This has to be filled in."),
        ({"target": "web-1", "reason": "x", "for": ""}, 422, "Say for how long"),
        ({"target": "db-9", "reason": "x", "for": "2h"}, 404, "There is no target db-9"),
        ({"group": "none", "reason": "x", "for": "2h"}, 404, "is in the group none"),
    ],
)
async def test_maintenance_that_cannot_be_meant_is_refused_with_what_was_typed(
    client: Client, world: World, act: dict[str, str], form: dict[str, str], status: int, why: str
) -> None:
    answer = await client.post("/inventory/maintenance", data=form, headers=act)
    text = await answer.text()
    assert (answer.status, why in text) == (status, True)
    assert await world.read(lambda tx: in_maintenance_now(tx, world.clock.now())) == {}
    if form.get("target") == "web-1" and form["reason"]:
        assert f'value="{form["reason"]}"' in text


async def test_who_may_only_read_sees_no_form_that_acts(client: Client, world: World, read: dict[str, str]) -> None:
    await start_maintenance(world.desk, ["web-1"], "a disk", "mei", lasting=timedelta(hours=1))
    text = await (await client.get("/inventory", headers=read)).text()
    assert FORMS.findall(text) == []
    for path in ("maintenance", "maintenance/end", "windows"):
        assert (await client.post(f"/inventory/{path}", data={"target": "web-1"}, headers=read)).status == 403


async def test_a_target_that_is_switched_off_says_by_whom(client: Client, world: World, read: dict[str, str]) -> None:
    await turn_off_automation(world.desk, "we look first", "mei", of_target("web-2"))
    assert "switched off : we look first" in (await lines(client, read))[1]
    assert "we look first" in (await one(client, read, "web-2"))["off"]


async def test_a_pinned_key_shows_its_fingerprint_and_never_the_file_of_ours(
    client: Client, world: World, read: dict[str, str]
) -> None:
    text = await (await client.get("/inventory", headers=read)).text()
    assert fingerprint(HOST_KEY) in text
    assert "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub" in text
    key_file = world.desk.configuration.targets[0].key_file
    assert key_file is not None
    assert str(key_file) not in text
    assert "Keys to accept" not in text


async def test_a_key_is_accepted_by_the_reviewed_file_alone(client: Client, world: World, act: dict[str, str]) -> None:
    with_targets(world, lambda one: replace(one, host_key="") if one.name == "web-2" else one)
    text = await (await client.get("/inventory", headers=act)).text()
    assert "no key is pinned" in (await lines(client, act))[1]
    assert "responder hosts scan web-2" in text
    assert "Why not by a button here" in text
    assert not [path for path in FORMS.findall(text) if "key" in path]
    assert (await one(client, act, "web-2"))["host_key"] == {"type": "", "fingerprint": ""}


async def test_what_looks_like_a_secret_in_a_variable_is_not_shown(
    client: Client, world: World, read: dict[str, str]
) -> None:
    given = {"db_password": "hunter22", "vip": "10.0.0.9"}
    with_targets(world, lambda one: replace(one, variables=given))
    assert (await one(client, read, "web-1"))["variables"] == {"db_password": "***", "vip": "10.0.0.9"}
    assert "hunter22" not in await (await client.get("/inventory", headers=read)).text()


async def test_targets_are_found_by_words_and_group_and_come_page_by_page(
    client: Client, world: World, read: dict[str, str]
) -> None:
    with_targets(world, lambda one: replace(one, groups=("shop",) if one.name == "web-2" else ("news",)))
    assert [line.split()[0] for line in await lines(client, read, "?group=shop")] == ["web-2"]
    assert [line.split()[0] for line in await lines(client, read, "?q=WEB+news")] == ["web-1"]
    assert await lines(client, read, "?q=nowhere") == []
    first = await (await client.get("/api/v1/inventory?limit=1", headers=read)).json()
    second = await (await client.get(f"/api/v1/inventory?limit=1&cursor={first['next']}", headers=read)).json()
    names = [target["name"] for page in (first, second) for target in page["targets"]]
    assert (names, first["total"], second["next"]) == (["web-1", "web-2"], 2, None)


async def test_an_empty_inventory_tells_the_next_step(client: Client, world: World, read: dict[str, str]) -> None:
    world.desk.take_over(replace(world.desk.configuration, targets=()))
    assert "responder hosts scan HOST" in await (await client.get("/inventory", headers=read)).text()


async def test_a_window_of_alerts_begins_and_ends_on_the_page(
    client: Client, world: World, act: dict[str, str]
) -> None:
    form = {"match": 'instance="web-1"\njob=~"db|web"', "reason": "CHG-7", "for": "1h"}
    await client.post("/inventory/windows", data=form, headers=act)
    text = words(await (await client.get("/inventory", headers=act)).text())
    assert "instance=&#34;web-1&#34; job=~&#34;db|web&#34; until" in text
    assert "CHG-7" in text
    await client.post("/inventory/windows/1/end", headers=act)
    assert "No window is open" in await (await client.get("/inventory", headers=act)).text()
    answer = await client.post("/inventory/windows", data={**form, "match": "x=~("}, headers=act)
    assert (answer.status, 'value="CHG-7"' in await answer.text()) == (409, True)


async def test_a_run_that_only_looks_is_the_last_run_of_its_target(world: World) -> None:
    await world.post(alert())
    look = Run(id=0, ticket_id=1, runbook="look-only", target="web-1", started_at=world.clock.now())

    def body(tx: Transaction) -> dict[str, str]:
        tx.runs.start(look, ())
        return {host: run.runbook for host, run in RunSearch(tx.connection).last_on({"web-1", "web-2"}).items()}

    assert await world.database.write(body) == {"web-1": "look-only"}
