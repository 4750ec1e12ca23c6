"""A real Chromium before the real web application on a loopback port, with a real database and a fake clock."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, BrowserContext, HttpCredentials, Page, ViewportSize

from responder.adapters.yaml_file import load
from responder.config.policy import read_policy
from responder.flows.batcher import Batcher
from responder.store.database import Database
from responder.web.context import Context
from responder.web.server import build
from tests.browser.chromium import PROGRAM, Trouble, launched, watched
from tests.databases import opened
from tests.flows.reports import Reports
from tests.servers.ports import free_port
from tests.web.conftest import GUARDED, header

MAIN_FILE = f"""{GUARDED}reporters: {{url_file: reporters-url}}
feedback: {{open: true, max_files: 3, max_file: 4096, max_sum: 6144, per_address: 50}}
"""
Language = Literal["en", "zh"]
Scheme = Literal["light", "dark"]


DRIVEN = [pytest.mark.needs(PROGRAM), pytest.mark.xdist_group("browser"), pytest.mark.asyncio(loop_scope="session")]
"""The marks of a module of tests: one process has the browser, and one loop drives it from the first to the last."""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    async with launched(PROGRAM) as browser:
        yield browser


@dataclass(kw_only=True)
class Site:
    """The service as it is opened in a browser, and the world behind it."""

    browser: Browser
    world: Reports
    origin: str
    trouble: Trouble
    contexts: list[BrowserContext]

    async def visitor(self, language: str = "en", *, width: int = 1440, **wishes: Any) -> Page:
        """Somebody's fresh browser, with a window of this width; `wishes` as Playwright's contexts have them."""
        locale = {"en": "en-GB", "zh": "zh-CN"}[language]
        size: ViewportSize = {"width": width, "height": 900}
        context = await self.browser.new_context(locale=locale, viewport=size, base_url=self.origin, **wishes)
        context.set_default_timeout(10_000)
        self.contexts.append(context)
        return await watched(context, self.trouble)

    async def credentials(self, scope: str) -> HttpCredentials:
        """What somebody types whose browser asks for a password: a token of this scope."""
        shown = await header(self.world, scope)
        return {"username": "", "password": shown["Authorization"].removeprefix("Bearer ")}

    def expects(self, *statuses: int) -> None:
        """The test wants answers with these statuses."""
        self.trouble.expected |= set(statuses)


@pytest.fixture
def main_file() -> str:
    """What the service's main file says besides its addresses."""
    return MAIN_FILE


@pytest.fixture
def file_database(tmp_path: Path) -> Iterator[Database]:
    made = opened(tmp_path / "responder.db")
    yield made
    made.close()


@pytest_asyncio.fixture(loop_scope="session")
async def site(chromium: Browser, tmp_path: Path, file_database: Database, main_file: str) -> AsyncIterator[Site]:
    """Fails its test when the browser complains of anything: console, scripts, requests, the content's policy."""
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    world = Reports(tmp_path, file_database, main=main_file.replace("https://responder.test", origin))
    asked_as(world, "regulation")
    context = Context(desk=world.desk, batcher=Batcher(world.desk, 3), reload=_nothing, is_ready=_ready)
    trouble = Trouble(origin=origin)
    made = Site(browser=chromium, world=world, origin=origin, trouble=trouble, contexts=[])
    async with TestServer(build(context), port=port):
        yield made
        for one in made.contexts:
            await one.close()
    assert trouble.said == []


def asked_as(world: Reports, profile: str) -> None:
    """The form asks what this shipped policy asks."""
    path = world.path.parent / "asked.yml"
    path.write_text(f"extends: {profile}\n")
    policy = read_policy(load(path))[1].as_policy()
    world.rule(kinds=policy.kinds, grade_rules=policy.grade_rules, report_fields=policy.report_fields)


async def _nothing() -> None: ...


async def _ready() -> str:
    return ""


__all__ = ["DRIVEN", "MAIN_FILE", "Language", "Scheme", "Site"]
