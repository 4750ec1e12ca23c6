"""One's own account: how one reads, the password, and where one is signed in."""

from __future__ import annotations

from math import ceil
from typing import Any
from zoneinfo import available_timezones

from aiohttp import web

from responder.domain.access import Identity
from responder.domain.accounts import SHORTEST, Session, Source, User
from responder.domain.reporter import LANGUAGES
from responder.errors import BadForm, NotFound, Refused, TooManyTries
from responder.flows.accounts import change_own_password, choose, end_session
from responder.store.transaction import Transaction
from responder.web.bodies import content_of, desk_of, json_answer
from responder.web.console import console_page
from responder.web.context import identity_of, needs
from responder.web.identity import address_of
from responder.web.operations import OF_ONE, PRESENT, operation
from responder.web.schemas import accounts
from responder.web.ticket_list import drop
from responder.web.tried import Tried, refused
from responder.web.users import SIGNS_IN_BY, session_lines

_LOWEST = "report"
"""The least that anybody with an account may do."""


# --- the API -----------------------------------------------------------------------------------------


@needs(_LOWEST)
@operation(answers=accounts.Me, whole=OF_ONE)
async def show_me(request: web.Request) -> web.StreamResponse:
    """Who asks, and what they may do."""
    return json_answer(_line(identity_of(request)))


@needs(_LOWEST)
@operation(body=accounts.Choices, answers=accounts.Me)
async def change_me(request: web.Request) -> web.StreamResponse:
    """Another language or zone."""
    given = await content_of(request)
    user = await choose(desk_of(request), _own_id(request), language=given.get("language"), zone=given.get("zone"))
    return json_answer({**_line(identity_of(request)), "language": user.language, "zone": user.zone})


@needs(_LOWEST)
@operation(body=accounts.OwnPassword, answers=accounts.Ended, also={429: "Too many wrong passwords."})
async def change_my_password(request: web.Request) -> web.StreamResponse:
    """Another password, by who knows the present one. All other sessions are over then."""
    given = await content_of(request)
    _, sessions = await _own(request)
    await _change_password(request, given["present"], given["password"])
    return json_answer({"ended": sum(one.digest != identity_of(request).session for one in sessions)})


@needs(_LOWEST)
@operation(answers=accounts.MySessions, whole=PRESENT)
async def list_my_sessions(request: web.Request) -> web.StreamResponse:
    """Where one is signed in, the session used last first."""
    _, sessions = await _own(request)
    return json_answer({"sessions": session_lines(request, sessions)})


@needs(_LOWEST)
@operation(answers=accounts.Ended)
async def end_my_session(request: web.Request) -> web.StreamResponse:
    """Ends one of one's own sessions."""
    await end_session(desk_of(request), _own_id(request), request.match_info["key"])
    return json_answer({"ended": 1})


@needs(_LOWEST)
@operation(answers=accounts.Ended)
async def end_my_other_sessions(request: web.Request) -> web.StreamResponse:
    """Ends all of one's own sessions but the one that asks."""
    return json_answer({"ended": await _end_others(request)})


# --- the page ----------------------------------------------------------------------------------------


@needs(_LOWEST)
async def my_page(request: web.Request) -> web.StreamResponse:
    """Everything that one chooses for oneself."""
    return await _shown(request, Tried())


@needs(_LOWEST)
async def send_choices(request: web.Request) -> web.StreamResponse:
    """The form for language and zone."""
    form = await request.post()
    language, zone = str(form.get("language", "")), str(form.get("zone", "")).strip()
    own = _own_id(request)
    try:
        await choose(desk_of(request), own, language=language, zone=zone)
    except BadForm as error:
        return await _shown(request, refused("choices", error, form))
    return _back()


@needs(_LOWEST)
async def send_password(request: web.Request) -> web.StreamResponse:
    """The form for another password."""
    form, _ = await request.post(), _own_id(request)
    try:
        await _change_password(request, str(form.get("present", "")), str(form.get("password", "")))
    except (Refused, BadForm, web.HTTPTooManyRequests) as error:
        answer = await _shown(request, refused("password", error, form, place="present"))
        if isinstance(error, web.HTTPTooManyRequests):
            answer.headers["Retry-After"] = error.headers["Retry-After"]
        return answer
    return _back()


@needs(_LOWEST)
async def send_end(request: web.Request) -> web.StreamResponse:
    """The button beside a session."""
    own = _own_id(request)
    try:
        await end_session(desk_of(request), own, request.match_info["key"])
    except NotFound as error:
        return await _shown(request, refused("end", error, {}))
    return _back()


@needs(_LOWEST)
async def send_end_others(request: web.Request) -> web.StreamResponse:
    """The button below the sessions."""
    await _end_others(request)
    return _back()


@needs(_LOWEST)
async def send_drop_view(request: web.Request) -> web.StreamResponse:
    """The button beside a saved view."""
    own, number = _own_id(request), int(request.match_info["id"])
    try:
        await desk_of(request).store.write(lambda tx: drop(desk_of(request), tx, own, number))
    except NotFound as error:
        return await _shown(request, refused("drop", error, {}))
    return _back()


async def _shown(request: web.Request, tried: Tried) -> web.Response:
    user, sessions = await _own(request)
    views = await desk_of(request).store.read(lambda tx: tx.accounts.views(user.id))
    return await console_page(
        request,
        "me.html",
        status=tried.status,
        refusal=tried.why,
        title="Your account",
        tried=tried,
        chosen={"language": user.language, "zone": user.zone, **(tried.typed if tried.form == "choices" else {})},
        signs_in_by=SIGNS_IN_BY,
        user=user,
        sessions=session_lines(request, sessions),
        views=[{"id": number, "name": name, "query": query} for number, name, query in views],
        languages=LANGUAGES,
        zones=sorted(available_timezones()),
        is_local=user.source is Source.LOCAL,
        shortest=SHORTEST,
        is_saved="saved" in request.query,
    )


def routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/me", show_me),
        web.patch("/api/v1/me", change_me),
        web.post("/api/v1/me/password", change_my_password),
        web.get("/api/v1/me/sessions", list_my_sessions),
        web.delete("/api/v1/me/sessions", end_my_other_sessions),
        web.delete("/api/v1/me/sessions/{key}", end_my_session),
        web.get("/me", my_page),
        web.post("/me", send_choices),
        web.post("/me/password", send_password),
        web.post("/me/sessions/end-others", send_end_others),
        web.post("/me/sessions/{key}/end", send_end),
        web.post(r"/me/views/{id:\d{1,15}}/drop", send_drop_view),
    ]


# --- what they share ---------------------------------------------------------------------------------


def _line(who: Identity) -> dict[str, Any]:
    return {
        "name": who.name,
        "via": who.via,
        "role": who.role,
        "teams": sorted(who.teams),
        "teamless": who.teamless,
        "scopes": sorted(str(scope) for scope in who.scopes),
        "language": who.language,
        "zone": who.zone,
    }


def _own_id(request: web.Request) -> int:
    """Raises Refused for a token, which is nobody's."""
    who = identity_of(request)
    if who.user_id is None:
        raise Refused(f"{who.name} has no account; sign in as a person.")
    return who.user_id


async def _own(request: web.Request) -> tuple[User, list[Session]]:
    own = _own_id(request)

    def body(tx: Transaction) -> tuple[User, list[Session]]:
        user = tx.accounts.one(own)
        if user is None:
            raise NotFound("There is no such account any more.")
        return user, tx.accounts.sessions_of(own)

    return await desk_of(request).store.read(body)


async def _change_password(request: web.Request, present: str, password: str) -> None:
    desk, who = desk_of(request), identity_of(request)
    address = address_of(request, desk.configuration.settings)
    try:
        await change_own_password(desk, _own_id(request), who.session, present, password, address=address)
    except TooManyTries as error:
        after = {"Retry-After": str(ceil(error.after.total_seconds()))}
        raise web.HTTPTooManyRequests(text=str(error), headers=after) from error


async def _end_others(request: web.Request) -> int:
    own, session = _own_id(request), identity_of(request).session
    return await desk_of(request).store.write(lambda tx: tx.accounts.end_all(own, but=session))


def _back() -> web.Response:
    return web.Response(status=303, headers={"Location": "/me?saved=1"})
