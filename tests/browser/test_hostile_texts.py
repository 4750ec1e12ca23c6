"""Whatever stands in labels, mails, outputs, names and articles is text on every page, under the content's policy."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from responder.domain.acts import CommandResult
from responder.domain.target import Target
from responder.flows.handle import do
from responder.flows.knowledge import publish, write
from responder.store.database import Database
from responder.web.console import PLACES
from tests.browser.chromium import cut_off
from tests.browser.site import DRIVEN, Language, Site, site_of
from tests.servers.ports import free_port
from tests.web.conftest import GUARDED
from tests.world import FakeFleet, World, alert

pytestmark = DRIVEN
EVIL = "\"'><img src=x onerror=alert(1) data-evil><script>alert(2)</script><b data-evil>&amp;{{7*7}}`${1}`</b>"
URL = "javascript:alert(3)//"
MARKDOWN = f"# {EVIL}\n\n[press me]({URL}) <{URL}> ![x]({URL})\n\n```\n{EVIL}\n```\n\n- {EVIL}\n"
PEOPLE = """
people:
  - {name: mei, full_name: '<i data-evil>Mei</i>', channels: [{name: pager, url: "json://127.0.0.1:9/mei"}]}
teams:
  - {name: ops, tiers: {1: [mei]}}
"""


class Shouting(FakeFleet):
    """Hosts whose commands fail with whatever an attacker could make them print."""

    async def run(self, target: Target, argv: Sequence[str], *, timeout: timedelta, stdin: str = "") -> CommandResult:
        return CommandResult(exit_code=1, stdout=f"{EVIL}\x1b[31m\x07", stderr=MARKDOWN)


@pytest_asyncio.fixture(loop_scope="session")
async def hostile(chromium: Browser, tmp_path: Path, file_database: Database) -> AsyncIterator[Site]:
    port = free_port()
    main = GUARDED.replace("https://responder.test", f"http://127.0.0.1:{port}")
    world = World(tmp_path, file_database, main=main, people=PEOPLE)
    world.fleet = world.desk.hosts = Shouting()
    await _is_everywhere(world)
    async with site_of(chromium, world, port) as site:
        yield site


async def _is_everywhere(world: World) -> None:
    """Hostile text in whatever comes from outside, or from people."""
    one = alert(team=EVIL, summary=EVIL, url=URL)
    one["annotations"] = {"summary": EVIL, "description": MARKDOWN, "runbook_url": URL}
    one["generatorURL"] = URL
    await world.post(one, alert("DiskFull", node=EVIL))
    await world.work()
    for verb, content in (
        ("acknowledge", {}),
        ("note", {"text": MARKDOWN}),
        ("diagnose", {"text": EVIL, "cause": EVIL}),
    ):
        await do(world.desk, verb, "1", actor="mei", content=content)
    await world.work()
    article = await write(
        world.desk, {"title": EVIL, "symptom": MARKDOWN, "solution": MARKDOWN}, EVIL[:80], {"team": EVIL}
    )
    await publish(world.desk, article.id, "mei")


PAGES = (
    *(place.path for place in PLACES),
    "/tickets/1",
    "/tickets/1?order=oldest&all",
    "/tickets/2",
    "/runs/1",
    "/runbooks/restart-app",
    "/knowledge/1",
    "/me",
    f"/tickets?{urlencode({'q': EVIL, 'team': EVIL})}",
    f"/knowledge?{urlencode({'q': EVIL})}",
    f"/audit?{urlencode({'actor': EVIL, 'object': EVIL})}",
    f"/reports?{urlencode({'team': EVIL, 'zone': EVIL})}",
    f"/nowhere/{quote(EVIL, safe='')}",
    f"/sign-in?{urlencode({'next': URL})}",
)
_INJECTED = """[data-evil], img[src="x"], main script, a[href^="javascript:"], [onerror]"""
FOUND = f"() => [...document.querySelectorAll({_INJECTED!r})].map(one => one.outerHTML.slice(0, 200))"


@pytest.mark.timeout(180)
@pytest.mark.parametrize("language", ["en", "zh"])
async def test_hostile_texts_are_texts_on_every_page(hostile: Site, language: Language) -> None:
    hostile.expects(400, 404, 422)
    page = await hostile.visitor(language)
    await hostile.sign_in(page, "admin", "mei")
    for path in PAGES:
        await page.goto(path)
        assert await page.evaluate(FOUND) == [], path
        assert await cut_off(page) == [], path
    await page.goto("/tickets/1")
    for place in ("h1", "#first-aid pre >> nth=0", "#history"):
        await expect(page.locator(place)).to_contain_text("data-evil")
