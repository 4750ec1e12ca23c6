"""Signing in by a password, what a session may do, and what the audit log says of it."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse
from multidict import CIMultiDict

from responder.adapters.passwords import hashed
from responder.domain.accounts import Failure
from responder.domain.audit import Entry
from responder.flows.batcher import Batcher
from responder.store.audit_log import AuditFilter
from responder.store.database import Database
from responder.web.context import Context
from responder.web.server import build
from tests.web.conftest import GUARDED, Client, account, cookie, header
from tests.world import World, alert

PASSWORD = "correct horse battery"
HASH = hashed(PASSWORD)
FROM_HERE = {"Sec-Fetch-Site": "same-origin"}
PAGE = {"Accept": "text/html"}


async def sign_in(client: Client, name: str = "mei", password: str = PASSWORD, **fields: str) -> ClientResponse:
    form = {"name": name, "password": password, **fields}
    return await client.post("/sign-in", data=form, headers=FROM_HERE, allow_redirects=False)


async def log(world: World) -> list[Entry]:
    found: list[Entry] = await world.read(lambda tx: tx.audit_log.listed(AuditFilter(), 100))
    return found


def given_cookie(answer: ClientResponse) -> dict[str, str]:
    (kept,) = answer.cookies.values()
    return {"Cookie": f"{kept.key}={kept.value}", **FROM_HERE}


@pytest.fixture
async def mei(world: World) -> None:
    await account(world, "responder", "mei", password_hash=HASH)


async def test_who_opens_a_page_without_a_session_is_sent_to_the_form_and_back(client: Client, mei: None) -> None:
    sent = await client.get("/tickets/1?x=1", headers=PAGE, allow_redirects=False)
    assert (sent.status, sent.headers["Location"]) == (303, "/sign-in?next=/tickets/1?x%3D1")

    form = await (await client.get(sent.headers["Location"])).text()
    assert 'value="/tickets/1?x=1"' in form

    answer = await sign_in(client, next="/tickets/1?x=1")
    assert (answer.status, answer.headers["Location"]) == (303, "/tickets/1?x=1")


async def test_the_cookie_is_for_this_host_only_and_no_script_can_read_it(client: Client, mei: None) -> None:
    (kept,) = (await sign_in(client)).cookies.values()

    assert kept.key == "__Host-responder_session"
    assert (kept["secure"], kept["httponly"], kept["samesite"], kept["path"], kept["domain"]) == (
        True,
        True,
        "Lax",
        "/",
        "",
    )


async def test_the_secret_of_a_session_is_kept_nowhere(client: Client, world: World, mei: None) -> None:
    (kept,) = (await sign_in(client)).cookies.values()

    sessions = await world.read(lambda tx: tx.accounts.sessions_of(1))
    assert len(sessions) == 1
    assert kept.value not in repr(sessions)
    assert PASSWORD not in repr(await log(world))


@pytest.mark.parametrize("name", ["mei", "nobody", "MEI"])
async def test_every_way_to_be_wrong_is_told_the_same(client: Client, mei: None, name: str) -> None:
    answer = await sign_in(client, name, "wrong")

    assert answer.status == 401
    assert "The name or the password is wrong." in await answer.text()
    assert "wrong" not in answer.cookies


async def test_a_password_in_the_field_of_the_name_is_not_kept(client: Client, world: World, mei: None) -> None:
    assert (await sign_in(client, PASSWORD, "")).status == 401
    (entry,) = await log(world)
    assert (entry.actor, entry.text) == ("", "there is no such account")
    assert PASSWORD not in repr(entry)


async def test_the_case_of_the_name_does_not_matter(client: Client, mei: None) -> None:
    assert (await sign_in(client, "Mei")).status == 303


async def test_a_disabled_account_stays_out_and_is_out_at_once(client: Client, world: World) -> None:
    inside = await cookie(world, "responder", "mei", password_hash=HASH)
    assert (await client.get("/api/v1/tickets", headers=inside)).status == 200

    user = await account(world, "responder", "mei")
    await world.database.write(lambda tx: tx.accounts.change(replace(user, disabled_at=world.clock.now())))

    assert (await client.get("/api/v1/tickets", headers=inside)).status == 401
    assert (await sign_in(client)).status == 401
    assert "disabled" in (await log(world))[0].text


async def test_after_five_wrong_passwords_even_the_right_one_waits(client: Client, world: World, mei: None) -> None:
    for _ in range(5):
        assert (await sign_in(client, password="wrong")).status == 401

    late = await sign_in(client)
    assert (late.status, late.headers["Retry-After"]) == (429, "900")
    assert "Too many wrong passwords; try again in 15m." in await late.text()

    world.clock.advance(timedelta(minutes=15))
    assert (await sign_in(client)).status == 303


async def test_what_is_not_looked_at_does_not_fill_the_log(client: Client, world: World, mei: None) -> None:
    for _ in range(12):
        await sign_in(client, password="wrong")
    assert len(await log(world)) == 5


async def test_where_somebody_is_signed_in_strangers_do_not_count(client: Client, world: World, mei: None) -> None:
    now = world.clock.now()
    elsewhere = given_cookie(await sign_in(client))
    for n in range(50):
        wrong = Failure(name="mei", address=f"2001:db8:{n}::/64", at=now)
        await world.database.write(lambda tx, wrong=wrong: tx.accounts.failed(wrong))  # type: ignore[misc]
    assert (await sign_in(client)).status == 303
    await client.post("/sign-out", headers=elsewhere)


async def test_of_a_flood_of_passwords_few_wait(client: Client, world: World, mei: None) -> None:
    answers = await asyncio.gather(*(sign_in(client, f"nobody{n}", "wrong") for n in range(20)))
    statuses = Counter(answer.status for answer in answers)
    assert set(statuses) == {401, 429}
    assert (await sign_in(client)).status in (303, 429)


async def test_a_name_that_is_none_is_no_fault_of_ours(client: Client, world: World) -> None:
    for name in ("mei\x00", "\x00", "x" * 300, "\udcff"):
        assert (await sign_in(client, name.encode("utf-8", "replace").decode(), "wrong")).status == 401


async def test_addresses_count_behind_every_line_that_proxies_write(
    tmp_path: Path, database: Database, aiohttp_client: Any
) -> None:
    main = GUARDED + "feedback: {open: true, proxies: [127.0.0.1/32]}\n"
    world = World(tmp_path, database, main=main)
    await account(world, "responder", "mei", password_hash=HASH)
    context = Context(desk=world.desk, batcher=Batcher(world.desk, 3), reload=_no, is_ready=_yes)
    client: Client = await aiohttp_client(build(context))
    statuses = []
    for n in range(6):
        lines = [
            ("X-Forwarded-For", f"198.51.100.{n}"),
            ("X-Forwarded-For", f"203.0.113.9:{5000 + n}"),
            *FROM_HERE.items(),
        ]
        form = {"name": "mei", "password": "wrong"}
        statuses.append((await client.post("/sign-in", data=form, headers=CIMultiDict(lines))).status)
    assert statuses == [401, 401, 401, 401, 401, 429]
    assert {one.address for one in await log(world)} == {"203.0.113.9"}


async def test_a_stranger_elsewhere_does_not_lock_somebody_out(client: Client, world: World, mei: None) -> None:
    now = world.clock.now()
    for _ in range(20):
        await world.database.write(lambda tx: tx.accounts.failed(Failure(name="mei", address="203.0.113.9", at=now)))

    assert (await sign_in(client)).status == 303


async def test_signing_out_ends_the_session_here_and_not_elsewhere(client: Client, world: World, mei: None) -> None:
    here, elsewhere = given_cookie(await sign_in(client)), given_cookie(await sign_in(client))

    left = await client.post("/sign-out", headers=here, allow_redirects=False)

    assert left.headers["Location"] == "/sign-in?left=1"
    assert (await client.get("/api/v1/tickets", headers=here)).status == 401
    assert (await client.get("/api/v1/tickets", headers=elsewhere)).status == 200
    assert [one.action for one in await log(world)] == ["sign out", "sign in", "sign in"]


async def test_a_session_survives_a_restart_and_not_its_end(
    client: Client, world: World, mei: None, aiohttp_client: Any
) -> None:
    inside = given_cookie(await sign_in(client))
    context = Context(desk=world.another_desk(), batcher=Batcher(world.desk, 3), reload=_no, is_ready=_yes)
    restarted: Client = await aiohttp_client(build(context))

    assert (await restarted.get("/api/v1/tickets", headers=inside)).status == 200
    world.clock.advance(timedelta(hours=11))
    assert (await restarted.get("/api/v1/tickets", headers=inside)).status == 200
    world.clock.advance(timedelta(hours=11))
    assert (await restarted.get("/api/v1/tickets", headers=inside)).status == 200
    world.clock.advance(timedelta(hours=12))
    assert (await restarted.get("/api/v1/tickets", headers=inside)).status == 401


async def test_an_open_page_by_itself_keeps_nobody_signed_in(client: Client, world: World, mei: None) -> None:
    inside = given_cookie(await sign_in(client))
    for _ in range(12):
        world.clock.advance(timedelta(hours=1))
        await client.get("/api/v1/tickets", headers={**inside, "X-Requested-With": "live"})
    assert (await client.get("/api/v1/tickets", headers=inside)).status == 401


async def test_without_passwords_their_sessions_are_over(client: Client, world: World, mei: None) -> None:
    inside = given_cookie(await sign_in(client))
    settings = world.desk.configuration.settings
    without = settings.model_copy(update={"sign_in": settings.sign_in.model_copy(update={"local": False})})
    world.desk.take_over(replace(world.desk.configuration, settings=without))
    assert (await client.get("/api/v1/tickets", headers=inside)).status == 401


async def test_the_browser_forgets_the_cookie_of_who_signs_out(client: Client, mei: None) -> None:
    left = await client.post("/sign-out", headers=given_cookie(await sign_in(client)), allow_redirects=False)
    (gone,) = left.cookies.values()
    assert (gone.key, gone.value, gone["secure"], gone["max-age"]) == ("__Host-responder_session", "", True, "0")


async def test_no_session_lasts_longer_than_a_week_however_busy(client: Client, world: World, mei: None) -> None:
    inside = given_cookie(await sign_in(client))
    for _ in range(16):
        world.clock.advance(timedelta(hours=10))
        await client.get("/api/v1/tickets", headers=inside)
    assert (await client.get("/api/v1/tickets", headers=inside)).status == 200
    world.clock.advance(timedelta(hours=8))
    assert (await client.get("/api/v1/tickets", headers=inside)).status == 401


@pytest.mark.parametrize(
    ("onward", "goes"),
    [
        ("//evil.example", "/"),
        ("https://evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("/tickets\r\nX: y", "/"),
        ("", "/"),
        ("/sign-in?next=/", "/"),
        ("/tickets?grade=P1", "/tickets?grade=P1"),
    ],
)
async def test_nobody_is_sent_to_another_site(client: Client, mei: None, onward: str, goes: str) -> None:
    answer = await sign_in(client, next=onward)
    assert answer.headers["Location"] == goes


async def test_another_site_signs_nobody_in(client: Client, mei: None) -> None:
    form = {"name": "mei", "password": PASSWORD}
    answer = await client.post("/sign-in", data=form, headers={"Origin": "https://evil.example"}, allow_redirects=False)
    assert (answer.status, len(answer.cookies)) == (403, 0)


# --- what a session may do ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({}, "did not say"),
        ({"Origin": "https://evil.example"}, "another site"),
        ({"Origin": "null"}, "another site"),
        ({"Origin": ""}, "did not say"),
        ({"Origin": "http://["}, "another site"),
        ({"Sec-Fetch-Site": "cross-site"}, "another site"),
        ({"Sec-Fetch-Site": "same-site", "Origin": "https://responder.test"}, "another site"),
    ],
)
async def test_a_cookie_alone_acts_only_from_our_own_pages(
    client: Client, world: World, headers: dict[str, str], why: str
) -> None:
    await world.post(alert())
    kept = {"Cookie": (await cookie(world, "admin"))["Cookie"], **headers}

    answer = await client.post("/api/v1/tickets/1/acknowledge", headers=kept)

    assert answer.status == 403
    assert why in (await answer.json())["detail"]
    assert not (await world.ticket())["acknowledged_by"]


@pytest.mark.parametrize("headers", [{"Origin": "https://responder.test"}, {"Sec-Fetch-Site": "same-origin"}])
async def test_our_own_pages_may_act_under_the_name_that_people_see(
    client: Client, world: World, headers: dict[str, str]
) -> None:
    await world.post(alert())
    await world.work()
    kept = {"Cookie": (await cookie(world, "responder", "mei"))["Cookie"], **headers}

    answer = await client.post("/api/v1/tickets/1/acknowledge", headers=kept)

    assert answer.status == 200, await answer.text()
    assert (await world.ticket())["acknowledged_by"] == "mei"


async def test_nobody_who_signed_in_acts_in_another_name(client: Client, world: World) -> None:
    await world.post(alert())
    await world.work()

    answer = await client.post(
        "/api/v1/tickets/1/acknowledge", json={"actor": "lars"}, headers=await cookie(world, "responder", "mei")
    )

    assert (answer.status, (await answer.json())["detail"]) == (403, "mei acts as mei; leave “actor” out.")
    assert not (await world.ticket())["acknowledged_by"]


async def test_a_lesser_role_is_told_which_one_it_takes(client: Client, world: World) -> None:
    await world.post(alert())

    answer = await client.post("/api/v1/tickets/1/acknowledge", headers=await cookie(world, "viewer", "lars"))

    assert answer.status == 403
    assert "needs the role responder; lars is viewer" in (await answer.json())["detail"]


async def test_who_may_act_does_not_thereby_answer_what_waits_for_consent(client: Client, world: World) -> None:
    for role, status in (("responder", 403), ("approver", 404), ("admin", 404)):
        answer = await client.post("/api/v1/approvals/7/approve", headers=await cookie(world, role))
        assert answer.status == status, role


async def test_a_gate_is_answered_by_who_may_approve_whatever_the_way(client: Client, world: World) -> None:
    await world.post(alert())
    for role, by_page, by_api in (("responder", (404, 405), 403), ("approver", (404, 405), 409)):
        mei = await cookie(world, role)
        for verb in ("approve", "reject"):
            page = await client.post(f"/tickets/1/{verb}", data={"reason": "x"}, headers=mei)
            assert page.status in by_page, (role, verb)
            answer = await client.post(f"/api/v1/tickets/1/{verb}", json={"reason": "x"}, headers=mei)
            assert answer.status == by_api, (role, verb)


async def test_who_may_only_report_is_led_to_the_form(tmp_path: Path, database: Database, aiohttp_client: Any) -> None:
    world = World(tmp_path, database, main=GUARDED + "feedback: {behind: token}\n")
    context = Context(desk=world.desk, batcher=Batcher(world.desk, 3), reload=_no, is_ready=_yes)
    client: Client = await aiohttp_client(build(context))
    ines = await cookie(world, "reporter", "ines")

    first = await client.get("/", headers={**ines, **PAGE}, allow_redirects=False)
    assert (first.status, first.headers["Location"]) == (303, "/feedback")
    assert (await client.get("/feedback", headers=ines)).status == 200
    assert (await client.get("/tickets", headers=ines)).status == 403


async def test_people_of_a_team_touch_no_tickets_of_others_but_read_them(client: Client, world: World) -> None:
    await world.post(alert())
    await world.work()
    theirs = await cookie(world, "responder", "ines", teams=("network",))
    ours = await cookie(world, "responder", "mei", teams=("network", "ops"))

    assert (await client.get("/api/v1/tickets/1", headers=theirs)).status == 200
    refused = await client.post("/api/v1/tickets/1/acknowledge", headers=theirs)
    assert (refused.status, (await refused.json())["detail"]) == (
        403,
        "This belongs to the team ops; ines acts for network only.",
    )
    assert (await client.post("/api/v1/tickets/1/acknowledge", headers=ours)).status == 200


# --- the audit log -----------------------------------------------------------------------------------


async def test_acts_and_refusals_are_in_the_log_with_who_from_where_and_why(client: Client, world: World) -> None:
    await world.post(alert())
    await world.work()
    mei = await cookie(world, "responder", "mei")

    await client.post("/api/v1/tickets/1/acknowledge", headers=mei)
    await client.post("/api/v1/tickets/1/acknowledge", headers=mei)
    await client.post("/api/v1/tickets/1/acknowledge", headers=await header(world, "read"))
    await client.post("/api/v1/tickets/1/acknowledge")
    await client.get("/api/v1/tickets/1", headers=mei)

    stranger, lesser, again, done, _ = await log(world)
    assert [(one.actor, one.via, one.outcome, one.status) for one in (stranger, lesser, again, done)] == [
        ("", "", "refused", 401),
        ("read-token", "token", "refused", 403),
        ("mei", "session", "refused", 409),
        ("mei", "session", "done", 0),
    ]
    assert {one.action for one in (stranger, lesser, again, done)} == {"POST /api/v1/tickets/{key}/acknowledge"}
    assert {(one.object, one.address) for one in (stranger, lesser, again, done)} == {("1", "127.0.0.1")}
    assert "acknowledged" in again.text


async def test_a_link_of_a_message_acts_in_the_log_in_the_name_of_its_person(client: Client, world: World) -> None:
    await world.post(alert("DiskFull"))
    await world.work()
    link = next(word for _, _, text in world.sender.sent for word in text.split() if "/ack/" in word)

    await client.get(link.removeprefix("https://responder.test"))
    assert await log(world) == []
    await client.post(link.removeprefix("https://responder.test"))

    (entry,) = await log(world)
    assert (entry.actor, entry.via, entry.action, entry.object) == ("mei", "link", "POST /ack/{token}", "1")
    assert link.rpartition("/")[2] not in repr(entry)


async def test_what_somebody_may_not_look_at_does_not_fill_the_log(client: Client, world: World) -> None:
    lars = await cookie(world, "reporter", "lars")
    for _ in range(30):
        assert (await client.get("/api/v1/tickets", headers=lars)).status == 403
    assert len(await log(world)) == 1 + 20


async def test_strangers_do_not_fill_the_log(client: Client, world: World) -> None:
    for _ in range(25):
        await client.post("/api/v1/tickets/1/acknowledge")

    assert len(await log(world)) == 20


async def _no() -> None: ...


async def _yes() -> str:
    return ""
