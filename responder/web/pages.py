"""Plain pages: the tickets, one ticket with its whole history, and the confirmation of an acknowledgement."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from responder.domain.durations import spoken
from responder.domain.ticket import Ticket
from responder.errors import NotFound, Refused
from responder.flows import handle
from responder.store.transaction import Transaction
from responder.web.context import CONTEXT, needs
from responder.web.shapes import whole_ticket

_HERE = Path(__file__).parent
_SHOWN = 200
_CLOSED_SHOWN = 30


@needs("read")
async def tickets(request: web.Request) -> web.StreamResponse:
    """Open tickets, the highest grade first, and the latest closed ones below; how many of each grade above."""
    desk = request.app[CONTEXT].desk

    def gather(tx: Transaction) -> tuple[list[Ticket], list[tuple[str, str, str, int]]]:
        return [*tx.tickets.urgent_first(_SHOWN), *tx.tickets.lately_closed(_CLOSED_SHOWN)], tx.tickets.open_counts()

    shown, counts = await desk.store.read(gather)
    grades: Counter[str] = Counter()
    for grade, _, _, count in counts:
        grades[grade] += count
    return _page("tickets.html", tickets=shown, grades=grades, most=_SHOWN, now=desk.clock.now(), title="Tickets")


@needs("read")
async def ticket(request: web.Request) -> web.StreamResponse:
    """One ticket with everything that is known of it."""
    desk, key = request.app[CONTEXT].desk, request.match_info["key"]
    try:
        shown = await desk.store.read(lambda tx: whole_ticket(tx, key))
    except NotFound as error:
        return _page("message.html", status=404, title="Not found", text=str(error))
    return _page("ticket.html", ticket=shown, now=desk.clock.now(), title=shown["number"])


async def confirm(request: web.Request) -> web.StreamResponse:
    """What a signed link opens: it asks, and changes nothing, since mail scanners follow links."""
    desk = request.app[CONTEXT].desk
    try:
        claim = desk.links.read_acknowledge(request.match_info["token"])
        found = await handle.read_ticket(desk, str(claim.ticket_id))
    except (Refused, NotFound) as error:
        return _page("message.html", status=403, title="This link does not act", text=str(error))
    return _page("ack.html", ticket=found, person=claim.person, title=f"Acknowledge {found.number}")


async def acknowledge(request: web.Request) -> web.StreamResponse:
    """The confirmation itself."""
    desk = request.app[CONTEXT].desk
    try:
        claim = desk.links.read_acknowledge(request.match_info["token"])
        found = await handle.acknowledge_by_link(desk, claim)
    except (Refused, NotFound) as error:
        return _page("message.html", status=409, title="Not acknowledged", text=str(error))
    text = f"{found.number} is yours, {claim.person}. Nobody else will be told about it."
    return _page("message.html", title="Acknowledged", text=text)


def routes() -> list[web.AbstractRouteDef]:
    return [
        web.get("/", tickets),
        web.get("/tickets/{key}", ticket),
        web.get("/ack/{token}", confirm),
        web.post("/ack/{token}", acknowledge),
        web.static("/static", _HERE / "static"),
    ]


def _page(template: str, *, status: int = 200, **content: Any) -> web.Response:
    text = _environment().get_template(template).render(content)
    return web.Response(text=text, status=status, content_type="text/html")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.install_null_translations(newstyle=True)  # type: ignore[attr-defined]
    environment.filters["at"] = _at
    environment.filters["ago"] = _ago
    environment.filters["words"] = lambda value: str(value).replace("_", " ")
    return environment


def _at(value: datetime | str | None) -> str:
    """An instant to the second, in UTC."""
    if value is None:
        return ""
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return f"{at:%Y-%m-%d %H:%M:%S}"


def _ago(value: datetime | str, now: datetime) -> str:
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return spoken(now - at)
