"""Two who act on one ticket: the second is told what the first has done, and nothing is lost."""

from __future__ import annotations

import pytest

from tests.web.conftest import Client
from tests.world import World, alert

TICKET = "/api/v1/tickets/1"


@pytest.fixture
async def tag(client: Client, world: World, act: dict[str, str]) -> str:
    await world.post(alert("DiskFull"))
    return (await client.get(TICKET, headers=act)).headers["ETag"]


async def test_what_was_read_is_not_sent_again(client: Client, world: World, act: dict[str, str], tag: str) -> None:
    same = await client.get(TICKET, headers={**act, "If-None-Match": f'"other", W/{tag}'})
    assert (same.status, await same.read(), same.headers["ETag"]) == (304, b"", tag)
    await client.post(f"{TICKET}/note", json={"text": "news"}, headers=act)
    changed = await client.get(TICKET, headers={**act, "If-None-Match": tag})
    assert (changed.status, changed.headers["ETag"] != tag) == (200, True)


async def test_a_page_that_was_sent_changes_the_tag_though_the_version_is_the_same(
    client: Client, world: World, act: dict[str, str], tag: str
) -> None:
    await world.work()
    assert (await client.get(TICKET, headers={**act, "If-None-Match": tag})).status == 200


async def test_whoever_has_seen_the_ticket_as_it_is_acts(client: Client, act: dict[str, str], tag: str) -> None:
    for condition in (tag, "*"):
        done = await client.post(f"{TICKET}/note", json={"text": "seen"}, headers={**act, "If-Match": condition})
        assert done.status == 200


async def test_a_stale_version_is_told_what_has_changed_by_whom_and_when(
    client: Client, world: World, act: dict[str, str], tag: str
) -> None:
    await client.post(f"{TICKET}/acknowledge", json={"actor": "mei"}, headers=act)
    stale = {**act, "If-Match": tag}
    answer = await client.post(f"{TICKET}/note", json={"text": "mine", "actor": "lars"}, headers=stale)
    told = await answer.json()
    assert (answer.status, told["type"]) == (412, "/problems/stale")
    assert "so nothing was done" in told["detail"]
    assert told["version"] == (await world.ticket())["version"]
    (taken,) = [one for one in told["since"] if one["data"].get("action") == "acknowledge"]
    assert (taken["actor"], bool(taken["at"]), "mei has taken it" in taken["text"]) == ("mei", True, True)
    assert "mine" not in str(await world.ticket())

    again = await client.get(TICKET, headers=act)
    fresh = {**act, "If-Match": again.headers["ETag"]}
    assert (await client.post(f"{TICKET}/note", json={"text": "mine"}, headers=fresh)).status == 200


async def test_a_rule_that_says_no_is_no_stale_version(client: Client, act: dict[str, str], tag: str) -> None:
    answer = await client.post(f"{TICKET}/resume", json={"reason": "x"}, headers={**act, "If-Match": tag})
    assert (answer.status, (await answer.json())["type"]) == (409, "/problems/refused")


@pytest.mark.parametrize("condition", ['"7"', "nonsense", '"77.1.aa", "78.2.bb"', '"7", nonsense', "W/, ,"])
async def test_what_is_no_tag_of_ours_matches_nothing(
    client: Client, act: dict[str, str], tag: str, condition: str
) -> None:
    answer = await client.post(f"{TICKET}/note", json={"text": "x"}, headers={**act, "If-Match": condition})
    told = (await answer.json())["detail"]
    assert (answer.status, tag != "") == (412, True)
    assert ("holds no ETag of a ticket" in told) == ("77" not in condition)


@pytest.mark.parametrize("condition", ['"77.1.aa", {tag}', '{tag}, "other, of elsewhere"', 'W/"1.1.aa",{tag}'])
async def test_one_right_tag_of_a_list_is_enough(client: Client, act: dict[str, str], tag: str, condition: str) -> None:
    listed = {**act, "If-Match": condition.format(tag=tag)}
    done = await client.post(f"{TICKET}/note", json={"text": "seen"}, headers=listed)
    assert done.status == 200, await done.text()


async def test_a_weak_tag_never_counts_and_is_told_so(client: Client, act: dict[str, str], tag: str) -> None:
    weak = {**act, "If-Match": f"W/{tag}"}
    answer = await client.post(f"{TICKET}/note", json={"text": "x"}, headers=weak)
    told = await answer.json()
    assert (answer.status, told["since"], "weak tag (W/)" in told["detail"]) == (412, [], True)
    assert "has changed" not in told["detail"]


async def test_the_version_in_the_body_is_still_refused_with_409(client: Client, act: dict[str, str], tag: str) -> None:
    answer = await client.post(f"{TICKET}/note", json={"text": "x", "version": 77}, headers=act)
    assert (answer.status, "has changed since you looked" in (await answer.json())["detail"]) == (409, bool(tag))
