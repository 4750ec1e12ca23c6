"""The pages that signed links open: in the reader's language, with a way to the ticket."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from itsdangerous import TimestampSigner, URLSafeTimedSerializer
from jinja2 import Environment, FileSystemLoader

from responder.adapters.links import AckClaim, DrillClaim
from responder.flows import watch
from responder.flows.handle import do
from responder.flows.texts.languages import entries
from responder.store.audit_log import AuditFilter
from responder.store.database import Database
from responder.web import pages
from tests.web.conftest import GUARDED, Client, account
from tests.world import PEOPLE, World, alert

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
LINK_PAGES = ("ack.html", "approve.html", "approval_steps.html", "drill.html", "message.html")


@pytest.fixture
def world(tmp_path: Path, database: Database) -> World:
    return World(tmp_path, database, main=GUARDED, people=PEOPLE.replace("name: mei", "name: mei, language: zh", 1))


async def test_a_link_speaks_the_language_of_the_one_it_was_made_for(client: Client, world: World) -> None:
    await world.post(alert("DiskFull"))
    await world.work()
    paths = {
        person: "/ack/"
        + world.desk.links.acknowledge(AckClaim(ticket_id=1, episode=1, person=person)).rpartition("/")[2]
        for person in ("mei", "lars")
    }
    theirs, mine = [await (await client.get(paths[person])).text() for person in ("lars", "mei")]
    assert ("Acknowledge as lars" in theirs, '<html lang="en">' in theirs, "firing" in theirs) == (True, True, True)
    assert ("以 mei 的身份认领" in mine, '<html lang="zh-CN">' in mine, "仍在触发" in mine) == (True, True, True)
    done = await (await client.post(paths["mei"])).text()
    assert ("已认领" in done, "已由您负责" in done, '<a href="/tickets/INC-' in done) == (True, True, True)
    refused = await (await client.post(paths["lars"])).text()
    assert "is already acknowledged by mei" in refused
    late = await (await client.get(paths["lars"])).text()
    assert ("mei has acknowledged it already" in late, '<a href="/tickets/INC-' in late) == (True, True)


def test_a_key_pressed_in_a_field_answers_no_question() -> None:
    """Browsers press the first button of a form: it must be one that does nothing."""
    for name in ("approve.html", "approval.html", "ticket.html"):
        form = (Path(pages.__file__).parent / "templates" / name).read_text().split('name="reason"')[1]
        assert form.index("<button disabled hidden></button>") < form.index('value="yes"'), name


async def test_a_refusal_speaks_the_language_of_the_one_who_is_refused(client: Client, world: World) -> None:
    await world.post(alert("DiskFull"))
    await world.work()
    lars, mei = (
        "/ack/" + world.desk.links.acknowledge(AckClaim(ticket_id=1, episode=1, person=name)).rpartition("/")[2]
        for name in ("lars", "mei")
    )
    assert (await client.post(lars)).status == 200
    refused = await client.post(mei)
    text = await refused.text()
    assert (refused.status, "未能认领" in text, "已由 lars 认领" in text) == (409, True, True)


def made_earlier(world: World, person: str) -> str:
    """The path of a link that another message held."""
    secret = world.desk.configuration.secret.value
    return "/ack/" + str(URLSafeTimedSerializer(secret, salt="acknowledge", signer=Earlier).dumps([1, 1, person]))


class Earlier(TimestampSigner):
    def get_timestamp(self) -> int:
        return super().get_timestamp() - 60


def path_for(world: World, person: str) -> str:
    link = world.desk.links.acknowledge(AckClaim(ticket_id=1, episode=1, person=person))
    return "/ack/" + link.rpartition("/")[2]


async def said(world: World) -> list[str]:
    return [event["text"] for event in (await world.ticket())["events"]]


async def test_whoever_has_the_ticket_can_say_by_another_link_that_they_are_still_on_it(
    client: Client, world: World
) -> None:
    await world.post(alert("DiskFull"))
    await world.work()
    assert (await client.post(made_earlier(world, "lars"))).status == 200
    path = path_for(world, "lars")
    asked = await (await client.get(path)).text()
    assert ('<form method="post">' in asked, "Yes, I am" in asked) == (True, True)
    assert (await client.post(path)).status == 200
    assert "lars is still on it." in await said(world)


async def test_a_link_acts_only_once_and_only_after_a_post(client: Client, world: World) -> None:
    await world.post(alert("DiskFull"))
    await world.work()
    path = path_for(world, "lars")
    for _ in range(2):
        assert (await client.get(path)).status == 200
    assert (await client.request("HEAD", path)).status in (200, 405)
    assert not (await world.ticket())["acknowledged_by"]

    assert "is yours, lars" in await (await client.post(path)).text()
    before = await said(world)

    again = await client.post(path)
    assert (again.status, "is yours, lars" in await again.text()) == (200, True)
    shown = await (await client.get(path)).text()
    assert ("This link was used" in shown, "<form" in shown) == (True, False)
    world.clock.advance(timedelta(days=2))
    await watch.forget(world.desk)
    await client.post(path)
    assert await said(world) == before


async def test_a_link_that_was_used_takes_no_ticket_back_from_a_colleague(client: Client, world: World) -> None:
    await world.post(alert("DiskFull"))
    await world.work()
    path = path_for(world, "lars")
    await client.post(path)
    await do(world.desk, "give-back", "1", actor="lars", content={"reason": "ill"})

    # The last character of a signature has bits that do not count: the same link, written in another way.
    last = ALPHABET[ALPHABET.index(path[-1]) ^ 1]
    for same in (path, path[:-1] + last):
        stolen = await client.post(same)
        assert (stolen.status, "acts only once" in await stolen.text()) == (409, True), same
    assert not (await world.ticket())["acknowledged_by"]


async def test_a_drill_is_confirmed_in_the_language_of_the_one_who_was_asked(
    client: Client, world: World, act: dict[str, str]
) -> None:
    begun = await (await client.post("/api/v1/drills", headers=act)).json()
    path = "/drill/" + world.desk.links.drill(DrillClaim(drill_id=begun["id"], person="mei")).rpartition("/")[2]
    shown = await (await client.get(path)).text()
    assert ("演练 1" in shown, "以 mei 的身份确认" in shown) == (True, True)
    done = await (await client.post(path)).text()
    assert ("已确认" in done, "谢谢，mei。" in done) == (True, True)


async def test_a_link_that_names_nobody_speaks_as_the_browser_asks(client: Client) -> None:
    for path in ("/ack/x", "/drill/x", "/approve/x"):
        asked = await client.get(path, headers={"Accept-Language": "zh-CN,en;q=0.5"})
        assert (asked.status, "此链接无法操作" in (text := await asked.text())) == (403, True)
        assert "本系统" in text
        assert "This link does not act" in await (await client.get(path)).text()


def test_every_sentence_of_these_pages_has_its_chinese() -> None:
    folder = Path(pages.__file__).parent / "templates"
    environment = Environment(loader=FileSystemLoader(folder), extensions=["jinja2.ext.i18n"], autoescape=True)
    found = {
        sentence
        for name in LINK_PAGES
        for _, _, sentence in environment.extract_translations((folder / name).read_text())  # type: ignore[attr-defined]
        if isinstance(sentence, str)
    }
    assert len(found) > 10
    assert found - {english for kind, english in entries("zh") if not kind} == set()


async def test_the_ticket_says_who_is_next_and_in_how_long(client: Client, world: World, act: dict[str, str]) -> None:
    await world.post(alert("DiskFull"))
    await world.work()
    shown = await (await client.get("/tickets/1", headers=act)).text()
    assert "Times are UTC" in shown
    clocks = re.findall(r'<span class="name">(\w+)</span>', shown)
    assert clocks[0] == "respond"


async def test_for_somebody_whose_account_is_disabled_no_link_acts(client: Client, world: World) -> None:
    await world.post(alert("DiskFull"))
    await world.work()
    await account(world, "responder", "mei", disabled_at=world.clock.now())
    refused = await client.post(path_for(world, "mei"))
    text = await refused.text()
    assert (refused.status, "mei 的账号已停用" in text) == (409, True)
    assert (await world.ticket())["acknowledged_by"] == ""
    [entry] = await world.read(lambda tx: tx.audit_log.listed(AuditFilter(actor="mei"), 5))
    assert (entry.via, entry.outcome, "is disabled" in entry.text) == ("link", "refused", True)
    assert (await client.post(path_for(world, "lars"))).status == 200


def left_by(world: World, person: str) -> None:
    """As after a reload of a people file without them."""
    known = world.desk.configuration
    people = {name: one for name, one in known.people.items() if name != person}
    world.desk.take_over(replace(known, people=people))


async def test_a_page_offers_no_button_that_does_nothing_any_more(
    client: Client, world: World, act: dict[str, str]
) -> None:
    await world.post(alert("DiskFull"))
    await world.work()
    begun = await (await client.post("/api/v1/drills", headers=act)).json()
    drill = "/drill/" + world.desk.links.drill(DrillClaim(drill_id=begun["id"], person="mei")).rpartition("/")[2]
    paths = (path_for(world, "mei"), drill)
    for path in paths:
        assert "<form" in await (await client.get(path)).text()

    user = await account(world, "responder", "mei", disabled_at=world.clock.now())
    for path in paths:
        shown = await client.get(path)
        text = await shown.text()
        assert (shown.status, "mei 的账号已停用" in text, "<form" in text) == (403, True, False), path

    await world.database.write(lambda tx: tx.accounts.change(replace(user, disabled_at=None)))
    left_by(world, "mei")
    for path in paths:
        shown = await client.get(path)
        text = await shown.text()
        assert (shown.status, "mei is in the people file no more" in text, "<form" in text) == (403, True, False), path
    assert [(await client.post(path)).status for path in paths] == [409, 409]
    assert (await world.ticket())["acknowledged_by"] == ""
