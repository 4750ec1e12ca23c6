"""Where things stand on the pages: nothing over another, and rows under each other."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.async_api import Page, expect

from responder.errors import SendFailed
from responder.flows.handle import do
from tests.browser.chromium import cut_off
from tests.browser.site import DRIVEN, Language, Site
from tests.world import alert

pytestmark = DRIVEN
_COVERED = """([ours, theirs]) => {
  const drawn = (row, chosen) => [...row.querySelectorAll(chosen)].flatMap((one) => {
    const range = document.createRange();
    range.selectNodeContents(one);
    return [...range.getClientRects()].filter((box) => box.width > 1);
  });
  const meet = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  const rows = [...document.querySelectorAll("table.tickets tbody tr")];
  return rows.filter((row) => drawn(row, ours).some((a) => drawn(row, theirs).some((b) => meet(a, b)))).length;
}"""
_LEFTS = "chosen => [...document.querySelectorAll(chosen)].map((one) => one.getBoundingClientRect().left)"


async def filled(site: Site) -> None:
    """A ticket that nobody has and that no message could tell of, and one that the machine has restored."""
    world = site.world
    await world.post(alert())
    await world.work()
    world.sender.failures.extend(SendFailed("the gateway is away for some reason.") for _ in range(50))
    await world.post(alert("DiskFull", severity="warning"))
    await world.work()
    world.clock.advance(timedelta(minutes=6))


async def opened(site: Site, path: str, language: Language = "en", width: int = 1440) -> Page:
    page = await site.visitor(language, width=width)
    await site.sign_in(page, "responder", "mei")
    await page.goto(f"{path}?lang={language}")
    return page


@pytest.mark.parametrize("width", [360, 1440])
async def test_the_lines_of_a_history_stand_under_each_other_whatever_kind_they_are(site: Site, width: int) -> None:
    await filled(site)
    await site.world.post(alert(status="resolved"))
    await site.world.work()
    page = await opened(site, "/tickets/1", width=width)
    await expect(page.locator("li.kind-signal")).not_to_have_count(0)
    for part in ("time", ".text"):
        assert len(set(await page.evaluate(_LEFTS, f"ol.history > li > {part}"))) == 1


@pytest.mark.parametrize("path", ["/", "/tickets"])
async def test_age_and_time_left_stand_apart_on_a_telephone_in_chinese(site: Site, path: str) -> None:
    await filled(site)
    site.world.clock.advance(timedelta(hours=27, minutes=34))
    page = await opened(site, path, "zh", width=360)
    await expect(page.locator("td.age").first).to_contain_text("小时")
    assert await page.evaluate(_COVERED, ["td.number", "td.age"]) == 0
    assert await page.evaluate(_COVERED, ["td.age", "td.left-cell .left"]) == 0
    assert await cut_off(page) == []


async def test_the_bars_of_all_clocks_are_of_one_length(site: Site) -> None:
    await filled(site)
    await do(site.world.desk, "acknowledge", "1", actor="mei", content={})
    page = await opened(site, "/tickets/1")
    widths = await page.evaluate(
        "() => [...document.querySelectorAll('.clock-story svg')].map((one) => one.clientWidth)"
    )
    assert (len(widths), len(set(widths))) == (5, 1)


async def test_the_button_that_takes_a_ticket_covers_no_word_of_its_line(site: Site) -> None:
    await filled(site)
    page = await opened(site, "/tickets")
    await page.locator("[data-row]").first.hover()
    await expect(page.locator("td.holder").first).to_contain_text("not reached")
    assert await page.evaluate(_COVERED, [".holder > div", ".take"]) == 0
