"""One Chromium for all tests of this process, and for each test a service of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from responder.store.database import Database
from tests.browser.chromium import launched
from tests.browser.site import MAIN_FILE, Site, served
from tests.databases import opened


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    async with launched() as browser:
        yield browser


@pytest.fixture
def main_file() -> str:
    """What the service's main file says."""
    return MAIN_FILE


@pytest.fixture
def file_database(tmp_path: Path) -> Iterator[Database]:
    made = opened(tmp_path / "responder.db")
    yield made
    made.close()


@pytest_asyncio.fixture(loop_scope="session")
async def site(chromium: Browser, tmp_path: Path, file_database: Database, main_file: str) -> AsyncIterator[Site]:
    """Fails its test when the browser complains of anything: console, scripts, requests, the content's policy."""
    async with served(chromium, tmp_path, file_database, main_file) as made:
        yield made
