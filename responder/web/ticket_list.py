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
from responder.web.paging import ticket_cursor, ticket_place
from responder.web.rendering import rendered
from responder.web.ticket_filter import asked_filter, filter_in, query_of, search
from responder.web.ticket_lines import TicketLine, lines_of

_SHOWN = 50
_COPIED = 500
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
    desk, visitor, asked = desk_of(request), await visitor_of(request), await _asked(request)
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
        title="Tickets",
        lines=lines,
        asked=asked,
        chips=_chips(asked),
        choices=_choices(desk),
        views=_views(visitor),
        saved=[{"id": one, "name": name, "address": f"{_PATH}?{query}", "query": query} for one, name, query in saved],
        may_save=user is not None,
        query=urlencode(query_of(asked)),
        following=_address([*query_of(asked), ("cursor", following)]) if following else "",
        is_first=after is None,
        order=str(asked.order),
    )


@needs("read")
async def list_as_markdown(request: web.Request) -> web.StreamResponse:
    """The same tickets as a table to paste elsewhere."""
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
    """Keeps the filter of the page under a name, in place of one that had it."""
    desk, form, user = desk_of(request), await request.post(), identity_of(request).user_id
    name, query = " ".join(str(form.get("name", "")).replace("\x00", "").split())[:_LONGEST_NAME], form.get("query", "")
    if user is None:
        raise web.HTTPForbidden(text="Views are saved for people who have signed in with an account.")
    if not name:
        raise BadForm("“name” is missing: a text that says why or what.")
    asked = filter_in(MultiDict(parse_qsl(str(query))), desk.policy.zone, desk.clock.now())
    kept = urlencode(query_of(asked))

    def body(tx: Transaction) -> None:
        tx.accounts.save_view(user, name, kept, desk.clock.now())
        deeds.tell(desk, tx, kept, name)

    await desk.store.write(body)
    return web.Response(status=303, headers={"Location": f"{_PATH}?{kept}"})


@needs("read")
async def drop_view(request: web.Request) -> web.StreamResponse:
    desk, user, view = desk_of(request), identity_of(request).user_id, int(request.match_info["id"])
    if user is None:
        raise NotFound(_NO_VIEW)
    await desk.store.write(lambda tx: drop(desk, tx, user, view))
    return web.Response(status=303, headers={"Location": _PATH})


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
    return asked if request.query.keys() - {"lang", "cursor"} else _USUAL


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
