"""The contract with Alertmanager: durable before 2xx, 4xx only for what can never succeed, 503 for the rest."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, TypeVar

import pytest

from responder.errors import Conflict, StoreUnavailable
from responder.metrics import intake_waiting
from responder.store.transaction import Transaction
from tests.web.conftest import Client
from tests.world import World, alert

T = TypeVar("T")
HOOK = "/webhooks/alertmanager"
MAIN = {"Authorization": "Bearer main-token"}
MATERIAL = Path(os.environ.get("RESPONDER_MATERIAL", Path(__file__).parents[3] / "shared" / "material")) / "webhooks"


def body(*alerts: dict[str, Any]) -> dict[str, Any]:
    return {"version": "4", "status": "firing", "alerts": list(alerts)}


async def test_an_accepted_alert_is_a_ticket_before_the_answer(client: Client, world: World) -> None:
    answer = await client.post(HOOK, json=body(alert()), headers=MAIN)

    assert answer.status == 200
    assert (await answer.json())["reports"] == 1
    assert (await world.ticket())["title"] == "ServiceDown on web-1:9100"


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        (HOOK, MAIN, 200),
        (f"{HOOK}/main", MAIN, 200),
        (f"{HOOK}/old", {"Authorization": "Basic cHJvbTpzZWNyZXQ="}, 200),
        (f"{HOOK}/old", MAIN, 401),
        (f"{HOOK}/old", {"Authorization": "Basic cHJvbTp3cm9uZw=="}, 401),
        (f"{HOOK}/main", {"Authorization": "Bearer wrong"}, 401),
        (f"{HOOK}/main", {}, 401),
        (f"{HOOK}/nobody", MAIN, 401),
        (f"{HOOK}/main", {"Authorization": "Basic %%%"}, 401),
    ],
)
async def test_only_the_sources_own_credential_opens(
    client: Client, path: str, headers: dict[str, str], status: int
) -> None:
    answer = await client.post(path, json=body(alert()), headers=headers)
    assert answer.status == status


@pytest.mark.parametrize(
    ("content", "status", "reason"),
    [
        (b"{", 400, "not JSON"),
        (b"[]", 422, "JSON list"),
        (b'{"text": "hi"}', 422, "no list"),
        (b'{"alerts": [{"status": "firing"}]}', 422, "no labels"),
        (b'{"alerts": [' + b" " * 20_000 + b"]}", 413, "larger than 20000"),
    ],
)
async def test_what_can_never_succeed_is_kept_with_its_bytes_and_becomes_a_ticket(
    client: Client, world: World, content: bytes, status: int, reason: str
) -> None:
    answer = await client.post(HOOK, data=content, headers=MAIN)

    assert answer.status == status
    assert answer.content_type == "application/problem+json"
    assert reason in (await answer.json())["detail"]
    kept = (await world.read(lambda tx: tx.reports.quarantined()))[0]
    assert (kept.source, kept.body[:100]) == ("main", content[:100])
    assert reason in kept.quarantined_because
    ticket = await world.ticket()
    assert (ticket["labels"]["alertname"], ticket["labels"]["source"]) == ("ResponderBodyNotUnderstood", "main")


async def test_a_body_with_one_alert_that_cannot_be_used_loses_only_that_one(client: Client, world: World) -> None:
    answer = await client.post(HOOK, json=body({"status": "firing"}, alert()), headers=MAIN)

    assert answer.status == 200
    assert "alert 1: it has no labels" in (await answer.json())["not_understood"][0]
    titles = {ticket.title for ticket in await world.read(lambda tx: tx.tickets.listed())}
    assert any("not understood" in title for title in titles)
    assert "ServiceDown on web-1:9100" in titles


async def test_a_stranger_cannot_fill_the_quarantine(client: Client, world: World) -> None:
    for number in range(30):
        await client.post(HOOK, data=b"x" * number)
    assert len(await world.read(lambda tx: tx.reports.quarantined(100))) == 20
    assert len(await world.read(lambda tx: tx.tickets.listed())) == 1


class _Away:
    """A store whose database is away."""

    first_grades: Collection[str] = ()

    async def write(self, body: Callable[[Transaction], T], *, urgent: bool = False) -> T:
        raise StoreUnavailable("The database cannot be used now: connection refused")

    async def read(self, body: Callable[[Transaction], T]) -> T:
        raise StoreUnavailable("The database cannot be used now: connection refused")


async def test_while_the_database_is_away_the_sender_is_asked_to_come_back(client: Client, world: World) -> None:
    store, world.desk.store = world.desk.store, _Away()
    for content in (json.dumps(body(alert())).encode(), b"{"):
        answer = await client.post(HOOK, data=content, headers=MAIN)
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    world.desk.store = store
    assert (await client.post(HOOK, json=body(alert()), headers=MAIN)).status == 200


class _AlwaysTaken(_Away):
    """A store where somebody else is first every time."""

    async def write(self, body: Callable[[Transaction], T], *, urgent: bool = False) -> T:
        raise Conflict("Somebody else was first.")


async def test_a_report_that_loses_every_race_is_asked_for_again_and_not_thrown_away(
    client: Client, world: World
) -> None:
    world.desk.store = _AlwaysTaken()
    answer = await client.post(HOOK, json=body(alert()), headers=MAIN)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")


class _Slow:
    """A store that commits only when it is told to."""

    first_grades: Collection[str] = ()

    def __init__(self, store: Any) -> None:
        self._store = store
        self.gate = asyncio.Event()
        self.commits = 0

    async def write(self, body: Callable[[Transaction], T], *, urgent: bool = False) -> T:
        await self.gate.wait()
        self.commits += 1
        result: T = await self._store.write(body)
        return result

    async def read(self, body: Callable[[Transaction], T]) -> T:
        result: T = await self._store.read(body)
        return result


async def test_requests_that_wait_share_one_commit_and_a_full_queue_says_503(client: Client, world: World) -> None:
    slow = _Slow(world.desk.store)
    world.desk.store = slow
    first = asyncio.create_task(client.post(HOOK, json=body(alert(instance="n0")), headers=MAIN))
    while not world.desk.store.gate._waiters:
        await asyncio.sleep(0)
    waiting = [
        asyncio.create_task(client.post(HOOK, json=body(alert(instance=f"n{n}")), headers=MAIN)) for n in range(1, 4)
    ]
    statuses: list[int] = []
    async with asyncio.timeout(20):
        while not statuses:
            await asyncio.sleep(0)
            if intake_waiting._value.get() == 3:
                answer = await client.post(HOOK, json=body(alert(instance="one too many")), headers=MAIN)
                statuses.append(answer.status)
    slow.gate.set()
    answers = [(await task).status for task in [first, *waiting]]

    assert statuses == [503]
    assert answers == [200, 200, 200, 200]
    assert slow.commits == 2


async def test_a_report_that_breaks_the_decision_is_set_aside_and_the_rest_goes_on(
    client: Client, world: World
) -> None:
    class Poisoned(type(world.desk.policy)):  # type: ignore[misc]
        def grade(self, report):  # type: ignore[no-untyped-def]
            if report.labels.get("poison"):
                raise ZeroDivisionError("a mistake in the decision")
            return super().grade(report)

    policy = world.desk.policy
    poisoned = Poisoned(**{name: getattr(policy, name) for name in policy.__dataclass_fields__})
    object.__setattr__(world.desk.configuration, "policy", poisoned)
    good = [client.post(HOOK, json=body(alert(instance=f"n{n}")), headers=MAIN) for n in range(2)]
    bad = client.post(HOOK, json=body(alert(poison="yes"), alert(instance="beside it")), headers=MAIN)
    answers = await asyncio.gather(*good, bad)

    assert [answer.status for answer in answers] == [200, 200, 200]
    tickets = await world.read(lambda tx: tx.tickets.listed())
    assert {ticket.labels.get("instance") for ticket in tickets} == {"n0", "n1", "beside it", None}
    kept = await world.read(lambda tx: tx.reports.quarantined())
    assert "ZeroDivisionError: a mistake in the decision" in kept[0].quarantined_because


@pytest.mark.parametrize("path", sorted(MATERIAL.glob("*.json")) or [None], ids=lambda path: path.stem if path else "-")
async def test_every_body_of_the_collection_is_taken_or_refused_for_good(client: Client, path: Path | None) -> None:
    if path is None or path.name == "index.json":
        return
    answer = await client.post(HOOK, data=path.read_bytes(), headers=MAIN)
    assert answer.status in (200, 422)
    again = await client.post(HOOK, data=path.read_bytes(), headers=MAIN)
    assert again.status == answer.status
