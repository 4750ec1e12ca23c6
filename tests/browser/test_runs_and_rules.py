"""Runs, runbooks, the inventory and the policy as somebody opens them: by mouse and keys, wide and narrow."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from playwright.async_api import expect

from responder.config.configuration import read
from responder.flows.orders import Wish, order_run
from tests.browser.chromium import barriers, cut_off
from tests.browser.site import DRIVEN, Language, Scheme, Site
from tests.world import alert

pytestmark = DRIVEN
LONG = "storage-eu-central-1a-07.prod.example.net:9100"
QUESTION = "/policy/explain?labels=alertname%3DServiceDown%0Aseverity%3Dcritical%0Ainstance%3Dweb-1%3A9100"
PLACES = ("/runs", "/runs/1", "/runbooks", "/runbooks/restart-app", "/inventory", "/policy", "/policy/reload", QUESTION)


async def filled(site: Site) -> None:
    """A run that failed, one that somebody ordered and that is at work, a host without a key, a changed file."""
    world = site.world
    world.fleet.broken.add("web-1")
    await world.post(alert(), alert("DiskFull", severity="warning", instance=LONG))
    await world.work()
    world.clock.advance(timedelta(minutes=16))
    await order_run(world.desk, "2", Wish(runbook="restart-app", target="web-2"), "lars")
    # The form of the site asks by other rules than its files have.
    configuration = read(world.path)
    known = configuration.targets
    new = replace(known[0], name="db-7.internal.example.net", host_key="", groups=("databases", "eu"))
    world.desk.take_over(replace(configuration, targets=(*known, new)))


@pytest.mark.parametrize(
    ("language", "scheme", "width"),
    [("en", "light", 1440), ("zh", "dark", 1440), ("en", "dark", 360), ("zh", "light", 360)],
)
async def test_nothing_is_cut_and_nobody_kept_out(site: Site, language: Language, scheme: Scheme, width: int) -> None:
    await filled(site)
    page = await site.visitor(language, width=width, color_scheme=scheme)
    await site.sign_in(page, "admin", "mei")
    for place in PLACES:
        await page.goto(f"{place}{'&' if '?' in place else '?'}lang={language}")
        for one in await page.locator("details.target").all():
            await one.evaluate("one => { one.open = true }")
        assert await cut_off(page) == [], place
        assert await barriers(page) == [], place


async def test_from_a_run_to_its_runbook_to_a_dry_run_and_from_a_target_to_maintenance(site: Site) -> None:
    await filled(site)
    page = await site.visitor()
    await site.sign_in(page, "responder", "mei")
    await page.goto("/runs")
    await expect(page.locator("[data-help]")).to_be_visible()
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    await page.keyboard.press("o")
    await expect(page.locator("h1")).to_have_text("restart-app on web-1")
    await expect(page.locator("pre").first).to_contain_text("config is broken")
    await page.get_by_role("link", name="restart-app", exact=True).click()
    await page.get_by_label("Target").select_option("web-2")
    await page.get_by_role("button", name="Look, and change nothing").click()
    await expect(page.locator("#result")).to_contain_text("Dry run on web-2: nothing was changed")
    await expect(page.locator("#result pre")).to_contain_text("svc restart app")
    assert ("web-2", ("svc", "restart", "app")) not in site.world.fleet.commands

    await page.goto("/inventory")
    row = page.locator("[data-row]").filter(has=page.get_by_role("link", name="web-1", exact=True))
    await row.get_by_role("link", name="web-1", exact=True).click()
    part = page.locator("details[id='web-1']")
    await part.get_by_label("Why").fill("a new disk")
    await part.get_by_label("For how long").fill("2h")
    await part.get_by_role("button", name="Begin maintenance").click()
    await expect(row).to_contain_text("(mei: a new disk)")


async def test_a_run_that_ends_is_seen_to_end(site: Site) -> None:
    await filled(site)
    page = await site.visitor()
    await site.sign_in(page, "viewer", "mei")
    await page.goto("/runs/2")
    await expect(page.locator("ol.steps")).to_contain_text("still to come")
    await site.world.work()
    await expect(page.locator(".bar .outcome")).to_have_text("helped")
    await expect(page.locator("ol.steps")).to_contain_text("svc restart app")
