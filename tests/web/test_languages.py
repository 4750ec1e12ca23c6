"""Whoever opens a page chooses its language, before anybody knows who they are; the browser keeps it."""

from __future__ import annotations

import pytest

from responder.flows.texts.languages import said
from tests.web.conftest import Client, account, cookie
from tests.world import World, alert

KEPT = "responder_language"
BROWSER = {"Accept": "text/html"}
ENGLISH = {**BROWSER, "Accept-Language": "en-US,en;q=0.9"}


async def test_the_page_to_sign_in_offers_the_other_language_and_goes_on_to_where_one_wanted(client: Client) -> None:
    text = await (await client.get("/sign-in?next=/runs?by=mei", headers=ENGLISH)).text()
    assert '<a class="language" href="/sign-in?next=%2Fruns%3Fby%3Dmei&amp;lang=zh"' in text
    other = await client.get("/sign-in?next=%2Fruns%3Fby%3Dmei&lang=zh", headers=ENGLISH)
    text = await other.text()
    assert ('<html lang="zh-CN">' in text, 'value="/runs?by=mei"' in text) == (True, True)


async def test_the_choice_is_kept_by_the_browser(client: Client, world: World) -> None:
    chosen = await client.get("/sign-in?lang=zh", headers=ENGLISH)
    kept = chosen.cookies[KEPT]
    assert (kept.value, kept["httponly"], kept["secure"], kept["samesite"]) == ("zh", True, True, "Lax")
    back = {"Cookie": f"{KEPT}=zh"}
    refused = await client.post("/sign-in", data={"name": "mei", "password": "wrong"}, headers={**ENGLISH, **back})
    assert (refused.status, '<html lang="zh-CN">' in await refused.text()) == (401, True)
    mei = await cookie(world, "viewer", "mei")
    known = {**ENGLISH, **mei, "Cookie": f"{mei['Cookie']}; {KEPT}=zh"}
    assert '<html lang="zh-CN">' in await (await client.get("/", headers=known)).text()


async def test_the_language_of_an_account_counts_before_what_the_browser_keeps(client: Client, world: World) -> None:
    await account(world, "viewer", "ann", language="en")
    ann = await cookie(world, "viewer", "ann")
    known = {**BROWSER, **ann, "Cookie": f"{ann['Cookie']}; {KEPT}=zh"}
    assert '<html lang="en">' in await (await client.get("/", headers=known)).text()


@pytest.mark.parametrize("told", ["fr", "zh\x01", "<b>"])
async def test_what_is_no_language_is_not_kept(client: Client, told: str) -> None:
    answer = await client.get("/sign-in", params={"lang": told}, headers={**ENGLISH, "Cookie": f"{KEPT}=nonsense"})
    assert (KEPT in answer.cookies, '<html lang="en">' in await answer.text()) == (False, True)


@pytest.mark.parametrize("path", ["/ack/none", "/approve/none", "/drill/none", "/report/none"])
async def test_the_pages_of_links_offer_the_other_language(client: Client, path: str) -> None:
    text = await (await client.get(path, headers=ENGLISH)).text()
    assert 'href="?lang=zh"' in text
    assert '<html lang="zh-CN">' in await (await client.get(f"{path}?lang=zh", headers=ENGLISH)).text()


@pytest.mark.parametrize("path", ["/sign-in", "/report/none", "/"])
async def test_every_page_has_an_icon(client: Client, world: World, path: str) -> None:
    text = await (await client.get(path, headers={**BROWSER, **await cookie(world, "viewer")})).text()
    assert '<link rel="icon" href="/static/favicon.svg" type="image/svg+xml">' in text or path == "/sign-in"


async def test_browsers_that_look_for_the_icon_elsewhere_find_it(client: Client) -> None:
    answer = await client.get("/favicon.ico")
    assert (answer.status, answer.content_type, answer.url.path) == (200, "image/svg+xml", "/static/favicon.svg")


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("This needs the role admin; mei is approver. Whoever is admin can change that.", "此操作需要角色 admin；mei"),
        ("Approval of restart-app on web-1 no longer needed: it is over.", "restart-app（目标 web-1）的审批已不再需要"),
        ("json did not take the message.", "json 未接收该消息。"),
        ("json did not take the message: 404 Not Found.", "json 未接收该消息：404 Not Found。"),
    ],
)
def test_sentences_of_a_first_evening_are_said_in_chinese(english: str, chinese: str) -> None:
    assert said(english, "zh").startswith(chinese)


async def test_the_drawing_of_a_ticket_speaks_its_readers_language(client: Client, world: World) -> None:
    await world.post(alert("DiskFull"))
    await world.work()
    viewer = {**BROWSER, **await cookie(world, "viewer", "vera")}
    text = await (await client.get("/tickets/1?lang=zh", headers=viewer)).text()
    drawing = text[text.index('<figure class="chart timeline">') :].partition("</figure>")[0]
    assert "mei · pager · 已" in drawing
    assert [word for word in ("· sent", ">escalation", ">respond<", ">restore<", ">resolve<") if word in drawing] == []
