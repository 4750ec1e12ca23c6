"""A word that a route does not know is refused by name: misspelt, it would find everything, or change too little."""

from __future__ import annotations

import re

import pytest

from responder.web.openapi import operations
from responder.web.operations import Media
from tests.web.conftest import Client, header
from tests.world import World, alert

ENDLESS = "/api/v1/events"
# Whatever a verb reads, its own refusal names; `form` bodies are read by their handlers.
PLACES = {"key": "1", "id": "1", "name": "first", "number": "D4", "person": "mei", "verb": "note", "table": "hours"}


@pytest.fixture
async def admin(world: World) -> dict[str, str]:
    await world.post(alert("DiskFull"))
    return await header(world, "admin")


def routes(client: Client) -> list[tuple[str, str, bool]]:
    """Method, address, and whether the route takes a JSON body."""
    assert client.app is not None
    found = []
    for method, path, _, told in operations(client.app):
        address = re.sub(r"\{(\w+)(?::[^}]*)?\}", lambda one: PLACES[one[1]], path)
        takes_json = told is not None and bool(told.form or (told.body and not isinstance(told.body, Media)))
        found.append((method, address, takes_json))
    return found


async def test_no_route_takes_a_parameter_that_it_does_not_know(client: Client, admin: dict[str, str]) -> None:
    odd = []
    for method, address, _ in routes(client):
        answer = await client.request(method, f"{address}?limitt=1", headers=admin)
        told = await answer.json()
        named = [one["detail"] for one in told.get("errors", ()) if one["parameter"] == "limitt"]
        if answer.status != 422 or not named or "“limitt” is not known here" not in named[0]:
            odd.append((method, address, answer.status, told.get("detail")))
    assert odd == []


async def test_no_route_takes_a_field_that_it_does_not_know(client: Client, admin: dict[str, str]) -> None:
    odd = []
    for method, address, takes_json in routes(client):
        if not takes_json:
            continue
        answer = await client.request(method, address, json={"resaon": "x"}, headers=admin)
        told = await answer.json()
        said = [told["detail"], *(one["detail"] for one in told.get("errors", ()))] if answer.status == 422 else []
        if not any("“resaon” is not known" in one for one in said):
            odd.append((method, address, answer.status, told.get("detail")))
    assert odd == []
