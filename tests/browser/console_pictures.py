"""Makes the pictures of every page of the console, light and dark, from what the demo leaves: see `make pictures`."""

from __future__ import annotations

import asyncio
import sys
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, Page

from tests.browser.chromium import cut_off, launched
from tests.browser.site import Scheme
from tests.servers.ports import free_port

FOLDER = Path(__file__).parents[2] / "docs" / "pictures" / "console"
LARGEST = 120_000
PAGES = {
    "now": "/",
    "tickets": "/tickets?text=web",
    "ticket": "/tickets/2",
    "calls": "/tickets/4",
    "runs": "/runs",
    "run": "/runs/2",
    "runbooks": "/runbooks",
    "runbook": "/runbooks/restart-webapp",
    "on-call": "/on-call",
    "inventory": "/inventory",
    "reports": "/reports?period=7d",
    "knowledge": "/knowledge",
    "policy": "/policy",
    "audit": "/audit",
    "health": "/health",
}
_SCHEMES: tuple[Scheme, ...] = ("light", "dark")


async def main() -> None:
    """Raises ValueError for a page that is wider than its window, or a picture that makes the documentation heavy."""
    FOLDER.mkdir(exist_ok=True)
    async with _demo() as origin, launched() as browser:
        for scheme in _SCHEMES:
            page = await _window(browser, origin, scheme)
            for name, path in PAGES.items():
                await page.goto(path)
                await _keep(page, f"{name}-{scheme}")
        page = await _window(browser, origin, "dark", width=360, height=740)
        for name in ("now", "ticket"):
            await page.goto(PAGES[name])
            await _keep(page, f"{name}-telephone")


@asynccontextmanager
async def _demo() -> AsyncIterator[str]:
    """The demo as people start it, when it has told its story."""
    port = free_port()
    command = (sys.executable, "-m", "responder.cli", "demo", "--port", str(port))
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        async for line in process.stdout:
            if b"The tickets and their histories" in line:
                break
        else:
            raise ValueError("the demo ended before its end")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def _window(browser: Browser, origin: str, scheme: Scheme, *, width: int = 1280, height: int = 800) -> Page:
    context = await browser.new_context(
        base_url=origin,
        color_scheme=scheme,
        locale="en-GB",
        viewport={"width": width, "height": height},
        reduced_motion="reduce",
    )
    return await context.new_page()


async def _keep(page: Page, name: str) -> None:
    await page.wait_for_load_state()
    if wide := await cut_off(page):
        raise ValueError(f"{name}: wider than the window: {wide}")
    session = await page.context.new_cdp_session(page)
    taken = await session.send("Page.captureScreenshot", {"format": "webp", "quality": 80})
    content = b64decode(taken["data"])
    if len(content) > LARGEST:
        raise ValueError(f"{name}.webp has {len(content)} bytes, more than {LARGEST}")
    (FOLDER / f"{name}.webp").write_bytes(content)
    print(f"docs/pictures/console/{name}.webp: {len(content) // 1024} kB")


if __name__ == "__main__":
    asyncio.run(main())
