"""The console by keyboard, on a telephone, in the dark and without scripts; and two people at one ticket."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.async_api import Page, expect

from responder.flows.handle import do
from tests.browser.chromium import barriers, cut_off
from tests.browser.site import DRIVEN, Language, Scheme, Site
from tests.world import alert

pytestmark = DRIVEN
LONG = "storage-eu-central-1a-07.prod.example.net:9100"


async def filled(site: Site) -> None:
    """A first aid that failed, one that waits for a person, one that is taken, and a hostile name."""
    world = site.world
    world.fleet.broken.add("web-1")
    await world.post(alert(), alert("DiskFull", severity="warning", instance=LONG))
    await world.post(alert("<script>alert(1)</script>", severity="info"))
    await world.work()
    await do(world.desk, "acknowledge", "2", actor="lars", content={})
    world.clock.advance(timedelta(minutes=16))


async def ready(page: Page) -> None:
    """Once the page listens to keys."""
    await expect(page.locator("[data-help]")).to_be_visible()


async def chosen(page: Page) -> str:
    return await page.locator("[data-row][aria-current] a.name").inner_text()


async def test_the_console_is_walked_by_keys_alone(site: Site) -> None:
    await filled(site)
    page = await site.visitor()
    await site.sign_in(page, "responder", "mei")
    await ready(page)
    press = page.keyboard.press
    names = await page.locator("[data-row] a.name").all_inner_texts()
    for key, place in (("j", 0), ("j", 1), ("j", 2), ("j", 2), ("k", 1), ("k", 0), ("k", 0)):
        await press(key)
        assert await chosen(page) == names[place]
    for _ in range(names.index("ServiceDown on web-1:9100")):
        await press("j")
    await press("a")
    await expect(page.locator("[data-row][aria-current] .who")).to_have_text("mei")
    assert (await site.world.ticket())["acknowledged_by"] == "mei"
    await ready(page)
    await press("o")
    await expect(page.locator("h1")).to_have_text("ServiceDown on web-1:9100")
    await ready(page)
    await press("a")
    why = page.locator(".notice").filter(has_text="is already acknowledged by mei.")
    await expect(why).to_be_visible()
    await expect(why).to_be_focused()
    await press("c")
    await expect(page.locator("#f-note-text")).to_be_focused()
    await page.keyboard.type("jar a e ?")
    await press("Escape")
    await expect(page.locator("#f-note-text")).not_to_be_focused()
    assert await page.locator("#f-note-text").input_value() == "jar a e ?"
    await page.locator("#f-note-text").focus()
    await press("Control+Enter")
    await expect(page.get_by_role("status").filter(has_text="Done: Note.")).to_be_visible()
    await expect(page.locator("#history")).to_contain_text("jar a e ?")
    await ready(page)
    await press("g")
    await press("t")
    await expect(page).to_have_url(f"{site.origin}/tickets")
    await ready(page)
    await press("/")
    await expect(page.locator("#search")).to_be_focused()
    await page.keyboard.type("disk")
    await press("Enter")
    await expect(page.locator("[data-row]")).to_have_count(1)
    await ready(page)
    await press("?")
    dialog = page.locator("dialog[data-keys]")
    await expect(dialog).to_be_visible()
    assert await barriers(page) == []
    await press("Escape")
    await expect(dialog).to_be_hidden()
    await press("j")
    await press("e")
    await expect(page.locator("h1")).to_have_text(f"DiskFull on {LONG}")
    await expect(page.locator("#f-escalate-reason")).to_be_focused()
    await page.go_back()
    await ready(page)
    await press("j")
    await press("o")
    await expect(page.locator("h1")).to_have_text(f"DiskFull on {LONG}")
    assert (await site.world.ticket(2))["acknowledged_by"] == "lars"


@pytest.mark.parametrize(("language", "scheme", "width"), [("en", "dark", 360), ("zh", "light", 1440)])
async def test_nothing_is_cut_and_nobody_kept_out(site: Site, language: Language, scheme: Scheme, width: int) -> None:
    await filled(site)
    page = await site.visitor(language, width=width, color_scheme=scheme)
    await site.sign_in(page, "responder", "mei")
    site.expects(404)
    for path in ("/", "/tickets?sort=newest&grade=P1", "/tickets/1", "/nothing-here"):
        await page.goto(path)
        for name in ("more", "do-propose", "do-dismiss", "clock-restore", "timeline", "messages"):
            await page.evaluate("id => document.getElementById(id)?.setAttribute('open', '')", name)
        assert await cut_off(page) == [], path
        assert await barriers(page) == [], path


async def test_without_scripts_the_menu_opens_and_a_ticket_is_taken(site: Site) -> None:
    await filled(site)
    page = await site.visitor(width=360, java_script_enabled=False)
    await site.sign_in(page, "responder", "mei")
    await page.locator("details.menu > summary").click()
    await page.locator("details.menu").get_by_role("link", name="Tickets").click()
    await page.get_by_role("link", name="ServiceDown").click()
    await page.get_by_role("button", name="Acknowledge").click()
    await expect(page.get_by_role("status").filter(has_text="Done: Acknowledge.")).to_be_visible()
    await page.locator("#do-restore > summary").click()
    await page.locator("#f-restore-reason").fill("mended by hand")
    await page.locator("#do-restore button").click()
    await expect(page.get_by_role("status").filter(has_text="Done: Restored.")).to_be_visible()
    assert (await site.world.ticket())["status"] == "restored"


async def test_what_somebody_else_does_meanwhile_is_shown_and_what_was_typed_is_kept(site: Site) -> None:
    site.expects(409)
    await filled(site)
    page = await site.visitor()
    await site.sign_in(page, "responder", "mei")
    await page.goto("/tickets/1")
    await ready(page)
    await page.keyboard.press("e")
    await page.locator("#f-escalate-reason").fill("the file is beyond me")
    await do(site.world.desk, "acknowledge", "1", actor="lars", content={})
    # The page hears of it, and leaves alone where somebody types.
    await expect(page.locator("#history")).to_contain_text("lars has taken it.")
    assert await page.locator("#f-escalate-reason").input_value() == "the file is beyond me"
    await page.locator("#do-escalate button").click()
    await expect(page.get_by_role("alert")).to_contain_text("has changed since you looked")
    await expect(page.get_by_role("alert")).to_contain_text("lars has taken it.")
    assert await page.locator("#f-escalate-reason").input_value() == "the file is beyond me"
    await page.locator("#do-escalate button").click()
    await expect(page.get_by_role("status").filter(has_text="Done: Escalate.")).to_be_visible()
    assert (await site.world.ticket())["tier"] == 2
