"""Maintenance of alerts over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.conftest import Client, header
from tests.world import World, alert

PATH = "/api/v1/maintenance/windows"
WISH: dict[str, Any] = {"match": ['job="web"'], "for": "2h", "reason": "upgrade", "actor": "mei"}


@pytest.mark.parametrize(
    ("method", "path", "lesser"), [("GET", "", "ingest"), ("POST", "", "read"), ("DELETE", "/1", "read")]
)
async def test_windows_need_a_token_of_the_right_scope(
    client: Client, world: World, method: str, path: str, lesser: str
) -> None:
    for headers in ({}, await header(world, lesser)):
        assert (await client.request(method, PATH + path, headers=headers)).status in (401, 403)


async def test_a_window_is_begun_shown_beside_the_targets_and_ended(
    client: Client, world: World, act: dict[str, str]
) -> None:
    begun = await (await client.post(PATH, json=WISH, headers=act)).json()
    (window,) = begun["windows"]
    assert (begun["id"], window["id"], window["matchers"], window["actor"]) == (1, 1, ['job="web"'], "mei")
    assert (window["reason"], window["is_everything"]) == ("upgrade", False)
    for path in (PATH, "/api/v1/maintenance"):
        assert (await (await client.get(path, headers=act)).json())["windows"] == [window]

    await world.post(alert(job="web"))
    await world.work()
    shown = await (await client.get("/api/v1/tickets/1", headers=act)).json()
    assert (shown["held"]["name"], shown["status"], shown["messages"]) == ("maintenance", "new", [])
    assert "mei: upgrade" in shown["held"]["sentence"]

    assert (await (await client.delete(f"{PATH}/1", headers=act)).json())["windows"] == []
    again = await client.delete(f"{PATH}/1", headers=act)
    assert (again.status, "no open maintenance window 1" in (await again.json())["detail"]) == (404, True)


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"match": []}, 409, "would mute every alert"),
        ({"match": ['job=~".+"']}, 409, "would mute every alert"),
        ({"match": ["job"]}, 409, "is not a matcher"),
        ({"match": [7]}, 422, "list of them"),
        ({"for": None}, 422, "“for” is missing"),
        ({"for": "soon"}, 422, "not a duration"),
        ({"reason": " "}, 422, "“reason” is missing"),
        ({"matches": ["a=b"]}, 422, "“matches” is not known here"),
        ({"everything": True}, 409, "matchers have no say"),
        ({"match": [f'job="{number}"' for number in range(21)]}, 409, "at most 20"),
    ],
)
async def test_a_window_that_cannot_be_meant_is_refused_with_a_sentence(
    client: Client, act: dict[str, str], change: dict[str, Any], status: int, said: str
) -> None:
    answer = await client.post(PATH, json={**WISH, **change}, headers=act)
    assert (answer.status, said in (await answer.json())["detail"]) == (status, True)


async def test_a_window_for_everything_says_so(client: Client, act: dict[str, str]) -> None:
    wish = {"everything": True, "for": "10m", "reason": "move"}
    (window,) = (await (await client.post(PATH, json=wish, headers=act)).json())["windows"]
    assert (window["matchers"], window["is_everything"]) == ([], True)
