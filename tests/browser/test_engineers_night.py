"""An engineer's night in a real browser: from the page on the phone to the closed ticket, by every hand and in both
languages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from responder.store.audit_log import AuditFilter
from responder.store.database import Database
from tests.browser.chromium import barriers, cut_off
from tests.browser.site import DRIVEN, KEPT, PASSWORD, Language, Site, site_of
from tests.flows.asking import ASKING
from tests.servers.ports import free_port
from tests.web.conftest import GUARDED, account
from tests.world import RUNBOOK, World, alert, resolved

pytestmark = DRIVEN
PEOPLE = """
people:
  - {name: mei, roles: [dba], zone: Asia/Shanghai, channels: [{name: pager, url: "json://127.0.0.1:9/mei"}]}
  - {name: lars, channels: [{name: phone, url: "json://127.0.0.1:9/lars"}]}
teams:
  - {name: ops, tiers: {1: [mei], 2: [lars]}}
"""
_MOST_TABS = 120


class Hands(Protocol):
    """How somebody works with a page."""

    width: int
    has_touch: bool

    async def press(self, page: Page, what: Locator) -> None: ...

    async def write(self, page: Page, where: Locator, text: str) -> None: ...


@dataclass(frozen=True)
class Mouse:
    width: int = 1440
    has_touch: bool = False

    async def press(self, page: Page, what: Locator) -> None:
        await what.click()

    async def write(self, page: Page, where: Locator, text: str) -> None:
        await where.click()
        await where.press_sequentially(text)


@dataclass(frozen=True)
class Fingers(Mouse):
    """A telephone of 360 pixels."""

    width: int = 360
    has_touch: bool = True

    async def press(self, page: Page, what: Locator) -> None:
        await what.tap()


@dataclass(frozen=True)
class Keyboard:
    """Nothing but keys: what cannot be reached by Tab is not reached."""

    width: int = 1440
    has_touch: bool = False

    async def press(self, page: Page, what: Locator) -> None:
        await self._go(page, what)
        await page.keyboard.press("Enter")

    async def write(self, page: Page, where: Locator, text: str) -> None:
        await self._go(page, where)
        await page.keyboard.type(text)

    async def _go(self, page: Page, what: Locator) -> None:
        await what.wait_for()
        for _ in range(_MOST_TABS):
            if await what.evaluate("one => one === document.activeElement"):
                return
            await page.keyboard.press("Tab")
        raise AssertionError(f"{what} is not reached by Tab")


WORDS: Mapping[Language, Mapping[str, str]] = {
    "en": {"mine": "is yours", "yes": "Yes"},
    "zh": {"mine": "INC-", "yes": "是"},
}
ALL = AuditFilter()


@dataclass(kw_only=True)
class Night:
    """Somebody's browser, their hands, and the world behind it."""

    site: Site
    world: World
    page: Page
    hands: Hands
    said: Mapping[str, str]

    async def does(self, verb: str, status: str) -> None:
        """Presses the button of a verb, gives a reason where one is asked for, and sees the ticket's new status."""
        form = self.page.locator(f"form[action$='/{verb}']")
        if not await form.locator("button").first.is_visible():
            await self.hands.press(self.page, self.page.locator(f"#do-{verb} > summary"))
        if await form.locator("#f-" + verb + "-reason").count():
            await self.hands.write(self.page, form.locator("#f-" + verb + "-reason"), "the file is mended")
        await self.hands.press(self.page, form.get_by_role("button").first)
        await expect(self.page.locator(".notice[role=status]")).to_be_visible()
        assert (await self.world.ticket())["status"] == status
        await self.world.work()


@pytest_asyncio.fixture(loop_scope="session")
async def place(chromium: Browser, tmp_path: Path, file_database: Database) -> AsyncIterator[tuple[Site, World]]:
    """A host on which no restart helps, a runbook that asks first, and mei on call."""
    port = free_port()
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "runbooks" / "ask-first.yml").write_text(ASKING.replace("restart-app", "ask-first"))
    world = World(
        tmp_path,
        file_database,
        main=GUARDED.replace("https://responder.test", f"http://127.0.0.1:{port}"),
        people=PEOPLE,
        runbook=RUNBOOK.replace("cooldown: 15m", "cooldown: 0s"),
    )
    world.fleet.broken.add("web-1")
    async with site_of(chromium, world, port) as site:
        yield site, world


@pytest.mark.timeout(180)
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("hands", [Mouse(), Keyboard(), Fingers()], ids=["mouse", "keyboard", "telephone"])
async def test_from_the_page_to_the_closed_ticket(place: tuple[Site, World], hands: Hands, language: Language) -> None:
    site, world = place
    # What has changed is marked for a moment; what is measured is the page at rest.
    page = await site.visitor(language, width=hands.width, has_touch=hands.has_touch, reduced_motion="reduce")
    night = Night(site=site, world=world, page=page, hands=hands, said=WORDS[language])
    await _is_paged_and_takes_it(night)
    await _signs_in_and_reads_what_was_tried(night, language)
    await _says_yes_to_a_step_and_sees_it_run(night)
    await _is_done(night)


async def _is_paged_and_takes_it(night: Night) -> None:
    """The message has a link, which asks; only the confirmation acts."""
    world, page = night.world, night.page
    await world.post(alert())
    await world.work()
    body = next(text for person, _, text in world.sender.sent if person == "mei")
    await page.goto(next(word for word in body.split() if "/ack/" in word))
    assert not (await world.ticket())["acknowledged_by"]
    await night.hands.press(page, page.locator("main form button"))
    await expect(page.locator("main")).to_contain_text(night.said["mine"])
    assert (await world.ticket())["acknowledged_by"] == "mei"


async def _signs_in_and_reads_what_was_tried(night: Night, language: Language) -> None:
    """The link to the ticket asks who it is, and leads to the ticket then."""
    world, page, hands = night.world, night.page, night.hands
    await account(world, "approver", "mei", password_hash=KEPT, language=language, zone="Asia/Shanghai")
    await hands.press(page, page.get_by_role("link", name="INC-"))
    await hands.write(page, page.locator("#name"), "mei")
    await hands.write(page, page.locator("#password"), PASSWORD)
    await hands.press(page, page.locator("form button"))
    await expect(page.locator("h1")).to_contain_text("ServiceDown")
    await expect(page.locator("#first-aid pre").last).to_contain_text("config is broken")
    await _is_whole(page)


async def _says_yes_to_a_step_and_sees_it_run(night: Night) -> None:
    """The file is mended, and a runbook shall do the rest that asks before it acts: the question comes by itself."""
    world, page = night.world, night.page
    world.fleet.broken.clear()
    await night.hands.press(page, page.locator("#more > summary"))
    await night.hands.press(page, page.locator("#do-runs > summary"))
    await page.locator("#f-runs-runbook").select_option("ask-first")
    await night.hands.press(page, page.locator("form[action$='/runs'] button.go"))
    await expect(page.locator(".notice[role=status]")).to_be_visible()
    await world.work()
    question = page.locator("#approvals")
    await expect(question).to_contain_text("Restart it?")
    await _is_whole(page)
    await night.hands.press(page, question.get_by_role("button", name=night.said["yes"], exact=True))
    await expect(question).to_have_count(0)
    await world.work()
    latest = page.locator("#first-aid .run").first
    await expect(latest).to_contain_text("ask-first")
    await expect(latest.locator(".outcome")).to_have_class("outcome helped")


async def _is_done(night: Night) -> None:
    """The alert is over; what is left is said by hand, and the ticket ends."""
    world = night.world
    await world.post(resolved())
    await world.work()
    await expect(night.page.locator(".ticket-head .signal.cleared")).to_be_visible()
    for verb, status in (("resolve", "resolved"), ("close", "closed")):
        await night.does(verb, status)
    await _is_whole(night.page)
    log = [(one.actor, one.via, one.outcome) for one in await world.read(lambda tx: tx.audit_log.listed(ALL, 99))]
    assert set(log) == {("mei", "session", "done"), ("mei", "link", "done")}


async def _is_whole(page: Page) -> None:
    assert await cut_off(page) == []
    assert await barriers(page) == []
