"""Lists of tickets: filters, pages, and what is said to a filter that is spelled wrongly."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest
from multidict import MultiDict

from responder.domain.ticket_filter import TicketFilter
from responder.web.ticket_filter import filter_in, query_of
from tests.web.conftest import Client, header
from tests.world import World, alert

ALERTS = (
    alert("DiskFull", severity="warning", instance="web-1:9100"),
    alert("ServiceDown", instance="web-2:9100"),
    alert("Noise", severity="info", instance="db-1:9100"),
)


@pytest.fixture
async def read(world: World) -> dict[str, str]:
    await world.post(*ALERTS)
    return await header(world, "read")


async def titles(client: Client, path: str, headers: dict[str, str]) -> list[str]:
    answer = await client.get(path, headers=headers)
    found: dict[str, Any] = await answer.json()
    assert answer.status == 200, found
    return [one["title"].split()[0] for one in found["tickets"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Noise", "ServiceDown", "DiskFull"]),
        ("sort=urgent", ["ServiceDown", "DiskFull", "Noise"]),
        ("grade=P1", ["ServiceDown"]),
        ("grade=P1,P3&open=1", ["ServiceDown", "DiskFull"]),
        ("grade=P1&grade=P2&status=closed", []),
        ("text=disk+web-1", ["DiskFull"]),
        ("target=db-1&acknowledged=no", ["Noise"]),
        ("team=ops&source=main&signal=firing&opened_from=1h", ["Noise", "ServiceDown", "DiskFull"]),
        ("opened_to=1h", []),
        ("opened_to=2020-01-05", []),
    ],
)
async def test_a_query_is_a_filter(client: Client, read: dict[str, str], query: str, found: list[str]) -> None:
    assert await titles(client, f"/api/v1/tickets?{query}", read) == found


@pytest.mark.parametrize(
    ("query", "parameter", "says"),
    [
        ("grade=level-9", "grade", "there are P1, P2, P3, P4"),
        ("status=opne", "status", "there are new, first_aid"),
        ("team=nobody", "team", "there are ops"),
        ("kind=nothing", "kind", "there is none"),
        ("acknowledged=maybe", "acknowledged", "'yes', '0'"),
        ("sort=color", "sort", "'newest', 'urgent', not"),
        ("opened_from=yesterdayish", "opened_from", "is no time; write it like 2026-01-05, "),
        ("opened_from=999999999999d", "opened_from", "or 7d for how long ago"),
        ("opened_to=9999-12-31", "opened_to", "is not between the years"),
        ("stauts=new", "stauts", "there are limit, cursor, open"),
        ("who=%00", "who", "a character that no text has"),
        ("who=a&who=b", "who", "more than once"),
        ("limit=0", "limit", "is too small"),
        ("limit=-1", "limit", "not a whole number"),
        ("cursor=nonsense", "cursor", "is none of ours"),
        ("cursor=WzEsdHJ1ZV0", "cursor", "is none of ours"),
        ("cursor=W10", "cursor", "is none of ours"),
        ("cursor=é", "cursor", "is none of ours"),
    ],
)
async def test_a_filter_that_is_spelled_wrongly_is_refused_with_what_there_is(
    client: Client, read: dict[str, str], query: str, parameter: str, says: str
) -> None:
    answer = await client.get(f"/api/v1/tickets?{query}", headers=read)
    told = await answer.json()
    assert (answer.status, told["errors"][0]["parameter"]) == (422, parameter)
    assert says in told["detail"]


async def test_a_grade_that_only_old_tickets_have_is_known(client: Client, world: World, read: dict[str, str]) -> None:
    from sqlalchemy import text

    await world.database.write(lambda tx: tx.connection.execute(text("UPDATE tickets SET grade = 'level-9'")))
    assert len(await titles(client, "/api/v1/tickets?grade=level-9", read)) == 3


@pytest.mark.parametrize("order", ["newest", "urgent"])
async def test_pages_lead_to_the_end_whatever_is_opened_meanwhile(
    client: Client, world: World, read: dict[str, str], order: str
) -> None:
    whole = await titles(client, f"/api/v1/tickets?sort={order}", read)
    path, seen = f"/api/v1/tickets?sort={order}&limit=1&text=on&grade=P1,P2,P3,P4", []
    for _ in range(3):
        answer = await client.get(path, headers=read)
        seen += [one["title"].split()[0] for one in (await answer.json())["tickets"]]
        await world.post(alert("Another", instance=f"n{len(seen)}", severity="critical"))
        if link := answer.headers.get("Link"):
            assert link.endswith('; rel="next"')
            path = link.split(">")[0][1:]
    assert (seen, "Link" in answer.headers) == (whole, False)


async def test_before_is_still_an_id(client: Client, read: dict[str, str]) -> None:
    first = await (await client.get("/api/v1/tickets?limit=2", headers=read)).json()
    assert first["before"] == first["tickets"][-1]["id"]
    assert await titles(client, f"/api/v1/tickets?before={first['before']}", read) == ["DiskFull"]


def test_a_filter_is_a_query_and_a_query_the_same_filter(world: World) -> None:
    now, zone = world.clock.now(), world.desk.policy.zone
    said = (
        "open=1&acknowledged=no&status=new&status=waiting&grade=P1&kind=hardware&team=ops&source=main&who=mei"
        "&target=web-1&text=disk&opened_from=2026-01-05&opened_to=2026-01-05&sort=urgent"
    )
    asked = filter_in(MultiDict(parse_qsl(said)), zone, now)
    assert (asked.opened_to or now) - (asked.opened_from or now) == timedelta(days=1)
    assert filter_in(MultiDict(query_of(asked)), zone, now) == asked
    assert query_of(TicketFilter()) == [("sort", "newest")]
