"""The pages of the knowledge base, and the search over tickets and articles together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aiohttp import web

from responder.domain.article import EDITABLE, Article, ArticleState, refusal_to_publish
from responder.domain.audit import Entry, Outcome
from responder.domain.knowledge import Source
from responder.domain.markup import blocks
from responder.domain.ticket_filter import TicketFilter
from responder.errors import BadForm, NotFound, Refused
from responder.flows import knowledge
from responder.flows.desk import Desk
from responder.flows.knowledge import Hit
from responder.store.ticket_search import TicketSearch
from responder.store.transaction import Transaction
from responder.web.bodies import actor_of, desk_of, name_in
from responder.web.console import console_page
from responder.web.context import identity_of, needs
from responder.web.paging import before_in, cursor_of
from responder.web.ticket_lines import lines_of
from responder.web.tried import Tried, refused, typed_in

_SHOWN, _FOUND, _HISTORY = 50, 20, 20
_LONGEST_SEARCH = 200
_TEXTS = tuple(name for name in EDITABLE if name != "title")


@needs("read")
async def knowledge_page(request: web.Request) -> web.StreamResponse:
    """Articles, newest first, or what a search has found in the case library."""
    desk, text = desk_of(request), _asked(request)
    state = _state(request.query.get("state", ""))
    before = before_in(request.query)
    articles = await desk.store.read(lambda tx: tx.library.articles(state=state, before=before, limit=_SHOWN + 1))
    return await console_page(
        request,
        "knowledge.html",
        title="Knowledge",
        text=text,
        hits=await _hits(desk, text) if text else None,
        articles=articles[:_SHOWN],
        state=state,
        states=list(ArticleState),
        following=cursor_of(articles[_SHOWN - 1].id) if len(articles) > _SHOWN else "",
    )


@needs("read")
async def search_page(request: web.Request) -> web.StreamResponse:
    """Tickets and articles that hold the words of `q`."""
    desk, text = desk_of(request), _asked(request)
    tickets = await desk.store.read(lambda tx: _tickets(desk, tx, text)) if text else ()
    articles = await articles_about(desk, text) if text else []
    return await console_page(
        request, "search.html", title="Search", text=text, lines=tickets, articles=articles, most=_FOUND
    )


@needs("read")
async def article_page(request: web.Request) -> web.StreamResponse:
    """One article with its history, and what can be done to it."""
    return await _shown(request, Tried())


@needs("act")
async def new_page(request: web.Request) -> web.StreamResponse:
    """The form for another article; with `ticket` for one that is drafted from it."""
    return await _new(request, Tried(typed=typed_in(request.query)))


@needs("act")
async def send_new(request: web.Request) -> web.StreamResponse:
    """A draft, from a ticket or in somebody's own words."""
    desk, typed = desk_of(request), await _typed(request)
    try:
        actor = actor_of(request, dict(typed))
        if key := name_in(typed, "ticket"):
            made = await knowledge.draft(desk, key, actor, identity_of(request))
        else:
            made = await knowledge.write(desk, _words(typed), actor, {})
    except (BadForm, Refused, NotFound, web.HTTPUnprocessableEntity) as error:
        return await _new(request, refused("new", error, typed, place="ticket" if "ticket" in typed else ""))
    return _to(made.id)


@needs("act")
async def send_change(request: web.Request) -> web.StreamResponse:
    """The form of an article. What somebody else has changed meanwhile is not written over."""
    desk, typed = desk_of(request), await _typed(request)
    try:
        seen_at = datetime.fromisoformat(typed["seen"]) if typed.get("seen") else None
    except ValueError as error:
        raise web.HTTPUnprocessableEntity(text="The form is not whole.") from error
    try:
        await knowledge.edit(desk, _id(request), _words(typed), actor_of(request, dict(typed)), seen_at=seen_at)
    except (BadForm, Refused, web.HTTPUnprocessableEntity) as error:
        return await _shown(request, refused("edit", error, typed))
    return _to(_id(request))


@needs("act")
async def send_publish(request: web.Request) -> web.StreamResponse:
    """From now on it is recommended."""
    try:
        await knowledge.publish(desk_of(request), _id(request), actor_of(request, dict(await _typed(request))))
    except Refused as error:
        return await _shown(request, refused("publish", error, {}))
    return _to(_id(request))


@needs("act")
async def send_retire(request: web.Request) -> web.StreamResponse:
    """It is kept, but found no more."""
    try:
        await knowledge.retire(desk_of(request), _id(request), actor_of(request, dict(await _typed(request))))
    except Refused as error:
        return await _shown(request, refused("retire", error, {}))
    return _to(_id(request))


def routes() -> list[web.RouteDef]:
    one = r"/knowledge/{id:\d{1,15}}"
    return [
        web.get("/search", search_page),
        web.get("/knowledge", knowledge_page),
        web.get("/knowledge/new", new_page),
        web.post("/knowledge", send_new),
        web.get(one, article_page),
        web.post(one, send_change),
        web.post(f"{one}/publish", send_publish),
        web.post(f"{one}/retire", send_retire),
    ]


# --- what is shown -----------------------------------------------------------------------------------


async def _shown(request: web.Request, tried: Tried) -> web.Response:
    desk, number = desk_of(request), _id(request)
    found = await desk.store.read(lambda tx: _gather(tx, number))
    article: Article = found["article"]
    return await console_page(
        request,
        "article.html",
        status=tried.status,
        refusal=tried.why,
        title=("Article", f"{article.id}: {article.title}"),
        tried=tried,
        parts=[(name, blocks(getattr(article, name))) for name in _TEXTS],
        texts=_TEXTS,
        words={name: tried.typed.get(name, getattr(article, name)) for name in EDITABLE},
        lacking=refusal_to_publish(article) if article.state is ArticleState.DRAFT else "",
        **found,
    )


def _gather(tx: Transaction, number: int) -> dict[str, Any]:
    article = tx.library.article(number)
    entries = tx.audit_log.about([str(number)], "/knowledge/{id}", _HISTORY)
    ticket = tx.tickets.one(article.ticket_id).ticket if article.ticket_id is not None else None
    return {"article": article, "ticket": ticket, "history": [_line(one) for one in entries if _is_done(one)]}


def _is_done(entry: Entry) -> bool:
    return entry.outcome is Outcome.DONE


def _line(entry: Entry) -> dict[str, Any]:
    verb = entry.action.rpartition("/")[2]
    what = {"publish": "has published it", "retire": "has retired it"}.get(verb, "has changed it")
    return {"at": entry.at, "actor": entry.actor, "what": what}


async def _new(request: web.Request, tried: Tried) -> web.Response:
    return await console_page(
        request,
        "article_new.html",
        status=tried.status,
        refusal=tried.why,
        title="New article",
        tried=tried,
        texts=_TEXTS,
    )


async def articles_about(desk: Desk, text: str) -> list[Hit]:
    """The published articles that a search finds."""
    return [hit for hit in await _hits(desk, text) if hit.source is Source.ARTICLE]


async def _hits(desk: Desk, text: str) -> list[Hit]:
    """Nothing for a text without a word in it."""
    try:
        return await knowledge.search(desk, text, _FOUND)
    except BadForm:
        return []


def _tickets(desk: Desk, tx: Transaction, text: str) -> list[Any]:
    search = TicketSearch(tx.connection, tuple(desk.policy.grades))
    found = search.page(TicketFilter(text=text), limit=_FOUND)
    return list(lines_of(tx, desk.policy, list(found.tickets), desk.clock.now()))


# --- what is asked -----------------------------------------------------------------------------------


def _asked(request: web.Request) -> str:
    return " ".join(request.query.get("q", "").replace("\x00", " ").split())[:_LONGEST_SEARCH]


def _state(text: str) -> str:
    return text if text in list(ArticleState) else ""


async def _typed(request: web.Request) -> dict[str, str]:
    return {name: value for name, value in (await request.post()).items() if isinstance(value, str)}


def _words(typed: Mapping[str, str]) -> dict[str, str]:
    return {name: typed[name].replace("\x00", "\ufffd").replace("\r\n", "\n") for name in EDITABLE if name in typed}


def _id(request: web.Request) -> int:
    return int(request.match_info["id"])


def _to(number: int) -> web.Response:
    return web.Response(status=303, headers={"Location": f"/knowledge/{number}"})
