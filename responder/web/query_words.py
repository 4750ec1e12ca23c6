"""What the address of each page may ask for. The rest is named on the page: it must not look as if it held."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import get_origin

from aiohttp import web

from responder.domain.article import EDITABLE, ArticleState
from responder.domain.reporter import LANGUAGES
from responder.web.invalid import unknown
from responder.web.operations import Asked
from responder.web.schemas.audit import AuditQuery
from responder.web.schemas.console import InventoryQuery, RunQuery
from responder.web.schemas.statistics import PeriodQuery
from responder.web.schemas.tickets import TicketQuery

_LANG = "lang"
_NOT_OF_PAGES = {"limit", "before"}
_MOST, _LONGEST = 5, 40


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """The words of one address: those that count once, those that may come several times, and what some may say."""

    once: frozenset[str] = frozenset()
    several: frozenset[str] = frozenset()
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def _of(*words: str, **choices: tuple[str, ...]) -> Words:
    return Words(once=frozenset((*words, *choices)), choices=choices)


def _as_api(model: type[Asked]) -> Words:
    """What a list of the API is asked; its pages are as long as they are."""
    fields = {one.alias or name: one.annotation for name, one in model.model_fields.items()}
    several = frozenset(name for name, kind in fields.items() if get_origin(kind) in (list, tuple))
    return Words(once=frozenset(fields) - several - _NOT_OF_PAGES, several=several)


_OVERRIDE = ("rota", "person", "instead_of", "from", "until", "reason")
WORDS: Mapping[str, Words] = {
    "/automation/off": _of("runbook", "target", "reason", "for"),
    "/tickets": replace(_as_api(TicketQuery), once=_as_api(TicketQuery).once | {"saved"}),
    "/tickets.md": _as_api(TicketQuery),
    "/tickets/{key}": _of("done", "all", order=("newest", "oldest")),
    "/tickets/{key}/review": _of(),
    "/runs": _as_api(RunQuery),
    "/runbooks/{name}": _of("target"),
    "/on-call": _of("day", "done", *_OVERRIDE, weeks=("2", "4")),
    "/knowledge": _of("q", "cursor", state=tuple(ArticleState)),
    "/knowledge/new": _of("ticket", *EDITABLE),
    "/search": _of("q"),
    "/inventory": _as_api(InventoryQuery),
    "/reports": _as_api(PeriodQuery),
    "/reports.md": _as_api(PeriodQuery),
    "/policy": _of("done"),
    "/policy/explain": _of("labels"),
    "/audit": _as_api(AuditQuery),
    "/users": _of("cursor"),
    "/me": _of("saved"),
}
"""By the route; an address that is not here asks for nothing. `lang` is everywhere."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Odd:
    """What of an address does not count: words that nobody knows or that are said twice, and values that are none."""

    unknown: tuple[str, ...] = ()
    twice: tuple[str, ...] = ()
    values: tuple[tuple[str, str, str], ...] = ()


def odd_words(request: web.Request) -> Odd:
    """What the address of a page asks for in vain."""
    words, query = words_of(request), request.query
    known = words.once | words.several | {_LANG}
    named = dict.fromkeys(query)
    choices = {**words.choices, _LANG: LANGUAGES}
    return Odd(
        unknown=_some(name for name in named if name not in known),
        twice=_some(name for name in named if len(query.getall(name)) > 1 and name in known - words.several),
        values=tuple(
            (name, query[name][:_LONGEST], ", ".join(some))
            for name, some in choices.items()
            if query.get(name) and query[name] not in some
        ),
    )


def refuse_odd(request: web.Request) -> None:
    """For what has no place to say so: a page as Markdown. Raises Invalid."""
    if names := odd_words(request).unknown:
        words = words_of(request)
        raise unknown(names[0], sorted(words.once | words.several), parameter=names[0])


def words_of(request: web.Request) -> Words:
    resource = request.match_info.route.resource
    return WORDS.get(resource.canonical if resource else "", Words())


def is_asked(request: web.Request) -> bool:
    """Whether an address asks for anything that its page knows, beside its language and its place in a list."""
    words = words_of(request)
    return bool(request.query.keys() & (words.once | words.several) - {"cursor"})


def _some(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name[:_LONGEST] for name in names)[:_MOST]
