"""Accounts: what administrators do with those of others, and everybody with their own."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from responder.adapters.passwords import fits, hashed
from responder.domain.access import Role
from responder.domain.accounts import Source, User
from responder.store.audit_log import AuditFilter
from tests.web.conftest import Client, account, cookie, header
from tests.world import World

PASSWORD, ANOTHER = "correct horse battery", "staple staple horse"
HASH = hashed(PASSWORD)


@pytest.fixture
async def admin(world: World) -> dict[str, str]:
    return {**await cookie(world, "admin", "ada"), "Accept": "text/html"}


@pytest.fixture
async def mei(world: World) -> dict[str, str]:
    """Somebody who is signed in, with a password of ours."""
    return {**await cookie(world, "responder", "mei", password_hash=HASH), "Accept": "text/html"}


async def user(world: World, name: str = "mei") -> User:
    found: User | None = await world.read(lambda tx: tx.accounts.named(name))
    assert found is not None
    return found


async def session_count(world: World, name: str = "mei") -> int:
    own = (await user(world, name)).id
    return len(await world.read(lambda tx: tx.accounts.sessions_of(own)))


async def log(world: World) -> list[tuple[str, str, str, str]]:
    entries = await world.read(lambda tx: tx.audit_log.listed(AuditFilter(), 50))
    return [(one.actor, one.action, one.object, one.outcome) for one in entries]


async def send(client: Client, path: str, who: dict[str, str], **form: Any) -> Any:
    return await client.post(path, data=form, headers=who, allow_redirects=False)


# --- by an administrator -----------------------------------------------------------------------------


async def test_somebody_is_added_and_can_sign_in(client: Client, world: World, admin: dict[str, str]) -> None:
    added = await send(client, "/users", admin, name="lars", role="responder", teams="ops", password=PASSWORD)
    assert (added.status, added.headers["Location"]) == (303, "/users/lars")
    lars = await user(world, "lars")
    assert (lars.role, lars.teams, lars.source) == (Role.RESPONDER, ("ops",), Source.LOCAL)
    form = {"name": "lars", "password": PASSWORD}
    signed = await client.post("/sign-in", data=form, headers={"Sec-Fetch-Site": "same-origin"}, allow_redirects=False)
    assert signed.status == 303
    assert ("ada", "POST /users", "lars", "done") in await log(world)
    assert PASSWORD not in repr(await log(world))


async def test_the_page_lists_accounts_and_leads_to_each(
    client: Client, world: World, admin: dict[str, str], mei: dict[str, str]
) -> None:
    await account(world, "viewer", "away", disabled_at=world.clock.now())
    text = await (await client.get("/users", headers=admin)).text()
    assert 'href="/users/mei"' in text
    assert "disabled" in text
    one = await (await client.get("/users/mei", headers=admin)).text()
    assert "a test" in one
    assert HASH not in text + one


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"name": "mei"}, "There is already an account called mei."),
        ({"name": "MEI"}, "There is already an account called mei."),
        ({"name": "no name!"}, "is no name"),
        ({"password": "short"}, "shorter than 12 characters"),
        ({"password": "lars lars lars"}, "holds the name"),
        ({"role": "boss"}, "Choose a role."),
        ({"teams": "dba"}, "is no team; there are ops"),
    ],
)
async def test_an_account_that_cannot_be_is_refused_with_a_sentence(
    client: Client, world: World, admin: dict[str, str], mei: dict[str, str], changed: dict[str, str], says: str
) -> None:
    form = {"name": "lars", "role": "viewer", "password": PASSWORD, **changed}
    answer = await send(client, "/users", admin, **form)
    assert (answer.status in (409, 422), says in (await answer.text()).replace("&#39;", "'")) == (True, True)
    assert await world.read(lambda tx: tx.accounts.named("lars")) is None


async def test_role_and_teams_are_others_at_once(
    client: Client, world: World, admin: dict[str, str], mei: dict[str, str]
) -> None:
    assert (await client.get("/users", headers=mei)).status == 403
    changed = await send(client, "/users/mei", admin, role="admin", teams="ops")
    assert (changed.status, changed.headers["Location"]) == (303, "/users/mei")
    assert (await user(world)).teams == ("ops",)
    assert (await client.get("/users", headers=mei)).status == 200
    await send(client, "/users/mei", admin, role="viewer")
    assert (await user(world)).teams == ()
    assert (await client.get("/users", headers=mei)).status == 403


async def test_who_is_disabled_is_out_at_once_and_may_come_back(
    client: Client, world: World, admin: dict[str, str], mei: dict[str, str]
) -> None:
    assert (await send(client, "/users/mei/disabled", admin, disabled="yes")).status == 303
    assert await session_count(world) == 0
    assert (await client.get("/me", headers=mei, allow_redirects=False)).headers["Location"].startswith("/sign-in")
    await send(client, "/users/mei/disabled", admin, disabled="no")
    assert (await user(world)).disabled_at is None
    assert (await client.get("/me", headers=mei, allow_redirects=False)).status == 303


async def test_the_last_admin_stays(client: Client, world: World, admin: dict[str, str]) -> None:
    await account(world, "admin", "gone", disabled_at=world.clock.now())
    for path, form in (("/users/ada", {"role": "viewer"}), ("/users/ada/disabled", {"disabled": "yes"})):
        answer = await send(client, path, admin, **form)
        assert (answer.status, "is the last admin who can sign in" in await answer.text()) == (409, True)
    await account(world, "admin", "another")
    assert (await send(client, "/users/ada", admin, role="viewer")).status == 303


async def test_a_new_password_ends_all_sessions(
    client: Client, world: World, admin: dict[str, str], mei: dict[str, str]
) -> None:
    assert (await send(client, "/users/mei/password", admin, password=ANOTHER)).status == 303
    assert fits(ANOTHER, (await user(world)).password_hash)
    assert await session_count(world) == 0


async def test_accounts_of_elsewhere_have_no_password_and_no_role_of_ours(
    client: Client, world: World, admin: dict[str, str]
) -> None:
    await account(world, "viewer", "otto", source=Source.OIDC, subject="https://id.example 1")
    page = await (await client.get("/users/otto", headers=admin)).text()
    assert 'action="/users/otto/password"' not in page
    assert (await send(client, "/users/otto/password", admin, password=ANOTHER)).status == 409
    assert (await send(client, "/users/otto", admin, role="admin")).status == 409
    assert (await send(client, "/users/otto/disabled", admin, disabled="yes")).status == 303


async def test_sessions_of_others_can_be_ended(
    client: Client, world: World, admin: dict[str, str], mei: dict[str, str]
) -> None:
    assert (await send(client, "/users/mei/sign-out", admin)).status == 303
    assert (await session_count(world), await session_count(world, "ada")) == (0, 1)


async def test_an_account_that_is_not_there_is_a_page(client: Client, admin: dict[str, str]) -> None:
    assert (await client.get("/users/nobody", headers=admin)).status == 404
    assert (await send(client, "/users/nobody", admin, role="viewer")).status == 404


async def test_the_list_goes_on_page_by_page(client: Client, world: World, admin: dict[str, str]) -> None:
    for number in range(5):
        await account(world, "viewer", f"u{number}")
    shown, cursor = [], ""
    for _ in range(3):
        page = await (await client.get(f"/api/v1/users?limit=2{cursor}", headers=admin)).json()
        shown += [one["name"] for one in page["users"]]
        cursor = f"&cursor={page['next']}"
    assert (shown, page["next"]) == (["ada", "u0", "u1", "u2", "u3", "u4"], None)


async def test_programs_do_the_same(client: Client, world: World) -> None:
    token = await header(world, "admin")
    new = {"name": "lars", "role": "viewer", "teams": ["ops"], "password": PASSWORD}
    made = await (await client.post("/api/v1/users", json=new, headers=token)).json()
    assert (made["name"], made["role"], made["source"], made["teams"]) == ("lars", "viewer", "local", ["ops"])
    assert not {"password", "password_hash", "subject"} & made.keys()
    change = {"role": "approver", "teams": [], "disabled": True}
    changed = await (await client.patch("/api/v1/users/lars", json=change, headers=token)).json()
    assert (changed["role"], changed["teams"], changed["disabled_at"] is None) == ("approver", [], False)
    await client.patch("/api/v1/users/lars", json={"disabled": False}, headers=token)
    assert (await user(world, "lars")).role is Role.APPROVER
    await cookie(world, "approver", "lars")
    shown = await (await client.get("/api/v1/users/lars", headers=token)).json()
    assert [one["agent"] for one in shown["sessions"]] == ["a test"]
    password = {"password": ANOTHER}
    ended = await (await client.post("/api/v1/users/lars/password", json=password, headers=token)).json()
    assert ended == {"ended": 1}
    assert await (await client.delete("/api/v1/users/lars/sessions", headers=token)).json() == {"ended": 0}


async def test_what_holds_a_password_is_remembered_under_no_key(client: Client, world: World) -> None:
    """A digest of it could be guessed from, so a second send is a second act, which finds the account."""
    token = {**await header(world, "admin"), "Idempotency-Key": "one"}
    new = {"name": "lars", "role": "viewer", "password": PASSWORD}
    sent = [(await client.post("/api/v1/users", json=new, headers=token)).status for _ in range(2)]
    kept = await world.read(lambda tx: tx.connection.execute(text("SELECT content FROM answers")).all())
    assert (sent, kept) == ([200, 409], [])


@pytest.mark.parametrize("scope", ["read", "act"])
async def test_only_admins_keep_accounts(client: Client, world: World, scope: str, mei: dict[str, str]) -> None:
    for who in (await header(world, scope), mei):
        for path in ("/api/v1/users", "/api/v1/users/mei", "/users", "/users/mei"):
            assert (await client.get(path, headers=who)).status == 403
        assert (await client.patch("/api/v1/users/mei", json={"role": "admin"}, headers=who)).status == 403


# --- one's own ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", list(Role))
async def test_everybody_has_a_page_of_their_own(client: Client, world: World, role: Role) -> None:
    mine = {**await cookie(world, role, "otto"), "Accept": "text/html"}
    answer = await client.get("/me", headers=mine)
    assert (answer.status, "otto" in await answer.text()) == (200, True)


async def test_language_and_zone_are_chosen_and_hold_at_once(client: Client, world: World, mei: dict[str, str]) -> None:
    answer = await send(client, "/me", mei, language="zh", zone="Asia/Shanghai")
    assert (answer.status, answer.headers["Location"]) == (303, "/me?saved=1")
    assert ((await user(world)).language, (await user(world)).zone) == ("zh", "Asia/Shanghai")
    text = await (await client.get("/me", headers=mei)).text()
    assert 'lang="zh-CN"' in text
    await send(client, "/me", mei, language="", zone="")
    assert ((await user(world)).language, (await user(world)).zone) == ("", "")


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", "\x00", "x" * 300, "Europe"])
async def test_a_zone_that_is_none_is_refused(client: Client, world: World, mei: dict[str, str], zone: str) -> None:
    assert (await send(client, "/me", mei, language="", zone=zone)).status == 422
    assert (await user(world)).zone == ""


async def test_the_password_is_changed_by_who_knows_it_and_other_sessions_are_over(
    client: Client, world: World, mei: dict[str, str]
) -> None:
    await cookie(world, "responder", "mei")
    assert await session_count(world) == 2
    assert (await send(client, "/me/password", mei, present=PASSWORD, password=ANOTHER)).status == 303
    assert fits(ANOTHER, (await user(world)).password_hash)
    assert await session_count(world) == 1
    assert (await client.get("/me", headers=mei)).status == 200


async def test_wrong_present_passwords_count_as_at_the_sign_in(
    client: Client, world: World, mei: dict[str, str]
) -> None:
    for _ in range(5):
        answer = await send(client, "/me/password", mei, present="wrong wrong", password=ANOTHER)
        assert (answer.status, "The present password is wrong." in await answer.text()) == (409, True)
    answer = await send(client, "/me/password", mei, present=PASSWORD, password=ANOTHER)
    assert (answer.status, "Retry-After" in answer.headers) == (429, True)
    assert fits(PASSWORD, (await user(world)).password_hash)


@pytest.mark.parametrize("password", ["short", "mei mei mei mei", "aaaaaaaaaaaaaaaa"])
async def test_a_weak_password_is_refused(client: Client, world: World, mei: dict[str, str], password: str) -> None:
    assert (await send(client, "/me/password", mei, present=PASSWORD, password=password)).status == 422
    assert fits(PASSWORD, (await user(world)).password_hash)


async def test_one_session_can_be_ended_and_all_others(client: Client, world: World, mei: dict[str, str]) -> None:
    for _ in range(3):
        await cookie(world, "responder", "mei")
    shown = (await (await client.get("/api/v1/me/sessions", headers=mei)).json())["sessions"]
    assert sorted(one["is_this"] for one in shown) == [False, False, False, True]
    other = next(one["key"] for one in shown if not one["is_this"])
    assert (await send(client, f"/me/sessions/{other}/end", mei)).status == 303
    assert await session_count(world) == 3
    assert (await send(client, "/me/sessions/end-others", mei)).status == 303
    assert await session_count(world) == 1
    assert (await client.get("/me", headers=mei)).status == 200


async def test_nobody_ends_the_sessions_of_others_as_their_own(
    client: Client, world: World, mei: dict[str, str]
) -> None:
    await cookie(world, "viewer", "lars")
    lars = (await user(world, "lars")).id
    (session,) = await world.read(lambda tx: tx.accounts.sessions_of(lars))
    key = session.digest[:16]
    assert (await send(client, f"/me/sessions/{key}/end", mei)).status == 404
    assert (await client.delete(f"/api/v1/me/sessions/{key}", headers=mei)).status == 404
    assert await session_count(world, "lars") == 1


async def test_sessions_that_are_over_are_not_shown(client: Client, world: World, mei: dict[str, str]) -> None:
    await cookie(world, "responder", "mei")
    own = (await user(world)).id
    sessions = await world.read(lambda tx: tx.accounts.sessions_of(own))
    world.clock.advance(world.desk.configuration.settings.sign_in.idle / 2)
    await client.get("/me", headers=mei)
    world.clock.advance(world.desk.configuration.settings.sign_in.idle / 2)
    shown = (await (await client.get("/api/v1/me/sessions", headers=mei)).json())["sessions"]
    assert (len(sessions), len(shown)) == (2, 1)


async def test_saved_views_are_listed_and_removed_by_their_owner_only(
    client: Client, world: World, mei: dict[str, str]
) -> None:
    own, now = (await user(world)).id, world.clock.now()
    await world.database.write(lambda tx: tx.accounts.save_view(own, "mine & more", "grade=P1&q=<b>", now))
    text = await (await client.get("/me", headers=mei)).text()
    assert 'href="/tickets?grade=P1&amp;q=&lt;b&gt;"' in text
    ((number, _, _),) = await world.read(lambda tx: tx.accounts.views(own))
    other = {**await cookie(world, "viewer", "lars"), "Accept": "text/html"}
    assert (await send(client, f"/me/views/{number}/drop", other)).status == 404
    assert (await send(client, f"/me/views/{number}/drop", mei)).status == 303
    assert await world.read(lambda tx: tx.accounts.views(own)) == []


async def test_programs_see_who_they_are_and_tokens_have_no_account(
    client: Client, world: World, mei: dict[str, str]
) -> None:
    shown = await (await client.get("/api/v1/me", headers=mei)).json()
    assert (shown["name"], shown["role"], shown["via"]) == ("mei", "responder", "session")
    changed = await (await client.patch("/api/v1/me", json={"zone": "Europe/Berlin"}, headers=mei)).json()
    assert (changed["zone"], (await user(world)).zone) == ("Europe/Berlin", "Europe/Berlin")
    token = await header(world, "read")
    shown = await (await client.get("/api/v1/me", headers=token)).json()
    assert (shown["role"], "read" in shown["scopes"]) == (None, True)
    answer = await client.get("/api/v1/me/sessions", headers=token)
    assert (answer.status, "has no account" in await answer.text()) == (409, True)


async def test_what_others_write_into_a_form_from_elsewhere_is_not_done(
    client: Client, world: World, mei: dict[str, str]
) -> None:
    foreign = {**mei, "Sec-Fetch-Site": "cross-site"}
    assert (await send(client, "/me", foreign, language="zh", zone="")).status == 403
    assert (await user(world)).language == ""
