"""What an address asks for that its page does not know is said on the page, and the page is shown all the same."""

from __future__ import annotations

import re
from html import unescape

import pytest

from responder.web.query_words import WORDS
from tests.web.conftest import Client, cookie
from tests.web.test_who_may_what import routes
from tests.world import World, alert

UNKNOWN = "has a word that is not known here"
PAGES = [
    "/", "/tickets", "/runs", "/runbooks", "/on-call", "/knowledge", "/knowledge/new", "/search", "/inventory",
    "/reports", "/policy", "/policy/reload", "/policy/explain", "/health", "/audit", "/users", "/users/ada", "/me",
    "/api",
]  # fmt: skip


@pytest.fixture
async def admin(world: World) -> dict[str, str]:
    return {"Accept": "text/html", **await cookie(world, "admin", "ada")}


async def shown(client: Client, path: str, headers: dict[str, str]) -> str:
    answer = await client.get(path, headers=headers)
    assert answer.status == 200, path
    return unescape(await answer.text())


async def test_every_page_names_what_it_does_not_know(client: Client, admin: dict[str, str]) -> None:
    for path in PAGES:
        text = await shown(client, f"{path}?foo=1&lang=en", admin)
        assert f"{UNKNOWN}: foo." in text, path
        assert UNKNOWN not in await shown(client, path, admin)


async def test_it_is_said_in_the_readers_language(client: Client, admin: dict[str, str]) -> None:
    assert "不认识的筛选条件：foo，" in await shown(client, "/runs?foo=1&lang=zh", admin)


async def test_what_it_does_not_know_changes_nothing_of_the_list(
    client: Client, world: World, admin: dict[str, str]
) -> None:
    await world.post(alert())
    usual, odd = [await shown(client, path, admin) for path in ("/tickets", "/tickets?foo=1")]
    assert "open: yes" in odd
    assert odd.count("data-row") == usual.count("data-row") == 1


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/on-call?weeks=99", "“weeks” is one of 2, 4, not 99. The page is shown as without it."),
        ("/on-call?day=yesterday", "“day” is a day such as 2026-01-31"),
        ("/on-call?day=1990-01-01", "“day” is a day such as 2026-01-31"),
        ("/knowledge?state=secret", "“state” is one of draft, published, retired, not secret."),
        ("/runs?target=a&target=b", "This address says one thing twice: target. The first one counts."),
        ("/reports?lang=fr", "“lang” is one of en, zh, not fr."),
    ],
)
async def test_a_value_that_does_not_count_is_said(client: Client, admin: dict[str, str], path: str, says: str) -> None:
    assert says in await shown(client, path, admin)


async def test_what_counts_several_times_is_no_mistake(client: Client, admin: dict[str, str]) -> None:
    assert "twice" not in await shown(client, "/tickets?grade=P1&grade=P2", admin)
    assert "begins today" not in await shown(client, "/on-call?day=2026-01-06&weeks=4", admin)


async def test_whatever_pages_link_to_they_know(client: Client, world: World, admin: dict[str, str]) -> None:
    await world.post(alert())
    links: set[str] = set()
    for path in [*PAGES, "/tickets/1", "/tickets?grade=P1&text=web", "/search?q=web", "/knowledge?q=web"]:
        links |= set(re.findall(r'href="(/[^"#]*\?[^"#]*)', unescape(await shown(client, path, admin))))
    pages = {one for one in links if not one.startswith(("/api/", "/static/", "/sign-in")) and ".md" not in one}
    assert len(pages) > 20
    for path in sorted(pages):
        assert UNKNOWN not in await shown(client, path, admin), path


async def test_a_page_as_markdown_is_not_given_for_a_filter_that_nobody_knows(
    client: Client, admin: dict[str, str]
) -> None:
    for path in ("/tickets.md", "/reports.md"):
        answer = await client.get(f"{path}?foo=1", headers=admin)
        assert (answer.status, "“foo” is not known" in await answer.text()) == (422, True)
        assert (await client.get(f"{path}?grade=P1", headers=admin)).status == 200


async def test_the_words_are_those_of_pages_that_there_are(client: Client) -> None:
    assert WORDS.keys() <= {path for method, path, _ in routes(client) if method == "GET"}
