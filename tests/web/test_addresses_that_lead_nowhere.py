"""Addresses at which people find nothing, or may see nothing, say so and lead on."""

from __future__ import annotations

from dataclasses import replace
from html import unescape

import pytest

from responder.config.settings import Feedback
from tests.web.conftest import Client, cookie, header
from tests.world import World, alert

PEOPLE = {"Accept": "text/html"}


@pytest.fixture
async def viewer(world: World) -> dict[str, str]:
    return {**PEOPLE, **await cookie(world, "viewer", "vera")}


async def text_of(client: Client, path: str, headers: dict[str, str]) -> tuple[int, str]:
    answer = await client.get(path, headers=headers, allow_redirects=False)
    return answer.status, unescape(await answer.text())


@pytest.mark.parametrize(
    ("path", "there"),
    [
        ("/tickets/", "/tickets"),
        ("/tickets/?sort=newest&who=a%26b", "/tickets?sort=newest&who=a%26b"),
        ("/on-call//", "/on-call"),
        ("/api/", "/api"),
    ],
)
async def test_a_slash_at_the_end_of_a_page_leads_to_the_page(
    client: Client, viewer: dict[str, str], path: str, there: str
) -> None:
    answer = await client.get(path, headers=viewer, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (308, there)


@pytest.mark.parametrize(
    "path", ["/api/v1/tickets/", "/static/nothing.css/", "/nowhere/", "//tickets/", "//example.org/"]
)
async def test_no_other_address_leads_elsewhere(client: Client, viewer: dict[str, str], path: str) -> None:
    answer = await client.session.get(
        f"http://{client.host}:{client.port}{path}", headers=viewer, allow_redirects=False
    )
    assert answer.status == 404


async def test_the_other_language_is_that_of_the_same_place(client: Client, viewer: dict[str, str]) -> None:
    answer = await client.session.get(f"http://{client.host}:{client.port}//elsewhere.test/", headers=viewer)
    assert 'href="?lang=zh"' in await answer.text()
    page = await (await client.get("/tickets?who=a%26b", headers=viewer)).text()
    assert 'href="?who=a%26b&amp;lang=zh"' in page


async def test_people_read_nothing_of_programs_where_there_is_nothing(client: Client, viewer: dict[str, str]) -> None:
    status, text = await text_of(client, "/nowhere", viewer)
    assert (status, "There is nothing at this address." in text, "openapi.json" in text) == (404, True, False)
    told = await (await client.get("/api/v1/nowhere", headers=viewer)).json()
    assert "/api/v1/openapi.json" in told["detail"]


async def test_a_filter_that_is_refused_leads_to_the_list_without_it(client: Client, viewer: dict[str, str]) -> None:
    status, text = await text_of(client, "/tickets?grade=P77&open=yes", viewer)
    assert (status, '<a href="/tickets?open=yes">Show the page without it</a>' in text) == (422, True)
    assert (await text_of(client, "/tickets?open=yes", viewer))[0] == 200


@pytest.mark.parametrize(("day", "found"), [("yesterday", 1), ("today", 1), ("tomorrow", 0)])
async def test_days_are_said_by_their_names(
    client: Client, world: World, viewer: dict[str, str], day: str, found: int
) -> None:
    await world.post(alert("DiskFull"))
    _, text = await text_of(client, f"/tickets?opened_from={day}&opened_to=today&lang=en", viewer)
    assert text.count("DiskFull") >= found
    assert ("DiskFull" in text) == bool(found)


async def test_who_may_only_report_is_led_to_the_form_or_told_that_it_is_closed(client: Client, world: World) -> None:
    only_reports = {**PEOPLE, **await cookie(world, "reporter", "rita")}
    status, text = await text_of(client, "/tickets", only_reports)
    assert (status, "The form for reports is closed here." in text, "Back to the beginning" in text) == (
        403,
        True,
        False,
    )
    assert 'action="/sign-out"' in text
    now, feedback = world.desk.configuration, Feedback(open=True)
    world.desk.take_over(replace(now, settings=now.settings.model_copy(update={"feedback": feedback})))
    status, text = await text_of(client, "/tickets", only_reports)
    assert (status, '<a href="/feedback">' in text, "is closed" in text) == (403, True, False)


async def test_a_number_in_small_letters_is_found(client: Client, world: World, viewer: dict[str, str]) -> None:
    await world.post(alert("DiskFull"))
    number = (await world.ticket())["number"]
    assert number != number.lower()
    assert (await text_of(client, f"/tickets/{number.lower()}", viewer))[0] == 200
    read = await header(world, "read")
    told = await (await client.get(f"/api/v1/tickets/{number.lower()}", headers=read)).json()
    assert told["number"] == number
    status, text = await text_of(client, "/tickets/no-such", viewer)
    assert (status, "There is no ticket no-such." in text) == (404, True)
