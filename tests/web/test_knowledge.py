"""The knowledge base over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from responder.flows.batcher import Batcher
from responder.flows.recognise import index_closed
from responder.web import knowledge
from responder.web.context import CONTEXT, Context
from responder.web.problems import errors_as_problems
from tests.web.conftest import Client, header
from tests.world import World, alert

PATH = "/api/v1/knowledge"


async def _ready() -> str:
    return ""


async def _reload() -> None: ...


@pytest.fixture
async def client(world: World, aiohttp_client) -> Client:  # type: ignore[no-untyped-def]
    application = web.Application(middlewares=[errors_as_problems])
    application[CONTEXT] = Context(desk=world.desk, batcher=Batcher(world.desk, 3), reload=_reload, is_ready=_ready)
    application.add_routes(knowledge.routes())
    made: Client = await aiohttp_client(TestServer(application))
    return made


async def asked(client: Client, method: str, path: str, headers: dict[str, str], **content: Any) -> tuple[int, Any]:
    answer = await client.request(method, path, headers=headers, json=content or None)
    return answer.status, await answer.json()


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", PATH, "read"),
        ("GET", f"{PATH}/search?q=disk", "read"),
        ("GET", f"{PATH}/1", "read"),
        ("GET", "/api/v1/tickets/1/similar", "read"),
        ("POST", PATH, "act"),
        ("PATCH", f"{PATH}/1", "act"),
        ("POST", f"{PATH}/1/publish", "act"),
        ("POST", f"{PATH}/1/retire", "act"),
    ],
)
async def test_without_a_token_or_with_a_lesser_one_nothing_is_told_or_done(
    client: Client, world: World, method: str, path: str, scope: str
) -> None:
    lesser = {"read": "ingest", "act": "read"}[scope]
    for headers in ({}, await header(world, lesser)):
        assert (await client.request(method, path, headers=headers)).status in (401, 403)


async def test_an_article_from_its_first_word_to_its_end(client: Client, act: dict[str, str]) -> None:
    words = {"title": "磁盘已满", "symptom": "No space left on device.", "labels": {"service": "order"}, "actor": "mei"}
    status, made = await asked(client, "POST", PATH, act, **words)
    assert (status, made["state"], made["actor"], made["labels"]) == (200, "draft", "mei", {"service": "order"})
    path = f"{PATH}/{made['id']}"
    status, refused = await asked(client, "POST", f"{path}/publish", act)
    assert (status, "it has no solution" in refused["detail"]) == (409, True)
    assert (await asked(client, "PATCH", path, act, solution="Delete old logs.", actor="lars"))[1]["actor"] == "lars"
    assert (await asked(client, "POST", f"{path}/publish", act))[1]["state"] == "published"

    (hit,) = (await asked(client, "GET", f"{PATH}/search?q=full disk", act))[1]["found"]
    assert (hit["source"], hit["id"], hit["title"], hit["title_hits"]) == ("article", made["id"], "磁盘已满", [[0, 4]])
    assert (hit["excerpt"], hit["score"]) == ("No space left on device. Delete old logs.", 1.0)
    listed = (await asked(client, "GET", f"{PATH}?state=published", act))[1]
    assert ([one["id"] for one in listed["articles"]], listed["before"]) == ([made["id"]], None)

    assert (await asked(client, "POST", f"{path}/retire", act))[1]["state"] == "retired"
    assert (await asked(client, "GET", f"{PATH}/search?q=disk", act))[1]["found"] == []
    assert (await asked(client, "GET", path, act))[1]["state"] == "retired"


async def test_an_article_is_drafted_from_a_ticket_and_a_ticket_shows_what_is_like_it(
    client: Client, world: World, act: dict[str, str]
) -> None:
    for instance in ("web-1", "web-2"):
        await world.post(
            {**alert(instance=instance), "annotations": {"summary": "Log volume of the order service full"}}
        )
    status, made = await asked(client, "POST", PATH, act, ticket="1")
    assert (status, made["ticket_id"], made["title"]) == (200, 1, "Log volume of the order service full")
    assert (await asked(client, "POST", PATH, act, ticket="1"))[0] == 409

    assert (await asked(client, "GET", "/api/v1/tickets/2/similar", act))[1]["recurring"] is False
    await world.database.write(lambda tx: index_closed(tx, tx.tickets.one(1).ticket, tx.dossiers.of_ticket(1)))
    shown = (await asked(client, "GET", "/api/v1/tickets/2/similar", act))[1]
    assert (shown["recurring"], [one["id"] for one in shown["similar"]]) == (True, [1])
    assert shown["sentence"].startswith("Recurring: looks like INC-")


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("GET", f"{PATH}/7", {}, 404),
        ("GET", f"{PATH}/x", {}, 404),
        ("GET", f"{PATH}?state=odd", {}, 422),
        ("GET", f"{PATH}?limit=-1", {}, 422),
        ("GET", f"{PATH}/search", {}, 422),
        ("GET", f"{PATH}/search?q=的", {}, 422),
        ("GET", "/api/v1/tickets/INC-0/similar", {}, 404),
        ("POST", PATH, {"symptom": "x"}, 422),
        ("POST", PATH, {"title": ["x"]}, 422),
        ("POST", PATH, {"title": "x", "labels": {"service": 7}}, 422),
        ("POST", PATH, {"ticket": "INC-0"}, 404),
        ("PATCH", f"{PATH}/7", {"title": "x"}, 404),
        ("PATCH", f"{PATH}/7", {"state": "published"}, 422),
        ("POST", f"{PATH}/7/publish", {}, 404),
    ],
)
async def test_what_is_odd_or_not_there_is_said(
    client: Client, act: dict[str, str], method: str, path: str, content: dict[str, Any], status: int
) -> None:
    answered, problem = await asked(client, method, path, act, **content)
    assert (answered, bool(problem["detail"])) == (status, True)
