"""The real web application on a loopback port, with a real database and a fake clock, and those who visit it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

import pytest
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, BrowserContext, HttpCredentials, Page, ViewportSize, expect

from responder.adapters.passwords import hashed
from responder.adapters.yaml_file import load
from responder.config.policy import read_policy
from responder.flows.batcher import Batcher
from responder.store.database import Database
from responder.web.context import Context
from responder.web.server import build
from tests.browser.chromium import PROGRAM, Trouble, watched
from tests.flows.reports import Reports
from tests.servers.ports import free_port
from tests.web.conftest import GUARDED, account, header
from tests.world import World

MAIN_FILE = f"""{GUARDED}reporters: {{url_file: reporters-url}}
feedback: {{open: true, max_files: 3, max_file: 4096, max_sum: 6144, per_address: 50}}
"""
DRIVEN = [pytest.mark.needs(PROGRAM), pytest.mark.xdist_group("browser"), pytest.mark.asyncio(loop_scope="session")]
"""The marks of a module of tests: one process has the browser, and one loop drives it from the first to the last."""
Language = Literal["en", "zh"]
Scheme = Literal["light", "dark"]
_PATIENCE_MS = 20_000
PASSWORD = "correct horse battery"
KEPT = hashed(PASSWORD)
expect.set_options(timeout=_PATIENCE_MS)


@dataclass(kw_only=True)
class Site:
    """The service as it is opened in a browser, and the world behind it."""

    browser: Browser
    world: Reports
    origin: str
    trouble: Trouble
    contexts: list[BrowserContext] = field(default_factory=list)

    async def visitor(self, language: str = "en", *, width: int = 1440, **wishes: Any) -> Page:
        """Somebody's fresh browser, with a window of this width; `wishes` as Playwright's contexts have them."""
        size: ViewportSize = {"width": width, "height": 900}
        locale = {"en": "en-GB", "zh": "zh-CN"}[language]
        context = await self.browser.new_context(locale=locale, viewport=size, base_url=self.origin, **wishes)
        context.set_default_timeout(_PATIENCE_MS)
        self.contexts.append(context)
        return await watched(context, self.trouble)

    async def credentials(self, scope: str) -> HttpCredentials:
        """What somebody types whose browser asks for a password: a token of this scope."""
        shown = await header(self.world, scope)
        return {"username": "", "password": shown["Authorization"].removeprefix("Bearer ")}

    async def sign_in(self, page: Page, role: str, name: str, **more: Any) -> None:
        """Gives somebody an account and signs them in on the page, as people do."""
        await account(self.world, role, name, password_hash=KEPT, **more)
        await page.goto("/sign-in")
        await page.locator("#name").fill(name)
        await page.locator("#password").fill(PASSWORD)
        await page.locator("form button").click()
        await page.wait_for_url(f"{self.origin}/")

    def expects(self, *statuses: int) -> None:
        """The test wants answers with these statuses."""
        self.trouble.expected |= set(statuses)


@asynccontextmanager
async def served(browser: Browser, folder: Path, database: Database, main: str = MAIN_FILE) -> AsyncIterator[Site]:
    """The form asks what the profile regulation asks. Raises AssertionError at the end if a browser complained."""
    port = free_port()
    world = Reports(folder, database, main=main.replace("https://responder.test", f"http://127.0.0.1:{port}"))
    _ask_as(world, "regulation")
    async with site_of(browser, world, port) as site:
        yield site


@asynccontextmanager
async def site_of(browser: Browser, world: World, port: int) -> AsyncIterator[Site]:
    """The service around a world, whose base_url has this port. Raises AssertionError at the end, as `served` does."""
    origin = f"http://127.0.0.1:{port}"
    context = Context(
        desk=world.desk,
        batcher=Batcher(world.desk, 3),
        reload=_nothing,
        is_ready=_ready,
        changes=world.database.changes,
    )
    site = Site(browser=browser, world=cast(Reports, world), origin=origin, trouble=Trouble(origin=origin))
    async with TestServer(build(context), port=port):
        yield site
        for one in site.contexts:
            await one.close()
    assert not site.trouble.said, "; ".join(site.trouble.said)


def _ask_as(world: Reports, profile: str) -> None:
    path = world.path.parent / "asked.yml"
    path.write_text(f"extends: {profile}\n")
    policy = read_policy(load(path))[1].as_policy()
    world.rule(
        kinds=policy.kinds, grade_rules=policy.grade_rules, report_fields=policy.report_fields, offered=policy.offered
    )


async def _nothing() -> None: ...


async def _ready() -> str:
    return ""
