"""The list of tickets: filters that are an address, a search, and views that somebody saved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

from aiohttp import web
from multidict import MultiDict

from responder.domain.report import Signal
from responder.domain.ticket import Status
from responder.domain.ticket_filter import Order, Page, TicketFilter
from responder.errors import BadForm, NotFound
from responder.flows import deeds
from responder.flows.desk import Desk
from responder.store.transaction import Transaction
from responder.web.bodies import desk_of
from responder.web.console import Visitor, console_page, visitor_of
from responder.web.context import identity_of, needs
from responder.web.knowledge_pages import articles_about
from responder.web.paging import ticket_cursor, ticket_place
from responder.web.query_words import is_asked, refuse_odd
from responder.web.rendering import rendered
from responder.web.ticket_filter import asked_filter, filter_in, query_of, search
from responder.web.ticket_lines import TicketLine, lines_of
from responder.web.tried import Tried, refused

_SHOWN = 50
_COPIED = 500
_ARTICLES = 3
_LONGEST_NAME = 80
_USUAL = TicketFilter(is_open=True, order=Order.URGENT)
_PATH = "/tickets"
_NO_VIEW = "There is no such view of yours."


@needs("read")
async def list_page(request: web.Request) -> web.StreamResponse:
    """Tickets by the filter in the address; without one the open ones, the most urgent first."""
    if any(not value for value in request.query.values()):
        # A form sends all its fields; an address that is kept says only what is asked.
        kept = [(name, value) for name, value in request.query.items() if value]
        raise web.HTTPSeeOther(_address(kept) if kept else f"{_PATH}?sort=newest")
    return await _shown(request, await _asked(request), Tried())


async def _shown(request: web.Request, asked: TicketFilter, tried: Tried) -> web.Response:
    desk, visitor = desk_of(request), await visitor_of(request)
    after, user = ticket_place(request.query), identity_of(request).user_id

    def gather(tx: Transaction) -> tuple[list[TicketLine], Page, list[tuple[int, str, str]]]:
        page = search(tx, desk.policy).page(asked, after=after, limit=_SHOWN)
        lines = lines_of(tx, desk.policy, page.tickets, desk.clock.now())
        return lines, page, tx.accounts.views(user) if user is not None else []

    lines, page, saved = await desk.store.read(gather)
    following = ticket_cursor(page.next)
    return await console_page(
        request,
        "tickets.html",
        status=tried.status,
        refusal=tried.why,
        title="Tickets",
        tried=tried,
        lines=lines,
        asked=asked,
        chips=_chips(asked),
        choices=_choices(desk),
        views=_views(visitor),
        saved=[
            {"id": one, "name": name, "address": _address(parse_qsl(query)), "query": query}
            for one, name, query in saved
        ],
        may_save=user is not None,
        just_saved=next((name for one, name, _ in saved if str(one) == request.query.get("saved")), ""),
        query=urlencode(query_of(asked)),
        following=_address([*query_of(asked), ("cursor", following)]) if following else "",
        is_first=after is None,
        articles=(await articles_about(desk, asked.text))[:_ARTICLES] if asked.text and after is None else [],
        order=str(asked.order),
    )


@needs("read")
async def list_as_markdown(request: web.Request) -> web.StreamResponse:
    """The same tickets as a table to paste elsewhere."""
    refuse_odd(request)
    desk, visitor, asked = desk_of(request), await visitor_of(request), await _asked(request)
    page = await desk.store.read(lambda tx: search(tx, desk.policy).page(asked, limit=_COPIED))
    content = {
        "tickets": page.tickets,
        "now": desk.clock.now(),
        "zone": visitor.zone,
        "base": desk.configuration.settings.base_url,
    }
    text = rendered("tickets.md", visitor.language, content)
    return web.Response(text=text, content_type="text/markdown", charset="utf-8")


@needs("read")
async def save_view(request: web.Request) -> web.StreamResponse:
    """Keeps the filter of the page under a name that no view of theirs has yet."""
    desk, form, user = desk_of(request), await request.post(), identity_of(request).user_id
    name, query = " ".join(str(form.get("name", "")).replace("\x00", "").split())[:_LONGEST_NAME], form.get("query", "")
    if user is None:
        raise web.HTTPForbidden(text="Views are saved for people who have signed in with an account.")
    asked = filter_in(MultiDict(parse_qsl(str(query))), desk.policy.zone, desk.clock.now())
    if not name:
        why = BadForm("“name” is missing: how the view is called.")
        return await _shown(request, asked, refused("view", why, form))
    kept = urlencode(query_of(asked))

    try:
        number = await desk.store.write(lambda tx: keep(desk, tx, user, name, kept))
    except BadForm as error:
        return await _shown(request, asked, refused("view", error, form))
    query = urlencode([*query_of(asked), ("saved", str(number))])
    return web.Response(status=303, headers={"Location": f"{_PATH}?{query}"})


@needs("read")
async def drop_view(request: web.Request) -> web.StreamResponse:
    desk, user, view = desk_of(request), identity_of(request).user_id, int(request.match_info["id"])
    if user is None:
        raise NotFound(_NO_VIEW)
    try:
        await desk.store.write(lambda tx: drop(desk, tx, user, view))
    except NotFound as error:
        return await _shown(request, _USUAL, refused("drop", error, {}))
    return web.Response(status=303, headers={"Location": _PATH})


def keep(desk: Desk, tx: Transaction, user: int, name: str, query: str) -> int:
    """Saves a view; gives its id. Raises BadForm where one is called so already: it would be gone without a word."""
    if any(known == name for _, known, _ in tx.accounts.views(user)):
        raise BadForm(f"There is already a view called “{name}”.", field="name")
    tx.accounts.save_view(user, name, query, desk.clock.now())
    deeds.tell(desk, tx, query, name)
    return next(number for number, known, _ in tx.accounts.views(user) if known == name)


def drop(desk: Desk, tx: Transaction, user: int, view: int) -> None:
    """Drops a view of somebody's own. Raises NotFound."""
    names = {number: name for number, name, _ in tx.accounts.views(user)}
    if not tx.accounts.drop_view(user, view):
        raise NotFound(_NO_VIEW)
    deeds.tell(desk, tx, names.get(view, ""))


def routes() -> list[web.RouteDef]:
    return [
        web.get(_PATH, list_page),
        web.get(f"{_PATH}.md", list_as_markdown),
        web.post("/views", save_view),
        web.post(r"/views/{id:\d{1,15}}/drop", drop_view),
    ]


async def _asked(request: web.Request) -> TicketFilter:
    visitor = await visitor_of(request)
    asked = await asked_filter(request, ZoneInfo(visitor.zone))
    return asked if is_asked(request) else _USUAL


# --- what the page offers -----------------------------------------------------------------------------------------


def _chips(asked: TicketFilter) -> list[dict[str, str]]:
    """Each part of the filter, with the address of the list without it."""
    whole = query_of(asked)
    return [
        {"name": name, "value": value, "address": _address([*whole[:place], *whole[place + 1 :]])}
        for place, (name, value) in enumerate(whole)
        if name != "sort"
    ]


def _choices(desk: Desk) -> list[tuple[str, str, Sequence[str]]]:
    """What can be chosen, as (name, label, values)."""
    policy, configuration = desk.policy, desk.configuration
    teams = dict.fromkeys((*configuration.tiers, *(rule.team for rule in policy.teams), policy.default_team))
    found: list[tuple[str, str, Sequence[str]]] = [
        ("grade", "Grade", tuple(policy.grades)),
        ("status", "Status", tuple(one.value for one in Status)),
        ("signal", "Signal", tuple(one.value for one in Signal)),
        ("team", "Team", tuple(teams)),
        ("kind", "Kind", tuple(policy.kinds)),
        ("who", "Who", tuple(configuration.people)),
    ]
    return [one for one in found if one[2]]


def _views(visitor: Visitor) -> list[dict[str, str]]:
    """Lists that everybody wants sooner or later."""
    usual = [
        ("Open", _USUAL),
        ("Nobody has it", replace(_USUAL, is_acknowledged=False, statuses=(Status.HANDED_OVER,))),
        ("All tickets", TicketFilter()),
    ]
    if visitor.name:
        usual.insert(1, ("Mine", replace(_USUAL, who=visitor.name)))
    queries = [(name, query_of(asked)) for name, asked in usual]
    return [{"name": name, "address": _address(query), "query": urlencode(query)} for name, query in queries]


def _address(query: Iterable[tuple[str, str]]) -> str:
    # Nothing asked is everything, which the bare address does not mean.
    return f"{_PATH}?{urlencode(list(query)) or 'sort=newest'}"
