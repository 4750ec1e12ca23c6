"""The form for people who report: asked by the policy, sent once, answered with the number and the reporter's own page.

It needs no JavaScript. Whatever is sent is an answer: a report that cannot be taken shows the form again as it was.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from aiohttp import web

from responder.adapters.links import ReporterClaim
from responder.clock import from_microseconds, microseconds
from responder.domain.enclosed import Sending
from responder.domain.feedback import Sheet, faults, form_by, sheet_by
from responder.domain.report_form import cleaned
from responder.domain.throttle import Rates, Throttle, sender_of
from responder.domain.ticket import Ticket
from responder.errors import BadForm, KeyUsed, NotFound, Refused, StoreUnavailable
from responder.flows.desk import Desk
from responder.flows.report_by_person import open_report
from responder.web import multipart
from responder.web.bodies import desk_of
from responder.web.context import allowed_actor, refuse_other_sites
from responder.web.identity import forwarded
from responder.web.readers import asked_language
from responder.web.rendering import page
from responder.web.reporters import file_limits

PATH = "/feedback"
LEAST, MOST = timedelta(seconds=2), timedelta(hours=12)
"""How long people take to fill it in; what is faster sent itself."""
TRAP = "website"
"""A field that no person sees."""
_AT_ONCE = 8


@dataclass(kw_only=True, slots=True)
class Door:
    """What the form remembers of those who send, in this process."""

    throttle: Throttle = field(default_factory=Throttle)
    at_work: int = 0


_DOOR = web.AppKey("feedback", Door)


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """What the form shows besides its questions: what was typed, what is wrong with it, and its stamp."""

    stamp: str
    said: dict[str, str] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)
    problem: str = ""
    had_files: bool = False


async def show(request: web.Request) -> web.StreamResponse:
    """The empty form."""
    if (refusal := await _refusal(request)) is not None:
        return refusal
    return _form(request, Shown(stamp=_stamp(desk_of(request))))


async def send(request: web.Request) -> web.StreamResponse:
    """A form that was sent. What cannot be taken is shown again with everything that was typed."""
    if (refusal := await _refusal(request)) is not None:
        return refusal
    door = request.app[_DOOR]
    if door.at_work >= _AT_ONCE:
        return _stop(request, 503, "Many reports are being sent just now.", retry_after=timedelta(seconds=10))
    door.at_work += 1
    try:
        return await _sent(request, door)
    finally:
        door.at_work -= 1


async def sent(request: web.Request) -> web.StreamResponse:
    """The number of a report and the address of the reporter's page, for who has the signed link."""
    desk = desk_of(request)
    try:
        claim = desk.links.read_report(request.match_info["token"])
        ticket = await desk.store.read(lambda tx: tx.tickets.one(claim.ticket_id).ticket)
    except (Refused, NotFound):
        return web.Response(status=303, headers={"Location": PATH})
    return _page(request, 200, state="received", number=ticket.number, link=desk.links.report(claim))


def add_to(application: web.Application) -> None:
    application[_DOOR] = Door()
    application.add_routes([web.get(PATH, show), web.post(PATH, send), web.get(f"{PATH}/sent/{{token}}", sent)])


# --- who may ---------------------------------------------------------------------------------------------------


async def _refusal(request: web.Request) -> web.StreamResponse | None:
    """Why this is not answered at all; None if it is."""
    settings = desk_of(request).configuration.settings.feedback
    if not settings.is_on:
        return _stop(request, 404, "There is no form here.")
    if settings.behind and await allowed_actor(request, "report") is None:
        refusal = _stop(request, 401, "This form needs a token with the scope ingest as its password.")
        refusal.headers["WWW-Authenticate"] = 'Basic realm="responder", charset="UTF-8"'
        return refusal
    return _refusal_to_send(request) if request.method == "POST" else None


def _refusal_to_send(request: web.Request) -> web.StreamResponse | None:
    """Before anything of the body is read."""
    try:
        refuse_other_sites(request)
        multipart.refuse_too_long(request, file_limits(request))
    except web.HTTPForbidden:
        return _stop(request, 403, "This came from another site, so it was not done.")
    except web.HTTPRequestEntityTooLarge:
        return _too_large(request)
    desk = desk_of(request)
    settings = desk.configuration.settings.feedback
    rates = Rates(per_address=settings.per_address, in_all=settings.in_all)
    sender = sender_of(request.remote or "", forwarded(request), settings.proxies)
    wait = request.app[_DOOR].throttle.knock(sender, rates, desk.clock.now())
    if wait is None:
        return None
    return _stop(request, 429, "Too many reports were sent from here, or in all, within an hour.", retry_after=wait)


# --- what was sent ---------------------------------------------------------------------------------------------


async def _sent(request: web.Request, door: Door) -> web.StreamResponse:
    desk, sheet = desk_of(request), sheet_by(desk_of(request).policy)
    try:
        given = await multipart.sheet_of(request, file_limits(request))
    except web.HTTPRequestEntityTooLarge:
        return _too_large(request)
    except web.HTTPRequestTimeout:
        return _stop(request, 408, "The form did not arrive in time.")
    said = {one.name: cleaned(given.texts.get(one.name, "")) for one in sheet.all}
    stamp = given.texts.get("stamp", "")
    shown = Shown(stamp=stamp, said=said, had_files=bool(given.files or given.too_much))
    wrong = faults(sheet, said, desk.policy, desk.clock.now())
    wrong |= {"files": given.too_much} if given.too_much else {}
    key, problem = _key(desk, given, stamp)
    if wrong or problem:
        stamp = stamp if key else _stamp(desk)
        return _form(request, replace(shown, wrong=wrong, problem=problem, stamp=stamp), status=422)
    return await _open(request, door, sheet, shown, Sending(files=given.files, key=key, sender="feedback"))


async def _open(request: web.Request, door: Door, sheet: Sheet, shown: Shown, sending: Sending) -> web.StreamResponse:
    desk, language = desk_of(request), asked_language(request)
    try:
        ticket = await open_report(desk, form_by(sheet, shown.said, language), sending)
    except KeyUsed:
        text = "Another report was sent with this form already. Please send it once more if this is a new one."
        return _form(request, replace(shown, problem=text, stamp=_stamp(desk)), status=409)
    except BadForm as error:
        return _form(request, replace(shown, problem=str(error)), status=422)
    except StoreUnavailable:
        text = "It could not be stored just now. Nothing is lost: please send it once more in a minute."
        answer = _form(request, replace(shown, problem=text), status=503)
        answer.headers["Retry-After"] = "30"
        return answer
    door.throttle.count(desk.clock.now())
    return _received(request, ticket)


def _key(desk: Desk, given: multipart.Sheet, stamp: str) -> tuple[str, str]:
    """The form's one-time key, and why it does not count; without a key it needs a new stamp."""
    if given.is_broken:
        return "", "The form did not arrive whole. Please send it once more."
    if given.texts.get(TRAP):
        return "", "A field that nobody sees was filled in, as programs do. Please send it once more."
    try:
        key, made_at = desk.links.read_feedback_stamp(stamp)
        age = desk.clock.now() - from_microseconds(made_at)
    except (Refused, OverflowError, OSError):
        return "", "The form did not arrive whole. Please send it once more."
    if age < LEAST:
        return key, "This was sent faster than anybody writes. Please send it once more."
    return ("", "This page was open for very long. Please send it once more.") if age > MOST else (key, "")


def _stamp(desk: Desk) -> str:
    return desk.links.feedback_stamp(secrets.token_urlsafe(16), microseconds(desk.clock.now()))


# --- what is shown ---------------------------------------------------------------------------------------------


def _form(request: web.Request, shown: Shown, *, status: int = 200) -> web.Response:
    desk, limits = desk_of(request), file_limits(request)
    sheet = sheet_by(desk.policy)
    is_open = any(shown.said.get(one.name) or one.name in shown.wrong for one in sheet.besides)
    return _page(
        request,
        status,
        state="form",
        sheet=sheet,
        is_open=is_open,
        shown=shown,
        trap=TRAP,
        zone=desk.policy.zone.key,
        most_files=limits.most,
        largest=multipart.in_words(limits.largest),
        sum=multipart.in_words(limits.sum),
    )


def _received(request: web.Request, ticket: Ticket) -> web.Response:
    """Leads to the page that says so: one that a browser may load again, and show whenever somebody goes back to it."""
    token = desk_of(request).links.report(ReporterClaim(ticket_id=ticket.id)).rpartition("/")[2]
    return web.Response(status=303, headers={"Location": f"{PATH}/sent/{token}?lang={asked_language(request)}"})


def _too_large(request: web.Request) -> web.Response:
    return _stop(request, 413, "The files are too large. Please go back, choose smaller ones and send it once more.")


def _stop(request: web.Request, status: int, text: str, *, retry_after: timedelta | None = None) -> web.Response:
    """A page that says why not, and when it may be tried again."""
    minutes = 0 if retry_after is None else int(retry_after.total_seconds()) // 60 + 1
    answer = _page(request, status, state="stopped", text=text, minutes=minutes)
    if retry_after is not None:
        answer.headers["Retry-After"] = str(int(retry_after.total_seconds()) + 1)
    return answer


def _page(request: web.Request, status: int, **content: Any) -> web.Response:
    answer = page(
        "feedback.html", status=status, language=asked_language(request), path=PATH, here=request.path, **content
    )
    answer.headers["Vary"] = "Accept-Language"
    # Without a referrer browsers say nothing of where a form comes from, and over plain HTTP they say it nowhere else.
    answer.headers["Referrer-Policy"] = "same-origin"
    return answer
