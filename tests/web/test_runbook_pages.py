"""Runbooks: the list, one of them, and a dry run from the page or by the API."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from responder.domain.switches import of_runbook
from responder.domain.target import Target
from responder.flows.dry_run import DryRuns
from responder.flows.switches import turn_off_automation
from responder.store.audit_log import AuditFilter
from tests.web.conftest import Client, cookie, header
from tests.world import RUNBOOK, World, alert

DRY = "/runbooks/restart-app/dry-run"


@pytest.fixture
async def read(world: World) -> dict[str, str]:
    return await header(world, "read")


async def shown(client: Client, path: str, headers: dict[str, str], *, status: int = 200) -> str:
    answer = await client.get(path, headers=headers)
    assert answer.status == status, await answer.text()
    return await answer.text()


def words(page: str) -> str:
    return " ".join(re.sub("<[^>]+>", " ", page).split())


async def entries(world: World) -> list[tuple[str, str, str, str]]:
    found: Any = await world.read(lambda tx: tx.audit_log.listed(AuditFilter(), limit=10))
    return [(one.actor, one.action, one.object, one.outcome) for one in found]


async def test_a_line_says_who_uses_it_what_is_left_and_how_it_has_done(
    client: Client, world: World, read: dict[str, str]
) -> None:
    await world.post(alert())
    await world.work()
    text = words((await shown(client, "/runbooks", read)).split("<tbody>")[1].split("</tr>")[0])
    assert text == "restart-app Restart the app auto 3 of 4 left –"
    page = words(await shown(client, "/runbooks", read))
    assert "Ready, and used by no rule" in page
    assert "diagnose-host" in page
    assert "never ran" in page


async def test_a_runbook_shows_its_source_its_limits_and_what_the_linter_says(
    client: Client, world: World, read: dict[str, str]
) -> None:
    await world.post(alert())
    await world.work()
    page = words(await shown(client, "/runbooks/restart-app", read))
    assert "runbooks/restart-app.yml · version" in page
    assert "manager: commands" in page
    assert "Cooldown 15m" in page
    assert "restart it" in page
    assert "(loose-parameter)" in page
    assert "helped" in page
    assert str(world.path.parent) not in page
    assert "shipped with responder" in words(await shown(client, "/runbooks/diagnose-host", read))


async def test_nothing_on_the_page_changes_a_runbook_and_who_may_only_read_has_no_form(
    client: Client, world: World, act: dict[str, str], read: dict[str, str]
) -> None:
    page = await shown(client, "/runbooks/restart-app", act)
    assert re.findall(r'<form[^>]*action="([^"]*)"', page) == [DRY]
    assert "<form" not in (await shown(client, "/runbooks/restart-app", read)).replace('<form method="dialog">', "")
    answer = await client.post(DRY, data={"target": "web-1"}, headers=read)
    assert (answer.status, world.fleet.commands) == (403, [])


async def test_a_file_that_has_changed_is_said_to_and_a_secret_in_it_is_not_shown(
    client: Client, world: World, read: dict[str, str]
) -> None:
    hidden = next(iter(world.desk.configuration.secrets))
    path = world.path.parent / "runbooks" / "restart-app.yml"
    path.write_text(RUNBOOK.replace("Restart the app", f"Restart it. {hidden}"))
    page = await shown(client, "/runbooks/restart-app", read)
    assert "The file has changed since it was loaded" in page
    assert hidden not in page


async def test_a_file_that_is_wrong_by_now_leaves_the_page_readable(
    client: Client, world: World, read: dict[str, str]
) -> None:
    (world.path.parent / "runbooks" / "restart-app.yml").write_text("runbook: restart-app\n")
    page = await shown(client, "/runbooks/restart-app", read)
    assert "Its file is gone, or cannot be read any more" in page
    assert "/policy/reload" in page


async def test_while_a_file_is_wrong_nobody_is_told_that_there_is_nothing_against_the_others(
    client: Client, world: World, read: dict[str, str]
) -> None:
    wrong, unlinted = world.path.parent / "runbooks" / "other.yml", "Some files have mistakes now"
    wrong.write_text("runbook: other\n")
    for path in ("/policy", "/runbooks/restart-app"):
        page = await shown(client, path, read)
        assert (unlinted in page, "Nothing to say against it" in page) == (True, False), path
    wrong.unlink()
    for path in ("/policy", "/runbooks/restart-app"):
        assert unlinted not in await shown(client, path, read), path


async def test_a_dry_run_looks_changes_nothing_and_is_in_the_audit_log(client: Client, world: World) -> None:
    lars = await cookie(world, "responder", "lars")
    answer = await client.post(DRY, data={"target": "web-1", "label:app": "shop"}, headers=lars)
    page = words(await answer.text())
    assert answer.status == 200
    assert "Dry run on web-1: nothing was changed" in page
    assert "would act" in page
    assert "svc restart shop" in page
    assert [argv[1] for _, argv in world.fleet.commands] == ["status"]
    assert (await entries(world))[:1] == [("lars", "POST /runbooks/{name}/dry-run", "restart-app web-1", "done")]


async def test_where_all_is_as_wanted_nothing_would_be_done(client: Client, world: World, act: dict[str, str]) -> None:
    world.fleet.pids["web-1"] = 7
    told = await (await client.post("/api/v1" + DRY, json={"target": "web-1"}, headers=act)).json()
    assert (told["target"], told["parameters"], told["cut_short"]) == ("web-1", {"app": "app"}, "")
    assert [(step["name"], bool(step["seen"]), step["unseen"]) for step in told["steps"]] == [("restart", True, "")]
    assert world.fleet.restarts() == []


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ({"target": ""}, "Say on which target."),
        ({"target": "db-9"}, "There is no target db-9 in the inventory."),
        ({"target": "web-1", "label:app": "x; reboot"}, "is not a name"),
        ({"target": "web-1", "label:app": "$(reboot)"}, "is not a name"),
    ],
)
async def test_what_does_not_get_through_is_refused_with_what_was_typed(
    client: Client, world: World, act: dict[str, str], form: dict[str, str], why: str
) -> None:
    answer = await client.post(DRY, data=form, headers=act)
    page = await answer.text()
    assert answer.status == 422
    assert why in page.replace("&#39;", "'")
    assert world.fleet.commands == []
    if typed := form.get("label:app"):
        assert f'value="{typed}"' in page


async def test_a_runbook_that_is_not_there_leads_on(client: Client, act: dict[str, str]) -> None:
    for answer in (
        await client.get("/runbooks/none", headers={**act, "Accept": "text/html"}),
        await client.post("/runbooks/none/dry-run", data={"target": "web-1"}, headers={**act, "Accept": "text/html"}),
    ):
        assert answer.status == 404
        assert "There is no runbook none." in await answer.text()


async def test_a_runbook_that_is_off_says_so_and_a_dry_run_says_that_none_would_start(
    client: Client, world: World, act: dict[str, str]
) -> None:
    await turn_off_automation(world.desk, "it misbehaves", "mei", of_runbook("restart-app"))
    assert "it misbehaves" in await shown(client, "/runbooks/restart-app", act)
    assert "off" in words((await shown(client, "/runbooks", act)).split("<tbody>")[1].split("</tr>")[0])
    told = await (await client.post("/api/v1" + DRY, json={"target": "web-1"}, headers=act)).json()
    assert "it misbehaves" in told["off"]


class Stuck:
    """Hosts that answer nothing for a long time, until they are let go."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.go = asyncio.Event()

    async def run(self, target: Target, argv: Sequence[str], *, timeout: timedelta, stdin: str = "") -> Any:
        self.asked.set()
        await self.go.wait()

    async def close(self) -> None: ...


async def test_a_dry_run_on_a_host_that_hangs_ends_and_says_so(world: World) -> None:
    world.desk.hosts = Stuck()
    found = await DryRuns(patience=timedelta(milliseconds=20)).dry_run(world.desk, "restart-app", "web-1", {})
    assert found.steps == ()
    assert found.cut_short == "It was ended after 20ms, before 1 of its steps were looked at."


async def test_only_so_many_dry_runs_are_at_work_at_a_time(world: World) -> None:
    world.desk.hosts = stuck = Stuck()
    runs = DryRuns(most=1, patience=timedelta(seconds=20))
    first = asyncio.create_task(runs.dry_run(world.desk, "restart-app", "web-1", {}))
    await stuck.asked.wait()
    with pytest.raises(Exception, match="1 dry runs are at work already"):
        await runs.dry_run(world.desk, "restart-app", "web-2", {})
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    world.desk.hosts = world.fleet
    assert (await runs.dry_run(world.desk, "restart-app", "web-2", {})).steps
