"""The API of the knowledge base: articles, the search in the case library, and what is like a ticket."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from responder.domain.article import EDITABLE, Article
from responder.domain.words import Passage
from responder.flows import knowledge
from responder.flows.desk import Desk
from responder.flows.forms import Form
from responder.flows.knowledge import Hit
from responder.flows.recognise import match_line
from responder.store.library import LibraryStore
from responder.web.bodies import actor_of, content_of, desk_of, json_answer, name_in, number_in
from responder.web.context import identity_of, needs
from responder.web.operations import LINK, operation
from responder.web.paging import before_in, cursor_of, limit_in, page_answer
from responder.web.schemas import asked, stock
from responder.web.shapes import plain

_LARGEST_PAGE = 500
_MOST_HITS = 50
_LONGEST_SEARCH = 1000
_Verb = Callable[[Desk, int, str], Awaitable[Article]]


@needs("read")
@operation(query=stock.ArticleQuery, answers=stock.ArticlePage, headers=LINK)
async def list_articles(request: web.Request) -> web.StreamResponse:
    """Articles, newest first. Query: state (draft, published, retired), limit, before (an id, for the next page)."""
    query = request.query
    state = query.get("state", "")
    limit, before = limit_in(query, 100, _LARGEST_PAGE), before_in(query)
    found = await desk_of(request).store.read(
        lambda tx: LibraryStore(tx.connection).articles(state=state, before=before, limit=limit)
    )
    last = found[-1].id if len(found) == limit else None
    lines = [article_line(article) for article in found]
    return page_answer(request, "articles", lines, cursor_of(last) if last else None, before=last)


@needs("read")
@operation(query=stock.SearchQuery, answers=stock.Found, whole="The best of many.")
async def search(request: web.Request) -> web.StreamResponse:
    """What the case library holds of some words, the best first. Query: q, limit.

    `title_hits` and `excerpt_hits` are the places of the words: first and last-plus-one character.
    """
    asked = request.query.get("q", "")[:_LONGEST_SEARCH]
    limit = limit_in(request.query, 20, _MOST_HITS)
    return json_answer({"found": [hit_line(hit) for hit in await knowledge.search(desk_of(request), asked, limit)]})


@needs("read")
@operation(answers=stock.ArticleLine)
async def show(request: web.Request) -> web.StreamResponse:
    """One article of the knowledge base."""
    article_id = _id(request)
    article = await desk_of(request).store.read(lambda tx: LibraryStore(tx.connection).article(article_id))
    return json_answer(article_line(article))


@needs("read")
@operation(answers=stock.Similar, whole="The best of many.")
async def similar(request: web.Request) -> web.StreamResponse:
    """Whether a ticket's trouble is recurring, and what is like it."""
    seen = await knowledge.similar_to(desk_of(request), request.match_info["key"])
    similar_ones = [match_line(match) for match in seen.similar]
    return json_answer({"recurring": seen.is_recurring, "sentence": seen.sentence, "similar": similar_ones})


@needs("act")
@operation(body=stock.NewArticle, answers=stock.ArticleLine)
async def write(request: web.Request) -> web.StreamResponse:
    """A new draft. Body: ticket (number or id) to draft it from; or title, perhaps symptom, cause, solution, labels.

    The labels say where it happens (service, product, model) and by which alert it shows (alertname).
    """
    desk, content = desk_of(request), await content_of(request)
    actor, form = actor_of(request, content), Form(content)
    if key := name_in(content, "ticket"):
        return json_answer(article_line(await knowledge.draft(desk, key, actor, identity_of(request))))
    words = {name: form.optional(name) for name in EDITABLE}
    return json_answer(article_line(await knowledge.write(desk, words, actor, form.fields("labels"))))


@needs("act")
@operation(body=stock.ArticleWords, answers=stock.ArticleLine)
async def edit(request: web.Request) -> web.StreamResponse:
    """Changes an article. Body: what changes of title, symptom, cause, solution; perhaps actor."""
    desk, content = desk_of(request), await content_of(request)
    form = Form(content)
    words = {name: form.optional(name) for name in content if name != "actor"}
    article = await knowledge.edit(desk, _id(request), words, actor_of(request, content))
    return json_answer(article_line(article))


@needs("act")
@operation(body=asked.ActorBody, answers=stock.ArticleLine)
async def publish(request: web.Request) -> web.StreamResponse:
    """From now on it is recommended. Body: perhaps actor."""
    return await _done(request, knowledge.publish)


@needs("act")
@operation(body=asked.ActorBody, answers=stock.ArticleLine)
async def retire(request: web.Request) -> web.StreamResponse:
    """It is kept, but found no more. Body: perhaps actor."""
    return await _done(request, knowledge.retire)


def routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/knowledge", list_articles),
        web.get("/api/v1/knowledge/search", search),
        web.get(r"/api/v1/knowledge/{id:\d{1,15}}", show),
        web.post("/api/v1/knowledge", write),
        web.patch(r"/api/v1/knowledge/{id:\d{1,15}}", edit),
        web.post(r"/api/v1/knowledge/{id:\d{1,15}}/publish", publish),
        web.post(r"/api/v1/knowledge/{id:\d{1,15}}/retire", retire),
        web.get("/api/v1/tickets/{key}/similar", similar),
    ]


def article_line(article: Article) -> dict[str, Any]:
    names = ("id", "ticket_id", *EDITABLE, "state", "labels", "actor", "created_at", "changed_at")
    return {name: plain(getattr(article, name)) for name in names}


def hit_line(hit: Hit) -> dict[str, Any]:
    return {
        "source": hit.source.value,
        "id": hit.id,
        "name": hit.name,
        "title": hit.title.text,
        "title_hits": _places(hit.title),
        "excerpt": hit.excerpt.text,
        "excerpt_hits": _places(hit.excerpt),
        "score": round(hit.score, 2),
    }


def _places(passage: Passage) -> list[list[int]]:
    return [list(place) for place in passage.hits]


def _id(request: web.Request) -> int:
    return number_in(request.match_info["id"], 0)


async def _done(request: web.Request, verb: _Verb) -> web.Response:
    actor = actor_of(request, await content_of(request))
    return json_answer(article_line(await verb(desk_of(request), _id(request), actor)))
