"""Reports that are sent twice, and reports with files, over the API."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import FormData

from responder.flows.watch import forget
from responder.store.database import Database
from tests.flows.reports import CONTACT, Reports
from tests.web.conftest import GUARDED, Client, header

FORM: dict[str, Any] = {
    "title": "Printer is dead",
    "channel": "website",
    "reporter": {"name": "Li Wei", "contact": CONTACT},
    "fields": {"product": "P900"},
}
SMALL = "feedback: {max_files: 2, max_file: 2048, max_sum: 3000}\n"


@pytest.fixture
def world(tmp_path: Path, database: Database) -> Reports:
    return Reports(tmp_path, database, main=f"{GUARDED}reporters: {{url_file: reporters-url}}\n{SMALL}")


def with_files(*files: tuple[str, bytes], report: object = FORM) -> FormData:
    data = FormData(quote_fields=False)
    data.add_field("report", orjson.dumps(report).decode(), content_type="application/json")
    for name, content in files:
        data.add_field("file", content, filename=name, content_type="text/html")
    return data


async def count(world: Reports) -> int:
    return len(await world.read(lambda tx: tx.tickets.listed()))


async def test_a_second_send_under_the_same_key_gives_the_first_ticket(client: Client, world: Reports) -> None:
    keyed = {**await header(world, "ingest"), "Idempotency-Key": "8e03978e"}
    sent = [await client.post("/api/v1/reports", json=FORM, headers=keyed) for _ in range(3)]
    numbers = {(await one.json())["number"] for one in sent}
    assert ([one.status for one in sent], len(numbers), await count(world)) == ([200] * 3, 1, 1)
    assert await world.purposes() == ["received"]


async def test_twenty_sends_at_once_under_one_key_open_one_ticket(client: Client, world: Reports) -> None:
    keyed = {**await header(world, "ingest"), "Idempotency-Key": "8e03978e"}
    sent = await asyncio.gather(*(client.post("/api/v1/reports", json=FORM, headers=keyed) for _ in range(20)))
    assert {one.status for one in sent} == {200}
    assert await count(world) == 1


async def test_without_a_key_each_send_opens(client: Client, world: Reports) -> None:
    ingest = await header(world, "ingest")
    for _ in range(2):
        await client.post("/api/v1/reports", json=FORM, headers=ingest)
    assert await count(world) == 2


async def test_a_key_of_another_report_is_refused_and_one_of_another_sender_is_another_key(
    client: Client, world: Reports, act: dict[str, str]
) -> None:
    keyed = {**await header(world, "ingest"), "Idempotency-Key": "8e03978e"}
    await client.post("/api/v1/reports", json=FORM, headers=keyed)
    other = await client.post("/api/v1/reports", json={**FORM, "title": "Another"}, headers=keyed)
    assert (other.status, "needs a new key" in (await other.json())["detail"], await count(world)) == (422, True, 1)
    await client.post("/api/v1/reports", json=FORM, headers={**act, "Idempotency-Key": "8e03978e"})
    assert await count(world) == 2


async def test_a_bad_form_uses_no_key_up(client: Client, world: Reports) -> None:
    keyed = {**await header(world, "ingest"), "Idempotency-Key": "8e03978e"}
    assert (await client.post("/api/v1/reports", json={**FORM, "title": ""}, headers=keyed)).status == 422
    assert (await client.post("/api/v1/reports", json=FORM, headers=keyed)).status == 200


async def test_keys_are_forgotten_with_the_retention(client: Client, world: Reports) -> None:
    keyed = {**await header(world, "ingest"), "Idempotency-Key": "8e03978e"}
    await client.post("/api/v1/reports", json=FORM, headers=keyed)
    world.clock.advance(timedelta(days=29))
    assert await forget(world.desk) == 0
    world.clock.advance(timedelta(days=2))
    assert await forget(world.desk) == 1
    await client.post("/api/v1/reports", json=FORM, headers=keyed)
    assert await count(world) == 2


async def test_a_key_that_is_too_long_is_refused(client: Client, world: Reports) -> None:
    keyed = {**await header(world, "ingest"), "Idempotency-Key": "x" * 201}
    assert (await client.post("/api/v1/reports", json=FORM, headers=keyed)).status == 400


async def test_files_are_kept_with_the_ticket_and_only_ever_downloaded(
    client: Client, world: Reports, act: dict[str, str]
) -> None:
    files = ("../../etc/p\u202egnp.html", b"<script>alert(1)</script>"), ("C:\\log.txt", b"\x00\xff")
    answer = await client.post("/api/v1/reports", data=with_files(*files), headers=await header(world, "ingest"))
    assert answer.status == 200
    kept = (await world.ticket())["attachments"]
    assert [one["name"] for one in kept] == ["pgnp.html", "log.txt"]
    got = await client.get(f"/api/v1/attachments/{kept[0]['id']}", headers=act)
    assert await got.read() == b"<script>alert(1)</script>"
    assert got.headers["Content-Type"] == "application/octet-stream"
    assert got.headers["Content-Disposition"].startswith("attachment;")
    texts = [event["text"] for event in (await world.ticket())["events"]]
    assert "Attached: log.txt" in texts


@pytest.mark.parametrize(
    ("sizes", "says"),
    [((2049,), "at most 2 KB"), ((10, 10, 10), "At most 2 files"), ((1600, 1600), "All files together")],
)
async def test_too_much_of_files_opens_nothing(
    client: Client, world: Reports, sizes: tuple[int, ...], says: str
) -> None:
    files = [(f"{index}.bin", b"x" * size) for index, size in enumerate(sizes)]
    answer = await client.post("/api/v1/reports", data=with_files(*files), headers=await header(world, "ingest"))
    assert (answer.status, says in (await answer.json())["detail"]) == (413, True)
    assert await count(world) == 0


async def test_a_body_beyond_all_limits_is_refused_before_it_is_read(client: Client, world: Reports) -> None:
    data = with_files(("big", b"x" * 400_000))
    answer = await client.post("/api/v1/reports", data=data, headers=await header(world, "ingest"))
    assert (answer.status, await count(world)) == (413, 0)


@pytest.mark.parametrize("body", [b"", b"no part", b"--x\r\n\r\n", b'--x\r\nContent-Disposition: form-data; name="a"'])
async def test_a_broken_form_is_told_so(client: Client, world: Reports, body: bytes) -> None:
    headers = {**await header(world, "ingest"), "Content-Type": "multipart/form-data; boundary=x"}
    answer = await client.post("/api/v1/reports", data=body, headers=headers)
    assert answer.status in (400, 422)
    assert await count(world) == 0
