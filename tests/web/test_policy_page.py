"""The policy: what is loaded, what a reload would change, and what would become of an alert."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp.test_utils import TestClient, TestServer

from responder.config.configuration import read as read_files
from responder.config.differences import differences
from responder.flows.batcher import Batcher
from responder.web.context import Context
from responder.web.policy_pages import alert_in
from responder.web.server import build
from tests.profiles.pages import Page
from tests.web.conftest import Client, header
from tests.world import INVENTORY, PEOPLE, POLICY, RUNBOOK, World, write_files

RULE = "  - {name: also it, when: ['alertname=\"Other\"'], runbook: restart-app}\n"
FIRED = "alertname=ServiceDown\nseverity=critical\ninstance=web-1:9100"


@pytest.fixture
async def viewer(world: World) -> dict[str, str]:
    return await header(world, "read")


@pytest.fixture
async def admin(world: World) -> dict[str, str]:
    return await header(world, "admin")


@pytest.fixture
async def whole(world: World, aiohttp_client: Any) -> TestClient[Any, Any]:
    """With a reload that takes the files over, as the service's does."""

    async def reload() -> None:
        world.desk.take_over(read_files(world.path))

    async def ready() -> str:
        return ""

    context = Context(desk=world.desk, batcher=Batcher(world.desk, 3), reload=reload, is_ready=ready)
    made: TestClient[Any, Any] = await aiohttp_client(TestServer(build(context)))
    return made


def change(world: World, name: str, edit: Callable[[str], str]) -> None:
    path = world.path.parent / name
    path.write_text(edit(path.read_text()))


def words(page: str) -> str:
    return " ".join(re.sub("<[^>]+>", " ", page).split())


async def shown(client: TestClient[Any, Any], path: str, headers: dict[str, str], *, status: int = 200) -> str:
    answer = await client.get(path, headers=headers)
    text = await answer.text()
    assert answer.status == status, text
    return words(text).replace("&#34;", '"').replace("&#39;", "'")


async def test_the_page_says_what_is_loaded_and_the_rules_in_their_order(
    client: Client, world: World, viewer: dict[str, str]
) -> None:
    text = await shown(client, "/policy", viewer)
    assert 'restart it alertname="ServiceDown" → restart-app on what the label instance names' in text
    assert "P1" in text
    assert "respond 15m" in text
    told = await (await client.get("/api/v1/policy", headers=viewer)).json()
    assert set(told["files"]) == {"responder.yml", "policy.yml", "inventory.yml", "people.yml"}
    assert told["files"]["policy.yml"] in text
    assert "restart-app" in told["runbooks"]
    assert told["loaded_at"] == world.clock.now().isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize("name", ["p1-p4", "feedback-form", "quick-response", "regulation", "sop-3level"])
async def test_every_shipped_profile_is_shown_whole_in_both_languages(
    client: Client, world: World, viewer: dict[str, str], tmp_path: Path, name: str
) -> None:
    folder = tmp_path / name
    folder.mkdir()
    loaded = Page(name).configuration(folder)
    assert differences(loaded, read_files(loaded.path)) == []
    world.desk.take_over(replace(world.desk.configuration, policy=loaded.policy))
    for language in ("en", "zh"):
        text = await shown(client, f"/policy?lang={language}", viewer)
        for part in (loaded.policy.grades, loaded.policy.kinds):
            assert [one for one in part if one not in text] == []
        for rules in (loaded.policy.gates, loaded.policy.first_aid, loaded.policy.grade_rules):
            assert [one.name for one in rules if one.name not in text] == []


async def test_what_has_not_changed_would_not_change(client: Client, viewer: dict[str, str]) -> None:
    assert "Nothing: the files say what is loaded." in await shown(client, "/policy/reload", viewer)
    told = await (await client.get("/api/v1/policy/changes", headers=viewer)).json()
    assert told == {"mistakes": [], "differences": []}


async def test_mistakes_stand_with_file_line_and_column_and_nothing_would_change(
    client: Client, world: World, admin: dict[str, str]
) -> None:
    change(world, "policy.yml", lambda text: text.replace("runbook: restart-app", "runbook: reboot-app"))
    text = await shown(client, "/policy/reload", admin)
    assert "A reload would be refused" in text
    assert re.search(r"policy\.yml:5:\d+ .*reboot-app", text)
    assert str(world.path.parent) not in text
    (mistake,) = (await (await client.get("/api/v1/policy/changes", headers=admin)).json())["mistakes"]
    assert (mistake["path"], mistake["line"]) == ("policy.yml", 5)
    assert "没有处置手册 reboot-app" in await shown(client, "/policy/reload?lang=zh", admin)


async def test_each_difference_is_told_in_words(client: Client, world: World, viewer: dict[str, str]) -> None:
    change(world, "policy.yml", lambda text: text + RULE + "storm: {tickets: 3}\n" if "storm" in text else text + RULE)
    change(world, "inventory.yml", lambda text: text.replace("{name: web-2,", "{name: web-2, groups: [shop],"))
    change(world, "runbooks/restart-app.yml", lambda text: text.replace("Restart the app", "Restart it"))
    text = await shown(client, "/policy/reload", viewer)
    assert 'also it added when alertname="Other"' in text
    assert "web-2 changed groups nothing → shop" in text
    assert "restart-app changed version" in text
    assert "Restart the app → Restart it" in text
    assert "An administrator can reload." in text


async def test_only_an_administrator_reloads_and_then_it_counts(
    whole: TestClient[Any, Any], world: World, viewer: dict[str, str], act: dict[str, str], admin: dict[str, str]
) -> None:
    change(world, "policy.yml", lambda text: text + RULE)
    for headers in (viewer, act):
        assert (await whole.post("/policy/reload", headers=headers)).status == 403
    assert len(world.desk.policy.first_aid) == 1
    answer = await whole.post("/policy/reload", headers=admin, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/policy?done")
    assert len(world.desk.policy.first_aid) == 2
    assert "The files were loaded anew." in await shown(whole, "/policy?done", viewer)
    change(world, "policy.yml", lambda text: text + "nonsense: 1\n")
    answer = await whole.post("/policy/reload", headers=admin)
    assert (answer.status, "nonsense" in await answer.text()) == (422, True)
    assert len(world.desk.policy.first_aid) == 2


def test_a_changed_address_or_secret_is_named_and_never_told(tmp_path: Path) -> None:
    before = read_files(write_files(tmp_path))
    hidden = "json://user:verysecret@127.0.0.1:9/mei"
    people = PEOPLE.replace("json://127.0.0.1:9/mei", hidden)
    main = write_files(
        tmp_path,
        people=people,
        inventory=INVENTORY.replace("key_file: key,", "key_file: otherkey, variables: {db_password: hunter22},", 1),
        runbook=RUNBOOK,
        policy=POLICY,
    )
    (tmp_path / "secret.key").write_text("another secret for tests, long enough to sign with")
    found = differences(before, read_files(main))
    assert {(one.part, one.name, one.what) for one in found} == {
        ("targets", "web-1", "changed"),
        ("addresses", "mei pager", "changed"),
        ("secrets", "secret", "changed"),
    }
    said = repr(found)
    for secret in ("verysecret", "hunter22", "otherkey", "long enough"):
        assert secret not in said


def test_rules_that_change_places_are_told_since_the_first_counts(tmp_path: Path) -> None:
    first, second = POLICY.rstrip().splitlines()[-1] + "\n", RULE
    head = POLICY.rstrip().rsplit("\n", 1)[0] + "\n"
    before = read_files(write_files(tmp_path, policy=head + first + second))
    after = read_files(write_files(tmp_path, policy=head + second + first))
    (one,) = differences(before, after)
    assert (one.part, one.what) == ("first_aid", "moved")
    assert (one.details[0].before, one.details[0].after) == ("restart it, also it", "also it, restart it")


async def test_what_would_become_of_an_alert_is_told_and_its_address_can_be_passed_on(
    client: Client, world: World, viewer: dict[str, str]
) -> None:
    text = await shown(client, f"/policy/explain?labels={quote(FIRED)}", viewer)
    assert "If ServiceDown began to show now" in text
    assert "Grade P1" in text
    assert "First aid restart-app on web-1 (restart it" in text
    assert "mei by pager" in text
    assert await world.read(lambda tx: tx.tickets.known({})) == {}


@pytest.mark.parametrize(
    "text",
    [
        FIRED,
        'alertname="ServiceDown",\nseverity="critical"\ninstance="web-1:9100"',
        '{"alertname": "ServiceDown", "severity": "critical", "instance": "web-1:9100"}',
        '{"labels": {"alertname": "ServiceDown", "severity": "critical", "instance": "web-1:9100"}}',
        '{"alerts": [{"labels": {"alertname": "ServiceDown", "severity": "critical", "instance": "web-1:9100"}}]}',
    ],
)
def test_labels_are_read_as_people_have_them_at_hand(text: str) -> None:
    expected = {"alertname": "ServiceDown", "severity": "critical", "instance": "web-1:9100"}
    assert alert_in(text) == (expected, {})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("nonsense", "is not name=value."),
        ("{", "This is not JSON"),
        ('{"alerts": []}', "There is no alert in it."),
        ("[1]", "There is no alert in it."),
        ('{"labels": {"a": 1}}', "are names with texts"),
        ("{}", "There is no label in it."),
        ('{"annotations": {"a": "b"}}', "There is no label in it."),
        ("\n".join(f"l{number}=x" for number in range(101)), "at most 100 labels"),
    ],
)
async def test_what_is_no_alert_is_refused_and_stays_typed(
    client: Client, viewer: dict[str, str], text: str, why: str
) -> None:
    page = await shown(client, f"/policy/explain?labels={quote(text)}", viewer, status=422)
    assert why in page
    assert text.split("\n", maxsplit=1)[0] in page


@pytest.mark.parametrize(
    ("labels", "why"),
    [
        ("alertname=ServiceDown", "the alert has no label instance"),
        ("alertname=ServiceDown\ninstance=db-9", "'db-9' (label instance) is no target in the inventory"),
        ("alertname=ServiceDown\ninstance=web-1\napp=x y", "parameter app: 'x y' is not a name"),
        ("alertname=Other", "No rule fits, so it goes to people at once."),
    ],
)
async def test_why_no_runbook_would_help_is_told(client: Client, viewer: dict[str, str], labels: str, why: str) -> None:
    assert why in await shown(client, f"/policy/explain?labels={quote(labels)}", viewer)


async def test_hostile_labels_are_text(client: Client, viewer: dict[str, str]) -> None:
    hostile = "alertname=<script>alert(1)</script>"
    answer = await client.get(f"/policy/explain?labels={quote(hostile)}", headers=viewer)
    assert "<script>alert" not in await answer.text()
    assert answer.status == 200


async def test_nobody_sees_the_policy_without_a_credential(client: Client) -> None:
    for path in ("/policy", "/policy/reload", "/policy/explain", "/api/v1/policy", "/api/v1/policy/changes"):
        assert (await client.get(path)).status == 401
    assert (await client.post("/policy/reload")).status == 401


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("url: {x: SECRET}", "url: expected a text"),
        ("url: [SECRET]", "url: expected a text"),
        ("url: SECRET, url: SECRET", 'found duplicate key "url"'),
        ("url: SECRET, name: {x: SECRET}", "name: expected a text, found a mapping"),
    ],
)
async def test_what_is_written_wrongly_where_a_secret_belongs_is_not_shown(
    client: Client, world: World, viewer: dict[str, str], written: str, said: str
) -> None:
    people = world.path.parent / "people.yml"
    people.write_text(f"people:\n  - {{name: mei, channels: [{{{written}}}]}}\n")
    text = await (await client.get("/api/v1/policy/changes", headers=viewer)).text()
    assert said.replace('"', '\\"') in text
    assert "SECRET" not in text


@pytest.mark.parametrize("written", ["{url: SECRET}", "SECRET", "[SECRET]"])
async def test_nor_where_the_list_of_channels_belongs(
    client: Client, world: World, viewer: dict[str, str], written: str
) -> None:
    people = world.path.parent / "people.yml"
    people.write_text(f"people:\n  - {{name: mei, channels: {written}}}\n")
    text = await (await client.get("/api/v1/policy/changes", headers=viewer)).text()
    assert "people.0.channels" in text
    assert "SECRET" not in text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "inventory.yml:"),
        ("- web-1\n", "inventory.yml:"),
        ("targets: 7\n", "expected a list, like [a, b], found 7"),
        ("targets: {a: b}\n", "expected a list, like [a, b]"),
        ("targets: [web-1]\n", "inventory.yml:1"),
        ("targets: [\n", "inventory.yml:2"),
        ("targets: []\n", ""),
        (None, "cannot be read"),
    ],
)
async def test_the_pages_stand_while_the_inventory_is_edited_and_say_what_is_wrong(
    client: Client, world: World, viewer: dict[str, str], text: str | None, said: str
) -> None:
    path = world.path.parent / "inventory.yml"
    path.unlink() if text is None else path.write_text(text)
    for page in ("/policy", "/runbooks", "/runbooks/restart-app"):
        answer = await client.get(page, headers=viewer)
        assert answer.status == 200
    assert said in words(unescape(await (await client.get("/policy/reload", headers=viewer)).text()))


async def test_what_is_said_about_a_key_is_said_about_the_file_as_it_is_now(
    client: Client, world: World, viewer: dict[str, str]
) -> None:
    change(world, "inventory.yml", lambda _: "targets: [{name: new-1, key_file: no-such-key}]\n")
    page = words(await (await client.get("/policy", headers=viewer)).text())
    assert "without it no runbook gets to new-1" in page
