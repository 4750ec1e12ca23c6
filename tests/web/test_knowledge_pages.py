"""The pages of the knowledge base: found, read, written, published, retired."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.domain.markup import blocks, spans
from responder.flows import knowledge
from tests.web.conftest import Client, cookie, header
from tests.world import World, alert

HOSTILE = "<script>alert(1)</script>"
WORDS = {"title": "The pump stops", "symptom": "Error E4711", "cause": "A valve", "solution": "1. close\n2. open"}


async def written(world: World, **more: str) -> int:
    return (await knowledge.write(world.desk, {**WORDS, **more}, "mei", {})).id


async def shown(client: Client, path: str, headers: dict[str, str], *, status: int = 200) -> str:
    answer = await client.get(path, headers=headers)
    assert answer.status == status
    return await answer.text()


async def test_the_search_of_the_list_shows_what_is_known_of_it(
    client: Client, world: World, act: dict[str, str]
) -> None:
    number = await written(world, title=f"{HOSTILE} stops")
    assert "Known of this" not in await shown(client, "/tickets?text=E4711", act)
    await knowledge.publish(world.desk, number, "mei")
    text = await shown(client, "/tickets?text=E4711", act)
    assert f'Known of this: <a href="/knowledge/{number}">&lt;script&gt;' in text
    assert 'href="/search?q=E4711"' in text
    assert "/search?q=" not in await shown(client, "/tickets", act)
    assert "Known of this" not in await shown(client, "/tickets?text=%26%26", act)


def test_a_small_part_of_markdown_becomes_blocks() -> None:
    found = blocks("# Why\nIt is `full`.\n- one\n- two\n\n1. look\n```\n<b>\n# no\n```\nsee https://a.example/x.")
    assert [block.kind for block in found] == ["heading", "text", "bullets", "numbers", "code", "text"]
    assert found[4].text == "<b>\n# no"
    assert [(one.text, one.is_code) for one in found[1].lines[0]] == [("It is ", False), ("full", True), (".", False)]
    assert [(one.text, one.target) for one in found[5].lines[0]] == [
        ("see ", ""),
        ("https://a.example/x", "https://a.example/x"),
        (".", ""),
    ]
    assert blocks("```\nnever closed")[0].text == "never closed"


@pytest.mark.parametrize(
    "line", ["[x](javascript:alert(1))", "[x](data:text/html,x)", "javascript:alert(1)", "[x](//a)"]
)
def test_only_pages_become_links(line: str) -> None:
    assert [one.target for one in spans(line)] == [""] * len(spans(line))
    assert "".join(one.text for one in spans(line)) == line


@given(st.text(max_size=300))
def test_no_text_is_lost_and_no_link_leads_elsewhere(text: str) -> None:
    for line in text.split("\n"):
        for one in spans(line):
            assert not one.target or re.match(r"https?://", one.target)
    shown_text = "".join(span.text for block in blocks(text) for line in block.lines for span in line)
    codes = "".join(block.text for block in blocks(text))
    letters = {one for one in text if one.isalpha()}
    assert letters - set(shown_text + codes) <= set(
        "".join(line for line in text.split("\n") if "```" in line or "](" in line)
    )


async def test_articles_are_listed_by_state_page_by_page(client: Client, world: World, act: dict[str, str]) -> None:
    assert "Nobody has written an article yet." in await shown(client, "/knowledge", act)
    for number in range(52):
        await written(world, title=f"Pump {number}")
    await knowledge.publish(world.desk, 3, "mei")
    text = await shown(client, "/knowledge", act)
    assert text.count("data-row") == 50
    older = re.search(r'href="(/knowledge\?cursor=[^"]+)"', text)
    assert older
    assert (await shown(client, older[1], act)).count("data-row") == 2
    assert (await shown(client, "/knowledge?state=published", act)).count("data-row") == 1
    assert "There is none in this state." in await shown(client, "/knowledge?state=retired", act)


async def test_a_search_finds_what_is_published_and_marks_the_words(
    client: Client, world: World, act: dict[str, str]
) -> None:
    await knowledge.publish(world.desk, await written(world), "mei")
    for path in ("/knowledge?q=E4711", "/search?q=E4711"):
        text = await shown(client, path, act)
        assert "<mark>E4711</mark>" in text
        assert 'href="/knowledge/1"' in text
    assert "Nothing is known of this." in await shown(client, "/knowledge?q=zebra", act)
    assert "Nothing is known of this." in await shown(client, "/knowledge?q=%25", act)


async def test_one_search_finds_tickets_and_articles(client: Client, world: World, act: dict[str, str]) -> None:
    await world.post(alert("DiskFull"))
    text = await shown(client, "/search?q=DiskFull", act)
    assert ("DiskFull on" in text, "No published article is about this." in text) == (True, True)
    assert "Type a number, a host" in await shown(client, "/search", act)


async def test_an_article_is_edited_published_and_retired_and_its_history_says_by_whom(
    client: Client, world: World
) -> None:
    lin = await cookie(world, "responder", "lin")
    answer = await client.post("/knowledge", data={"title": "Pump"}, headers=lin, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/knowledge/1")
    text = await shown(client, "/knowledge/1", lin)
    assert ("it has no symptom and no solution" in text, "/publish" in text) == (True, False)
    seen = re.search(r'name="seen" value="([^"]+)"', text)
    assert seen
    world.clock.advance(timedelta(minutes=1))
    form = {**WORDS, "seen": seen[1]}
    assert (await client.post("/knowledge/1", data=form, headers=lin, allow_redirects=False)).status == 303
    stale = await client.post("/knowledge/1", data={**form, "cause": "my own words"}, headers=lin)
    again = await stale.text()
    assert (stale.status, "lin has changed article 1 meanwhile" in again, "my own words" in again) == (409, True, True)
    for verb in ("publish", "retire"):
        world.clock.advance(timedelta(minutes=1))
        assert (await client.post(f"/knowledge/1/{verb}", headers=lin, allow_redirects=False)).status == 303
    text = await shown(client, "/knowledge/1", lin)
    assert [verb for verb in ("has changed it", "has published it", "has retired it") if f"lin {verb}" in text] == [
        "has changed it",
        "has published it",
        "has retired it",
    ]
    assert "<form" not in text.replace('<form method="dialog">', "").replace(
        '<form method="post" action="/sign-out">', ""
    )


async def test_an_article_is_drafted_from_a_ticket_once(client: Client, world: World, act: dict[str, str]) -> None:
    await world.post(alert("DiskFull"))
    number = (await world.ticket())["number"]
    assert f'value="{number}"' in await shown(client, f"/knowledge/new?ticket={number}", act)
    first = await client.post("/knowledge", data={"ticket": number}, headers=act)
    assert (first.status, f'href="/tickets/{number}"' in await first.text()) == (200, True)
    second = await client.post("/knowledge", data={"ticket": number}, headers=act)
    assert (second.status, "has article 1 already" in await second.text()) == (409, True)
    assert (await client.post("/knowledge", data={"ticket": "INC-77"}, headers=act)).status == 422
    assert (await client.post("/knowledge", data={"cause": HOSTILE}, headers=act)).status == 422


async def test_what_people_wrote_is_text(client: Client, world: World, act: dict[str, str]) -> None:
    hostile = dict.fromkeys(WORDS, f"# {HOSTILE}\n- [x](javascript:alert(1)) {HOSTILE}\n```\n{HOSTILE}\n```")
    number = await written(world, **{**hostile, "title": HOSTILE, "symptom": f"E4711 {HOSTILE}"})
    await knowledge.publish(world.desk, number, "mei")
    for path in (f"/knowledge/{number}", "/knowledge", "/knowledge?q=E4711", "/search?q=E4711"):
        text = await shown(client, path, act)
        assert ("<script>" in text, 'href="javascript' in text, "&lt;script&gt;alert" in text) == (False, False, True)


async def test_who_may_only_read_sees_no_form(client: Client, world: World) -> None:
    read = await header(world, "read")
    await written(world)
    for path in ("/knowledge", "/knowledge/1"):
        assert 'method="post"' not in await shown(client, path, read)
    assert (await client.get("/knowledge/new", headers=read)).status == 403
    for path in ("/knowledge", "/knowledge/1", "/knowledge/1/publish", "/knowledge/1/retire"):
        assert (await client.post(path, data=WORDS, headers=read)).status == 403


async def test_an_article_that_is_not_there_leads_on(client: Client, act: dict[str, str]) -> None:
    text = await shown(client, "/knowledge/77", {**act, "Accept": "text/html"}, status=404)
    assert ("There is no article 77." in text, 'href="/"' in text) == (True, True)
    assert (await client.post("/knowledge/77/publish", headers=act)).status == 404
