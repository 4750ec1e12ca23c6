"""The API of reports by people: who sends them, who sees whom, and what staff tell and ask."""

from __future__ import annotations

from pathlib import Path

import pytest

from responder.store.database import Database
from tests.flows.reports import CONTACT, Reports
from tests.web.conftest import GUARDED, Client, cookie, header
from tests.world import texts

FORM = {
    "title": "Printer is dead",
    "channel": "website",
    "reporter": {"name": "Li Wei", "contact": CONTACT, "language": "zh"},
    "fields": {"product": "P900"},
}


@pytest.fixture
def world(tmp_path: Path, database: Database) -> Reports:
    return Reports(tmp_path, database, main=f"{GUARDED}reporters: {{url_file: reporters-url}}\n")


PATHS = [
    ("POST", "/api/v1/reports", "ingest"),
    ("GET", "/api/v1/tickets/1/reporter", "read"),
    ("PUT", "/api/v1/tickets/1/reporter", "act"),
    ("POST", "/api/v1/tickets/1/reporter/progress", "act"),
    ("POST", "/api/v1/tickets/1/reporter/question", "act"),
    ("POST", "/api/v1/tickets/1/reporter/answer", "act"),
    ("POST", "/api/v1/tickets/1/reporter/told", "act"),
]


@pytest.mark.parametrize(("method", "path", "scope"), PATHS)
async def test_without_a_token_or_with_a_lesser_one_nothing_is_shown_or_done(
    client: Client, world: Reports, method: str, path: str, scope: str
) -> None:
    await world.opens()
    lesser = {"read": "ingest", "act": "read"}.get(scope)
    for headers in ({}, *([await header(world, lesser)] if lesser else [])):
        answer = await client.request(method, path, json={"words": "x"} if method != "GET" else None, headers=headers)
        assert answer.status in (401, 403)
        assert "Li Wei" not in await answer.text()


async def test_a_form_opens_a_ticket_and_a_bad_one_is_answered_whole(client: Client, world: Reports) -> None:
    ingest = await header(world, "ingest")
    answer = await client.post("/api/v1/reports", json=FORM, headers=ingest)
    made = await answer.json()
    assert (answer.status, made["grade"], made["id"]) == (200, "P3", 1)
    assert (await world.ticket())["number"] == made["number"]
    bad = await client.post("/api/v1/reports", json={**FORM, "title": "", "fields": {"A b": "c"}}, headers=ingest)
    detail = (await bad.json())["detail"]
    assert (bad.status, "“title” is missing" in detail, "“fields.A b” is no name" in detail) == (422, True, True)


async def test_only_who_may_act_gives_a_grade(client: Client, world: Reports, act: dict[str, str]) -> None:
    graded = {**FORM, "grade": "P1"}
    refused = await client.post("/api/v1/reports", json=graded, headers=await header(world, "ingest"))
    assert (refused.status, "scope act" in (await refused.json())["detail"]) == (403, True)
    done = await client.post("/api/v1/reports", json={**graded, "taken_by": "mei"}, headers=act)
    assert (await done.json())["grade"] == "P1"
    assert (await world.ticket())["grade_reason"] == "mei graded it when the report came in"


async def test_who_has_signed_in_takes_a_report_in_the_own_name_only(client: Client, world: Reports) -> None:
    ines = await cookie(world, "responder", "ines")
    for odd in ("lars", "Ines"):
        refused = await client.post("/api/v1/reports", json={**FORM, "taken_by": odd}, headers=ines)
        assert (refused.status, (await refused.json())["detail"]) == (403, "ines acts as ines; leave “taken_by” out.")
    assert await world.read(lambda tx: tx.tickets.open_counts()) == []

    assert (await client.post("/api/v1/reports", json={**FORM, "taken_by": " ines "}, headers=ines)).status == 200
    assert (await world.ticket())["events"][0]["actor"] == "ines"


async def test_a_key_of_a_token_called_like_somebody_is_another_key(
    client: Client, world: Reports, act: dict[str, str]
) -> None:
    ines, key = await cookie(world, "responder", "act-token"), {"Idempotency-Key": "k1"}
    first = await client.post("/api/v1/reports", json=FORM, headers={**ines, **key})
    other = await client.post("/api/v1/reports", json=FORM, headers={**act, **key})
    again = await client.post("/api/v1/reports", json=FORM, headers={**ines, **key})
    opened = [(await one.json())["id"] for one in (first, other, again)]
    assert (opened[0] != opened[1], opened[0] == opened[2]) == (True, True)


async def test_name_contact_and_letters_are_for_those_who_may_act(
    client: Client, world: Reports, act: dict[str, str]
) -> None:
    await world.opens()
    path = "/api/v1/tickets/1/reporter"
    seen = await (await client.get(path, headers=act)).json()
    assert (seen["name"], seen["contact"], seen["letters"][0]["subject"][:11]) == ("Li Wei", CONTACT, "Your report")
    assert "Its number is" in seen["letters"][0]["text"]
    assert "/report/" not in str(seen)
    read = await header(world, "read")
    hidden = await (await client.get(path, headers=read)).json()
    assert (hidden["name"], hidden["contact"], hidden["letters"][0]["text"]) == ("***", "***", "")
    for whole in ("/api/v1/tickets/1", "/tickets/1"):
        shown, masked = [await (await client.get(whole, headers=headers)).text() for headers in (act, read)]
        assert ("Li Wei" in shown, CONTACT in shown) == (True, True), whole
        assert ("Li Wei" in masked, CONTACT in masked, "***" in masked) == (False, False, True), whole
    assert (await client.get("/api/v1/tickets/9/reporter", headers=act)).status == 404


async def test_what_staff_tell_ask_and_hear_goes_over_the_api(
    client: Client, world: Reports, act: dict[str, str]
) -> None:
    await world.opens(reporter={"contact": CONTACT})
    await world.do("acknowledge")
    base = "/api/v1/tickets/1/reporter"
    told = await client.post(f"{base}/progress", json={"words": "A fuse is on its way.", "actor": "mei"}, headers=act)
    assert (told.status, (await told.json())["status"]) == (200, "in_progress")
    asked = await client.post(f"{base}/question", json={"words": "Which light?", "actor": "mei"}, headers=act)
    assert (await asked.json())["status"] == "waiting"
    heard = await client.post(
        f"{base}/answer", json={"answer": "information", "text": "red", "actor": "lars"}, headers=act
    )
    assert (await heard.json())["effect"] == "goes_on"
    assert "The reporter says more (lars heard it): red" in texts(await world.ticket())
    for bad, status in (
        ({"answer": "maybe"}, 422),
        ({"answer": "score", "score": "5"}, 422),
        ({"answer": "score", "score": True}, 422),
        ({"answer": "score", "score": 5}, 409),
    ):
        assert (await client.post(f"{base}/answer", json=bad, headers=act)).status == status
    assert (await client.post(f"{base}/told", json={}, headers=act)).status == 409
    assert (await client.post(f"{base}/told", json={"message": "1"}, headers=act)).status == 422
    assert (await client.put(base, json={"reporter": FORM["reporter"]}, headers=act)).status == 409
