"""On call, Knowledge, Audit and Health in Chromium: an override by dragging, and no barriers on any of the pages."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from playwright.async_api import expect

from responder.config.configuration import read
from responder.flows import knowledge
from tests.browser.chromium import barriers, cut_off
from tests.browser.site import DRIVEN, Site
from tests.world import alert

pytestmark = DRIVEN
PATHS = ("/on-call", "/knowledge", "/knowledge/1", "/audit", "/health", "/search?q=DiskFull")
ROTAS = """
people:
  - {name: mei, channels: [{name: pager, url: "json://127.0.0.1:9/mei"}]}
  - {name: lars, channels: [{name: pager, url: "json://127.0.0.1:9/lars"}]}
teams:
  - {name: ops, tiers: {1: {rota: first-line}, 2: [lars]}}
rotas:
  - name: first-line
    zone: UTC
    layers:
      - {people: [mei], start: 2026-01-05, windows: [{days: mon-fri}]}
"""


async def furnished(site: Site) -> None:
    """A world with a rota, an article, a ticket and entries in the log."""
    world = site.world
    people = world.path.parent / "people.yml"
    people.write_text(ROTAS)
    world.desk.take_over(read(world.path))
    # Browsers have no fake clock: times that the page gives them must be near theirs.
    world.clock.advance(datetime(2027, 1, 6, 12, 0, tzinfo=UTC) - world.clock.now())
    await world.post(alert("DiskFull"))
    words = {
        "title": "The pump stops when a long queue of orders waits for its valve",
        "symptom": "Error E4711 at https://pumps.example/status",
        "solution": "# First\n- close `valve 4`\n- open it\n```\nvalvectl --close 4\n```",
    }
    await knowledge.publish(world.desk, (await knowledge.write(world.desk, words, "mei", {})).id, "mei")


async def test_an_override_is_dragged_over_days_previewed_and_made(site: Site) -> None:
    await furnished(site)
    # What fades in has little contrast for a moment.
    page = await site.visitor(reduced_motion="reduce")
    await site.sign_in(page, "responder", "mei")
    await page.goto("/on-call")
    cells = page.locator("td[data-rota=first-line]")
    saturday, sunday = cells.nth(3), cells.nth(4)
    await expect(saturday).to_contain_text("nobody")
    await saturday.scroll_into_view_if_needed()
    begin, end = await saturday.bounding_box(), await sunday.bounding_box()
    assert begin
    assert end
    await page.mouse.move(begin["x"] + 10, begin["y"] + begin["height"] / 2)
    await page.mouse.down()
    await page.mouse.move(end["x"] + end["width"] / 2, end["y"] + end["height"] / 2, steps=4)
    await expect(page.locator("td[data-local-chosen]")).to_have_count(2)
    await page.mouse.up()
    form = page.locator("form[data-override]")
    await expect(form.get_by_label("From (empty: now)")).to_have_value("2027-01-09T00:00")
    await expect(form.get_by_label("Until")).to_have_value("2027-01-11T00:00")
    await form.get_by_label("Who is on call").select_option("lars")
    await form.get_by_label("Why").fill("the weekend")
    await form.get_by_role("button", name="What would change?").click()
    preview = page.locator("#preview")
    await expect(preview).to_contain_text("lars is on call")
    assert await barriers(page) == []
    await preview.get_by_role("button", name="Make it").click()
    await expect(page.locator("#overrides")).to_contain_text("by mei: the weekend")
    await expect(page.locator("td[data-rota=first-line]").nth(3)).to_contain_text("override")
    await page.locator("#overrides").get_by_role("button", name="End it").click()
    await expect(page.locator(".notice[role=status]")).to_contain_text("It leaves times without anybody")


async def test_days_are_dragged_over_although_the_calendar_changes_before_and_meanwhile(site: Site) -> None:
    await furnished(site)
    page = await site.visitor(reduced_motion="reduce")
    await site.sign_in(page, "responder", "mei")
    await page.goto("/on-call")
    cells = page.locator("td[data-rota=first-line]")
    thursday, friday, saturday, sunday = (cells.nth(number) for number in (1, 2, 3, 4))
    await expect(friday).to_contain_text("mei")
    work_until(site, "thu")
    await expect(friday).to_contain_text("nobody")
    assert [await cells.nth(number).evaluate("one => getComputedStyle(one).userSelect") for number in (1, 9)] == [
        "none",
        "none",
    ]
    await saturday.hover()
    await page.mouse.down()
    await sunday.hover()
    work_until(site, "wed")
    await expect(thursday).to_contain_text("nobody")
    await expect(page.locator("td[data-local-chosen]")).to_have_count(2)
    outlines = [await one.evaluate("one => getComputedStyle(one).outlineStyle") for one in (friday, saturday, sunday)]
    assert outlines == ["none", "solid", "solid"]
    await page.mouse.up()
    await expect(page.locator("form[data-override]").get_by_label("Until")).to_have_value("2027-01-11T00:00")


def work_until(site: Site, day: str) -> None:
    """The rota has people on Mondays to this day from now on."""
    (site.world.path.parent / "people.yml").write_text(ROTAS.replace("mon-fri", f"mon-{day}"))
    site.world.desk.take_over(read(site.world.path))
    site.world.database.changes.tell(frozenset({"config"}))


async def test_a_tap_on_the_first_and_on_the_last_day_fills_in_the_form_on_a_phone(site: Site) -> None:
    await furnished(site)
    page = await site.visitor(width=360, has_touch=True)
    await site.sign_in(page, "responder", "mei")
    await page.goto("/on-call")
    cells = page.locator("td[data-rota=first-line]")
    await cells.nth(3).tap()
    form = page.locator("form[data-override]")
    await expect(form.get_by_label("Until")).to_have_value("2027-01-10T00:00")
    await cells.nth(5).tap()
    await expect(form.get_by_label("Until")).to_have_value("2027-01-12T00:00")
    await expect(form.get_by_label("From (empty: now)")).to_have_value("2027-01-09T00:00")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 360])
async def test_the_pages_have_no_barriers_and_nothing_is_cut_off(site: Site, width: int, scheme: str) -> None:
    await furnished(site)
    language = "zh" if scheme == "dark" else "en"
    page = await site.visitor(language, width=width, color_scheme=scheme)
    await site.sign_in(page, "admin", "mei", language=language)
    for path in PATHS:
        await page.goto(path)
        await expect(page.locator("header.top nav a[aria-current]").first).to_be_attached(attached=path != PATHS[-1])
        assert (path, await cut_off(page), await barriers(page)) == (path, [], [])


_CONTROLS = """() => [...document.querySelectorAll(
    'main :is(button, .button, input, select, textarea, [rel=prev], [rel=next], [href*="order=oldest"])')]
    .filter(one => one.checkVisibility()).map(one => one.outerHTML.slice(0, 80))"""


_WORDS_OF_CONTROLS = ("Escalate", "More", "oldest first", "Switch automation off", "Copy")


async def test_paper_has_no_controls_and_no_secret(site: Site) -> None:
    await furnished(site)
    page = await site.visitor()
    await site.sign_in(page, "admin", "mei")
    await page.emulate_media(media="print")
    for path in ("/", "/tickets?grade=P1,P2", "/tickets/1", "/inventory", "/policy", *PATHS):
        await page.goto(path)
        assert (path, await page.evaluate(_CONTROLS)) == (path, [])
        text = await page.locator("main").inner_text()
        assert [word for word in _WORDS_OF_CONTROLS if word in text] == []
    await page.goto("/on-call")
    assert "Your shifts in your calendar" not in await page.locator("main").inner_text()
    await expect(page.locator("table.calendar").first).to_be_visible()
