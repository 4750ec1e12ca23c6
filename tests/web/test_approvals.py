"""Approvals, orders and the record of runbooks over HTTP."""

from __future__ import annotations

from pathlib import Path

import pytest

from responder.adapters.links import AckClaim
from responder.config.configuration import read
from responder.store.database import Database
from tests.flows.asking import ASKING, PEOPLE, rule, the_approval
from tests.web.conftest import GUARDED, Client, account, cookie, header
from tests.world import RUNBOOK, World, alert


@pytest.fixture
def world(tmp_path: Path, database: Database) -> World:
    return World(tmp_path, database, main=GUARDED, people=PEOPLE, runbook=ASKING)


async def asked(world: World, person: str = "mei") -> str:
    """The path of the link that the person got."""
    await world.post(alert())
    await world.work()
    body = next(body for to, _, body in world.sender.sent if to == person)
    return "/approve/" + body.split("https://responder.test/approve/")[1].split()[0]


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/api/v1/approvals", "read"),
        ("GET", "/api/v1/approvals/1", "read"),
        ("POST", "/api/v1/approvals/1/approve", "act"),
        ("POST", "/api/v1/approvals/1/reject", "act"),
        ("POST", "/approvals/1", "act"),
        ("POST", "/api/v1/tickets/1/runs", "act"),
        ("GET", "/api/v1/runbooks", "read"),
        ("GET", "/api/v1/runbooks/restart-app", "read"),
    ],
)
async def test_without_a_token_or_with_a_lesser_one_nothing_is_shown_or_done(
    client: Client, world: World, method: str, path: str, scope: str
) -> None:
    await asked(world)
    lesser = {"read": "ingest", "act": "read"}[scope]
    for headers in ({}, await header(world, lesser)):
        answer = await client.request(method, path, headers=headers)
        assert answer.status in (401, 403)
        assert "Restart it?" not in await answer.text()
    assert (await the_approval(world)).is_waiting


async def test_the_link_shows_exactly_what_would_run_and_changes_nothing_until_the_answer(
    client: Client, world: World
) -> None:
    path = await asked(world)
    page = await client.get(path)
    text = await page.text()
    assert page.status == 200
    for shown in ("Restart it?", "restart-app on web-1", "restart: svc restart app", "waits here", "Yes, as mei"):
        assert shown in text, shown
    assert (await the_approval(world)).is_waiting

    done = await client.post(path, data={"answer": "yes", "reason": "looks right"})
    assert (done.status, "mei said yes: looks right." in await done.text()) == (200, True)
    await world.work()
    assert world.fleet.restarts() == ["web-1"]
    assert (await client.post(path, data={"answer": "yes"})).status == 200
    assert "given: mei said yes" in await (await client.get(path)).text()
    other = await client.post(path, data={"answer": "no"})
    assert (other.status, "It is decided already" in await other.text()) == (409, True)


async def test_who_left_is_not_asked_by_an_old_link(client: Client, world: World) -> None:
    path = await asked(world)
    await account(world, "approver", "mei", disabled_at=world.clock.now())
    page = await client.get(path)
    text = await page.text()
    assert (page.status, "The account of mei is disabled" in text, "<form" in text) == (403, True, False)
    assert (await client.post(path, data={"answer": "yes"})).status == 409
    assert (await the_approval(world)).is_waiting


async def test_a_no_by_link_is_shown_with_its_reason(client: Client, world: World) -> None:
    path = await asked(world, "lars")
    done = await client.post(path, data={"answer": "no", "reason": "the <b>replica</b> lags"})
    assert "lars said no: the &lt;b&gt;replica&lt;/b&gt; lags." in await done.text()


@pytest.mark.parametrize("path", ["/approve/nonsense", "/approve/W10.x.y"])
async def test_a_link_that_is_not_ours_says_so(client: Client, path: str) -> None:
    assert (await client.get(path)).status == 403
    assert (await client.post(path, data={"answer": "yes"})).status == 409


async def test_a_link_to_acknowledge_does_not_approve(client: Client, world: World) -> None:
    from responder.adapters.links import AckClaim

    await asked(world)
    link = world.desk.links.acknowledge(AckClaim(ticket_id=1, episode=1, person="mei"))
    token = link.rsplit("/", 1)[1]
    assert (await client.post(f"/approve/{token}", data={"answer": "yes"})).status == 409
    assert (await the_approval(world)).is_waiting


async def test_an_answer_that_is_neither_yes_nor_no_does_not_count(client: Client, world: World) -> None:
    path = await asked(world)
    assert (await client.post(path, data={"answer": "perhaps"})).status == 409
    assert (await client.post(path)).status == 409
    assert (await the_approval(world)).is_waiting


async def test_the_api_lists_shows_and_answers(client: Client, world: World, act: dict[str, str]) -> None:
    await asked(world)
    listed = await (await client.get("/api/v1/approvals", headers=act)).json()
    (one,) = listed["approvals"]
    assert (one["kind"], one["state"], one["wanted"], one["needed"]) == ("step", "waiting", "1 of role dba", 1)
    assert one["ticket"].startswith("INC-")
    shown = await (await client.get("/api/v1/approvals/1", headers=act)).json()
    assert [(step["name"], step["is_asked"]) for step in shown["steps"]] == [("may we", True), ("restart", False)]

    wrong = await client.post("/api/v1/approvals/1/approve", json={"actor": "ines"}, headers=act)
    assert (wrong.status, "mei, lars could answer" in (await wrong.json())["detail"]) == (409, True)
    done = await client.post("/api/v1/approvals/1/reject", json={"actor": "mei", "reason": "not now"}, headers=act)
    assert (done.status, (await done.json())["state"]) == (200, "refused")
    assert (await (await client.get("/api/v1/approvals", headers=act)).json())["approvals"] == []
    every = await (await client.get("/api/v1/approvals?all=1", headers=act)).json()
    assert every["approvals"][0]["answers"][0]["reason"] == "not now"
    assert (await client.get("/api/v1/approvals/9", headers=act)).status == 404
    assert (await client.post("/api/v1/approvals/1/approve", json={"reason": 1}, headers=act)).status == 422


async def test_the_tickets_page_shows_the_question_and_takes_the_answer(
    client: Client, world: World, act: dict[str, str]
) -> None:
    await asked(world)
    text = await (await client.get("/tickets/1", headers=act)).text()
    assert 'action="/approvals/1"' in text
    assert "restart: svc restart app" in text
    elsewhere = {**act, "Sec-Fetch-Site": "cross-site"}
    data = {"answer": "yes", "actor": "mei"}
    assert (await client.post("/approvals/1", data=data, headers=elsewhere)).status == 403
    wrong = await client.post("/approvals/1", data={**data, "actor": "ines"}, headers=act)
    assert (wrong.status, "mei, lars could answer" in await wrong.text()) == (409, True)
    done = await client.post("/approvals/1", data=data, headers=act, allow_redirects=False)
    assert (done.status, done.headers["Location"]) == (303, "/tickets/1")
    text = await (await client.get("/tickets/1", headers=act)).text()
    assert 'action="/approvals/1"' not in text
    assert "mei said yes." in text


async def test_a_question_has_a_page_and_an_answer_that_does_not_count_comes_back_there(
    client: Client, world: World, act: dict[str, str]
) -> None:
    await asked(world)
    read = await header(world, "read")
    text = await (await client.get("/approvals/1", headers=read)).text()
    assert ("Restart it?" in text, "svc restart app" in text, 'method="post"' in text) == (True, True, False)
    form = {"answer": "yes", "actor": "ines", "reason": "seen the <graphs>"}
    wrong = await client.post("/approvals/1", data=form, headers=act)
    text = await wrong.text()
    assert (wrong.status, 'name="actor" maxlength="80" required value="ines"' in text) == (409, True)
    assert 'value="seen the &lt;graphs&gt;"' in text
    assert 'role="alert" tabindex="-1" autofocus' in text
    assert (await client.get("/approvals/9", headers=read)).status == 404
    assert (await client.post("/approvals/9", data=form, headers=act)).status == 404


async def test_a_person_orders_a_run_and_a_refusal_is_409_with_the_sentence(
    tmp_path: Path, client: Client, world: World, act: dict[str, str]
) -> None:
    (tmp_path / "policy.yml").write_text(rule("autonomy: suggest"))
    (tmp_path / "runbooks" / "restart-app.yml").write_text(RUNBOOK)
    world.desk.take_over(world.another_desk().configuration)
    await world.post(alert())
    await world.work()
    wish = {"runbook": "restart-app", "actor": "mei"}
    answer = await client.post("/api/v1/tickets/1/runs", json=wish, headers=act)
    made = await answer.json()
    assert (answer.status, made["target"], made["ordered_by"]) == (200, "web-1", "mei")
    await world.work()
    again = await client.post("/api/v1/tickets/1/runs", json=wish, headers=act)
    assert (again.status, "its cooldown of 15m" in (await again.json())["detail"]) == (409, True)
    assert (await client.post("/api/v1/tickets/9/runs", json=wish, headers=act)).status == 404
    assert (await client.post("/api/v1/tickets/1/runs", json={}, headers=act)).status == 422

    listed = await (await client.get("/api/v1/runbooks", headers=act)).json()
    (line,) = [one for one in listed["runbooks"] if one["runbook"] == "restart-app"]
    assert (line["judged"], line["rules"][0]["autonomy"]) == (0, "suggest")
    assert (await (await client.get("/api/v1/runbooks/restart-app", headers=act)).json())["turns"] == []
    assert (await client.get("/api/v1/runbooks/none", headers=act)).status == 404


async def test_a_link_answers_once_while_others_are_awaited(client: Client, world: World, tmp_path: Path) -> None:
    world.path.parent.joinpath("runbooks/restart-app.yml").write_text(ASKING.replace("[dba]", "[dba], needed: 2"))
    world.desk.take_over(read(world.path))
    path = await asked(world)

    yes = {"answer": "yes"}
    assert "Others are still awaited" in await (await client.post(path, data=yes)).text()
    assert "Others are still awaited" in await (await client.post(path, data=yes)).text()
    other = await client.post(path, data={"answer": "no"})

    assert (other.status, "acts only once" in await other.text()) == (409, True)
    assert [(one.person, one.yes) for one in (await the_approval(world)).answers] == [("mei", True)]


async def test_who_is_disabled_answers_by_no_link(client: Client, world: World) -> None:
    path = await asked(world, "mei")
    await account(world, "approver", "mei", disabled_at=world.clock.now())
    refused = await client.post(path, data={"answer": "yes"})
    assert (refused.status, "The account of mei is disabled" in await refused.text()) == (409, True)
    assert (await the_approval(world)).is_waiting


_MAY = {"mei": "", "ines": "You may not answer it. Needed: 1 of role dba."}


@pytest.mark.parametrize("name", _MAY)
@pytest.mark.parametrize("path", ["/tickets/1", "/approvals/1"])
async def test_yes_and_no_are_there_for_whoever_may_answer_and_others_read_who_may(
    client: Client, world: World, path: str, name: str
) -> None:
    await asked(world)
    text = await (await client.get(path, headers=await cookie(world, "approver", name))).text()
    assert ('action="/approvals/1"' in text, "You may not answer it" in text) == (not _MAY[name], bool(_MAY[name]))
    assert _MAY[name] in text


async def test_whose_role_answers_nothing_reads_that(client: Client, world: World) -> None:
    await asked(world)
    mei = await cookie(world, "responder", "mei")
    for path in ("/tickets/1", "/approvals/1"):
        text = await (await client.get(path, headers=mei)).text()
        assert ('action="/approvals/1"' in text, "Your role does not answer questions here." in text) == (False, True)
    now = await (await client.get("/", headers=mei)).text()
    assert ("1 of role dba" in now, "You may answer" in now) == (True, False)


async def test_acknowledge_says_which_question_it_ends(
    tmp_path: Path, client: Client, world: World, act: dict[str, str]
) -> None:
    (tmp_path / "policy.yml").write_text(rule("autonomy: approve, approval: {roles: [dba]}"))
    (tmp_path / "runbooks" / "restart-app.yml").write_text(RUNBOOK)
    world.desk.take_over(world.another_desk().configuration)
    await world.post(alert())
    await world.work()
    warning = "Acknowledge ends the question that waits: May restart-app run on web-1?"
    assert warning in await (await client.get("/tickets/1", headers=act)).text()
    assert "正在等待答复的问题即告结束" in await (await client.get("/tickets/1?lang=zh", headers=act)).text()
    link = world.desk.links.acknowledge(AckClaim(ticket_id=1, episode=1, person="mei")).rpartition("/")[2]
    assert warning in await (await client.get(f"/ack/{link}")).text()
    # In a list there is no room for it: there the button leads to where it stands, and takes nothing.
    line = (await (await client.get("/", headers=act)).text()).split("<tbody>")[1]
    number = (await world.ticket())["number"]
    assert (f'href="/tickets/{number}#key-a"' in line, "/acknowledge" in line) == (True, False)
    await client.post("/tickets/1/acknowledge", data={"actor": "mei"}, headers=act)
    await world.work()
    assert str((await the_approval(world)).state) == "overtaken"
    assert warning not in await (await client.get("/tickets/1", headers=act)).text()
