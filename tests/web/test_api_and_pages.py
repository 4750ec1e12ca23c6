"""What people and scripts see and do over HTTP."""

from __future__ import annotations

import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.web.conftest import Client, header
from tests.world import World, alert, resolved


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/", "read"),
        ("GET", "/tickets/1", "read"),
        ("GET", "/api/v1/tickets", "read"),
        ("GET", "/api/v1/tickets/1", "read"),
        ("POST", "/api/v1/tickets/1/acknowledge", "act"),
        ("POST", "/api/v1/tickets/1/note", "act"),
        ("POST", "/api/v1/tickets/1/restore", "act"),
        ("GET", "/api/v1/kill-switch", "read"),
        ("PUT", "/api/v1/kill-switch", "act"),
        ("DELETE", "/api/v1/kill-switch", "act"),
        ("POST", "/-/reload", "admin"),
    ],
)
async def test_without_a_token_or_with_a_lesser_one_nothing_is_shown_or_done(
    client: Client, world: World, method: str, path: str, scope: str
) -> None:
    await world.post(alert())
    lesser = {"read": "ingest", "act": "read", "admin": "act"}[scope]
    for headers in ({}, {"Authorization": "Bearer nonsense"}, await header(world, lesser)):
        answer = await client.request(method, path, headers=headers)
        assert answer.status in (401, 403)
        assert "ServiceDown" not in await answer.text()


async def test_an_expired_token_opens_nothing(client: Client, world: World) -> None:
    from datetime import timedelta

    from responder.config.settings import digest
    from responder.store.switchboard import Token

    now = world.clock.now()
    made = Token(name="t", digest=digest("x"), scope="admin", created_at=now, expires_at=now + timedelta(hours=1))
    await world.database.write(lambda tx: tx.switchboard.add_token(made))
    assert (await client.get("/api/v1/tickets", headers={"Authorization": "Bearer x"})).status == 200
    world.clock.advance(timedelta(hours=1))
    assert (await client.get("/api/v1/tickets", headers={"Authorization": "Bearer x"})).status == 401


async def test_acknowledging_twice_is_refused_with_the_name(client: Client, world: World, act: dict[str, str]) -> None:
    await world.post(alert())
    first = await client.post("/api/v1/tickets/1/acknowledge", json={"actor": "mei"}, headers=act)
    second = await client.post("/api/v1/tickets/1/acknowledge", json={"actor": "lars"}, headers=act)

    assert (first.status, (await first.json())["acknowledged_by"]) == (200, "mei")
    assert second.status == 409
    assert "already acknowledged by mei" in (await second.json())["detail"]


@pytest.mark.parametrize(
    ("path", "content", "status"),
    [
        ("/api/v1/tickets/77/acknowledge", b"{}", 404),
        ("/api/v1/tickets/1/note", b"{", 400),
        ("/api/v1/tickets/1/note", b"[]", 422),
        ("/api/v1/tickets/1/note", b'{"text": "  "}', 422),
        ("/api/v1/tickets/1/restore", b"{}", 422),
        ("/api/v1/nothing", b"{}", 404),
    ],
)
async def test_bad_input_gets_a_problem_with_a_sentence(
    client: Client, world: World, act: dict[str, str], path: str, content: bytes, status: int
) -> None:
    await world.post(alert())
    answer = await client.post(path, data=content, headers=act)
    assert (answer.status, answer.content_type) == (status, "application/problem+json")
    assert (await answer.json())["detail"]


async def test_a_link_in_a_message_asks_first_and_only_the_confirmation_acts(client: Client, world: World) -> None:
    await world.post(alert("DiskFull"))
    await world.work()
    line = next(line for line in world.sender.sent[0][2].splitlines() if line.startswith("Acknowledge"))
    path = line.split("https://responder.test")[1]

    page = await client.get(path)
    assert (page.status, "Acknowledge as" in await page.text()) == (200, True)
    assert (await world.ticket())["acknowledged_by"] == ""

    assert (await client.post(path)).status == 200
    assert (await world.ticket())["acknowledged_by"] == world.sender.sent[0][0]
    assert (await client.post(path)).status == 200
    other = next(body for person, _, body in world.sender.sent if person != world.sender.sent[0][0])
    theirs = next(line for line in other.splitlines() if line.startswith("Acknowledge")).split(
        "https://responder.test"
    )[1]
    refused = await client.post(theirs)
    assert (refused.status, "already acknowledged by" in await refused.text()) == (409, True)


@pytest.mark.parametrize("path", ["/ack/nonsense", "/ack/W10.x.y"])
async def test_a_link_that_is_not_ours_says_so(client: Client, path: str) -> None:
    assert (await client.get(path)).status == 403
    assert (await client.post(path)).status == 409


async def test_hostile_labels_are_text_on_the_pages_and_the_policy_forbids_the_rest(
    client: Client, world: World, act: dict[str, str]
) -> None:
    hostile = "<script>alert(1)</script>"
    await world.post(alert("DiskFull", note=hostile, instance=hostile))
    for path in ("/", "/tickets/1"):
        page = await client.get(path, headers=act)
        text = await page.text()
        assert re.findall("<script[^>]*>", text) == [
            f'<script type="module" src="/static/{name}.js">' for name in ("console", "live")
        ]
        assert "&lt;script&gt;" in text
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        assert page.headers["X-Content-Type-Options"] == "nosniff"


async def test_metrics_agree_with_the_tickets(client: Client, world: World) -> None:
    world.fleet.broken.add("web-2")
    await world.post(alert(), alert(instance="web-2:9100"), alert("DiskFull", severity="warning"))
    await world.work()
    await world.post(resolved())
    from datetime import timedelta

    await world.advance(timedelta(minutes=10))
    text = await (await client.get("/metrics")).text()
    values = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }

    def value(name: str, **labels: str) -> float:
        return values[(f"responder_{name}", *sorted(labels.items()))]

    assert value("tickets_created_total", priority="P1", team="ops", source="main") == 2
    assert value("tickets_resolved_total", priority="P1", team="ops", by="machine") == 1
    assert value("tickets_unacknowledged", priority="P1", team="ops") == 1
    assert value("runs_total", runbook="restart-app", outcome="helped") == 1
    assert value("runs_total", runbook="restart-app", outcome="failed") == 1
    assert value("ticket_resolve_seconds_count", priority="P1", team="ops", by="machine") == 1
    assert value("ticket_resolve_seconds_bucket", priority="P1", team="ops", by="machine", le="300") == 0
    assert value("ticket_resolve_seconds_bucket", priority="P1", team="ops", by="machine", le="900") == 1
    assert value("ticket_resolve_seconds_sum", priority="P1", team="ops", by="machine") == 600
    assert value("sla_clocks_met_total", clock="restore", priority="P1", team="ops") == 1
    assert value("messages_total", channel="json", outcome="sent") == 3


async def test_an_answer_in_time_whatever_the_notifiers_do(client: Client, world: World, act: dict[str, str]) -> None:
    import asyncio

    world.sender.gate = asyncio.Event()
    await world.post(alert("DiskFull"))
    working = asyncio.create_task(world.work())
    async with asyncio.timeout(10):
        for path in ("/-/healthy", "/-/ready", "/metrics", "/api/v1/tickets", "/"):
            assert (await client.get(path, headers=act)).status == 200
        body = {"alerts": [alert("Another")]}
        taken = await client.post("/webhooks/alertmanager", json=body, headers={"Authorization": "Bearer main-token"})
        assert taken.status == 200
    assert world.sender.sent == []
    world.sender.gate.set()
    await working


async def test_one_urgent_ticket_is_on_top_of_a_flood_of_slight_ones(
    client: Client, world: World, act: dict[str, str]
) -> None:
    await world.post(alert("Outage"))
    await world.post(*(alert("Noise", severity="info", instance=f"n{number}") for number in range(250)))
    text = await (await client.get("/", headers=act)).text()
    assert text.index("Outage on web-1:9100") < text.index("Noise on")
    assert text.count("<tr") == 1 + 50
    assert "The 50 most urgent of 251 open tickets." in text
    assert re.search(r">P4</span> 250</a>", text), "the numbers beside the grades are of all that is open"


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.test"}])
async def test_another_site_cannot_act_with_a_browsers_credentials(
    client: Client, world: World, act: dict[str, str], headers: dict[str, str]
) -> None:
    await world.post(alert())
    answer = await client.post("/api/v1/tickets/1/acknowledge", headers={**act, **headers})
    assert answer.status == 403
    assert (await world.ticket())["acknowledged_by"] == ""


async def test_who_may_only_read_sees_no_link_that_acts(client: Client, world: World) -> None:
    await world.post(alert("DiskFull"))
    await world.work()
    text = await (await client.get("/api/v1/tickets/1", headers=await header(world, "read"))).text()
    assert '"messages":[{' in text
    assert "/ack/" not in text
