"""Runs: the list, a run, and the API behind both."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from responder.domain.runbook import Attempt, Run, RunOutcome
from responder.flows.hand_over import hand_over
from responder.flows.orders import Wish, order_run
from responder.store.jobs import Job
from responder.store.transaction import Transaction
from tests.web.conftest import Client, header
from tests.world import World, alert, resolved

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
async def read(world: World) -> dict[str, str]:
    return await header(world, "read")


async def shown(client: Client, path: str, headers: dict[str, str], *, status: int = 200) -> str:
    answer = await client.get(path, headers=headers)
    assert answer.status == status, await answer.text()
    return await answer.text()


async def listed(client: Client, query: str, headers: dict[str, str]) -> list[dict[str, Any]]:
    answer = await client.get(f"/api/v1/runs{query}", headers=headers)
    told = await answer.json()
    assert answer.status == 200, told
    found: list[dict[str, Any]] = told["runs"]
    return found


async def a_few_runs(world: World) -> None:
    """One that helped, one that failed, and one that lars ordered."""
    await world.post(alert())
    await world.work()
    await world.post(resolved())
    world.clock.advance(timedelta(minutes=1))
    world.fleet.broken.add("web-2")
    await world.post(alert(instance="web-2:9100"))
    await world.work()
    world.clock.advance(timedelta(hours=2))
    await world.post(alert("Slow", instance="web-1:9100"))
    await world.work()
    await order_run(world.desk, "3", Wish(runbook="restart-app", target="web-1"), "lars")


def words(page: str) -> str:
    return " ".join(re.sub("<[^>]+>", " ", page).split())


async def test_where_nothing_ran_the_page_says_what_begins_a_run(client: Client, read: dict[str, str]) -> None:
    text = await shown(client, "/runs", read)
    assert "Nothing has run yet." in text
    assert "responder run RUNBOOK --ticket NUMBER" in text
    assert "No run is like that." in await shown(client, "/runs?outcome=failed", read)
    assert await listed(client, "", read) == []


async def test_a_line_says_what_ran_where_for_whom_and_what_came_of_it(
    client: Client, world: World, read: dict[str, str]
) -> None:
    await a_few_runs(world)
    text = await shown(client, "/runs", read)
    lines = [words(line) for line in text.split("<tbody>")[1].split("</tr>") if "<tr" in line]
    assert ["at work restart-app web-1" in lines[0], "lars" in lines[0]] == [True, True]
    assert re.search(r"failed ✗ disproved restart-app web-2 restart-app on web-2, step 1 .* INC-\S+ machine", lines[1])
    assert "helped ✓ proven restart-app web-1 restart-app on web-1: its one step is done" in lines[2]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [3, 2, 1]),
        ("?outcome=failed", [2]),
        ("?outcome=failed,at_work", [3, 2]),
        ("?outcome=helped&outcome=failed", [2, 1]),
        ("?target=web-1", [3, 1]),
        ("?runbook=restart-app&target=web-2", [2]),
        ("?runbook=other", []),
        ("?by=people", [3]),
        ("?by=lars", [3]),
        ("?by=lar", []),
        ("?by=machine", [2, 1]),
        ("?ticket=2", [2]),
        ("?ticket=INC-nowhere", []),
        ("?started_from=1h", [3]),
        ("?started_to=1h", [2, 1]),
    ],
)
async def test_every_filter_is_an_address(
    client: Client, world: World, read: dict[str, str], query: str, found: list[int]
) -> None:
    await a_few_runs(world)
    assert [run["id"] for run in await listed(client, query, read)] == found
    page = await shown(client, f"/runs{query}", read)
    assert re.findall(r'id="r(\d+)"', page) == [str(number) for number in found]


async def test_a_filter_that_cannot_be_meant_is_refused(client: Client, read: dict[str, str]) -> None:
    for query in ("outcome=well", "started_from=yesterdayish", "cursor=x", "cursor=WzEsMl0x"):
        answer = await client.get(f"/api/v1/runs?{query}", headers=read)
        assert (answer.status, answer.content_type) == (422, "application/problem+json"), query
        assert (await client.get(f"/runs?{query}", headers=read)).status == 422


async def test_pages_follow_each_other_whatever_begins_meanwhile(
    client: Client, world: World, read: dict[str, str]
) -> None:
    await a_few_runs(world)
    first = await (await client.get("/api/v1/runs?limit=2", headers=read)).json()
    await _another(world)
    second = await (await client.get(f"/api/v1/runs?limit=2&cursor={first['next']}", headers=read)).json()
    assert [[run["id"] for run in one["runs"]] for one in (first, second)] == [[3, 2], [1]]
    assert second["next"] is None


async def _another(world: World) -> None:
    def body(tx: Transaction) -> None:
        run = Run(id=0, ticket_id=1, runbook="restart-app", target="web-1", started_at=world.clock.now())
        tx.runs.start(run)

    await world.database.write(body)


async def test_a_run_shows_its_steps_its_acts_and_what_they_printed(
    client: Client, world: World, read: dict[str, str]
) -> None:
    await a_few_runs(world)
    told = await (await client.get("/api/v1/runs/2", headers=read)).json()
    (step,) = told["steps"]
    assert (told["outcome"], told["verified"], told["target"]) == ("failed", False, "web-2")
    assert told["hosts"] == [{"host": "web-2", "held": False}]
    assert (step["name"], step["outcome"], step["phase"]) == ("restart", "failed", "steps")
    assert [act["command"] for act in step["acts"]] == [["svc", "restart", "app"]]
    assert step["seen"]
    page = await shown(client, "/runs/2", read)
    assert 'data-topics="run:2"' in page
    assert "svc restart app" in page
    assert "config is broken" in page
    assert f'href="/tickets/{told["ticket"]}"' in page
    assert "<form" not in page.replace('<form method="dialog">', "")


async def test_what_has_not_begun_is_shown_as_still_to_come(client: Client, world: World, read: dict[str, str]) -> None:
    await a_few_runs(world)
    told = await (await client.get("/api/v1/runs/3", headers=read)).json()
    assert [(step["started_at"], step["outcome"]) for step in told["steps"]] == [(None, "")]
    page = words(await shown(client, "/runs/3", read))
    assert "still to come" in page
    assert "held: no other run may touch it" in page


async def test_words_of_hosts_are_text_and_secrets_stay_away(
    client: Client, world: World, read: dict[str, str]
) -> None:
    await a_few_runs(world)
    hidden = next(iter(world.desk.configuration.secrets))

    def body(tx: Transaction) -> None:
        run = tx.runs.one(3)
        step = _Step(index=0, name=HOSTILE, kind="ssh", host="web-1")
        tx.runs.begin_step(3, step, world.clock.now())
        tx.runs.keep_first_facts(3, 0, {"api_token": "abcdefgh", "state": hidden})
        tx.runs.end_step(3, 0, "failed", f"{HOSTILE} {hidden}", at=world.clock.now())
        tx.runs.end(run, RunOutcome.FAILED, HOSTILE, world.clock.now())

    await world.database.write(body)
    for path in ("/runs", "/runs/3", "/api/v1/runs/3"):
        answer = await client.get(path, headers=read)
        text = await answer.text()
        assert answer.status == 200
        assert hidden not in text
        assert "abcdefgh" not in text
        assert path.startswith("/api") or HOSTILE not in text


async def test_what_a_run_called_shows_no_secret_on_the_ticket_the_run_and_in_messages(
    client: Client, world: World, read: dict[str, str]
) -> None:
    world.fleet.broken.add("web-1")
    await world.post(alert())
    hidden = next(iter(world.desk.configuration.secrets))
    await world.work(hand_over=_nobody_yet)
    act = Attempt(
        id=0,
        run_id=1,
        step=0,
        kind="ssh",
        command=("app", "--password", "hunter22", f"--key={hidden}"),
        started_at=world.clock.now(),
    )
    await world.database.write(lambda tx: tx.runs.begin_attempt(act))
    await hand_over(world.desk, Job(kind="hand_over", args={"ticket": 1}, due_at=world.clock.now()))
    await world.work()
    paths = ("/tickets/1", "/api/v1/tickets/1", "/runs/1", "/api/v1/runs/1")
    texts = [await shown(client, path, read) for path in paths]
    sent = [body for _, _, body in world.sender.sent]
    assert [("hunter22" in text, hidden in text) for text in (*texts, *sent)] == [(False, False)] * (4 + len(sent))
    assert any("app --password *** --key=***" in text for text in sent)


async def _nobody_yet(_job: Job) -> None:
    """Leaves the hand-over for later."""


class _Step:
    def __init__(self, *, index: int, name: str, kind: str, host: str) -> None:
        self.index, self.name, self.kind, self.host = index, name, kind, host


async def test_a_run_that_is_not_there_leads_on(client: Client, read: dict[str, str]) -> None:
    text = await shown(client, "/runs/99", {**read, "Accept": "text/html"}, status=404)
    assert "There is no run 99." in text
    assert 'href="/runs"' in text


async def test_nobody_sees_runs_without_a_credential(client: Client) -> None:
    for path in ("/runs", "/runs/1", "/api/v1/runs", "/api/v1/runs/1"):
        assert (await client.get(path)).status == 401
