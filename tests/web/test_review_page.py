"""The review of an incident is written in the browser, so that a grave ticket can be closed there."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from responder.flows.handle import do
from responder.flows.review import write_review
from responder.store.database import Database
from tests.flows.test_reviews import a_form
from tests.web.conftest import GUARDED, Client, cookie, header
from tests.world import PEOPLE, World, alert, resolved

POLICY = """extends: p1-p4
moves:
  - {move: close, grades: [P1], needs: [review]}
gates: []
cause_classes: [environment, third_party]
"""
PAGE = "/tickets/1/review"
FILLED = [
    ("replaces", ""),
    ("root_cause", "Logs were never rotated."),
    ("cause_class", "environment"),
    ("whys", "The disk was full.\r\nAll of it."),
    ("whys", "Nobody rotated the logs."),
    ("whys", ""),
    ("factors", "people: nobody knew\r\nmethod:\r\nbad luck\r\n"),
    ("improvements", "Rotate everything."),
    ("participants", "ines\r\nmei"),
    ("meeting_at", ""),
]


@pytest.fixture
async def world(tmp_path: Path, database: Database) -> World:
    made = World(tmp_path, database, main=GUARDED, policy=POLICY, people=PEOPLE)
    await made.post(alert())
    await made.work()
    return made


@pytest.fixture
async def mei(world: World) -> dict[str, str]:
    return {"Accept": "text/html", **await cookie(world, "responder", "mei")}


async def resolve(world: World) -> None:
    world.clock.advance(timedelta(minutes=9))
    await world.post(resolved())
    await world.work()
    if (await world.ticket())["status"] != "resolved":
        await do(world.desk, "resolve", "1", actor="ines", content={"reason": "Quiet."})
    assert (await world.ticket())["status"] == "resolved"


async def shown(client: Client, headers: dict[str, str], path: str = PAGE) -> str:
    async with client.get(path, headers=headers) as answer:
        assert answer.status == 200
        return unescape(await answer.text())


async def sent(client: Client, headers: dict[str, str], form: Any, path: str = PAGE) -> tuple[int, str]:
    async with client.post(path, data=form, headers=headers, allow_redirects=False) as answer:
        return answer.status, answer.headers.get("Location", "") or unescape(await answer.text())


def changed(**fields: str) -> list[tuple[str, str]]:
    return [(name, fields.get(name, text)) for name, text in FILLED]


def an_action(text: str, owner: str, due: str) -> list[tuple[str, str]]:
    return [("action_text", text), ("action_owner", owner), ("action_due", due)]


async def test_what_cannot_be_closed_without_a_review_leads_to_it_and_is_closed_after_it(
    client: Client, world: World, mei: dict[str, str]
) -> None:
    await resolve(world)
    link = '<a href="/tickets/INC-'
    text = await shown(client, mei, "/tickets/1")
    bar = re.findall(r'id="bar-close">(.*?)</p>', text)[0]
    assert "a P1 needs a root-cause review" in bar
    assert (link in bar, '/review">' in bar, "responder reviews draft INC-" in bar) == (True, True, True)
    code, text = await sent(client, mei, {}, "/tickets/1/close")
    refusal = text[text.index('role="alert"') : text.index("What you typed")]
    assert (code, link in refusal, "responder reviews draft INC-" in refusal) == (409, True, True)

    number = (await world.ticket())["number"]
    assert await sent(client, mei, FILLED) == (303, f"/tickets/{number}?done=review")
    text = await shown(client, mei, f"/tickets/{number}?done=review")
    assert "Done: Review." in text
    assert "mei has written it" in text
    assert (await sent(client, mei, {"reason": "Over."}, "/tickets/1/close"))[0] == 303
    assert (await world.ticket())["status"] == "closed"


async def test_who_gives_a_name_of_ours_keeps_what_they_wrote(
    client: Client, world: World, act: dict[str, str]
) -> None:
    await resolve(world)
    code, text = await sent(client, act, [*FILLED, ("actor", "Responder")])
    assert (code, "is what responder itself is called" in text, "Rotate everything." in text) == (422, True, True)


async def test_the_form_is_drafted_as_the_command_drafts_it(client: Client, world: World, mei: dict[str, str]) -> None:
    content = {"text": "The disk.", "cause": "No rotation.", "cause_class": "environment"}
    await do(world.desk, "diagnose", "1", actor="mei", content=content)
    await resolve(world)
    text = await shown(client, mei)
    assert re.search(r'name="root_cause"[^>]*>\nNo rotation\.</textarea>', text)
    assert '<option value="environment" selected' in text
    assert "1. Why did it show?" in text
    assert text.count('name="whys"') == 7
    assert re.search(r'name="factors"[^>]*>\npeople: \nmethod: \n', text)
    assert re.search(r'name="participants"[^>]*>\n(ines\n)?mei(\nines)?</textarea>', text)
    assert "The ticket was opened" in text


async def test_what_is_saved_is_what_the_api_gives(client: Client, world: World, mei: dict[str, str]) -> None:
    await resolve(world)
    due = f"{world.clock.now() + timedelta(days=14):%Y-%m-%d}"
    held = f"{world.clock.now() - timedelta(minutes=5):%Y-%m-%dT%H:%M}"
    actions = [*an_action("Rotate the logs", "mei", due), *an_action("", "", "")]
    assert (await sent(client, mei, changed(meeting_at=held) + actions))[0] == 303
    found = await (await client.get("/api/v1/tickets/1/review", headers=mei)).json()
    assert (found["root_cause"], found["cause_class"]) == ("Logs were never rotated.", "environment")
    assert found["whys"] == ["The disk was full.\nAll of it.", "Nobody rotated the logs."]
    assert found["factors"] == ["people: nobody knew", "bad luck"]
    assert (found["participants"], found["written_by"]) == (["ines", "mei"], "mei")
    assert found["meeting_at"].startswith(held)
    assert [(one["text"], one["owner"]) for one in found["actions"]] == [("Rotate the logs", "mei")]
    assert len(found["timeline"]) > 2
    assert "Rotate the logs" in await shown(client, mei)
    [entry] = [one for one in await entries(client, world) if one["action"].endswith("/tickets/{key}/review")]
    assert (entry["actor"], entry["outcome"]) == ("mei", "done")


async def entries(client: Client, world: World) -> list[dict[str, Any]]:
    answer = await client.get("/api/v1/audit", headers=await header(world, "admin"))
    found: list[dict[str, Any]] = (await answer.json())["entries"]
    return found


@pytest.mark.parametrize(
    ("changes", "more", "status", "says"),
    [
        ({"root_cause": " "}, [], 409, "the root cause is empty"),
        ({"cause_class": ""}, [], 409, "the cause class is empty"),
        ({"whys": ""}, [], 409, "there are no whys"),
        ({"meeting_at": "2199-01-01T10:00"}, [], 409, "the meeting is still to come"),
        ({"meeting_at": "soon"}, [], 422, "“meeting_at” is no time"),
        ({}, an_action("Rotate", "nobody-known", "2199-01-01"), 409, "nobody is called 'nobody-known'"),
        ({}, an_action("Rotate", "mei", ""), 422, "Action “Rotate” does not say by when it will be done."),
        ({}, an_action("Rotate", "mei", "2001-01-01"), 409, "which is past"),
    ],
)
async def test_what_is_refused_comes_back_with_what_was_typed(
    client: Client,
    world: World,
    mei: dict[str, str],
    changes: dict[str, str],
    more: list[tuple[str, str]],
    status: int,
    says: str,
) -> None:
    await resolve(world)
    code, text = await sent(client, mei, changed(**changes, improvements="Kept as it is.") + more)
    assert (code, says in text, "Kept as it is." in text) == (status, True, True), text
    assert len(re.findall(r"\sautofocus", text)) == 1
    if more:
        assert 'value="Rotate"' in text
    chinese = (await sent(client, mei, changed(**changes) + more, f"{PAGE}?lang=zh"))[1]
    assert says not in chinese
    assert (await client.get("/api/v1/tickets/1/review", headers=mei)).status == 404


async def test_what_somebody_has_written_meanwhile_is_shown_and_not_written_over(
    client: Client, world: World, mei: dict[str, str]
) -> None:
    await resolve(world)
    await write_review(world.desk, "1", "ines", a_form(world, root_cause="It was the moon.", actions=()))
    code, text = await sent(client, mei, FILLED)
    assert (code, "after your draft" in text or "ines has written the review" in text) == (409, True)
    assert "It was the moon." in text
    assert "Logs were never rotated." in text
    replaces = re.findall(r'name="replaces" value="([^"]+)"', text)[0]
    assert (await sent(client, mei, changed(replaces=replaces)))[0] == 303
    assert (await (await client.get("/api/v1/tickets/1/review", headers=mei)).json())["written_by"] == "mei"


async def test_before_the_ticket_is_restored_the_page_says_so(client: Client, mei: dict[str, str]) -> None:
    text = await shown(client, mei)
    assert "cannot be reviewed yet" in text
    assert "<textarea" not in text
    assert (await sent(client, mei, FILLED))[0] == 409
    assert '<section id="review">' not in await shown(client, mei, "/tickets/1")


async def test_who_may_not_act_reads_the_review_without_its_form(client: Client, world: World) -> None:
    await resolve(world)
    reader = await cookie(world, "viewer", "vera")
    assert "It is not written yet." in await shown(client, reader)
    await write_review(world.desk, "1", "ines", a_form(world))
    text = await shown(client, reader)
    assert "Logs were never rotated." in text
    assert 'name="root_cause"' not in text
    assert (await sent(client, reader, FILLED))[0] == 403


async def test_a_review_of_another_team_s_ticket_is_refused(client: Client, world: World) -> None:
    await resolve(world)
    other = await cookie(world, "responder", "lars", teams=("database",))
    text = await shown(client, other)
    assert "lars acts for database only" in text
    assert 'name="root_cause"' not in text
    code, text = await sent(client, {"Accept": "text/html", **other}, FILLED)
    assert (code, "lars acts for database only" in text) == (403, True)
    assert (await client.get("/api/v1/tickets/1/review", headers=other)).status == 404


async def test_a_ticket_that_is_not_there_has_no_review(client: Client, mei: dict[str, str]) -> None:
    for method in ("GET", "POST"):
        answer = await client.request(method, "/tickets/77/review", headers=mei)
        assert answer.status == 404


async def test_the_page_speaks_chinese(client: Client, world: World, mei: dict[str, str]) -> None:
    await resolve(world)
    text = await shown(client, mei, f"{PAGE}?lang=zh")
    assert "根本原因" in text
    assert "故障为什么会出现？" in text
    assert "Save the review" not in text
