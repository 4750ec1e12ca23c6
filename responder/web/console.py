"""The console's shell: what every page of it shares, and which pages there are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import orjson
from aiohttp import web
from multidict import MultiDict

from responder.domain.access import Identity
from responder.domain.policy import Policy
from responder.errors import StoreUnavailable
from responder.flows.desk import Desk
from responder.store.overview import Overview
from responder.store.transaction import Transaction
from responder.web.audited import REFUSAL
from responder.web.context import CONTEXT, IDENTITY, SIGN_IN
from responder.web.events import POSITION
from responder.web.identity import who_asks
from responder.web.odd_forms import FORMS
from responder.web.problems import NOWHERE
from responder.web.query_words import Odd, odd_words
from responder.web.readers import asked_language
from responder.web.rendering import page, rendered
from responder.web.tried import typed_in

_GRADE_CLASSES = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A page of the navigation; `g` and then its letter goes there. `scope` is what it takes to see it."""

    path: str
    label: str
    letter: str
    scope: str = "read"


PLACES = (
    Place(path="/", label="Now", letter="n"),
    Place(path="/tickets", label="Tickets", letter="t"),
    Place(path="/runs", label="Runs", letter="r"),
    Place(path="/runbooks", label="Runbooks", letter="b"),
    Place(path="/on-call", label="On call", letter="o"),
    Place(path="/knowledge", label="Knowledge", letter="k"),
    Place(path="/inventory", label="Inventory", letter="i"),
    Place(path="/reports", label="Reports", letter="p"),
    Place(path="/policy", label="Policy", letter="y"),
    Place(path="/health", label="Health", letter="h"),
    Place(path="/audit", label="Audit", letter="a", scope="admin"),
    Place(path="/users", label="Users", letter="u", scope="admin"),
)
"""The pages that there are, in the order in which the navigation shows them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Visitor:
    """Who looks at a page, and how they read. `is_person`: acts under its own name, so that no form asks for one."""

    name: str
    scopes: frozenset[str]
    language: str
    zone: str
    is_person: bool
    has_session: bool
    who: Identity | None = None

    def may(self, scope: str) -> bool:
        return scope in self.scopes

    def objection_to_team(self, team: str) -> str:
        """Why a ticket is not theirs to touch; empty if it is."""
        return self.who.objection_to_team(team) if self.who else ""


async def visitor_of(request: web.Request) -> Visitor:
    """The one who asks, by the credential of the request; nobody has no name and may do nothing."""
    desk = request.app[CONTEXT].desk
    who = request.get(IDENTITY) or await _who(request, desk)
    person = desk.configuration.people.get(who.name) if who else None
    zone = (who.zone if who else "") or (person.zone if person else "")
    return Visitor(
        name=who.name if who else "",
        scopes=frozenset(str(scope) for scope in who.scopes) if who else frozenset(),
        language=asked_language(request, person.language if person else "", of_account=who.language if who else ""),
        zone=zone or "UTC",
        is_person=who is not None and (who.is_person or person is not None),
        has_session=who is not None and bool(who.session),
        who=who,
    )


async def _who(request: web.Request, desk: Desk) -> Identity | None:
    try:
        return await who_asks(request, desk)
    except web.HTTPForbidden:
        return None


async def console_page(
    request: web.Request,
    template: str,
    *,
    status: int = 200,
    title: str | tuple[str, ...],
    refusal: str = "",
    **content: Any,
) -> web.Response:
    """A page of the console. Templates find beside their own content what `_shared` gives them.

    `refusal` is the sentence with which the page refuses what was asked: the audit log keeps it. `notes` in the content
    are sentences about what was asked and is not shown so.
    """
    visitor = await visitor_of(request)
    shared = await _shared(request, visitor)
    shared["odd"] = odd_words(request) if status < 400 and request.method == "GET" else Odd()
    text = rendered(template, visitor.language, {**shared, "title": title, "notes": (), **content})
    made = web.Response(text=text, status=status, content_type="text/html")
    made[REFUSAL] = refusal
    return made


async def _shared(request: web.Request, visitor: Visitor) -> dict[str, Any]:
    desk = request.app[CONTEXT].desk
    places = [one for one in PLACES if visitor.may(one.scope)]
    return {
        "me": visitor,
        "zone": visitor.zone,
        "now": desk.clock.now(),
        "places": places,
        "here": _here(request.path),
        "address": request.path_qs,
        "counts": await _counts(desk) if visitor.may("read") else {},
        "grade_class": grade_classes(desk.policy),
        "live_after": request.get(POSITION, "") if request.method == "GET" else None,
        "other_language": _in_the_other_language(request, visitor.language),
    }


def _here(path: str) -> str:
    """The path of the place that a page belongs to; empty for none."""
    fitting = [one.path for one in PLACES if path == one.path or (one.path != "/" and path.startswith(f"{one.path}/"))]
    return max(fitting, key=len, default="")


async def _counts(desk: Desk) -> dict[str, int]:
    def gather(tx: Transaction) -> dict[str, int]:
        overview = Overview(tx.connection)
        return {"/": overview.waiting_count(), "/tickets": overview.open_count()}

    return await desk.store.read(gather)


def grade_classes(policy: Policy) -> Mapping[str, str]:
    """For each grade the class of its colour: `g1` for the gravest to `g4`, whatever the policy calls them."""
    return {grade: f"g{min(place, _GRADE_CLASSES)}" for place, grade in enumerate(policy.grades, start=1)}


def _in_the_other_language(request: web.Request, language: str) -> str:
    other = "en" if language == "zh" else "zh"
    query = request.rel_url.update_query(lang=other).raw_query_string
    return f"?{query}" if request.method == "GET" else f"?lang={other}"


# --- errors --------------------------------------------------------------------------------------------------

NO_PAGES = ("/api/", "/webhooks/", "/static/", "/-/", "/metrics")
_PROBLEM = "application/problem+json"
TITLES = {
    400: "That was not understood",
    401: "Sign in first",
    403: "Not allowed",
    404: "Not found",
    405: "Not possible here",
    409: "Not done",
    412: "It has changed meanwhile",
    413: "Too large",
    422: "That cannot be taken like this",
    429: "Too often",
    503: "Not available right now",
}


@web.middleware
async def problems_as_pages(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Who reads in a browser is told of an error by a page that leads on; programs get it as it is."""
    answer = await handler(request)
    if not isinstance(answer, web.Response) or answer.content_type != _PROBLEM or not _is_read_by_people(request):
        return answer
    if answer.status == 404 and (there := await _without_slash(request)):
        return web.Response(status=308, headers={"Location": there})
    found = orjson.loads(bytes(answer.body)) if isinstance(answer.body, bytes) else {}
    made = await _problem_page(request, answer.status, found)
    kept = {name: value for name, value in answer.headers.items() if name.lower() not in _OWN}
    made.headers.update(kept)
    return made


async def _without_slash(request: web.Request) -> str:
    """The address that is meant by one with a slash at its end; empty if there is none."""
    path = request.rel_url.raw_path.rstrip("/")
    if request.method not in ("GET", "HEAD") or path == request.rel_url.raw_path or not path or path.startswith("//"):
        return ""
    there = request.rel_url.with_path(path, encoded=True, keep_query=True)
    meant = await request.app.router.resolve(request.clone(rel_url=there))
    return str(there) if meant.http_exception is None else ""


async def _problem_page(request: web.Request, status: int, found: Mapping[str, Any]) -> web.Response:
    title, text = TITLES.get(status, "Something went wrong"), str(found.get("detail", ""))
    text = "There is nothing at this address." if text == NOWHERE else text
    form = request.app[CONTEXT].desk.configuration.settings.feedback.is_on
    shown: dict[str, Any] = {"text": text, "without": _without(request, found), "has_form": form}
    if status == 401 and request.method == "POST":
        shown |= await _signed_out(request)
    try:
        return await console_page(request, "problem.html", status=status, title=title, **shown)
    except StoreUnavailable:
        # The shell says who reads and what waits; without the database there is neither.
        return page("message.html", status=status, language=asked_language(request), title=title, text=text)


async def _signed_out(request: web.Request) -> dict[str, Any]:
    """For somebody whose session ended while they typed: the way back, and their words if it was our page."""
    is_ours = request.headers.get("Sec-Fetch-Site") == "same-origin"
    form = await request.post() if is_ours and request.content_type in FORMS else MultiDict[Any]()
    return {
        "text": "You are not signed in any more, so nothing was done.",
        "sign_in": f"{SIGN_IN}?next={quote(request.path, safe='/')}",
        "typed": [text for name, text in typed_in(form).items() if text.strip() and name not in _OF_THE_PAGE],
    }


_OF_THE_PAGE = ("version", "seen", "back", "next", "actor", "key", "query", "stamp", "episode", "replaces")
"""What our forms send besides what people type."""


def _without(request: web.Request, found: Mapping[str, Any]) -> str:
    """The address without what of its query is refused; empty if that is none of it."""
    odd = {one.get("parameter") for one in found.get("errors", ()) if request.method == "GET"}
    kept = [(name, value) for name, value in request.query.items() if name not in odd]
    return str(request.rel_url.with_query(kept)) if len(kept) < len(request.query) else ""


_OWN = {"content-type", "content-length"}


def _is_read_by_people(request: web.Request) -> bool:
    is_page = not request.path.startswith(NO_PAGES) or request.path == "/api/"
    return is_page and "text/html" in request.headers.get("Accept", "")
