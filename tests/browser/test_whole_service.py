"""The form of the service as it is installed: `responder init`, `responder serve`, and a person in a hurry."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Browser, expect

from tests.browser.chromium import Trouble, watched
from tests.browser.site import DRIVEN
from tests.browser.test_feedback_form import send
from tests.cli.calling import begun
from tests.servers.ports import free_port
from tests.servers.responder import Responder

pytestmark = DRIVEN
MOST_SENDS = 500
FIELDS = {
    "title": "三楼打印机无法打印",
    "product": "P900",
    "symptom": "指示灯不亮",
    "occurred_at": "2026-11-20T09:30",
    "name": "李伟",
    "contact": "li.wei@example.org",
}

# In one piece: by key and mouse a busy machine may take as long as people do.
IN_A_HURRY = """fields => {
  for (const [name, text] of Object.entries(fields)) document.getElementById(`f-${name}`).value = text;
  document.querySelector("form[method=post]").requestSubmit();
}"""


async def test_who_writes_faster_than_people_sends_once_more_and_has_a_ticket(
    chromium: Browser, tmp_path: Path
) -> None:
    folder, port = begun(tmp_path / "responder", "--profile", "feedback-form"), free_port()
    config = folder / "responder.yml"
    config.write_text(config.read_text().replace("9180", str(port)) + "\nfeedback: {open: true, per_address: 1000}\n")
    with Responder(config, port) as responder:
        trouble = Trouble(origin=responder.url, expected={422})
        context = await chromium.new_context(base_url=responder.url)
        page = await watched(context, trouble)
        await page.goto("/feedback?lang=zh", wait_until="domcontentloaded")
        await page.evaluate(IN_A_HURRY, FIELDS)
        await expect(page.locator(".problems")).to_contain_text("提交速度过快")
        for _ in range(MOST_SENDS):
            if await page.get_by_role("status").count():
                break
            await send(page)
            await expect(page.locator(".problems, [role=status]")).to_be_visible()
        title = await page.title()
        await page.locator("a.go").click()
        await expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
        number = await page.locator("h1 .number").inner_text()
        assert title == f"已提交 · {number} · 报告问题"
        await context.close()
    assert not trouble.said, "; ".join(trouble.said)
