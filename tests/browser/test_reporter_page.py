"""The reporter's own page in Chromium: what it shows, and that each answer counts once."""

from __future__ import annotations

from playwright.async_api import Page, expect

from responder.adapters.links import ReporterClaim
from responder.flows.reporter import ask_reporter
from tests.browser.chromium import barriers, cut_off
from tests.browser.site import DRIVEN, Language, Site
from tests.browser.test_feedback_form import LOOKS, STORIES
from tests.world import texts

pytestmark = DRIVEN
WORDS = {
    "en": {
        "team": "It is with our team.",
        "waits": "We are waiting for your answer.",
        "more": "What we should know",
        "send": "Send",
        "goes on": "We go on with",
        "why": "It is not solved, because",
        "no": "Not solved",
        "again": "We have taken up",
        "yes": "It is solved",
        "noted": "We have noted for",
        "told": "You have told us that it is solved.",
        "score": "Send the score",
    },
    "zh": {
        "team": "已转交我们的团队。",
        "waits": "正在等待您的答复。",
        "more": "内容：",
        "send": "提交",
        "goes on": "我们将继续处理",
        "why": "未解决，原因：",
        "no": "未解决",
        "again": "我们已重新处理",
        "yes": "已解决",
        "noted": "已记录",
        "told": "您已告知我们问题已解决。",
        "score": "评分",
    },
}


async def link_of_a_report(site: Site, language: Language = "en") -> str:
    said = {"description": f"It hums. {'x' * 300}\n\nThen nothing.", "impact": "outage"}
    await site.world.opens(title=f"The printer is dead {'!' * 150}", reporter={"language": language}, fields=said)
    return site.world.desk.links.report(ReporterClaim(ticket_id=1))


async def press(page: Page, name: str) -> None:
    await page.get_by_role("button", name=name, exact=True).click()


@STORIES
async def test_a_reporter_answers_says_no_then_yes_and_gives_a_score(
    site: Site, language: Language, scripts: bool
) -> None:
    link, words = await link_of_a_report(site, language), WORDS[language]
    page = await site.visitor("en" if language == "zh" else "zh", java_script_enabled=scripts)
    await page.goto(link)
    await expect(page.get_by_text(words["team"])).to_be_visible()
    await site.world.do("acknowledge")
    await ask_reporter(site.world.desk, "1", "mei", "Which light is red?")
    await page.reload()
    await expect(page.get_by_text(words["waits"])).to_be_visible()
    await expect(page.locator(".letter").first).to_contain_text("Which light is red?")
    await page.get_by_label(words["more"]).fill("The <b>left</b> one.")
    await press(page, words["send"])
    await expect(page.get_by_role("status")).to_contain_text(words["goes on"])
    await site.world.do("restore", reason="a new fuse")
    await page.goto(link)
    await page.get_by_label(words["why"]).fill("It is dark.")
    await press(page, words["no"])
    await expect(page.get_by_role("status")).to_contain_text(words["again"])
    await site.world.work()
    await site.world.restored()
    await page.goto(link)
    await press(page, words["yes"])
    await expect(page.get_by_role("status")).to_contain_text(words["noted"])
    await expect(page.get_by_text(words["told"])).to_be_visible()
    await expect(page.get_by_role("button", name=words["yes"], exact=True)).to_have_count(0)
    await page.get_by_label("4", exact=True).check()
    await press(page, words["score"])
    await expect(page.get_by_label("4", exact=True)).to_be_checked()
    ticket = await site.world.ticket()
    assert ticket["dossier"]["satisfaction"] == 4
    assert "The reporter says more: The <b>left</b> one." in texts(ticket)


@STORIES
async def test_what_was_reported_is_shown_to_who_asks_for_it(site: Site, language: Language, scripts: bool) -> None:
    page = await site.visitor(language, java_script_enabled=scripts)
    await page.goto(await link_of_a_report(site, language))
    await expect(page.get_by_text("The printer is dead")).to_be_visible()
    said = page.get_by_text("Then nothing.")
    await expect(said).to_be_hidden()
    await page.locator("summary").focus()
    await page.keyboard.press("Enter")
    await expect(said).to_be_visible()
    await expect(page.locator("dd").last).to_have_text({"en": "outage", "zh": "中断"}[language])


async def test_a_double_click_and_a_reload_are_one_answer(site: Site) -> None:
    page = await site.visitor()
    await page.goto(await link_of_a_report(site))
    await page.get_by_label("What we should know").fill("It hums.")
    await page.get_by_role("button", name="Send", exact=True).dblclick()
    await expect(page.get_by_role("status")).to_contain_text("We have noted it for")
    await page.reload()
    await expect(page.get_by_role("status")).to_contain_text("We have noted it for")
    assert texts(await site.world.ticket()).count("It hums.") == 1
    await site.world.restored()
    await page.goto(page.url)
    await page.get_by_role("button", name="Not solved").dblclick()
    await expect(page.get_by_role("status")).to_be_visible()
    await page.reload()
    await expect(page.get_by_role("status")).to_be_visible()
    assert (await site.world.ticket())["episode"] == 2


async def test_the_switch_changes_the_page_and_its_answers_but_not_the_letters(site: Site) -> None:
    page = await site.visitor()
    await page.goto(await link_of_a_report(site))
    await page.get_by_role("link", name="中文").click()
    await expect(page.get_by_text(WORDS["zh"]["team"])).to_be_visible()
    await expect(page.locator(".letter")).to_have_attribute("lang", "en")
    await page.get_by_label("内容：").fill("嗡嗡响")
    await press(page, "提交")
    await expect(page.get_by_role("status")).to_contain_text("已记入")
    assert (await site.world.reporter()).language == "en"


@LOOKS
async def test_nothing_is_cut_off_and_nobody_is_kept_out(
    site: Site, language: Language, scheme: str, width: int
) -> None:
    page = await site.visitor(language, width=width, color_scheme=scheme)
    link, found = await link_of_a_report(site, language), {}
    await page.goto(link)
    await page.locator("summary").click()
    found["handed over"] = [*await cut_off(page), *await barriers(page)]
    await site.world.restored()
    await page.goto(link)
    found["restored"] = [*await cut_off(page), *await barriers(page)]
    await press(page, WORDS[language]["yes"])
    found["answered"] = [*await cut_off(page), *await barriers(page)]
    site.expects(403)
    await page.goto(f"{link}x")
    found["no link"] = [*await cut_off(page), *await barriers(page)]
    assert found == {name: [] for name in found}
