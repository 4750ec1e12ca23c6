"""Makes the pictures of every page of the console, light and dark, from what the demo leaves: see `make pictures`."""

from __future__ import annotations

import asyncio
import sys
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
from playwright.async_api import Browser, Page

from tests.browser.chromium import cut_off, launched
from tests.browser.site import Scheme
from tests.servers.ports import free_port

FOLDER = Path(__file__).parents[2] / "docs" / "pictures" / "console"
LARGEST = 120_000
_QUALITIES = (80, 65, 50)
PAGES = {
    "now": "/",
    "tickets": "/tickets?sort=newest&text=web",
    "ticket": "/tickets/{handed_over}",
    "calls": "/tickets/{by_mail}",
    "runs": "/runs",
    "run": "/runs/{run}",
    "runbooks": "/runbooks",
    "runbook": "/runbooks/restart-webapp",
    "on-call": "/on-call",
    "inventory": "/inventory",
    # Without today, whose burst of alerts would make all else small.
    "reports": "/reports?from={first}&to={last}",
    "knowledge": "/knowledge",
    "article": "/knowledge/1",
    "policy": "/policy",
    "audit": "/audit",
    "health": "/health",
}
TALL = {"reports": 1500}
_SETTLES_WITHIN = 120
_SCHEMES: tuple[Scheme, ...] = ("light", "dark")


async def main() -> None:
    """Raises ValueError for a page that is wider than its window, or a picture that makes the documentation heavy."""
    FOLDER.mkdir(exist_ok=True)
    async with _demo() as origin, launched() as browser:
        told = await _told(origin)
        paths = {name: path.format_map(told) for name, path in PAGES.items()}
        for scheme in _SCHEMES:
            page = await _window(browser, origin, scheme)
            for name, path in paths.items():
                await page.set_viewport_size({"width": 1280, "height": TALL.get(name, 800)})
                await page.goto(path)
                await _keep(page, f"{name}-{scheme}")
        page = await _window(browser, origin, "dark", width=360, height=740)
        for name in ("now", "ticket"):
            await page.goto(paths[name])
            await _keep(page, f"{name}-telephone")


async def _told(origin: str) -> dict[str, str]:
    """What of the demo's story is shown: behind its past, so nobody knows the numbers before."""

    async def newest(path: str, what: str, number: str) -> str:
        async with session.get(f"{origin}/api/v1/{path}") as answer:
            return str((await answer.json())[what][0][number])

    async with aiohttp.ClientSession() as session:
        await _settled(session, origin)
        yesterday = datetime.now(UTC).date() - timedelta(days=1)
        handed_over = await newest("tickets?source=demo&target=node2", "tickets", "number")
        return {
            "handed_over": handed_over,
            "by_mail": await newest("tickets?source=mail", "tickets", "number"),
            "run": await newest(f"runs?ticket={handed_over}", "runs", "id"),
            "first": str(yesterday - timedelta(days=29)),
            "last": str(yesterday),
        }


async def _settled(session: aiohttp.ClientSession, origin: str) -> None:
    """Waits until the machine has looked at every ticket of the burst. Raises TimeoutError."""
    async with asyncio.timeout(_SETTLES_WITHIN):
        while True:
            async with session.get(f"{origin}/api/v1/tickets?status=new&limit=1") as answer:
                if not (await answer.json())["tickets"]:
                    return
            await asyncio.sleep(0.5)


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
    for quality in _QUALITIES:
        taken = await session.send("Page.captureScreenshot", {"format": "webp", "quality": quality})
        content = b64decode(taken["data"])
        if len(content) <= LARGEST:
            break
    else:
        raise ValueError(f"{name}.webp has {len(content)} bytes, more than {LARGEST}")
    (FOLDER / f"{name}.webp").write_bytes(content)
    print(f"docs/pictures/console/{name}.webp: {len(content) // 1024} kB")


if __name__ == "__main__":
    asyncio.run(main())
