"""A form that is refused comes back with what was typed (but no password), and the reason at its place."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from responder.adapters.passwords import hashed
from responder.errors import BadForm
from responder.web.tried import refused
from tests.web.conftest import Client, account, cookie
from tests.world import World

_HIDDEN = ("rota", "target", "query", "key")
PASSWORD = "correct horse battery"
HASH = hashed(PASSWORD)


@pytest.fixture
async def admin(world: World) -> dict[str, str]:
    return {"Accept": "text/html", **await cookie(world, "admin", "ada", password_hash=HASH)}


async def sent(client: Client, path: str, who: dict[str, str], form: Any) -> tuple[int, str]:
    async with client.post(path, data=form, headers=who, allow_redirects=False) as answer:
        return answer.status, await answer.text()


def focused(text: str) -> list[str]:
    """What the browser goes to, by id; a sentence without a field is `alert`."""
    tags = re.findall(r"<[a-z]+[^>]*\sautofocus[^>]*>", text)
    marks = (r'\sid="([^"]*)"', r'role="(alert)"', r'\sname="([^"]*)"')
    return [next((found[0] for mark in marks if (found := re.findall(mark, tag))), tag) for tag in tags]


def beside(text: str, field: str) -> str:
    """The sentence that describes a field."""
    tag = next(tag for tag in re.findall(r"<[a-z]+[^>]*>", text) if f'id="{field}"' in tag)
    [name] = re.findall(r'aria-describedby="([^"]*)"', tag)
    [said] = re.findall(rf'id="{name}" role="alert">([^<]*)', text)
    return unescape(said)


@pytest.mark.parametrize(
    ("changed", "status", "field", "says"),
    [
        ({"name": "ada"}, 409, "name", "There is already an account called ada."),
        ({"name": "no name!"}, 422, "name", "This is no name"),
        ({"password": "tooshort99"}, 422, "password", "The password is shorter than 12 characters."),
    ],
)
async def test_the_form_of_a_new_account_keeps_what_was_typed(
    client: Client, world: World, admin: dict[str, str], changed: dict[str, str], status: int, field: str, says: str
) -> None:
    form = {"name": "lars", "role": "approver", "teams": "ops", "password": PASSWORD, **changed}
    code, text = await sent(client, "/users", admin, form)
    assert (code, focused(text)) == (status, [field])
    assert says in beside(text, field)
    assert f'name="name" value="{form["name"]}"' in text
    assert 'name="role" value="approver" required checked' in text
    assert 'name="teams" value="ops" checked' in text
    assert form["password"] not in text


async def test_without_a_role_the_roles_are_where_one_is(client: Client, admin: dict[str, str]) -> None:
    code, text = await sent(client, "/users", admin, {"name": "lars", "password": PASSWORD})
    assert (code, "Choose a role." in text) == (422, True)
    assert re.search(r'<fieldset class="field roles"[^>]*autofocus', text)


async def test_each_role_says_what_it_may(client: Client, admin: dict[str, str]) -> None:
    text = await (await client.get("/users?lang=zh", headers=admin)).text()
    assert "可以上报问题" in text
    assert text.count('name="role"') == 5


async def test_the_forms_of_an_account_keep_what_was_typed(client: Client, world: World, admin: dict[str, str]) -> None:
    code, text = await sent(client, "/users/ada", admin, {"role": "viewer", "teams": "ops"})
    assert (code, focused(text)) == (409, ["alert"])
    assert 'name="role" value="viewer" required checked' in text
    assert 'name="teams" value="ops" checked' in text
    code, text = await sent(client, "/users/ada/password", admin, {"password": "ada ada ada ada"})
    assert (code, focused(text), beside(text, "password")) == (422, ["password"], "The password holds the name.")
    assert "ada ada ada ada" not in text
    code, text = await sent(client, "/users/ada/disabled", admin, {"disabled": "yes"})
    assert (code, focused(text)) == (409, ["alert"])


async def test_ones_own_forms_keep_what_was_typed(client: Client, admin: dict[str, str]) -> None:
    assert (await sent(client, "/me", admin, {"zone": "Mars/Base"}))[0] == 422
    code, text = await sent(client, "/me", admin, {"language": "zh", "zone": "Mars/Base"})
    assert (code, focused(text)) == (422, ["zone"])
    assert "is no time zone" in beside(text, "zone")
    assert '<option value="zh" selected' in text
    assert 'name="zone" value="Mars/Base"' in text


async def test_ones_own_password_is_never_shown_again(client: Client, admin: dict[str, str]) -> None:
    form = {"present": "wrong wrong wrong", "password": "another good one"}
    code, text = await sent(client, "/me/password", admin, form)
    assert (code, focused(text), beside(text, "present")) == (409, ["present"], "The present password is wrong.")
    assert "wrong wrong" not in text
    assert "another good" not in text
    for _ in range(4):
        await sent(client, "/me/password", admin, form)
    answer = await client.post("/me/password", data=form, headers=admin)
    assert (answer.status, "Retry-After" in answer.headers) == (429, True)
    assert "Too many wrong passwords" in await answer.text()


async def test_what_is_not_there_any_more_is_said_on_ones_page(client: Client, admin: dict[str, str]) -> None:
    for path, says in [("/me/sessions/none/end", "no such session"), ("/me/views/77/drop", "no such view")]:
        code, text = await sent(client, path, admin, {})
        assert (code, focused(text), says in text) == (404, ["alert"], True)
        assert "<h1>Your account</h1>" in text


def test_what_is_kept_of_a_form_never_holds_a_password() -> None:
    form = {"present": "a", "password": "b", "password2": "c", "name": "lars", "file": object()}
    assert refused("add", BadForm("x", field="name"), form).typed == {"name": "lars"}


async def test_an_account_that_is_gone_is_a_page_that_leads_on(client: Client, world: World, admin: Any) -> None:
    await account(world, "viewer", "mei")
    code, text = await sent(client, "/users/nobody", admin, {"role": "viewer"})
    assert (code, "There is no account called" in unescape(text)) == (404, True)


@pytest.mark.parametrize(
    ("path", "form", "status", "field", "says"),
    [
        ("/views", {"name": " ", "query": "grade=P1"}, 422, "w-name", "This has to be filled in"),
        ("/views/77/drop", {}, 404, "alert", "There is no such view of yours."),
        ("/knowledge", {"title": "", "cause": "A worn belt."}, 422, "f-title", "This has to be filled in."),
        ("/knowledge", {"ticket": "INC-77"}, 422, "ticket", "INC-77"),
        (
            "/inventory/maintenance",
            {"target": "web-1", "reason": "", "for": "2h"},
            422,
            "reason",
            "This has to be filled in.",
        ),
        ("/inventory/maintenance", {"target": "web-1", "reason": "new disks", "for": ""}, 422, "for", "for how long"),
        ("/inventory/maintenance", {"target": "web-1", "reason": "new disks", "for": "soon"}, 422, "for", "“for”"),
        ("/inventory/windows", {"match": "=", "reason": "new disks", "for": "2h"}, 409, "match", ""),
        (
            "/on-call/overrides",
            {"rota": "no", "person": "mei", "until": "+8h", "reason": "ill"},
            422,
            "override-rota",
            "",
        ),
        (
            "/audit/pages/accept",
            {"key": "none", "reason": "The row is gone."},
            404,
            "alert",
            "found no difference none",
        ),
        (
            "/on-call/absences",
            {"person": "mei", "until": "+8h", "reason": ""},
            422,
            "absence-reason",
            "This has to be filled in.",
        ),
        ("/on-call/absences", {"person": "mei", "until": "never", "reason": "ill"}, 422, "absence-until", "“until”"),
        ("/runbooks/restart-app/dry-run", {"target": "web-9"}, 422, "alert", "web-9"),
    ],
)
async def test_every_form_comes_back_with_what_was_typed_and_the_reason_at_its_place(
    client: Client, admin: dict[str, str], path: str, form: dict[str, str], status: int, field: str, says: str
) -> None:
    code, text = await sent(client, path, admin, form)
    assert (code, focused(text)) == (status, [field])
    assert says in unescape(text)
    visible = [value for name, value in form.items() if value.strip() and name not in _HIDDEN]
    is_there = status != 404
    assert [value for value in visible if value not in unescape(text) and is_there] == []


async def test_a_form_whose_place_is_not_on_the_page_says_so_at_the_top(client: Client, admin: dict[str, str]) -> None:
    form = {"target": "web-9", "reason": "new disks", "for": "2h"}
    code, text = await sent(client, "/inventory/maintenance", admin, form)
    assert (code, focused(text), "There is no target web-9" in text) == (404, ["alert"], True)
