"""Signing in at a provider, keeping accounts, and one's own, in Chromium: by hand, in both languages and on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.chromium import barriers, cut_off
from tests.browser.site import DRIVEN, MAIN_FILE, Site
from tests.servers.oidc_provider import OidcProvider, in_a_thread

pytestmark = DRIVEN


@pytest.fixture
def provider() -> Iterator[OidcProvider]:
    with in_a_thread(OidcProvider()) as made:
        yield made


@pytest.fixture
def main_file(provider: OidcProvider, tmp_path: Path) -> str:
    (tmp_path / "oidc.secret").write_text("oidc-s3cret\n")
    oidc = f"""
sign_in:
  oidc: {{issuer: '{provider.issuer}', client_id: responder, client_secret_file: oidc.secret, label: Our house,
    roles: {{admin: [leads], viewer: [staff]}}}}
"""
    return MAIN_FILE + oidc


async def sign_in(site: Site, provider: OidcProvider, page: Page, path: str) -> None:
    """From a page that wants somebody, by the button and the provider, back to that page."""
    provider.now = site.world.clock.now
    provider.knows("responder", f"{site.origin}/sign-in/oidc/callback", secret="oidc-s3cret")
    await page.goto(path)
    await page.get_by_role("link", name="Our house").click()
    await page.wait_for_url(f"**{path}")
    elsewhere = f"elsewhere: {provider.issuer.removeprefix('http://')}"
    assert site.trouble.said == [elsewhere]
    site.trouble.said.clear()


async def looks_well(page: Page) -> None:
    assert (await cut_off(page), await barriers(page)) == ([], [])


async def test_an_admin_signs_in_elsewhere_and_keeps_accounts(site: Site, provider: OidcProvider) -> None:
    provider.seats("ada-1", preferred_username="ada", groups=["leads"])
    page = await site.visitor()
    await sign_in(site, provider, page, "/users")
    await expect(page.get_by_role("heading", name="Users")).to_be_visible()
    await page.get_by_text("Add somebody").click()
    await page.get_by_label("Name", exact=True).fill("lars")
    await page.get_by_role("radio", name="responder").check()
    await page.get_by_label("Password").fill("correct horse battery")
    await looks_well(page)
    await page.get_by_role("button", name="Add", exact=True).click()
    await expect(page.get_by_role("heading", name="lars")).to_be_visible()
    await looks_well(page)
    await page.get_by_role("button", name="Disable").click()
    await expect(page.get_by_role("button", name="Enable")).to_be_visible()
    await page.get_by_role("link", name="ada").click()
    await expect(page.get_by_role("heading", name="Your account")).to_be_visible()


async def test_on_a_phone_in_chinese_nothing_of_an_account_is_cut(site: Site, provider: OidcProvider) -> None:
    provider.seats("ada-1", preferred_username="ada.with.a.name.that.goes.on@example.com", groups=["leads"])
    page = await site.visitor("zh", width=360)
    await sign_in(site, provider, page, "/me")
    await page.get_by_label("时区").fill("Asia/Shanghai")
    await page.get_by_role("button", name="保存").click()
    await expect(page.get_by_role("contentinfo")).to_contain_text("Asia/Shanghai")
    await looks_well(page)
    for path in ("/users", "/users/ada.with.a.name.that.goes.on@example.com"):
        await page.goto(path)
        await looks_well(page)
    await page.get_by_role("button", name="退出").click()
    await expect(page.get_by_role("status")).to_contain_text("您已退出")
    await looks_well(page)
