"""The page of a ticket and the API show what a report says, how that is known, and what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from responder.store.database import Database
from tests.flows.reports import Reports
from tests.web.conftest import GUARDED, Client, header

FORM = {
    "title": "Printer is dead",
    "channel": "website",
    "reporter": {"name": "Li Wei", "contact": "li.wei@example.org"},
    "fields": {"description": "型号：X200 <b>\n影响 300 名用户", "product": "P900"},
}


@pytest.fixture
def world(tmp_path: Path, database: Database) -> Reports:
    made = Reports(tmp_path, database, main=f"{GUARDED}reporters: {{url_file: reporters-url}}\n")
    made.rule(report_fields=("product", "serial"))
    return made


async def test_the_page_shows_each_field_with_how_it_is_known_and_what_is_missing(
    client: Client, world: Reports
) -> None:
    opened = await client.post("/api/v1/reports", json=FORM, headers=await header(world, "ingest"))
    assert (await opened.json())["grade"] == "P2"
    page = await (await client.get("/tickets/1", headers=await header(world, "read"))).text()
    about = page[page.index("What the report says") : page.index("<h2>Alert</h2>")]
    assert "It stands behind “型号”." in about
    assert "The words “影响 300 名用户” say so." in about
    assert "X200 &lt;b&gt;" in about
    assert about.index("Serial or batch number") < about.index("missing")


async def test_the_api_names_what_is_known_and_missing(client: Client, world: Reports) -> None:
    await client.post("/api/v1/reports", json=FORM, headers=await header(world, "ingest"))
    ticket = await (await client.get("/api/v1/tickets/1", headers=await header(world, "read"))).json()
    known = {one["name"]: (one["value"], one["how"]) for one in ticket["report_fields"]["known"]}
    assert known["product"] == ("P900", "The report gave it.")
    assert known["affected_users"] == ("300", "The words “影响 300 名用户” say so.")
    assert ticket["report_fields"]["missing"] == [{"name": "serial", "label": "Serial or batch number"}]


async def test_a_report_that_is_sent_again_under_its_key_is_the_same_although_its_text_was_read(
    client: Client, world: Reports
) -> None:
    keyed = {**await header(world, "ingest"), "Idempotency-Key": "one"}
    both = [await (await client.post("/api/v1/reports", json=FORM, headers=keyed)).json() for _ in range(2)]
    assert both[0]["number"] == both[1]["number"]
