"""The API of spare parts: the stock, its history, and what plans have reserved."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import asdict
from typing import Any, Protocol

from aiohttp import web

from responder.domain.parts import Part, Reservation, StockMove
from responder.flows.desk import Desk
from responder.flows.parts import add_part, change_part, count_part, part_in, receive_part, take_part
from responder.store.transaction import Transaction
from responder.web.bodies import actor_of, content_of, desk_of, flag_in, json_answer, name_in, text_in
from responder.web.context import needs
from responder.web.operations import LINK, operation
from responder.web.paging import before_in, cursor_of, limit_in, named_place_in, page_answer
from responder.web.schemas import asked, stock
from responder.web.shapes import plain

_LARGEST_PAGE = 1000
_LONGEST = 200


class _Verb(Protocol):
    """What moves the stock of a part."""

    def __call__(self, desk: Desk, number: str, count: int, *, reason: str, actor: str) -> Awaitable[Part]: ...


@needs("read")
@operation(query=stock.PartQuery, answers=stock.PartPage, headers=LINK)
async def list_parts(request: web.Request) -> web.StreamResponse:
    """Parts by number. Query: low (only those of which too few are free), limit."""
    low, limit, place = flag_in(request.query, "low"), _limit(request), named_place_in(request.query)
    after = place[1] if place else ""
    found = await desk_of(request).store.read(lambda tx: tx.parts.listed(low_only=low, after=after, limit=limit))
    following = cursor_of(found[-1].number) if len(found) == limit else None
    return page_answer(request, "parts", [part_line(part) for part in found], following)


@needs("read")
@operation(query=asked.Listed, answers=stock.PartShown, headers=LINK)
async def show_part(request: web.Request) -> web.StreamResponse:
    """One part with the moves of its stock, newest first, and what is reserved of it now. Query: limit."""
    number, limit, before = _number(request), _limit(request), before_in(request.query)

    def gather(tx: Transaction) -> tuple[dict[str, Any], list[StockMove]]:
        line, moves = part_line(part_in(tx, number)), tx.parts.moves(number, limit, before)
        held = tx.parts.reservations(part=number, limit=limit)
        return {**line, "reservations": reservation_lines(tx, held)}, moves

    line, moves = await desk_of(request).store.read(gather)
    following = cursor_of(moves[-1].id) if len(moves) == limit else None
    return page_answer(request, "moves", [plain(asdict(move)) for move in moves], following, **line)


@needs("read")
@operation(query=stock.ReservationQuery, answers=stock.ReservationPage, headers=LINK)
async def list_reservations(request: web.Request) -> web.StreamResponse:
    """Reservations, newest first. Query: part, ticket (number or id), all (ended ones too), limit."""
    query, limit, before = request.query, _limit(request), before_in(request.query)

    def gather(tx: Transaction) -> list[dict[str, Any]]:
        ticket_id = tx.tickets.find(query["ticket"]).ticket.id if query.get("ticket") else None
        held_only = not flag_in(query, "all")
        part = query.get("part", "").replace("\x00", "")
        found = tx.parts.reservations(part=part, ticket_id=ticket_id, held_only=held_only, before=before, limit=limit)
        return reservation_lines(tx, found)

    found = await desk_of(request).store.read(gather)
    return page_answer(request, "reservations", found, cursor_of(found[-1]["id"]) if len(found) == limit else None)


@needs("act")
@operation(body=stock.NewPart, answers=stock.PartLine)
async def add(request: web.Request) -> web.StreamResponse:
    """Adds a new part. Body: number, name, and perhaps place, stock, minimum, actor."""
    desk, content = desk_of(request), await content_of(request)
    part = Part(
        number=text_in(content, "number"),
        name=_line(text_in(content, "name")),
        place=_line(name_in(content, "place")),
        stock=_whole(content, "stock", 0),
        minimum=_whole(content, "minimum", 0),
        changed_at=desk.clock.now(),
    )
    return json_answer(part_line(await add_part(desk, part, actor_of(request, content))))


@needs("act")
@operation(body=stock.PartWords, answers=stock.PartLine)
async def change(request: web.Request) -> web.StreamResponse:
    """What is said about a part. Body: what changes of name, place, minimum; perhaps actor."""
    content = await content_of(request)
    changed = await change_part(
        desk_of(request),
        _number(request),
        actor_of(request, content),
        name=_line(text_in(content, "name")) if content.get("name") is not None else None,
        place=_line(name_in(content, "place")) if content.get("place") is not None else None,
        minimum=_whole(content, "minimum") if content.get("minimum") is not None else None,
    )
    return json_answer(part_line(changed))


@needs("act")
@operation(body=stock.StockBody, answers=stock.PartLine)
async def receive(request: web.Request) -> web.StreamResponse:
    """Notes a delivery. Body: count, reason, and perhaps actor."""
    return await _moved(request, receive_part)


@needs("act")
@operation(body=stock.StockBody, answers=stock.PartLine)
async def take(request: web.Request) -> web.StreamResponse:
    """Parts taken without a plan. Body: count, reason, and perhaps actor."""
    return await _moved(request, take_part)


@needs("act")
@operation(body=stock.StockBody, answers=stock.PartLine)
async def count(request: web.Request) -> web.StreamResponse:
    """What a count has found. Body: count, reason, and perhaps actor."""
    return await _moved(request, count_part)


def routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/parts", list_parts),
        web.post("/api/v1/parts", add),
        web.get("/api/v1/parts/{number}", show_part),
        web.patch("/api/v1/parts/{number}", change),
        web.post("/api/v1/parts/{number}/receive", receive),
        web.post("/api/v1/parts/{number}/take", take),
        web.post("/api/v1/parts/{number}/count", count),
        web.get("/api/v1/reservations", list_reservations),
    ]


def part_line(part: Part) -> dict[str, Any]:
    """A part with what is free of it."""
    return {**plain(asdict(part)), "free": part.free, "is_low": part.is_low}


def reservation_lines(tx: Transaction, some: Sequence[Reservation]) -> list[dict[str, Any]]:
    """Reservations, each with its ticket's number."""
    known = tx.tickets.many([one.ticket_id for one in some])
    return [{**plain(asdict(one)), "ticket": known[one.ticket_id].number} for one in some]


async def _moved(request: web.Request, verb: _Verb) -> web.Response:
    content = await content_of(request)
    number, how_many = _number(request), _whole(content, "count")
    reason, actor = text_in(content, "reason"), actor_of(request, content)
    return json_answer(part_line(await verb(desk_of(request), number, how_many, reason=reason, actor=actor)))


def _number(request: web.Request) -> str:
    return request.match_info["number"].replace("\x00", "")


def _line(text: str) -> str:
    return " ".join(text.split())[:_LONGEST]


def _whole(content: dict[str, Any], name: str, default: int | None = None) -> int:
    value = content.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool):
        raise web.HTTPUnprocessableEntity(text=f"“{name}” is missing: a whole number.")
    return value


def _limit(request: web.Request) -> int:
    return limit_in(request.query, 200, _LARGEST_PAGE)
