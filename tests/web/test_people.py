"""People by the API: no address is ever shown, and a test says what became of it on each channel."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from responder.cli.tickets import tries_of
from responder.config.configuration import read
from responder.errors import SendFailed
from responder.store.database import Database
from responder.web.shapes import plain
from tests.web.conftest import GUARDED, Client, header
from tests.world import World, alert

_EXACT = "%Y-%m-%d %H:%M:%S"
PEOPLE = """
people:
  - name: mei
    language: zh
    roles: [engineer]
    channels:
      - {name: pager, url: "json://127.0.0.1:9/secret-of-mei"}
      - {name: mail, url: "form://127.0.0.1:9/secret-too"}
    contact: [{channels: [pager]}, {after: 5m, channels: [mail]}]
    quiet_hours: [{from: "00:00", to: "12:00"}, {from: "12:00", to: "00:00"}]
  - {name: lars}
  - {name: rosa, channels: [{name: phone, url: "json://127.0.0.1:9/rosa"}]}
teams:
  - {name: ops, tiers: {1: [mei], 2: [rosa]}}
"""


@pytest.fixture
def world(tmp_path: Path, database: Database) -> World:
    return World(tmp_path, database, main=GUARDED, people=PEOPLE)


async def test_people_are_listed_with_masked_channels_and_who_is_in_quiet_hours(client: Client, world: World) -> None:
    answer = await client.get("/api/v1/people", headers=await header(world, "read"))
    mei, lars, rosa = (await answer.json())["people"]

    assert "secret" not in await answer.text()
    assert mei["channels"] == [
        {"name": "pager", "address": "json://***", "length": "long", "after_seconds": 0},
        {"name": "mail", "address": "form://***", "length": "long", "after_seconds": 300},
    ]
    assert mei["teams"] == [{"team": "ops", "tier": 1, "rota": "", "is_on_duty": True, "until": None}]
    assert (mei["quiet_until"] is None, lars["channels"], rosa["quiet_until"]) == (False, [], None)


ON_ROTA = """
teams:
  - {name: ops, tiers: {1: {rota: first}, 2: [rosa]}}
rotas:
  - {name: first, layers: [{people: [mei, lars], rotation: hourly, start: 2026-01-05 00:00}]}
"""


async def test_who_of_a_rota_is_on_duty_now_is_marked_with_the_time_until_when(
    client: Client, world: World, act: dict[str, str]
) -> None:
    people = PEOPLE.partition("teams:")[0] + ON_ROTA
    (world.path.parent / "people.yml").write_text(people)
    world.desk.take_over(read(world.path))
    noon = datetime.combine(world.clock.now().date() + timedelta(days=1), time(12, 30), UTC)
    world.clock.advance(noon - world.clock.now())

    async def marked() -> dict[str, list[tuple[int, bool, str | None]]]:
        found = (await (await client.get("/api/v1/people", headers=act)).json())["people"]
        return {
            one["name"]: [(team["tier"], team["is_on_duty"], team["until"]) for team in one["teams"]] for one in found
        }

    until = f"{noon:%Y-%m-%d}T13:00:00Z"
    assert await marked() == {"mei": [(1, True, until)], "lars": [(1, False, None)], "rosa": [(2, True, None)]} or (
        await marked() == {"mei": [(1, False, None)], "lars": [(1, True, until)], "rosa": [(2, True, None)]}
    )
    wish = {"person": "rosa", "until": f"{noon:%Y-%m-%d}T14:00:00Z", "reason": "x"}
    assert (await client.post("/api/v1/rotas/first/overrides", json=wish, headers=act)).status == 200
    assert await marked() == {
        "mei": [(1, False, None)],
        "lars": [(1, False, None)],
        "rosa": [(1, True, f"{noon:%Y-%m-%d}T14:00:00Z"), (2, True, None)],
    }
    rosa = (await (await client.get("/api/v1/people", headers=act)).json())["people"][2]
    assert rosa["on_duty"] == [{"rota": "first", "until": f"{noon:%Y-%m-%d}T14:00:00Z"}]


async def test_a_test_is_sent_on_each_channel_and_each_verdict_is_told(
    client: Client, world: World, act: dict[str, str]
) -> None:
    world.sender.failures.append(SendFailed("json did not take the message: it answered 503."))
    answer = await client.post("/api/v1/people/mei/test", json={"actor": "rosa"}, headers=act)
    pager, mail = (await answer.json())["channels"]

    assert (pager["is_taken"], pager["sentence"]) == (False, "json did not take the message: it answered 503.")
    assert (mail["is_taken"], mail["sentence"]) == (True, "")
    assert world.sender.sent == [("secret-too", "测试消息", "rosa 正在测试此渠道。您无需做任何操作。")]


async def test_one_channel_alone_can_be_tried(client: Client, world: World, act: dict[str, str]) -> None:
    answer = await client.post("/api/v1/people/mei/test", json={"channel": "pager"}, headers=act)
    assert [one["channel"] for one in (await answer.json())["channels"]] == ["pager"]
    assert len(world.sender.sent) == 1


@pytest.mark.parametrize(
    ("path", "channel", "status", "said"),
    [
        ("eve", "", 404, "Nobody is called eve; there are mei, lars, rosa."),
        ("mei", "fax", 404, "mei has no channel fax; there are pager, mail."),
        ("lars", "", 409, "lars has no channel in the people file."),
    ],
)
async def test_who_or_what_is_not_there_is_named(
    client: Client, act: dict[str, str], path: str, channel: str, status: int, said: str
) -> None:
    answer = await client.post(f"/api/v1/people/{path}/test", json={"channel": channel}, headers=act)
    assert (answer.status, (await answer.json())["detail"]) == (status, said)


async def test_a_test_needs_somebody_who_may_act(client: Client, world: World) -> None:
    answer = await client.post("/api/v1/people/mei/test", headers=await header(world, "read"))
    assert (answer.status, world.sender.sent) == (403, [])


async def test_the_ticket_says_where_each_message_is_and_when_it_is_tried(
    client: Client, world: World, act: dict[str, str]
) -> None:
    await world.post(alert("DiskFull", severity="warning"))
    await world.work()
    read = await header(world, "read")

    messages = (await (await client.get("/api/v1/tickets/1", headers=read)).json())["messages"]
    states = [(one["person"], one["channel"], one["state"], one["due_at"] is not None) for one in messages]
    assert states == [
        ("mei", "pager", "held", True),
        ("mei", "mail", "waiting", True),
        ("rosa", "phone", "sent", False),
    ]
    page = await (await client.get("/tickets/1", headers=read)).text()
    assert '<td class="tight">held</td>' in page
    assert "mei is in quiet hours until" in page
    assert f'>to be tried <time datetime="{messages[0]["due_at"]}"' in page
    assert [one["tried_at"] is not None for one in messages] == [False, False, True]


async def test_what_failed_for_now_says_when_it_was_tried_and_when_it_is_next(client: Client, world: World) -> None:
    world.sender.failures.append(SendFailed("no answer"))
    began = world.clock.now()
    await world.post(alert("DiskFull"))
    await world.work()
    read = await header(world, "read")
    ticket = await (await client.get("/api/v1/tickets/1", headers=read)).json()
    (failed,) = [one for one in ticket["messages"] if one["state"] == "failed_for_now"]
    assert (failed["tried_at"], failed["due_at"]) == (plain(began), plain(began + timedelta(seconds=5)))
    page = await (await client.get("/tickets/1", headers=read)).text()
    assert f'>tried <time datetime="{failed["tried_at"]}"' in page
    assert f'>to be tried <time datetime="{failed["due_at"]}"' in page
    assert tries_of(failed) == f"tried at {began:{_EXACT}}, next at {began + timedelta(seconds=5):{_EXACT}}"
