"""Mails that a mail server hands in over HTTP: one raw message (RFC 5322) is the body of the request."""

from __future__ import annotations

from aiohttp import web

from responder.domain.mail_record import MailRecord
from responder.errors import Refused
from responder.flows.mail_desk import Delivered, MailDesk, mail_desk
from responder.flows.mail_in import take_mail
from responder.store.transaction import Transaction
from responder.web.bodies import desk_of, json_answer
from responder.web.context import needs

_PIECE = 64 * 1024
_MOST_TIMES = 4


@needs("ingest")
async def take(request: web.Request) -> web.StreamResponse:
    """Takes one mail; 2xx leaves when it is stored, also for one that came before. Query: from, the sender of the
    envelope, which is empty for a delivery report."""
    desk = desk_of(request)
    mails = mail_desk(desk)
    if mails is None:
        raise Refused("No mails are taken here: responder.yml has no mail:.")
    content = await _content(request, mails)
    delivered = Delivered(content=content, way="mail-api", envelope_from=request.query.get("from"))
    record = await take_mail(desk, mails, delivered)
    number = await desk.store.read(lambda tx: _number(tx, record))
    return json_answer({"taken": record.taken, "why": record.why, "number": number, "receipt": record.receipt})


async def _content(request: web.Request, mails: MailDesk) -> bytes:
    """The body, read in pieces. Of a mail that is too large only the beginning is kept, and its ticket says so."""
    content, size = bytearray(), 0
    async for piece in request.content.iter_chunked(_PIECE):
        size += len(piece)
        if len(content) <= mails.limits.size:
            content += piece
        if size > _MOST_TIMES * mails.limits.size:
            raise web.HTTPRequestEntityTooLarge(max_size=_MOST_TIMES * mails.limits.size, actual_size=size)
    return bytes(content)


def _number(tx: Transaction, record: MailRecord) -> str:
    return tx.tickets.one(record.ticket_id).ticket.number if record.ticket_id is not None else ""


def routes() -> list[web.RouteDef]:
    return [web.post("/api/v1/mail", take)]
