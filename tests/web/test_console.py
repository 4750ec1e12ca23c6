"""The console's shell: errors that lead on, the language, the way through the pages."""

from __future__ import annotations

import pytest

from responder.errors import StoreUnavailable
from responder.web.rendering import environment
from tests.web.conftest import Client, cookie, header
from tests.world import World

BROWSER = {"Accept": "text/html,application/xhtml+xml"}


async def test_a_page_that_is_not_there_leads_on_and_speaks_the_readers_language(client: Client, world: World) -> None:
    read = await header(world, "read")
    answer = await client.get("/nothing", headers={**BROWSER, **read, "Accept-Language": "zh-CN"})
    text = await answer.text()
    assert (answer.status, answer.content_type) == (404, "text/html")
    assert "未找到" in text
    assert '<a href="/">现况</a>' in text
    assert "lang=en" in text


async def test_who_has_not_signed_in_sees_no_way_through_the_pages(client: Client) -> None:
    answer = await client.get("/nothing", headers=BROWSER)
    text = await answer.text()
    assert (answer.status, "data-go" in text) == (404, False)


@pytest.mark.parametrize(("path", "accept"), [("/nothing", "*/*"), ("/api/v1/nothing", "text/html")])
async def test_programs_are_told_of_errors_as_before(client: Client, path: str, accept: str) -> None:
    answer = await client.get(path, headers={"Accept": accept})
    assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize(
    ("text", "said"),
    [("Tickets", "工单"), ("<b>%(x)s", "&lt;b&gt;%(x)s"), ("100%%", "100%"), ("%s 50% off", "%s 50% off")],
)
def test_what_is_no_word_of_ours_is_text_also_where_a_translation_is_asked_for(text: str, said: str) -> None:
    page = environment("zh").from_string("{{ _(text) }}").render(text=text)
    assert page == said


def test_what_is_put_into_a_sentence_is_text() -> None:
    page = environment("zh").from_string("{% trans who=name %}called: {{ who }}{% endtrans %}").render(name="<b>&")
    assert page == "已呼叫：&lt;b&gt;&amp;"


async def test_while_the_database_is_away_people_read_so_on_a_page(
    client: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise StoreUnavailable("The database cannot be reached.")

    viewer = await cookie(world, "viewer")
    monkeypatch.setattr(world.database, "read", away)
    answer = await client.get("/", headers={**BROWSER, **viewer})
    assert (answer.status, answer.content_type) == (503, "text/html")
    assert "The database cannot be reached." in await answer.text()
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


async def test_an_answer_that_leads_elsewhere_is_guarded_and_kept_nowhere(client: Client) -> None:
    answer = await client.get("/tickets", headers=BROWSER, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/sign-in?next=/tickets")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
