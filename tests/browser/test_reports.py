"""The page of reports in Chromium: read, filtered and copied; nothing cut, nobody kept out, in both schemes."""

from __future__ import annotations

import random
import re
from datetime import timedelta

import pytest
from playwright.async_api import expect

from responder.domain.observed import ClockEnd, Ended, Measure
from responder.domain.ticket import Status
from responder.store.tables import runs
from tests.browser.chromium import barriers, cut_off
from tests.browser.site import DRIVEN, MAIN_FILE, Language, Site
from tests.browser.test_feedback_form import LOOKS
from tests.store.test_statistics import a_ticket, observed, stored, took

pytestmark = DRIVEN
OPEN = MAIN_FILE.replace("console: token", "console: open")
GRADES = ("P1", "P2", "P3", "P4")


@pytest.fixture
def main_file() -> str:
    """Whoever is there may read: signing in has tests of its own."""
    return OPEN


async def a_quarter(site: Site, count: int = 120) -> None:
    """Tickets of the last ninety days, some of which people have answered and first aid has solved."""
    chance, now = random.Random(5), site.world.clock.now()
    tickets, changes, made = [], [], []
    for number in range(1, count + 1):
        at = now - timedelta(days=90 * number / count)
        kind, status = chance.choice(["hardware", "software", ""]), Status.CLOSED if number > 5 else Status.HANDED_OVER
        given = {"handed_over_at": at} if number % 2 else {}
        tickets.append(a_ticket(number, at, grade=GRADES[number % 4], kind=kind, status=status, **given))
        by, seconds = chance.choice(["human", "machine"]), chance.expovariate(1 / 600)
        end = chance.choice([ClockEnd.MET, ClockEnd.MET, ClockEnd.BREACHED])
        found = took(seconds / 9, by), took(seconds, by, Measure.RESTORE), Ended(clock="respond", end=end)
        changes.append((observed(tickets[-1], *found), at))
        run = {
            "ticket_id": number,
            "runbook": f"restart-{'very-' * 12}app",
            "target": "web-1",
            "snapshot": {},
            "step": 0,
        }
        made.append({**run, "epoch": 0, "leg": 0, "sentence": "", "ordered_by": "", "started_at": at,
                     "outcome": "helped", "verified": chance.choice([True, True, False, None])})  # fmt: skip
    await stored(site.world.database, tickets, changes)
    await site.world.database.write(lambda tx: tx.connection.execute(runs.insert(), made))


async def test_a_manager_chooses_a_period_and_a_grade_reads_a_table_and_copies_the_summary(site: Site) -> None:
    await a_quarter(site)
    page = await site.visitor()
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await page.goto("/reports")
    await page.get_by_role("link", name="90 days").click()
    await expect(page.get_by_role("link", name="90 days")).to_have_attribute("aria-current", "true")
    await expect(page.get_by_role("img", name="Tickets by grade")).to_be_visible()
    await page.get_by_label("Grade", exact=True).select_option("P2")
    await page.get_by_role("button", name="Show").click()
    await expect(page).to_have_url(re.compile("grade=P2&zone=UTC"))
    figure = page.locator("figure", has_text="Tickets by grade")
    await figure.locator("summary").focus()
    await page.keyboard.press("Enter")
    await expect(figure.locator("tfoot td").last).to_have_text("30")
    await page.get_by_role("button", name="Copy as Markdown").click()
    await expect(page.locator("[data-copy-from]")).to_have_text("✓")
    copied = await page.evaluate("() => navigator.clipboard.readText()")
    assert "- Tickets opened: 30" in copied


@LOOKS
async def test_no_chart_is_cut_off_and_nobody_is_kept_out(
    site: Site, language: Language, scheme: str, width: int
) -> None:
    await a_quarter(site)
    page = await site.visitor(language, width=width, color_scheme=scheme)
    await page.goto("/reports?days=90")
    assert await page.locator("figure.chart").count() > 6
    closed = [*await cut_off(page), *await barriers(page)]
    await page.evaluate("document.querySelectorAll('main details').forEach(one => { one.open = true })")
    assert (closed, await cut_off(page), await page.evaluate(_OVERLAPPING)) == ([], [], [])


_OVERLAPPING = """() => [...document.querySelectorAll('figure.chart svg[role=img]')].flatMap(svg => {
  const texts = [...svg.querySelectorAll('text')].map(one => [one.textContent, one.getBoundingClientRect()]);
  const frame = svg.getBoundingClientRect();
  const outside = texts.filter(([, one]) => one.left < frame.left - 1 || one.right > frame.right + 1);
  const over = texts.flatMap(([text, one], index) => texts.slice(index + 1).filter(([, other]) =>
    one.left < other.right - 1 && other.left < one.right - 1 && one.top < other.bottom - 4 && other.top < one.bottom - 4
  ).map(([other]) => `${text} over ${other}`));
  return [...outside.map(([text]) => `${text} outside`), ...over];
})"""
"""Labels that lie on each other or reach out of their drawing."""
