"""The document of the API: whole, valid, and no less than what there is."""

from __future__ import annotations

import re
from typing import Any

import pytest
from aiohttp import web
from openapi_spec_validator import validate

from responder.domain.access import Scope
from responder.web.context import needs
from responder.web.openapi import described, operations
from responder.web.operations import Asked, operation
from tests.web.conftest import Client, header
from tests.world import World


@pytest.fixture
def document(client: Client) -> dict[str, Any]:
    assert client.app is not None
    return described(client.app)


def all_of(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(method.upper(), path): one for path, of in document["paths"].items() for method, one in of.items()}


@pytest.mark.parametrize("path", ["/openapi.json", "/api/v1/openapi.json"])
async def test_the_document_is_served_and_valid(client: Client, world: World, path: str) -> None:
    assert (await client.get(path)).status == 401
    served = await (await client.get(path, headers=await header(world, "read"))).json()
    validate(served)
    assert (served["openapi"], len(served["paths"]) > 60) == ("3.1.0", True)


def test_every_route_of_the_api_is_described(client: Client) -> None:
    assert client.app is not None
    missing = [f"{method} {path}" for method, path, _, told in operations(client.app) if told is None]
    assert missing == [], "a handler of the API lacks @operation"


def test_every_description_says_who_may_what_it_does_and_what_it_answers(document: dict[str, Any]) -> None:
    found = all_of(document)
    for (method, path), one in found.items():
        ((scheme, scopes),) = one["security"][0].items()
        assert (scheme, set(scopes) <= set(Scope), bool(scopes)) == ("token", True, True), path
        assert len(one["summary"]) > 10, f"{method} {path} needs a docstring"
        assert {"200", "401", "403", "422"} <= set(one["responses"]), path
        named = {parameter["name"] for parameter in one["parameters"] if parameter["in"] == "path"}
        assert named == set(re.findall(r"\{(\w+)\}", path)), path
    ids = [one["operationId"] for one in found.values()]
    assert len(ids) == len(set(ids))


async def test_a_route_that_nobody_described_is_found(client: Client) -> None:
    async def forgotten(_: web.Request) -> web.StreamResponse:
        return web.Response()

    class Query(Asked):
        q: str

    @needs("read")
    @operation(query=Query, answers=dict[str, str])
    async def told(_: web.Request) -> web.StreamResponse:
        """Something is told."""
        return web.Response()

    application = web.Application()
    application.add_routes([web.get("/api/v1/forgotten", forgotten), web.get("/api/v1/told/{id:\\d+}", told)])
    assert [(path, one is None) for _, path, _, one in operations(application)] == [
        ("/api/v1/forgotten", True),
        ("/api/v1/told/{id:\\d}", False),
    ]
    one = described(application)["paths"]["/api/v1/told/{id}"]["get"]
    assert (one["summary"], one["security"]) == ("Something is told", [{"token": ["read"]}])
    assert [(parameter["name"], parameter["schema"]["type"]) for parameter in one["parameters"]] == [
        ("id", "integer"),
        ("q", "string"),
    ]


@pytest.mark.parametrize(
    ("content", "kind", "status", "problem"),
    [
        ({"count": "1", "reason": "x"}, None, 422, ("/count", "“count” is not a whole number.")),
        ({"count": 1}, None, 422, ("/reason", "“reason” is missing: a text that says why or what.")),
        ({"count": 1, "reason": " \t"}, None, 422, ("/reason", "“reason” is missing: a text that says why or what.")),
        ({"count": 1, "reason": 2}, None, 422, ("/reason", "“reason” is not a text.")),
        ({"count": 2**63, "reason": "x"}, None, 422, ("/count", "“count” is too large.")),
        ({"count": 1, "reason": "x", "~/": 1}, None, 422, ("/~0~1", "there are actor, reason, count.")),
        ({"count": 1, "reason": "x"}, "text/xml", 415, None),
    ],
)
async def test_a_body_that_does_not_fit_is_refused_field_by_field(
    client: Client,
    act: dict[str, str],
    content: dict[str, Any],
    kind: str | None,
    status: int,
    problem: tuple[str, str] | None,
) -> None:
    headers = {**act, **({"Content-Type": kind} if kind else {})}
    answer = await client.post("/api/v1/parts/D4/receive", json=content, headers=headers)
    told = await answer.json()
    assert (answer.status, answer.content_type) == (status, "application/problem+json")
    assert told["type"] == {422: "/problems/invalid", 415: "/problems/unsupported"}[status]
    if problem:
        assert told["errors"][0]["pointer"] == problem[0]
        assert problem[1] in told["errors"][0]["detail"]


async def test_another_method_is_refused_with_those_that_there_are(client: Client, act: dict[str, str]) -> None:
    answer = await client.patch("/api/v1/tickets", headers=act)
    told = await answer.json()
    assert (answer.status, answer.headers["Allow"], told["type"]) == (405, "GET,HEAD", "/problems/method-not-allowed")


async def test_a_name_with_a_character_that_no_text_has_is_not_found(client: Client, act: dict[str, str]) -> None:
    for path in ("/api/v1/tickets/a%00b", "/api/v1/parts/a%00", "/api/v1/rotas/%00"):
        assert (await client.get(path, headers=act)).status == 404
