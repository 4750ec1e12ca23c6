"""Live pages in Chromium: what changes is shown, what somebody does is kept, and a server that is away comes back."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, Page, expect

from responder.domain.switches import Scope
from responder.flows.batcher import Batcher
from responder.flows.switches import turn_off_automation, turn_on_automation
from responder.store.database import Database
from responder.web.changes import HUB
from responder.web.context import Context
from responder.web.events import POSITION
from responder.web.rendering import rendered
from responder.web.server import build
from tests.browser.chromium import Trouble, barriers, cut_off
from tests.browser.site import DRIVEN, MAIN_FILE, Site
from tests.flows.reports import Reports
from tests.servers.ports import free_port
from tests.world import alert

pytestmark = DRIVEN
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<link rel="stylesheet" href="/static/console.css"><link rel="stylesheet" href="/static/live.css"></head><body>
{badge}
<main><h1>{title}</h1>
<section data-live="list" data-topics="tickets"><table><tbody>
{rows}
</tbody></table></section>
<section data-live="act" data-topics="ticket:1">
<p id="state">{state}, seen <time>{seen}</time></p>
<details id="why"><summary>Why</summary><p>Because.</p></details>
<form method="post"><label>Note <textarea name="note"></textarea></label>
<input type="hidden" name="once" value="{seen}"><button>Send</button></form>
{extra}
</section></main><footer data-live="made">Page {seen}</footer></body></html>"""


@dataclass(kw_only=True)
class Shown:
    """A page of this test's own, and what it shows now."""

    title: str = "Three tickets"
    rows: dict[str, str] = field(default_factory=lambda: {"t1": "The disk is full", "t2": "Slow", "t3": "Down"})
    state: str = "new"
    extra: str = ""
    seen: int = 0
    is_over: bool = False

    async def page(self, request: web.Request) -> web.Response:
        self.seen += 1
        if self.is_over:
            raise web.HTTPSeeOther("/elsewhere")
        badge = rendered("live.html", "en", {"live_after": request[POSITION], "zone": "UTC"})
        rows = "\n".join(
            f'<tr id="{name}" data-row><td><a href="#{name}">{text}</a></td><td><time>{self.seen} s</time></td></tr>'
            for name, text in self.rows.items()
        )
        text = PAGE.format(title=self.title, badge=badge, rows=rows, state=self.state, extra=self.extra, seen=self.seen)
        return web.Response(text=text, content_type="text/html")


class Stage(Site):
    """A site that can be stopped and started again; each start is another process to those who listen."""

    shown: Shown
    server: TestServer

    async def start(self) -> None:
        database = self.world.database
        context = Context(
            desk=self.world.desk,
            batcher=Batcher(self.world.desk, 3),
            reload=_nothing,
            is_ready=_ready,
            changes=database.changes,
        )
        application = build(context)
        application.add_routes([web.get("/shown", self.shown.page)])
        self.server = TestServer(application, port=int(self.origin.rpartition(":")[2]))
        await self.server.start_server()

    async def stop(self) -> None:
        await self.server.close()

    async def opened(self) -> Page:
        """The page, as soon as it is live; its clock can be put forward."""
        page = await self.visitor()
        await page.clock.install()
        await page.goto("/shown")
        await expect(page.locator("[data-live-badge=live]")).to_have_text("Live")
        return page

    async def touch(self, *topics: str) -> None:
        """As a commit would tell."""
        await asyncio.to_thread(self.world.database.changes.tell, frozenset(topics))


async def _nothing() -> None: ...


async def _ready() -> str:
    return ""


@pytest_asyncio.fixture(loop_scope="session")
async def stage(chromium: Browser, tmp_path: Path, file_database: Database) -> AsyncIterator[Stage]:
    origin = f"http://127.0.0.1:{free_port()}"
    main = MAIN_FILE.replace("https://responder.test", origin).replace("console: token", "console: open")
    world = Reports(tmp_path, file_database, main=main)
    made = Stage(browser=chromium, world=world, origin=origin, trouble=Trouble(origin=origin))
    made.shown = Shown()
    await made.start()
    yield made
    for one in made.contexts:
        await one.close()
    await made.stop()
    assert not made.trouble.said, "; ".join(made.trouble.said)


async def test_a_change_is_shown_and_what_is_the_same_stays_in_place(stage: Stage) -> None:
    page = await stage.opened()
    await page.evaluate("document.getElementById('t2').mine = document.getElementById('t2').firstChild.mine = 'same'")
    await page.locator("#t2 a").focus()
    await page.locator("#why summary").click()
    await page.locator("#t2 a").focus()
    stage.shown.rows = {"t0": "The newest", "t2": "Slow", "t1": "The disk is fuller"}
    stage.shown.title = "Other three"
    await stage.world.post({"status": "firing", "labels": {"alertname": "A"}, "startsAt": "2026-01-01T00:00:00Z"})
    await expect(page.locator("[data-row] a")).to_have_text(["The newest", "Slow", "The disk is fuller"])
    await expect(page).to_have_title("Other three")
    # A part without topics goes along with the others.
    await expect(page.locator("footer")).not_to_have_text("Page 1")
    assert await page.evaluate("document.activeElement.closest('tr').mine") == "same"
    assert await page.evaluate("document.getElementById('why').open")
    await expect(page.locator(".live-changed")).to_have_count(2)
    await expect(page.locator("#t2.live-changed")).to_have_count(0)
    await page.clock.fast_forward(2100)
    await expect(page.locator(".live-changed")).to_have_count(0)
    assert await barriers(page) == []


async def test_when_the_line_in_focus_goes_the_next_one_has_it(stage: Stage) -> None:
    page = await stage.opened()
    await page.locator("#t2 a").focus()
    del stage.shown.rows["t2"]
    await stage.touch("tickets")
    await expect(page.locator("[data-row]")).to_have_count(2)
    assert await page.evaluate("document.activeElement.closest('tr').id") == "t3"


async def test_what_somebody_types_is_kept_and_what_changed_waits_behind_a_hint(stage: Stage) -> None:
    page = await stage.opened()
    note = page.get_by_label("Note")
    await note.fill("I have")
    # Only times pass: that is nothing to tell of.
    await stage.touch("ticket:1")
    await expect(page.locator("#t1 time")).not_to_have_text("1 s")
    await expect(page.locator(".live-hint")).to_have_count(0)
    stage.shown.state = "handed over"
    await page.clock.fast_forward(5000)
    await stage.touch("ticket:1")
    await expect(page.get_by_text("This has changed meanwhile.")).to_be_visible()
    await expect(page.locator("#state")).to_contain_text("new")
    await note.press_sequentially(" looked")
    await page.get_by_role("button", name="Show it").click()
    await expect(page.locator("#state")).to_contain_text("handed over")
    await expect(note).to_have_value("I have looked")
    await expect(note).to_be_focused()
    await expect(page.locator(".live-hint")).to_have_count(0)
    # Emptied and left again, nothing is held any more.
    stage.shown.state = "closed"
    await page.clock.fast_forward(5000)
    await stage.touch("ticket:1")
    await expect(page.locator(".live-hint")).to_be_visible()
    await note.fill("")
    await page.locator("#why summary").focus()
    await expect(page.locator("#state")).to_contain_text("closed")
    await expect(page.locator(".live-hint")).to_have_count(0)


async def test_a_server_that_is_away_is_told_of_only_when_it_lasts_and_the_page_catches_up(stage: Stage) -> None:
    page = await stage.opened()
    await page.evaluate(
        """() => { const one = document.querySelector('output'); window.states = [];
        new MutationObserver(() => states.push(one.dataset.liveBadge)).observe(one, {attributes: true}); }"""
    )
    await stage.stop()
    await stage.start()
    stage.shown.title = "After a short cut"
    await page.clock.fast_forward(1100)
    await expect(page).to_have_title("After a short cut")
    assert set(await page.evaluate("states")) <= {"live"}

    await stage.stop()
    # The first try again comes too early as well, so that it lasts.
    await page.clock.fast_forward(1100)
    await page.clock.fast_forward(3100)
    await expect(page.locator("output")).to_have_text(re.compile(r"^Reconnecting since ([01]\d|2[0-3]):\d\d$"))
    await page.clock.fast_forward(30_000)
    await expect(page.locator("output")).to_contain_text("No connection since")
    stage.shown.title = "After a long cut"
    await stage.start()
    await page.clock.fast_forward(31_000)
    await expect(page).to_have_title("After a long cut")
    await expect(page.locator("output")).to_have_text("Live")
    stage.trouble.said[:] = [one for one in stage.trouble.said if "net::ERR_" not in one]


async def test_what_is_sent_while_the_server_is_away_is_held_back_and_goes_when_it_is_there_again(stage: Stage) -> None:
    await stage.world.post(alert("DiskFull"), alert("Other"))
    page = await stage.visitor()
    await page.clock.install()
    unsent = page.get_by_role("alert").filter(has_text="No connection; nothing was sent.")

    async def away() -> None:
        await expect(page.locator("[data-live-badge=live]")).to_have_text("Live")
        await stage.stop()
        await page.clock.fast_forward(1100)
        await page.clock.fast_forward(3100)
        await expect(page.locator("output")).to_contain_text("Reconnecting since")

    await page.goto("/tickets/1")
    await page.keyboard.press("c")
    note = page.locator("#f-note-text")
    await note.fill("half a thought")
    await away()
    await page.locator("#do-note button").click()
    await expect(unsent).to_be_visible()
    assert (await note.input_value(), page.url) == ("half a thought", f"{stage.origin}/tickets/1")
    assert await cut_off(page) == []
    await stage.start()
    await page.locator("#do-note button").click()
    await expect(page.get_by_role("status").filter(has_text="Done: Note.")).to_be_visible()
    await expect(page.locator("#history")).to_contain_text("half a thought")
    await expect(unsent).to_have_count(0)

    await page.goto("/")
    await page.keyboard.press("j")
    await away()
    await page.keyboard.press("a")
    await expect(unsent).to_be_visible()
    assert page.url == f"{stage.origin}/"
    await stage.start()
    await page.clock.fast_forward(31_000)
    await expect(unsent).to_have_count(0)
    await page.keyboard.press("a")
    await expect(page.locator("[data-row][aria-current] .who")).to_be_visible()
    stage.trouble.said[:] = [one for one in stage.trouble.said if "net::ERR_" not in one]


async def test_who_is_not_signed_in_any_more_is_told_once_with_a_way_back(stage: Stage) -> None:
    page = await stage.opened()
    stage.shown.is_over = True
    await stage.touch("tickets")
    await expect(page.locator("output")).to_contain_text("You are not signed in any more.")
    await expect(page.get_by_role("link", name="Sign in again")).to_have_attribute("href", f"{stage.origin}/shown")
    asked = stage.shown.seen
    await stage.touch("tickets")
    await page.clock.fast_forward(60_000)
    await expect(page.locator("[data-row]")).to_have_count(3)
    assert stage.shown.seen == asked
    assert not any(one.is_connected() and not one.is_ended for one in stage.server.app[HUB]._listeners)


async def test_a_hidden_tab_gives_its_place_back_and_catches_up_when_it_is_shown(stage: Stage) -> None:
    page = await stage.opened()
    hide = """is => { Object.defineProperty(document, 'hidden', {get: () => is, configurable: true});
        document.dispatchEvent(new Event('visibilitychange')); }"""
    await page.evaluate(hide, True)
    await page.clock.fast_forward(5100)
    hub = stage.server.app[HUB]
    async with asyncio.timeout(10):
        while any(one.is_connected() for one in hub._listeners):
            await asyncio.sleep(0)
    stage.shown.title = "Changed behind the back"
    await stage.touch("tickets")
    await page.evaluate(hide, False)
    await expect(page).to_have_title("Changed behind the back")
    await expect(page.locator("output")).to_have_text("Live")


async def test_no_button_becomes_that_of_another_thing_under_a_hand(stage: Stage) -> None:
    for name in ("web-1", "web-2"):
        await turn_off_automation(stage.world.desk, "broken", "mei", Scope(kind="target", name=name))
    page = await stage.visitor()
    await page.goto("/")
    await expect(page.locator("[data-live-badge=live]")).to_have_text("Live")
    await page.locator("[id='off-target-web-1'] button").focus()
    # Somebody else is faster; what is pressed now must not be the next one of the list.
    await turn_on_automation(stage.world.desk, Scope(kind="target", name="web-1"))
    await expect(page.locator("[id='off-target-web-1']")).to_have_count(0)
    await page.keyboard.press("Enter")
    await expect(page.locator("[id='off-target-web-2']")).to_be_visible()
    assert await page.evaluate("document.activeElement === document.body")


async def test_a_form_is_known_by_what_it_sends_and_where_to(stage: Stage) -> None:
    """Also where nobody thought of giving it an id."""
    page = await stage.opened()
    forms = [
        f'<div><form method="post" action="/{path}"><input type="hidden" name="key" value="{key}">'
        f'<input name="reason" aria-label="Why {path} {key}"><button>Do</button></form></div>'
        for path, key in (("one", "a"), ("one", "b"), ("two", "b"))
    ]
    for first, second in ((0, 1), (1, 2)):
        stage.shown.extra = forms[first] + forms[second]
        await stage.touch("ticket:1")
        await expect(page.get_by_role("button", name="Do")).to_have_count(2)
        await page.evaluate("document.querySelectorAll('div > form').forEach((one, at) => { one.mine = at; })")
        stage.shown.extra = forms[second]
        await stage.touch("ticket:1")
        await expect(page.get_by_role("button", name="Do")).to_have_count(1)
        assert await page.evaluate("document.querySelector('div > form').mine") is None
