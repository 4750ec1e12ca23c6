"""A filter of tickets as a query says it, and back: the same in the API, in the pages' addresses and in saved views."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo

from aiohttp import web
from multidict import MultiMapping

from responder.config.rotas import as_instant
from responder.domain.durations import parse_duration
from responder.domain.policy import Policy
from responder.domain.report import Signal
from responder.domain.spoken_times import written_out
from responder.domain.ticket import Status
from responder.domain.ticket_filter import Order, TicketFilter
from responder.flows.desk import Desk
from responder.store.ticket_search import TicketSearch
from responder.store.transaction import Transaction
from responder.web.bodies import desk_of
from responder.web.invalid import Invalid, unknown

_LONGEST = 200
_YES, _NO = ("1", "true", "yes"), ("0", "false", "no")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_LIKE = "write it like 2026-01-05, 2026-01-05T09:00, yesterday 09:00, or 7d for how long ago"
_One = TypeVar("_One", bound=StrEnum)


async def asked_filter(request: web.Request, zone: ZoneInfo | None = None) -> TicketFilter:
    """The filter in the query of a request. Raises Invalid, also for a grade, kind, team or source that is not in the
    policy and on no ticket."""
    desk = desk_of(request)
    asked = filter_in(request.query, zone or desk.policy.zone, desk.clock.now())
    known = _known(desk)
    doubtful = [(name, one) for name in known for one in getattr(asked, f"{name}s") if one not in known[name]]
    if doubtful:
        await desk.store.read(lambda tx: _refuse_unknown(tx, doubtful, known))
    return asked


def filter_in(query: MultiMapping[str], zone: ZoneInfo, now: datetime) -> TicketFilter:
    """What a query asks for; times without an offset are of this zone. Raises Invalid."""
    is_open = _yes_or_no(query, "open")
    return TicketFilter(
        # That it may be closed, too, is what not asking means.
        is_open=is_open or None,
        is_acknowledged=_yes_or_no(query, "acknowledged"),
        statuses=_members(query, "status", Status),
        signals=_members(query, "signal", Signal),
        grades=_several(query, "grade"),
        kinds=_several(query, "kind"),
        teams=_several(query, "team"),
        sources=_several(query, "source"),
        who=_text(query, "who"),
        target=_text(query, "target"),
        text=_text(query, "text"),
        opened_from=instant_asked(query, "opened_from", zone, now),
        opened_to=instant_asked(query, "opened_to", zone, now, to_the_end=True),
        order=(_members(query, "sort", Order) or (Order.NEWEST,))[0],
    )


def query_of(asked: TicketFilter) -> list[tuple[str, str]]:
    """The query that says this filter, the shortest way; never nothing, which on a page means what is open."""
    flags = {"open": asked.is_open, "acknowledged": asked.is_acknowledged}
    several = {"status": asked.statuses, "signal": asked.signals, "grade": asked.grades, "kind": asked.kinds}
    several |= {"team": asked.teams, "source": asked.sources}
    texts = {"who": asked.who, "target": asked.target, "text": asked.text}
    instants = {"opened_from": asked.opened_from, "opened_to": asked.opened_to}
    found = [
        *((name, "yes" if value else "no") for name, value in flags.items() if value is not None),
        *((name, str(value)) for name, values in several.items() for value in values),
        *((name, value) for name, value in texts.items() if value),
        *((name, at.isoformat().replace("+00:00", "Z")) for name, at in instants.items() if at),
        *([("sort", str(asked.order))] if asked.order is not Order.NEWEST else []),
    ]
    return found or [("sort", str(asked.order))]


def search(tx: Transaction, policy: Policy) -> TicketSearch:
    """The search, with the grades in the order of the policy."""
    return TicketSearch(tx.connection, tuple(policy.grades))


def _known(desk: Desk) -> Mapping[str, tuple[str, ...]]:
    policy, settings = desk.policy, desk.configuration.settings
    teams = (*desk.configuration.tiers, *(rule.team for rule in policy.teams), policy.default_team)
    return {
        "grade": tuple(policy.grades),
        "kind": tuple(policy.kinds),
        "team": tuple(dict.fromkeys(teams)),
        "source": tuple(source.name for source in settings.sources),
    }


def _refuse_unknown(tx: Transaction, doubtful: Iterable[tuple[str, str]], known: Mapping[str, tuple[str, ...]]) -> None:
    """A policy of before may have had it: then there are tickets with it."""
    for name, value in doubtful:
        if not TicketSearch(tx.connection).has(name, value):
            raise unknown(value, known[name], parameter=name)


def _text(query: MultiMapping[str], name: str) -> str:
    return " ".join(query.get(name, "").replace("\x00", "").split())[:_LONGEST]


def _several(query: MultiMapping[str], name: str) -> tuple[str, ...]:
    """Values given one by one, or with commas between them."""
    given = (one.strip() for text in query.getall(name, ()) for one in text.replace("\x00", "").split(","))
    return tuple(dict.fromkeys(one[:_LONGEST] for one in given if one))


def _members(query: MultiMapping[str], name: str, kind: type[_One]) -> tuple[_One, ...]:
    found = _several(query, name)
    for one in found:
        if one not in list(kind):
            raise unknown(one, [str(member) for member in kind], parameter=name)
    return tuple(kind(one) for one in found)


def _yes_or_no(query: MultiMapping[str], name: str) -> bool | None:
    text = query.get(name, "").strip().lower()
    if text and text not in _YES + _NO:
        raise unknown(text, ["yes", "no"], parameter=name)
    return text in _YES if text else None


def instant_asked(
    query: MultiMapping[str], name: str, zone: ZoneInfo, now: datetime, *, to_the_end: bool = False
) -> datetime | None:
    """An instant, or how long ago (`7d`); a date or day `to_the_end` means the whole of it. Raises Invalid."""
    text = query.get(name, "").strip()
    if not text:
        return None
    try:
        return now - parse_duration(text)
    except ValueError:
        pass
    # In a query an unescaped plus is a blank.
    written = written_out(re.sub(r"(T\S+) (\d\d:\d\d)$", r"\1+\2", text), zone, now)
    if not _is_written(written):
        raise Invalid(f"“{name}”: “{text[:60]}” is no time; {_LIKE}.", parameter=name)
    day = timedelta(days=int(to_the_end and _DATE.fullmatch(written) is not None))
    try:
        at = as_instant(written, zone)
        return as_instant(f"{at.astimezone(zone) + day:%Y-%m-%d}", zone) if day else at
    except (ValueError, OverflowError) as error:
        raise Invalid(f"“{name}”: {error}.", parameter=name) from error


def _is_written(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
