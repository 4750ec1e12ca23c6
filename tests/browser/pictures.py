"""Makes the pictures of the documentation that show what reporters see: `make pictures`."""

from __future__ import annotations

import asyncio
import tempfile
from datetime import timedelta
from pathlib import Path

from playwright.async_api import Page

from responder.adapters.links import ReporterClaim
from responder.flows.reporter import ask_reporter, tell_progress
from tests.browser.chromium import launched
from tests.browser.site import MAIN_FILE, Site, served
from tests.databases import opened

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
LARGEST = 180_000
_MAIN = MAIN_FILE.replace("max_files: 3, max_file: 4096, max_sum: 6144, ", "")


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = opened(Path(folder) / "responder.db")
        async with launched() as browser, served(browser, Path(folder), database, _MAIN) as site:
            await _form(site)
            await _form_on_a_telephone(site)
            await _reporters_page(site)
        database.close()


async def _form(site: Site) -> None:
    page = await site.visitor(width=800)
    await page.goto("/feedback")
    await _keep(page, "feedback")


async def _form_on_a_telephone(site: Site) -> None:
    site.expects(422)
    page = await site.visitor("zh", width=360, color_scheme="dark")
    await page.goto("/feedback")
    await page.locator("#f-title").fill("三楼打印机无法打印")
    await page.locator("#f-product").fill("P900")
    await page.locator("#f-contact").fill("李伟")
    site.world.clock.advance(timedelta(minutes=1))
    await page.locator("button[type=submit]").click()
    await page.locator(".problems").wait_for()
    await _keep(page, "feedback-telephone")


async def _reporters_page(site: Site) -> None:
    world = site.world
    known = {"product": "P900", "symptom": "no light", "scope": "department"}
    await world.opens(title="The printer on floor 3 prints nothing", fields=known)
    await world.do("acknowledge")
    world.clock.advance(timedelta(minutes=8))
    await ask_reporter(world.desk, "1", "mei", "Which light is red, the upper or the lower one?")
    await world.work()
    page = await site.visitor(width=800)
    await page.goto(world.desk.links.report(ReporterClaim(ticket_id=1)))
    await page.locator("#f-more").fill("The lower one.")
    await page.get_by_role("button", name="Send", exact=True).click()
    world.clock.advance(timedelta(minutes=25))
    await tell_progress(world.desk, "1", "mei", "A new fuse is on its way.")
    await world.work()
    await world.do("restore", reason="a new fuse")
    await page.goto(world.desk.links.report(ReporterClaim(ticket_id=1)))
    await _keep(page, "reporter")


async def _keep(page: Page, name: str) -> None:
    """Raises ValueError for a picture that makes a page of the documentation heavy."""
    await page.wait_for_load_state()
    taken = await page.screenshot(full_page=True)
    if len(taken) > LARGEST:
        raise ValueError(f"{name}.png has {len(taken)} bytes, more than {LARGEST}")
    (FOLDER / f"{name}.png").write_bytes(taken)
    print(f"docs/pictures/{name}.png: {len(taken) // 1024} kB")


if __name__ == "__main__":
    asyncio.run(main())
