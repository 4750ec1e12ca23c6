"""The form on a ticket that starts a runbook: which runbooks come first, and values that the alert does not say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from responder.config.configuration import read
from responder.flows.handle import do
from responder.store.database import Database
from tests.web.conftest import GUARDED, Client
from tests.world import RUNBOOK, World, alert, texts

STRICT = RUNBOOK.replace("{type: name, label: app, default: app}", "{type: name, label: app, pattern: '[a-z]+'}")
PLAIN = """
runbook: plain
summary: It takes nothing
steps: [{ssh: {run: [touch, /tmp/x], check: [test, -e, /tmp/x]}}]
"""
PATH, ORDER = "/tickets/1/runs", {"runbook": "restart-app", "target": "web-2"}


@pytest.fixture
def world(tmp_path: Path, database: Database) -> World:
    return World(tmp_path, database, main=GUARDED, runbook=STRICT)


@pytest.fixture
async def ticket(world: World) -> None:
    """With people, for no rule fits."""
    await world.post(alert("Odd"))
    await world.work()


def form_in(text: str) -> str:
    return text.split('id="do-runs"')[1].split("</form>", maxsplit=1)[0]


async def posted(client: Client, headers: dict[str, str], **form: Any) -> tuple[int, str]:
    answer = await client.post(PATH, data={**ORDER, **form}, headers=headers, allow_redirects=False)
    return answer.status, await answer.text()


async def asked(
    client: Client, headers: dict[str, str], *, path: str = "/tickets/1/values", **form: Any
) -> tuple[int, str]:
    """The form again, with what the runbook takes."""
    answer = await client.post(path, data={**ORDER, **form}, headers=headers)
    return answer.status, await answer.text()


async def test_what_the_alert_does_not_say_is_asked_for_and_the_run_takes_it(
    client: Client, world: World, act: dict[str, str], ticket: None
) -> None:
    status, text = await posted(client, act)
    assert (status, "the alert has no label app" in text) == (409, True)
    assert re.search(r'<input id="f-runs-label:app" name="label:app" [^>]*value="" autofocus>', form_in(text))

    assert (await posted(client, act, **{"label:app": "shop"}))[0] == 303
    await world.work()
    assert ("web-2", ("svc", "restart", "shop")) in world.fleet.commands
    assert "ordered by act-token, with app=shop." in texts(await world.ticket())


async def test_a_value_passes_the_same_check_as_the_alerts(
    client: Client, world: World, act: dict[str, str], ticket: None
) -> None:
    status, text = await posted(client, act, **{"label:app": "shop;reboot"})
    assert (status, "is not a name" in text) == (409, True)
    assert 'value="shop;reboot"' in form_in(text)
    assert world.fleet.restarts() == []


async def test_the_values_are_shown_before_anything_starts_and_another_runbook_can_be_chosen_then(
    client: Client, world: World, act: dict[str, str], ticket: None
) -> None:
    status, text = await asked(client, act)
    assert (status, 'name="label:app"' in form_in(text), "Not done" in text) == (200, True, False)
    # What the runbook of before needs must not keep anybody from asking for those of another.
    assert re.search(r'<button formaction="/tickets/INC-[^"]*/values" formnovalidate>', form_in(text))
    assert (await world.ticket())["runs"] == []


@pytest.mark.parametrize(
    ("runbook", "why"),
    [("", "Choose a runbook first."), ("nothing", "There is no runbook nothing."), ("plain", "plain takes no values.")],
)
async def test_where_there_are_no_values_it_is_said(
    client: Client, world: World, act: dict[str, str], ticket: None, runbook: str, why: str
) -> None:
    (world.path.parent / "runbooks" / "plain.yml").write_text(PLAIN)
    world.desk.take_over(read(world.path))
    status, text = await asked(client, act, runbook=runbook)
    assert (status, why in text) == (422, True)


async def test_values_are_not_asked_for_where_nothing_can_start(
    client: Client, world: World, act: dict[str, str], ticket: None
) -> None:
    await do(world.desk, "dismiss", "1", actor="mei", content={"as": "false_alarm", "reason": "a test"})
    status, text = await asked(client, act)
    assert (status, "is closed, so there is nothing to run for." in text) == (422, True)


async def test_names_stand_as_they_are(
    tmp_path: Path, client: Client, world: World, act: dict[str, str], ticket: None
) -> None:
    listed = STRICT.replace("pattern: '[a-z]+'", "allow: [my_app, closed]")
    (tmp_path / "runbooks" / "restart-app.yml").write_text(listed)
    world.desk.take_over(read(world.path))
    form = form_in((await asked(client, act, path="/tickets/1/values?lang=zh"))[1])
    assert '<option value="my_app">my_app</option>' in form
    assert '<option value="closed">closed</option>' in form


async def test_a_runbook_with_a_zero_in_its_name_is_none(
    client: Client, world: World, act: dict[str, str], ticket: None
) -> None:
    status, text = await posted(client, act, runbook="restart\x00-none")
    assert (status, "There is no runbook restart-none" in text) == (409, True)


async def test_values_of_a_runbook_that_was_chosen_before_are_left_out(
    client: Client, world: World, act: dict[str, str], ticket: None
) -> None:
    status, _ = await posted(client, act, **{"label:app": "shop", "label:other": "x"})
    assert status == 303


async def test_what_is_sent_as_it_stood_in_the_form_is_not_said_to_be_given(
    client: Client, world: World, act: dict[str, str]
) -> None:
    await world.post(alert("Odd", app="shop"))
    await world.work()
    status, text = await asked(client, act)
    assert (status, 'value="shop"' in form_in(text)) == (200, True)
    assert (await posted(client, act, **{"label:app": "shop"}))[0] == 303
    assert "ordered by act-token." in texts(await world.ticket())


async def test_runbooks_that_the_policy_has_for_such_an_alert_stand_first(
    client: Client, world: World, act: dict[str, str]
) -> None:
    await world.post(alert(app="shop"))
    await world.post(alert("Odd", app="shop"))
    known, odd = [form_in(await (await client.get(f"/tickets/{key}", headers=act)).text()) for key in (1, 2)]
    assert known.index('<optgroup label="For such an alert">') < known.index('value="restart-app"')
    assert known.index('value="restart-app"') < known.index('<optgroup label="All others">')
    assert "optgroup" not in odd


async def test_the_api_takes_values_and_names_one_that_no_parameter_takes(
    client: Client, world: World, act: dict[str, str], ticket: None
) -> None:
    path = "/api/v1/tickets/1/runs"
    wrong = await client.post(path, json={**ORDER, "labels": {"aap": "shop"}}, headers=act)
    said = "No parameter of restart-app takes aap; it takes app."
    assert (wrong.status, (await wrong.json())["detail"]) == (409, said)
    assert said in texts(await world.ticket())
    assert (await client.post(path, json={**ORDER, "labels": {"app": 1}}, headers=act)).status == 422
    assert (await client.post(path, json={**ORDER, "labels": {"app": "shop"}}, headers=act)).status == 200
    await world.work()
    assert ("web-2", ("svc", "restart", "shop")) in world.fleet.commands


async def test_a_value_that_is_empty_hides_nothing_that_the_alert_says(
    client: Client, world: World, act: dict[str, str], ticket: None
) -> None:
    wish = {**ORDER, "labels": {"app": ""}}
    refused = await client.post("/api/v1/tickets/1/runs", json=wish, headers=act)
    said = "The value of app is empty; leave it out, or say one."
    assert (refused.status, (await refused.json())["detail"]) == (409, said)


async def test_no_value_changes_where_it_acts(
    tmp_path: Path, client: Client, world: World, act: dict[str, str]
) -> None:
    (tmp_path / "policy.yml").write_text(
        "extends: p1-p4\nmoves: []\nfirst_aid:\n"
        "  - {name: it, when: ['app=\"db\"'], runbook: restart-app, target: node, autonomy: suggest}\n"
    )
    world.desk.take_over(read(world.path))
    await world.post(alert("Odd", app="db", node="web-2"))
    await world.work()
    wish = {"runbook": "restart-app", "labels": {"app": "other"}}
    started = await client.post("/api/v1/tickets/1/runs", json=wish, headers=act)
    assert (started.status, (await started.json())["target"]) == (200, "web-2")
