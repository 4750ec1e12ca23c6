"""Mails: a mail server hands one in as a raw message (RFC 5322), and people see what became of those that came."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from responder.domain.mail_record import MailRecord, Taken
from responder.domain.masking import masked, without_addresses
from responder.errors import NotFound, Refused
from responder.flows.desk import Desk
from responder.flows.mail_again import drop_mail, take_again
from responder.flows.mail_desk import Delivered, MailDesk, mail_desk
from responder.flows.mail_in import take_mail
from responder.store.mails import MailFilter
from responder.store.transaction import Transaction
from responder.web.bodies import actor_of, content_of, desk_of, duration_in, json_answer, text_in
from responder.web.context import allowed_actor, needs
from responder.web.operations import LINK, Media, operation
from responder.web.paging import before_in, cursor_of, limit_in, page_answer
from responder.web.schemas import asked, stock
from responder.web.shapes import plain

_MAIL = Media(type="message/rfc822", text="A mail as it is sent (RFC 5322).")
_SAME_MAIL = "A mail is the same by its sender, Message-ID and words, and is taken once."
_PIECE = 64 * 1024
_MOST_TIMES = 4
_MOST_RECIPIENTS = 100
_USUAL, _LARGEST_PAGE = 100, 500


@needs("ingest")
@operation(query=stock.Envelope, body=_MAIL, answers=stock.MailTaken, unkeyed=_SAME_MAIL)
async def take(request: web.Request) -> web.StreamResponse:
    """Takes one mail; 2xx leaves when it is stored, also for one that came before. Query: from and to (again and
    again), the envelope; its sender is empty for a delivery report."""
    desk = desk_of(request)
    mails = _mails(desk)
    content = await _content(request, mails)
    sent_to = tuple(request.query.getall("to", ())[:_MOST_RECIPIENTS])
    delivered = Delivered(content=content, way="mail-api", envelope_from=request.query.get("from"), envelope_to=sent_to)
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


def _mails(desk: Desk) -> MailDesk:
    mails = mail_desk(desk)
    if mails is None:
        raise Refused("No mails are taken here: responder.yml has no mail:.")
    return mails


# --- what became of them --------------------------------------------------------------------------------------


@needs("read")
@operation(query=stock.MailQuery, answers=stock.MailPage, headers=LINK)
async def list_mails(request: web.Request) -> web.StreamResponse:
    """What came and what became of it, newest first, without senders unless the token may act. Query: taken, sender
    (act), ticket (a number or id), since (a duration), limit, before (an id, for the next page)."""
    desk, query = desk_of(request), request.query
    may_see = await allowed_actor(request, "act") is not None
    if query.get("sender") and not may_see:
        raise web.HTTPForbidden(text="Who sent a mail is shown to those who may act: this needs the scope act.")
    limit = limit_in(query, _USUAL, _LARGEST_PAGE)

    def page(tx: Transaction) -> list[dict[str, Any]]:
        found = tx.mails.listed(limit, _filter(tx, request))
        return [_line(tx, record, may_see=may_see) for record in found]

    found = await desk.store.read(page)
    last = found[-1]["id"] if len(found) == limit else None
    return page_answer(request, "mails", found, cursor_of(last) if last else None, before=last)


def _filter(tx: Transaction, request: web.Request) -> MailFilter:
    query, now = request.query, desk_of(request).clock.now()
    since = duration_in(dict(query), "since")
    taken = query.get("taken", "")
    if taken and taken not in tuple(Taken):
        raise web.HTTPBadRequest(text=f"{taken!r} is none of {', '.join(Taken)}.")
    return MailFilter(
        taken=Taken(taken) if taken else None,
        sender=query.get("sender", ""),
        ticket_id=tx.tickets.find(query["ticket"]).ticket.id if query.get("ticket") else None,
        since=now - since if since else None,
        before=before_in(query),
    )


def _line(tx: Transaction, record: MailRecord, *, may_see: bool) -> dict[str, Any]:
    names = ("id", "message_id", "way", "receipt", "taken", "received_at", "ticket_id", "answered")
    why = record.why if may_see else without_addresses(masked(record.why, (record.sender,)))
    return {
        **{name: plain(getattr(record, name)) for name in names},
        "why": why,
        "number": _number(tx, record),
        "sender": record.sender if may_see else "",
    }


@needs("read")
@operation(answers=stock.MailShown)
async def show_mail(request: web.Request) -> web.StreamResponse:
    """One mail, without what it says. `size` of its bytes is null when they are not kept any more."""
    may_see = await allowed_actor(request, "act") is not None

    def found(tx: Transaction) -> dict[str, Any]:
        record = tx.mails.one(_id(request))
        body = tx.reports.body(record.receipt)
        return {**_line(tx, record, may_see=may_see), "size": len(body.body) if body else None}

    return json_answer(await desk_of(request).store.read(found))


@needs("act")
@operation(answers=_MAIL)
async def download(request: web.Request) -> web.StreamResponse:
    """The mail as it came, only ever as a download. 404 when its bytes are not kept any more."""
    mail_id = _id(request)

    def found(tx: Transaction) -> bytes:
        body = tx.reports.body(tx.mails.one(mail_id).receipt)
        if body is None:
            raise NotFound(f"The bytes of the mail {mail_id} are not kept any more.")
        return body.body

    return web.Response(
        body=await desk_of(request).store.read(found),
        headers={
            "Content-Type": "message/rfc822",
            # A browser must not show what a stranger wrote as a page of ours.
            "Content-Disposition": f'attachment; filename="mail-{mail_id}.eml"',
            "X-Content-Type-Options": "nosniff",
        },
    )


@needs("act")
@operation(body=asked.ActorBody, answers=stock.MailLine)
async def again(request: web.Request) -> web.StreamResponse:
    """Decides anew on a mail that was set aside; 409 with the sentence if it still cannot be taken."""
    desk = desk_of(request)
    actor = actor_of(request, await content_of(request))
    record = await take_again(desk, _mails(desk), _id(request), actor=actor)
    return json_answer(await desk.store.read(lambda tx: _line(tx, record, may_see=True)))


@needs("act")
@operation(body=asked.ReasonBody, answers=stock.MailLine)
async def drop(request: web.Request) -> web.StreamResponse:
    """Puts a mail away that was set aside; the body says the reason."""
    desk, content = desk_of(request), await content_of(request)
    actor, reason = actor_of(request, content), text_in(content, "reason")
    record = await drop_mail(desk, _id(request), actor=actor, reason=reason)
    return json_answer(await desk.store.read(lambda tx: _line(tx, record, may_see=True)))


def _id(request: web.Request) -> int:
    return int(request.match_info["id"])


def routes() -> list[web.RouteDef]:
    return [
        web.post("/api/v1/mail", take),
        web.get("/api/v1/mails", list_mails),
        web.get(r"/api/v1/mails/{id:\d{1,15}}", show_mail),
        web.get(r"/api/v1/mails/{id:\d{1,15}}/content", download),
        web.post(r"/api/v1/mails/{id:\d{1,15}}/again", again),
        web.post(r"/api/v1/mails/{id:\d{1,15}}/drop", drop),
    ]
