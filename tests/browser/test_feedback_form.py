"""The feedback form as people meet it: in Chromium, with and without JavaScript, in both languages, by keyboard."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.chromium import barriers, cut_off
from tests.browser.site import DRIVEN, MAIN_FILE, Language, Scheme, Site

pytestmark = DRIVEN
SCRIPT = "<script>document.title = 'broken'</script><img src=x onerror=alert(1)>"
SEND = {"en": "Send the report", "zh": "提交报告"}
NOT_SENT = {"en": "It is not sent yet.", "zh": "报告尚未提交。"}
THANKS = {"en": "Thank you. Your report has the number", "zh": "谢谢。您的报告编号为"}
FIELDS = {"title": "Printer is dead", "product": "P900", "symptom": "no light", "name": "Li Wei"}
STORIES = pytest.mark.parametrize(
    ("language", "scripts"),
    [("en", True), ("zh", False), ("en", False), ("zh", True)],
    ids=["en", "zh without JavaScript", "en without JavaScript", "zh"],
)
both = pytest.mark.parametrize("language", ["en", "zh"])


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """On the disk, since a browser that sends a form again reads them again."""
    found = [tmp_path / "screen.png", tmp_path / "日志.txt"]
    for one in found:
        one.write_text(f"content of {one.name}")
    return found


async def fill(page: Page, site: Site, **changed: str) -> None:
    """What a person writes, in the time that people take."""
    await page.goto("/feedback")
    for name, text in {**FIELDS, "contact": "li.wei@example.org", **changed}.items():
        await page.locator(f"#f-{name}").fill(text)
    await page.locator("#f-scope").select_option("department")
    site.world.clock.advance(timedelta(seconds=30))


async def send(page: Page) -> None:
    await page.locator("button[type=submit]").click()


async def tickets(site: Site) -> list[Any]:
    listed: list[Any] = await site.world.read(lambda tx: tx.tickets.listed())
    return listed


# --- the story of one report ---------------------------------------------------------------------------


async def step_to(page: Page, name: str) -> None:
    """Presses Tab until this element has the focus, which has to be seen."""
    wanted = page.locator(name)
    for _ in range(25):
        await page.keyboard.press("Tab")
        if await wanted.evaluate("one => one === document.activeElement"):
            outline = await wanted.evaluate("one => getComputedStyle(one).outlineStyle")
            assert outline != "none", f"{name}: nobody sees where the focus is"
            return
    raise AssertionError(f"{name} cannot be reached by keyboard")


async def types(page: Page, name: str, text: str) -> None:
    await step_to(page, f"#f-{name}")
    await page.keyboard.type(text)


@STORIES
async def test_a_report_is_written_corrected_and_sent_by_keyboard_alone(
    site: Site, files: list[Path], language: Language, scripts: bool
) -> None:
    page = await site.visitor(language, java_script_enabled=scripts)
    page.on("filechooser", lambda chooser: chooser.set_files(files))
    site.expects(422)
    await page.goto("/feedback")
    await types(page, "title", "Printer is dead")
    await types(page, "symptom", SCRIPT)
    await types(page, "contact", "me at home")
    site.world.clock.advance(timedelta(seconds=30))
    await page.keyboard.press("Enter")
    await expect(page.get_by_text(NOT_SENT[language])).to_be_visible()
    for name in ("product", "scope", "name", "contact"):
        await expect(page.locator(f"#f-{name}")).to_have_attribute("aria-describedby", f"w-{name}")
        await expect(page.locator(f"#w-{name}")).to_be_visible()
    await expect(page.locator("#f-contact")).to_have_value("me at home")
    await expect(page.locator("#f-symptom")).to_have_value(SCRIPT)
    await types(page, "product", "P900")
    await step_to(page, "#f-scope")
    await page.keyboard.press("ArrowDown")
    await types(page, "name", "Li Wei")
    await step_to(page, "#f-contact")
    await page.keyboard.press("Control+a")
    await page.keyboard.type("li.wei@example.org")
    await step_to(page, "#f-files")
    await page.keyboard.press("Space")
    await expect(page.locator("#f-files")).to_have_js_property("files.length", 2)
    await step_to(page, "button[type=submit]")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_contain_text(THANKS[language])
    ticket = await site.world.ticket()
    await expect(page.get_by_role("status")).to_contain_text(ticket["number"])
    assert [one["name"] for one in ticket["attachments"]] == ["screen.png", "日志.txt"]
    assert ticket["dossier"]["fields"]["scope"] == "whole system"
    await page.locator("a.go").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text(ticket["number"])
    await expect(page.locator("html")).to_have_attribute("lang", {"en": "en", "zh": "zh-CN"}[language])


async def test_the_switch_on_the_page_changes_the_language_of_everything_that_follows(site: Site) -> None:
    page = await site.visitor("en")
    site.expects(422)
    await page.goto("/feedback")
    await page.get_by_role("link", name="中文").click()
    await expect(page).to_have_title("报告问题")
    await page.get_by_role("button", name=SEND["zh"]).click()
    await expect(page.get_by_text(NOT_SENT["zh"])).to_be_visible()
    await expect(page).to_have_title("尚未提交 · 报告问题")
    await page.get_by_role("link", name="English").click()
    await expect(page.get_by_role("button", name=SEND["en"])).to_be_visible()


async def test_what_looks_like_a_script_is_text_wherever_it_is_shown(site: Site) -> None:
    page = await site.visitor()
    await fill(page, site, title=SCRIPT, symptom=SCRIPT, product=SCRIPT)
    await send(page)
    await site.world.work()
    await page.locator("a.go").click()
    await expect(page).to_have_title(re.compile("^Your report"))
    await site.sign_in(page, "viewer", "rosa")
    await page.goto("/tickets/1")
    await expect(page.locator("main h1")).to_have_text(SCRIPT)
    assert await page.locator("main script, main img").count() == 0


# --- twice -----------------------------------------------------------------------------------------------


async def test_a_double_click_and_a_reload_make_one_ticket(site: Site, files: list[Path]) -> None:
    page = await site.visitor()
    await fill(page, site)
    await page.locator("#f-files").set_input_files(files)
    await page.locator("button[type=submit]").dblclick()
    await expect(page.get_by_role("status")).to_contain_text(THANKS["en"])
    await page.reload()
    await expect(page.get_by_role("status")).to_contain_text((await site.world.ticket())["number"])
    assert len(await tickets(site)) == 1


async def test_whoever_goes_back_finds_an_empty_form_and_forward_the_same_number(site: Site) -> None:
    page = await site.visitor()
    await fill(page, site)
    await send(page)
    await expect(page.get_by_role("status")).to_be_visible()
    await page.go_back()
    await expect(page.locator("#f-title")).to_have_value("")
    await page.go_forward()
    await expect(page.get_by_role("status")).to_contain_text((await site.world.ticket())["number"])
    await page.get_by_role("link", name="中文").click()
    await expect(page.get_by_role("status")).to_contain_text(THANKS["zh"])
    assert len(await tickets(site)) == 1


# --- limits ----------------------------------------------------------------------------------------------


def film(folder: Path, size: int) -> Path:
    made = folder / "film.mp4"
    made.write_bytes(bytes(size))
    return made


@both
async def test_a_file_that_is_too_large_gets_a_sentence_and_costs_nothing_else(
    site: Site, tmp_path: Path, language: Language
) -> None:
    page = await site.visitor(language)
    site.expects(422)
    await fill(page, site)
    await page.locator("#f-files").set_input_files(film(tmp_path, 5000))
    await send(page)
    await expect(page.locator("#w-files")).to_have_text(
        {"en": "A file can have at most 4 KB.", "zh": "单个文件不得超过 4 KB。"}[language]
    )
    await expect(page.locator("#f-title")).to_have_value(FIELDS["title"])
    await send(page)
    await expect(page.get_by_role("status")).to_contain_text(THANKS[language])


async def test_a_film_beyond_everything_gets_a_page_that_says_so(site: Site, tmp_path: Path) -> None:
    page = await site.visitor()
    site.expects(413)
    await fill(page, site)
    await page.locator("#f-files").set_input_files(film(tmp_path, 20_000_000))
    await send(page)
    await expect(page.get_by_role("alert")).to_contain_text("The files are too large.")


# --- how it looks ----------------------------------------------------------------------------------------


LOOKS = pytest.mark.parametrize(
    ("language", "scheme", "width"),
    [("zh", "light", 360), ("en", "dark", 360), ("zh", "dark", 1440)],
)


@LOOKS
async def test_nothing_is_cut_off_and_nobody_is_kept_out(
    site: Site, language: Language, scheme: Scheme, width: int
) -> None:
    page = await site.visitor(language, width=width, color_scheme=scheme)
    site.expects(422)
    found = {}
    await page.goto("/feedback")
    await page.locator("summary").click()
    found["form"] = [*await cut_off(page), *await barriers(page)]
    site.world.clock.advance(timedelta(seconds=30))
    await send(page)
    found["form with mistakes"] = [*await cut_off(page), *await barriers(page)]
    await fill(page, site)
    await send(page)
    await expect(page.get_by_role("status")).to_be_visible()
    found["thanks"] = [*await cut_off(page), *await barriers(page)]
    assert found == {name: [] for name in found}


async def test_a_mistake_has_the_focus_and_its_link_leads_to_the_field(site: Site) -> None:
    page = await site.visitor()
    site.expects(422)
    await page.goto("/feedback")
    site.world.clock.advance(timedelta(seconds=30))
    await send(page)
    await expect(page.locator(".problems")).to_be_focused()
    await page.get_by_role("alert").get_by_role("link", name="Your name").click()
    await expect(page.locator("#f-name")).to_be_focused()


async def test_on_paper_it_is_dark_on_white_without_buttons(site: Site) -> None:
    page = await site.visitor(color_scheme="dark")
    await fill(page, site)
    await send(page)
    await page.emulate_media(media="print", color_scheme="dark")
    await expect(page.locator("body")).to_have_css("background-color", "rgb(255, 255, 255)")
    await expect(page.locator("body")).to_have_css("color", "rgb(0, 0, 0)")
    await page.goto("/feedback")
    await expect(page.locator("button")).to_be_hidden()
    assert (await page.pdf()).startswith(b"%PDF")


# --- behind a token ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("main_file", [MAIN_FILE.replace("open: true, max_files", "behind: token, max_files")])
async def test_behind_a_token_the_browser_asks_for_it_and_the_reporter_needs_none_later(site: Site) -> None:
    site.expects(401)
    page = await site.visitor(http_credentials=await site.credentials("ingest"))
    await fill(page, site)
    await send(page)
    link = await page.locator("a.go").get_attribute("href")
    assert link is not None
    stranger = await site.visitor()
    await stranger.goto(link)
    await expect(stranger.get_by_role("heading", level=1)).to_contain_text((await site.world.ticket())["number"])
    without = await stranger.request.get(f"{site.origin}/feedback")
    assert (without.status, "needs a token with the scope ingest" in await without.text()) == (401, True)
