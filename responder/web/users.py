"""Accounts for those who keep them: the page Users, and its API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from aiohttp import web

from responder.config.settings import Settings
from responder.domain.access import MEANING, Role
from responder.domain.accounts import SHORTEST, Session, Source, User
from responder.domain.browsers import browser_in_words
from responder.errors import BadForm, NotFound, Refused
from responder.flows.accounts import (
    Wanted,
    add_account,
    change_account,
    end_sessions,
    give_password,
    session_key,
)
from responder.store.transaction import Transaction
from responder.web.bodies import content_of, desk_of, json_answer
from responder.web.console import console_page
from responder.web.context import identity_of, needs
from responder.web.invalid import Invalid
from responder.web.operations import LINK, OF_ONE, operation
from responder.web.paging import cursor_of, limit_in, page_answer, place_in
from responder.web.schemas import accounts, asked
from responder.web.shapes import plain
from responder.web.tried import Tried, refused

_USUAL, _MOST = 100, 500
SIGNS_IN_BY = {Source.LOCAL: "a password", Source.OIDC: "OpenID Connect", Source.PROXY: "the proxy"}


# --- the API -----------------------------------------------------------------------------------------


@needs("admin")
@operation(query=asked.Listed, answers=accounts.Users, headers=LINK)
async def list_users(request: web.Request) -> web.StreamResponse:
    """Accounts, the oldest first."""
    place, most = place_in(request.query), limit_in(request.query, _USUAL, _MOST)
    found, following = await _page(request, place[0] if place else 0, most)
    return page_answer(request, "users", [user_line(user) for user in found], following)


@needs("admin")
@operation(body=accounts.NewUser, answers=accounts.UserLine)
async def add_user(request: web.Request) -> web.StreamResponse:
    """A local account, which signs in by this password."""
    given = await content_of(request)
    teams = tuple(given.get("teams", ()))
    made = await add_account(desk_of(request), given["name"], Role(given["role"]), teams, given["password"])
    return json_answer(user_line(made))


@needs("admin")
@operation(answers=accounts.UserWithSessions, whole=OF_ONE)
async def show_user(request: web.Request) -> web.StreamResponse:
    """One account with its sessions."""
    user, sessions = await _user(request)
    return json_answer({**user_line(user), "sessions": session_lines(request, sessions)})


@needs("admin")
@operation(body=accounts.UserChange, answers=accounts.UserLine)
async def change_user(request: web.Request) -> web.StreamResponse:
    """Another role, other teams, disabled or not. Who is disabled is signed out at once."""
    given = await content_of(request)
    teams, role = given.get("teams"), given.get("role")
    wanted = Wanted(
        role=Role(role) if role else None,
        teams=None if teams is None else tuple(teams),
        is_disabled=given.get("disabled"),
    )
    return json_answer(user_line(await change_account(desk_of(request), request.match_info["name"], wanted)))


@needs("admin")
@operation(body=accounts.NewPassword, answers=accounts.Ended)
async def set_password(request: web.Request) -> web.StreamResponse:
    """Another password for a local account. All its sessions are over then."""
    given = await content_of(request)
    _, sessions = await _user(request)
    await give_password(desk_of(request), request.match_info["name"], given["password"])
    return json_answer({"ended": len(sessions)})


@needs("admin")
@operation(answers=accounts.Ended)
async def sign_user_out(request: web.Request) -> web.StreamResponse:
    """Ends all sessions of an account."""
    return json_answer({"ended": await end_sessions(desk_of(request), request.match_info["name"])})


# --- the pages ---------------------------------------------------------------------------------------


@needs("admin")
async def users_page(request: web.Request) -> web.StreamResponse:
    """All accounts, and the form for another."""
    return await _all_shown(request, Tried())


@needs("admin")
async def user_page(request: web.Request) -> web.StreamResponse:
    """One account, with what can be done about it."""
    return await _one_shown(request, Tried())


@needs("admin")
async def send_new_user(request: web.Request) -> web.StreamResponse:
    """The form for another account."""
    form = await request.post()
    name = _text(form, "name").strip()
    try:
        await add_account(desk_of(request), name, _role(form), _teams(form), _text(form, "password"))
    except (Refused, BadForm, Invalid) as error:
        # What is refused beside what is odd is that there is one already.
        return await _all_shown(request, refused("add", error, form, place="name"))
    return _to_user(name)


@needs("admin")
async def send_change(request: web.Request) -> web.StreamResponse:
    """The form for role and teams."""
    form, name = await request.post(), request.match_info["name"]
    try:
        await change_account(desk_of(request), name, Wanted(role=_role(form), teams=_teams(form)))
    except (Refused, BadForm, Invalid) as error:
        return await _one_shown(request, refused("change", error, form))
    return _to_user(name)


@needs("admin")
async def send_disabled(request: web.Request) -> web.StreamResponse:
    """The button that disables, or enables again."""
    form, name = await request.post(), request.match_info["name"]
    try:
        await change_account(desk_of(request), name, Wanted(is_disabled=_text(form, "disabled") == "yes"))
    except Refused as error:
        return await _one_shown(request, refused("disabled", error, form))
    return _to_user(name)


@needs("admin")
async def send_password(request: web.Request) -> web.StreamResponse:
    """The form for another password."""
    form, name = await request.post(), request.match_info["name"]
    try:
        await give_password(desk_of(request), name, _text(form, "password"))
    except (Refused, BadForm) as error:
        return await _one_shown(request, refused("password", error, form))
    return _to_user(name)


@needs("admin")
async def send_sign_out(request: web.Request) -> web.StreamResponse:
    """The button that ends all sessions."""
    name = request.match_info["name"]
    await end_sessions(desk_of(request), name)
    return _to_user(name)


async def _all_shown(request: web.Request, tried: Tried) -> web.Response:
    place = place_in(request.query)
    found, following = await _page(request, place[0] if place else 0, _USUAL)
    return await console_page(
        request,
        "users.html",
        status=tried.status,
        refusal=tried.why,
        title="Users",
        tried=tried,
        signs_in_by=SIGNS_IN_BY,
        users=found,
        following=following,
        roles=MEANING,
        teams=sorted(desk_of(request).configuration.tiers),
        shortest=SHORTEST,
        by_password=_settings(request).sign_in.local,
    )


async def _one_shown(request: web.Request, tried: Tried) -> web.Response:
    user, sessions = await _user(request)
    return await console_page(
        request,
        "user.html",
        status=tried.status,
        refusal=tried.why,
        title=("User", user.name),
        tried=tried,
        signs_in_by=SIGNS_IN_BY,
        user=user,
        sessions=session_lines(request, sessions),
        roles=MEANING,
        teams=sorted({*desk_of(request).configuration.tiers, *user.teams}),
        is_local=user.source is Source.LOCAL,
        shortest=SHORTEST,
    )


def routes() -> list[web.RouteDef]:
    one = "/api/v1/users/{name}"
    return [
        web.get("/api/v1/users", list_users),
        web.post("/api/v1/users", add_user),
        web.get(one, show_user),
        web.patch(one, change_user),
        web.post(f"{one}/password", set_password),
        web.delete(f"{one}/sessions", sign_user_out),
        web.get("/users", users_page),
        web.post("/users", send_new_user),
        web.get("/users/{name}", user_page),
        web.post("/users/{name}", send_change),
        web.post("/users/{name}/disabled", send_disabled),
        web.post("/users/{name}/password", send_password),
        web.post("/users/{name}/sign-out", send_sign_out),
    ]


# --- what they share ---------------------------------------------------------------------------------


def user_line(user: User) -> dict[str, Any]:
    """An account for programs, without its password."""
    names = ("name", "role", "source", "teams", "teamless", "language", "zone", "created_at", "disabled_at", "seen_at")
    return {name: plain(getattr(user, name)) for name in names}


def session_lines(request: web.Request, sessions: list[Session]) -> list[dict[str, Any]]:
    """Sessions for programs and pages, without anything to sign in with; those that are over are left out."""
    now, idle = desk_of(request).clock.now(), _settings(request).sign_in.idle
    return [_session_line(request, one) for one in sessions if not one.is_over(now, idle)]


def _session_line(request: web.Request, session: Session) -> dict[str, Any]:
    names = ("address", "agent", "created_at", "seen_at", "expires_at")
    shown = {name: plain(getattr(session, name)) for name in names}
    more = {"browser": browser_in_words(session.agent), "is_this": session.digest == identity_of(request).session}
    return {"key": session_key(session.digest), **shown, **more}


async def _page(request: web.Request, after: int, most: int) -> tuple[list[User], str | None]:
    found = await desk_of(request).store.read(lambda tx: tx.accounts.listed(after, most + 1))
    return found[:most], cursor_of(found[most - 1].id) if len(found) > most else None


async def _user(request: web.Request) -> tuple[User, list[Session]]:
    """The account that the path names, with its sessions. Raises NotFound."""
    name = request.match_info["name"]

    def body(tx: Transaction) -> tuple[User, list[Session]]:
        user = tx.accounts.named(name)
        if user is None:
            raise NotFound(f"There is no account called {name!r}.")
        return user, tx.accounts.sessions_of(user.id)

    return await desk_of(request).store.read(body)


def _settings(request: web.Request) -> Settings:
    return desk_of(request).configuration.settings


def _text(form: Mapping[str, Any], name: str) -> str:
    given = form.get(name)
    return given if isinstance(given, str) else ""


def _role(form: Mapping[str, Any]) -> Role:
    try:
        return Role(_text(form, "role"))
    except ValueError as error:
        raise Invalid("Choose a role.", pointer="/role") from error


def _teams(form: Any) -> tuple[str, ...]:
    return tuple(one for one in form.getall("teams", []) if isinstance(one, str) and one)


def _to_user(name: str) -> web.Response:
    return web.Response(status=303, headers={"Location": f"/users/{quote(name)}"})
