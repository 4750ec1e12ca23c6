"""The page of the API: every route of the document, and how one asks it."""

from __future__ import annotations

import re
import shlex
from html import unescape

import orjson
import pytest

from responder.domain.access import MEANING_OF_TOKEN
from responder.flows.texts.languages import entries
from responder.store.switchboard import SCOPES
from responder.web.reference import Entry, reference
from tests.web.conftest import Client, cookie, header
from tests.world import World

PAGE = {"Accept": "text/html"}


async def listed(client: Client, world: World) -> list[Entry]:
    document = orjson.loads(await (await client.get("/openapi.json", headers=await header(world, "read"))).read())
    return [one for group in reference(document).values() for one in group]


async def test_every_route_of_the_document_is_on_the_page(client: Client, world: World) -> None:
    routes = await listed(client, world)
    text = unescape(await (await client.get("/api", headers={**PAGE, **await cookie(world, "viewer")})).text())
    assert len(routes) > 100
    assert [one.path for one in routes if one.path not in text or one.curl not in text] == []
    assert 'href="/api/v1/openapi.json"' in text


async def test_an_example_asks_what_the_route_is_asked(client: Client, world: World) -> None:
    for one in await listed(client, world):
        words = shlex.split(one.curl.replace("\\\n", ""))
        method = words[words.index("-X") + 1] if "-X" in words else "POST" if "Content-Type" in one.curl else "GET"
        path = words[-1].removeprefix("$RESPONDER_SERVER").partition("?")[0]
        assert (method, len(path.split("/"))) == (one.method, len(one.path.split("/"))), one.curl
        body = orjson.loads(words[words.index("-d") + 1]) if "-d" in words else {}
        needed = {field.name for field in one.fields if field.is_needed and field.place == "body"}
        assert set(body) == needed, one.curl


async def test_it_says_what_is_asked_and_who_may(client: Client, world: World) -> None:
    routes = {(one.method, one.path): one for one in await listed(client, world)}
    off, verb = routes["PUT", "/api/v1/kill-switch"], routes["POST", "/api/v1/tickets/{key}/{verb}"]
    assert (off.scope, off.roles) == ("act", ("responder", "approver", "admin"))
    asked = {field.name: (field.place, field.is_needed) for field in off.fields}
    assert (asked["reason"], asked["for"]) == (("body", True), ("body", False))
    assert "acknowledge | " in next(field.kind for field in verb.fields if field.name == "verb")


@pytest.mark.parametrize(("role", "status"), [("reporter", 403), ("viewer", 200)])
async def test_who_may_read_finds_the_way_to_it(client: Client, world: World, role: str, status: int) -> None:
    who = {**PAGE, **await cookie(world, role)}
    assert (await client.get("/api", headers=who)).status == status
    assert ('href="/api"' in await (await client.get("/me", headers=who)).text()) == (status == 200)


async def test_the_page_itself_speaks_chinese(client: Client, world: World) -> None:
    text = await (await client.get("/api?lang=zh", headers={**PAGE, **await cookie(world, "viewer")})).text()
    assert ("谁可以调用" in text, '<section id="api-audit" class="group" lang="en">' in text) == (True, True)
    assert re.search(r"发送告警、邮件和报告", text)


def test_every_scope_of_tokens_has_its_meaning_in_both_languages() -> None:
    known = {text for kind, text in entries("zh") if not kind}
    assert tuple(MEANING_OF_TOKEN) == tuple(SCOPES)
    assert [text for text in MEANING_OF_TOKEN.values() if text not in known] == []
