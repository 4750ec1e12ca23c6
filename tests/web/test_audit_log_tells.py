"""What an entry of the audit log says was done, where the address of the act does not."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestServer

from responder.config.configuration import read
from responder.domain.audit import Entry, Outcome
from responder.flows.batcher import Batcher
from responder.store.audit_log import AuditFilter
from responder.store.database import Database
from responder.web.context import Context
from responder.web.server import build
from tests.web.conftest import GUARDED, Client, cookie
from tests.web.test_on_call_page import PEOPLE
from tests.world import World

PASSWORD = "correct horse battery 4"


@pytest.fixture
def world(tmp_path: Path, database: Database) -> World:
    return World(tmp_path, database, main=GUARDED, people=PEOPLE)


async def told(world: World, action: str) -> Entry:
    """The newest entry of this action."""
    found: list[Entry] = await world.read(lambda tx: tx.audit_log.listed(AuditFilter(action=action), 1))
    return found[0]


async def sent(client: Client, world: World, method: str, path: str, **given: Any) -> int:
    answer = await client.request(
        method, path, headers=await cookie(world, "admin", "ada"), allow_redirects=False, **given
    )
    return answer.status


async def test_who_was_given_an_account_and_how_it_was_changed(client: Client, world: World) -> None:
    new = {"name": "lin", "role": "viewer", "password": PASSWORD}
    assert await sent(client, world, "POST", "/users", data={**new, "teams": ["ops"]}) == 303
    entry = await told(world, "POST /users")
    assert (entry.object, entry.text) == ("lin", "role viewer, teams ops")

    assert await sent(client, world, "POST", "/users/lin", data={"role": "admin"}) == 303
    assert (await told(world, "POST /users/{name}")).text == "role viewer → admin, teams ops → all"

    assert await sent(client, world, "POST", "/users/lin/disabled", data={"disabled": "yes"}) == 303
    entry = await told(world, "POST /users/{name}/disabled")
    assert (entry.object, entry.text) == ("lin", "disabled")

    change = {"role": "admin", "disabled": False}
    assert await sent(client, world, "PATCH", "/api/v1/users/lin", json=change) == 200
    assert (await told(world, "PATCH /api/v1/users/{name}")).text == "enabled again"
    assert await sent(client, world, "PATCH", "/api/v1/users/lin", json=change) == 200
    assert (await told(world, "PATCH /api/v1/users/{name}")).text == "as it was"

    assert await sent(client, world, "POST", "/api/v1/users", json={**new, "name": "kai"}) == 200
    assert (await told(world, "POST /api/v1/users")).object == "kai"
    assert await sent(client, world, "POST", "/users/lin/password", data={"password": f"{PASSWORD} again"}) == 303
    every = await world.read(lambda tx: tx.audit_log.listed(AuditFilter(), 100))
    assert not [one for one in every if PASSWORD in f"{one.object} {one.text}"]


async def test_what_was_switched_off_and_why(client: Client, world: World) -> None:
    body = {"reason": "storm", "runbook": "restart-app", "for": "2h"}
    assert await sent(client, world, "PUT", "/api/v1/kill-switch", json=body) == 200
    entry, until = await told(world, "PUT /api/v1/kill-switch"), world.clock.now() + timedelta(hours=2)
    assert (entry.object, entry.text) == ("runbook restart-app", f"off until {until:%Y-%m-%d %H:%M} UTC: storm")
    assert await sent(client, world, "DELETE", "/api/v1/kill-switch?runbook=restart-app") == 200
    entry = await told(world, "DELETE /api/v1/kill-switch")
    assert (entry.object, entry.text) == ("runbook restart-app", "on again")

    form = {"reason": "storm", "runbook": "", "target": "", "for": ""}
    assert await sent(client, world, "POST", "/automation/off", data=form) == 303
    entry = await told(world, "POST /automation/off")
    assert (entry.object, entry.text) == ("everything", "off until somebody ends it: storm")
    assert await sent(client, world, "POST", "/automation/on", data=form) == 303
    assert (await told(world, "POST /automation/on")).object == "everything"


async def test_a_secret_in_a_reason_stays_out_and_a_long_one_is_cut(client: Client, world: World) -> None:
    reason = f"storm password=hunter2hunter2 {'x' * 400}"
    assert await sent(client, world, "PUT", "/api/v1/kill-switch", json={"reason": reason}) == 200
    text = (await told(world, "PUT /api/v1/kill-switch")).text
    assert ("hunter2" in text, "storm password=***" in text, len(text) <= 500) == (False, True, True)


async def test_which_targets_are_worked_on_and_which_alerts_are_expected(client: Client, world: World) -> None:
    body = {"target": "web-1", "for": "2h", "reason": "disks"}
    assert await sent(client, world, "PUT", "/api/v1/maintenance", json=body) == 200
    entry, until = await told(world, "PUT /api/v1/maintenance"), world.clock.now() + timedelta(hours=2)
    assert (entry.object, entry.text) == (
        "web-1",
        f"in maintenance until {until:%Y-%m-%d %H:%M} UTC: disks (web-1)",
    )
    assert await sent(client, world, "DELETE", "/api/v1/maintenance", json={"target": "web-1"}) == 200
    entry = await told(world, "DELETE /api/v1/maintenance")
    assert (entry.object, entry.text) == ("web-1", "maintenance ended (web-1)")
    form = {"match": 'job="db"', "for": "2h", "reason": "disks"}
    assert await sent(client, world, "POST", "/inventory/windows", data=form) == 303
    entry = await told(world, "POST /inventory/windows")
    assert (entry.object, entry.text) == ("1", f'job="db" until {until:%Y-%m-%d %H:%M} UTC: disks')


async def test_who_stands_for_whom_and_who_is_away(client: Client, world: World) -> None:
    start = world.clock.now() + timedelta(days=1)
    span = {"from": start.isoformat(), "until": (start + timedelta(hours=4)).isoformat()}
    when = f"{start:%Y-%m-%d %H:%M} to {start + timedelta(hours=4):%Y-%m-%d %H:%M} UTC"
    form = {"rota": "first", "person": "lars", "instead_of": "", "reason": "dentist", **span}
    assert await sent(client, world, "POST", "/on-call/overrides", data=form) == 303
    entry = await told(world, "POST /on-call/overrides")
    assert (entry.object, entry.text) == ("first", f"made: 1 lars in rota first, {when}; dentist")

    assert await sent(client, world, "POST", "/on-call/overrides/1/end", data={"rota": "first"}) == 303
    entry = await told(world, r"POST /on-call/overrides/{id}/end")
    assert (entry.object, entry.text) == ("1", f"ended: 1 lars in rota first, {when}; dentist")

    away = {"person": "lars", "reason": "ill", **span}
    assert await sent(client, world, "POST", "/api/v1/absences", json=away) == 200
    entry = await told(world, "POST /api/v1/absences")
    assert (entry.object, entry.text) == ("lars", f"made: 2 lars is away, {when}; ill")


async def test_which_article_was_written_and_what_of_it_changed(client: Client, world: World) -> None:
    assert await sent(client, world, "POST", "/knowledge", data={"title": "Disk full", "cause": "logs"}) == 303
    entry = await told(world, "POST /knowledge")
    assert (entry.object, entry.text) == ("1", "Disk full")
    assert await sent(client, world, "PATCH", "/api/v1/knowledge/1", json={"solution": "rotate"}) == 200
    entry = await told(world, "PATCH /api/v1/knowledge/{id}")
    assert (entry.object, entry.text) == ("1", "Disk full: solution")


async def test_which_view_was_saved_and_dropped(client: Client, world: World) -> None:
    assert await sent(client, world, "POST", "/views", data={"name": "mine", "query": "status=new"}) == 303
    entry = await told(world, "POST /views")
    assert (entry.object, entry.text) == ("mine", "status=new")
    (number, _, _), *_ = await world.read(lambda tx: tx.accounts.views(tx.accounts.named("ada").id))  # type: ignore[union-attr]
    assert await sent(client, world, "POST", f"/views/{number}/drop") == 303
    entry = await told(world, "POST /views/{id}/drop")
    assert (entry.object, entry.text) == (str(number), "mine")


async def test_what_a_reload_has_taken_over(world: World, aiohttp_client: Any) -> None:
    async def reload() -> None:
        world.desk.take_over(read(world.path))

    async def ready() -> str:
        return ""

    context = Context(desk=world.desk, batcher=Batcher(world.desk, 3), reload=reload, is_ready=ready)
    client: Client = await aiohttp_client(TestServer(build(context)))
    assert await sent(client, world, "POST", "/-/reload") == 200
    assert (await told(world, "POST /-/reload")).text == "no file has changed"
    policy = world.path.parent / "policy.yml"
    policy.write_text(policy.read_text().replace("restart it", "start it"))
    assert await sent(client, world, "POST", "/policy/reload") == 303
    assert (await told(world, "POST /policy/reload")).text == "changed: policy.yml"
    policy.write_text(policy.read_text().replace("restart-app", "reboot-app"))
    assert await sent(client, world, "POST", "/policy/reload") == 422
    entry = await told(world, "POST /policy/reload")
    assert (entry.outcome, entry.text.startswith("policy.yml:")) == (Outcome.REFUSED, True)


@pytest.mark.parametrize("path", ["/views/7/drop", "/me/views/7/drop", "/inventory/windows/7/end"])
async def test_what_is_not_there_was_not_ended(client: Client, world: World, path: str) -> None:
    assert await sent(client, world, "POST", path) == 404
    every = await world.read(lambda tx: tx.audit_log.listed(AuditFilter(), 100))
    assert [one.status for one in every if one.action.startswith("POST")] == [404]


@pytest.mark.parametrize(
    ("path", "form", "action", "why"),
    [
        ("/on-call/overrides/77/end", {"rota": "first"}, "POST /on-call/overrides/{id}/end", "There is no override 77"),
        ("/knowledge", {"title": ""}, "POST /knowledge", "“title” is missing"),
        ("/knowledge/1/publish", {}, "POST /knowledge/{id}/publish", "Article 1 cannot be published yet"),
        ("/inventory/maintenance", {"target": "x", "for": "2h", "reason": "y"}, "POST /inventory/maintenance", "There"),
        ("/automation/off", {"reason": ""}, "POST /automation/off", "“reason” is missing"),
        ("/automation/on", {}, "POST /automation/on", "The form is not whole."),
        ("/tickets/1/resolve", {}, "POST /tickets/{key}/resolve", ""),
        ("/tickets/1/runs", {"runbook": "none"}, "POST /tickets/{key}/runs", ""),
        ("/approvals/7", {"answer": "yes", "reason": "x"}, r"POST /approvals/{id}", ""),
        ("/runbooks/restart-app/dry-run", {"target": "none"}, "POST /runbooks/{name}/dry-run", ""),
    ],
)
async def test_what_a_page_refuses_itself_has_its_sentence(
    client: Client, world: World, path: str, form: dict[str, str], action: str, why: str
) -> None:
    if path.startswith("/tickets"):
        await world.post({"labels": {"alertname": "Other", "instance": "web-1"}})
    if path.startswith("/knowledge/"):
        assert await sent(client, world, "POST", "/knowledge", data={"title": "Disk full"}) == 303
    status = await sent(client, world, "POST", path, data=form)
    entry = await told(world, action)
    assert (entry.outcome, entry.status, status >= 400) == (Outcome.REFUSED, status, True)
    assert entry.text.startswith(why), entry.text
    assert entry.text
