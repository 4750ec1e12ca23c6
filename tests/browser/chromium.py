"""Debian's Chromium, driven by Playwright, and a page that tells on itself: whatever goes wrong in it is kept."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    async_playwright,
)

PROGRAM = "chromium"
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
"""CI runs as root, where Chromium's sandbox does not start; it opens our own pages only, and reaches nothing else."""
_ON_VIOLATION = "addEventListener('securitypolicyviolation', one => console.error(`CSP: ${one.violatedDirective}`))"
_SERIOUS = ("serious", "critical")
_NARROW = """() => [...document.querySelectorAll('body *')]
    .filter(one => !one.closest('.trap') && one.getBoundingClientRect().right > innerWidth + 0.5)
    .map(one => one.outerHTML.slice(0, 120))"""


@dataclass(kw_only=True)
class Trouble:
    """What a browser complained of, in order. A status that a test wants belongs to `expected`."""

    origin: str
    said: list[str] = field(default_factory=list)
    expected: set[int] = field(default_factory=set)

    def hear(self, message: ConsoleMessage) -> None:
        is_status = message.text.startswith("Failed to load resource: the server responded")
        if message.type in ("error", "warning") and not is_status:
            self.said.append(f"console: {message.text}")

    def failed(self, request: Request) -> None:
        # A second click takes the place of the first one's answer.
        if request.failure != "net::ERR_ABORTED":
            self.said.append(f"failed: {request.method} {request.url} {request.failure}")

    def answered(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.expected:
            self.said.append(f"{response.status}: {response.request.method} {response.url}")

    def asked(self, request: Request) -> None:
        if not request.url.startswith((f"{self.origin}/", "data:", "blob:")):
            self.said.append(f"elsewhere: {urlsplit(request.url).netloc}")


@asynccontextmanager
async def launched() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which(PROGRAM), args=_ARGUMENTS)
        yield browser
        await browser.close()


async def watched(context: BrowserContext, trouble: Trouble) -> Page:
    """A page in this context whose trouble is kept."""
    context.on("console", trouble.hear)
    context.on("weberror", lambda error: trouble.said.append(f"error: {error.error}"))
    context.on("request", trouble.asked)
    context.on("requestfailed", trouble.failed)
    context.on("response", trouble.answered)
    await context.add_init_script(_ON_VIOLATION)
    return await context.new_page()


async def barriers(page: Page) -> list[str]:
    """What axe-core finds on the page that keeps people out: its serious and critical rules, with the elements."""
    await page.wait_for_load_state()
    await page.evaluate(AXE_SCRIPT)
    found = await page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {one['help']}: {'; '.join(node['html'][:160] for node in one['nodes'])}"
        for one in found["violations"]
        if one["impact"] in _SERIOUS
    ]


async def cut_off(page: Page) -> list[str]:
    """Elements that reach over the right edge; empty if nothing is cut and nothing scrolls sideways."""
    await page.wait_for_load_state()
    wide: Collection[str] = await page.evaluate(_NARROW)
    scrolls = await page.evaluate("() => document.documentElement.scrollWidth > innerWidth")
    return [*wide, *["the page scrolls sideways"] * bool(scrolls)]
