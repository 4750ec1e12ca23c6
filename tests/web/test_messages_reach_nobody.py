"""What the pages say while messages reach nobody."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

from responder.errors import SendFailed, SendRefused
from responder.flows.audit_pages import audit_pages
from responder.flows.handle import do
from tests.web.conftest import Client
from tests.world import World, alert


async def shown(client: Client, path: str, headers: dict[str, str], *, status: int = 200) -> str:
    answer = await client.get(path, headers=headers)
    assert answer.status == status
    return await answer.text()


def plain_words(text: str) -> str:
    return " ".join(re.sub("<[^>]+>", " ", text).split())


async def test_who_was_called_in_vain_is_not_said_to_be_called_and_now_says_that_nobody_is_told(
    client: Client, world: World, act: dict[str, str]
) -> None:
    world.sender.failures.extend(SendFailed("json gave no answer within 10 s.") for _ in range(40))
    await world.post(alert("DiskFull"))
    await world.work()
    await world.advance(timedelta(minutes=3))
    number = (await world.ticket())["number"]
    now = await shown(client, "/", act)
    banner = plain_words(now.split("Messages reach nobody")[1].split("</p>")[0])
    assert number in banner
    assert 'href="/health"' in now.split("Messages reach nobody")[1].split("</p>")[0]
    line = plain_words(now.split("<tbody>")[1].split("</tr>")[0])
    assert "not reached: mei, lars (json gave no answer within 10 s)" in line
    assert "called: mei" not in line
    page = plain_words(await shown(client, "/tickets/1", act))
    assert "mei not reached" in page
    assert "no message reaches anybody" in page
    assert not re.search(r"mei called", page)
    await audit_pages(world.desk)
    health = plain_words(await shown(client, "/health", act))
    assert f"Every call was made, and yet nobody was reached. {number}: no message has reached anybody" in health
    assert "Everybody was told who should have been" not in health
    chinese = await shown(client, "/?lang=zh", act)
    assert ("未送达" in chinese, "not reached" in chinese) == (True, False)
    assert await reaches_nobody(client, act)
    await do(world.desk, "acknowledge", "1", actor="mei", content={})
    assert not await reaches_nobody(client, act)


async def reaches_nobody(client: Client, headers: dict[str, str]) -> bool:
    """What the API says of the first ticket."""
    return bool((await (await client.get("/api/v1/tickets/1", headers=headers)).json())["reaches_nobody"])


def banner(page: str) -> tuple[list[str], str]:
    """The tickets that the banner names, and what it says of those that it does not name."""
    if "Messages reach nobody" not in page:
        return [], ""
    text = page.split("Messages reach nobody")[1].split("</p>", maxsplit=1)[0]
    return re.findall(r'href="/tickets/([^"]+)"', text), "".join(re.findall(r"and \d+ more", text))


async def test_the_banner_looks_past_the_fifty_lines_that_are_shown(
    client: Client, world: World, act: dict[str, str]
) -> None:
    configuration = world.desk.configuration
    delivery = replace(configuration.policy.delivery, bundle=None)
    world.desk.take_over(replace(configuration, policy=replace(configuration.policy, storm=None, delivery=delivery)))
    await world.post(*(alert("Down", instance=f"n{n}:1") for n in range(50)))
    await world.work()
    for n in range(1, 51):
        await do(world.desk, "acknowledge", str(n), actor="mei", content={})
    await audit_pages(world.desk)
    world.sender.failures.extend(SendFailed("the gateway is away.") for _ in range(500))
    await world.post(*(alert("DiskFull", severity="warning", instance=f"other{n}:1") for n in range(7)))
    await world.work()
    await world.advance(timedelta(minutes=1))
    await audit_pages(world.desk)
    numbers = [(await world.ticket(n))["number"] for n in range(51, 58)]
    page = await shown(client, "/", act)
    assert numbers[0] not in page.split("<tbody>")[1]
    assert banner(page) == (numbers[:5], "and 2 more")
    for n in range(51, 57):
        await do(world.desk, "acknowledge", str(n), actor="mei", content={})
    assert banner(await shown(client, "/", act)) == (numbers[6:], "")
    await do(world.desk, "acknowledge", "57", actor="mei", content={})
    assert banner(await shown(client, "/", act)) == ([], "")


async def test_whoever_is_reached_in_the_end_is_called_and_the_banner_goes(
    client: Client, world: World, act: dict[str, str]
) -> None:
    world.sender.failures.append(SendRefused("json did not take the message: 410."))
    await world.post(alert("DiskFull"))
    await world.work()
    assert world.sender.people() == ["lars"]
    now = await shown(client, "/", act)
    assert "Messages reach nobody" not in now
    line = plain_words(now.split("<tbody>")[1].split("</tr>")[0])
    assert "called: lars" in line
    assert "not reached: mei (json did not take the message: 410)" in line


async def test_that_nobody_is_there_who_can_be_called_is_said_instead_of_who_is_next(
    client: Client, world: World, act: dict[str, str]
) -> None:
    configuration = world.desk.configuration
    people = {name: replace(one, channels=()) for name, one in configuration.people.items()}
    world.desk.take_over(replace(configuration, people=people))
    await world.post(alert("DiskFull"))
    await world.work()
    now = await shown(client, "/", act)
    assert "Messages reach nobody" in now
    assert "nobody is there who can be called" in plain_words(now.split("<tbody>")[1].split("</tr>")[0])
    assert "nobody is there who can be called" in await shown(client, "/tickets/1", act)


async def test_what_calls_nobody_is_not_said_to_have_called_everybody(
    client: Client, world: World, act: dict[str, str]
) -> None:
    await world.post(alert("DiskFull"))
    await world.work()
    await do(world.desk, "regrade", "1", actor="lars", content={"grade": "P4", "reason": "a test"})
    await world.work()
    page = await shown(client, "/tickets/1", act)
    assert "Everybody was called" not in page
