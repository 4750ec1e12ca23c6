"""A session that ends while somebody types: they are told, led back, and lose no word."""

from __future__ import annotations

import pytest

from tests.web.conftest import Client
from tests.world import World, alert

TYPED = {"text": "Line 7 of the <config>", "version": "1", "seen": "2", "password": "hidden-one"}


@pytest.mark.parametrize(("site", "is_ours"), [("same-origin", True), ("cross-site", False)])
async def test_what_was_typed_stands_on_the_page_that_leads_back(
    client: Client, world: World, site: str, is_ours: bool
) -> None:
    await world.post(alert("DiskFull"))
    headers = {"Accept": "text/html", "Sec-Fetch-Site": site}
    answer = await client.post("/tickets/1/note", data=TYPED, headers=headers)
    text = await answer.text()
    assert ("hidden-one" in text, "RESPONDER_TOKEN" in text and is_ours) == (False, False)
    assert ("Line 7 of the &lt;config&gt;" in text) is is_ours
    if is_ours:
        assert (answer.status, 'href="/sign-in?next=/tickets/1/note"' in text) == (401, True)
        assert "You are not signed in any more, so nothing was done." in text


async def test_programs_are_told_what_they_need(client: Client, world: World) -> None:
    await world.post(alert("DiskFull"))
    answer = await client.post("/tickets/1/note", data=TYPED)
    assert (answer.status, "RESPONDER_TOKEN" in (await answer.json())["detail"]) == (401, True)
