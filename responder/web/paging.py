"""Lists page by page: a cursor says where the next page begins, whatever was added or ended meanwhile."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from aiohttp import web

from responder.clock import from_microseconds
from responder.domain.ticket_filter import Place
from responder.web.bodies import json_answer, number_in
from responder.web.invalid import Invalid

_LARGEST = 2**63


def cursor_of(*place: int | str) -> str:
    """Opaque to those who keep it: what it is made of may change."""
    return urlsafe_b64encode(orjson.dumps(place)).decode().rstrip("=")


def place_in(query: Mapping[str, str], numbers: int = 1) -> list[int] | None:
    """Behind which place the page begins, in so many numbers; None for the first page. Raises Invalid."""
    return _place(query, numbers)


def named_place_in(query: Mapping[str, str], numbers: int = 0) -> tuple[list[int], str] | None:
    """As `place_in`, in a list whose lines are told apart by a name, which comes after the numbers. Raises Invalid."""
    place = _place(query, numbers, names=1)
    return None if place is None else (place[:-1], place[-1])


def _place(query: Mapping[str, str], numbers: int, names: int = 0) -> list[Any] | None:
    text = query.get("cursor", "")
    if not text:
        return None
    try:
        place = orjson.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except ValueError:
        place = None
    kinds = [_is_number] * numbers + [_is_name] * names
    if not (isinstance(place, list) and len(place) == len(kinds)):
        raise _none_of_ours()
    if not all(fits(one) for fits, one in zip(kinds, place, strict=True)):
        raise _none_of_ours()
    return place


def before_in(query: Mapping[str, str]) -> int | None:
    """In a list with the newest first: behind which id the page begins, by cursor or (as it was once) by `before`."""
    place = place_in(query)
    return place[0] if place else number_in(query.get("before"), 0) or None


def instant_of(place: int) -> datetime:
    """An instant in a cursor. Raises Invalid."""
    try:
        return from_microseconds(place)
    except (OverflowError, ValueError, OSError) as error:
        raise _none_of_ours() from error


def ticket_cursor(place: Place | None) -> str | None:
    """A place in a list of tickets as a cursor."""
    return None if place is None else cursor_of(place.rank, place.ticket_id)


def ticket_place(query: Mapping[str, str]) -> Place | None:
    """The place in a list of tickets that a query asks for. Raises Invalid."""
    place = place_in(query, 2)
    return None if place is None else Place(rank=place[0], ticket_id=place[1])


def limit_in(query: Mapping[str, str], usual: int, most: int) -> int:
    """How many are asked for: at least one, and never more than `most`."""
    return max(1, min(number_in(query.get("limit"), usual), most))


def page_answer(
    request: web.Request, name: str, lines: Sequence[object], following: str | None, /, **more: object
) -> web.Response:
    """A page of a list, which says where the next one is: `next` in it, and the header `Link`."""
    answer = json_answer({name: lines, **more, "next": following})
    if following is not None:
        url = request.rel_url.without_query_params("before", "after").update_query(cursor=following)
        answer.headers["Link"] = f'<{url}>; rel="next"'
    return answer


def _none_of_ours() -> Invalid:
    return Invalid("“cursor” is none of ours: take the one that the page before gave.", parameter="cursor")


def _is_number(one: object) -> bool:
    return isinstance(one, int) and not isinstance(one, bool) and -_LARGEST <= one < _LARGEST


def _is_name(one: object) -> bool:
    return isinstance(one, str) and "\x00" not in one
