"""The API of reports by people: opening them, and what is said to and by their reporters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from responder.domain.enclosed import Enclosure, Sending
from responder.domain.message import Message
from responder.domain.report_form import form_of
from responder.domain.reporter_answers import Answer, AnswerKind, Heard
from responder.domain.ticket import Ticket
from responder.flows.report_by_person import add_reporter, open_report
from responder.flows.reporter import ask_reporter, tell_progress
from responder.flows.reporter_answers import reporter_says
from responder.flows.reporter_letters import told
from responder.flows.texts import letter_itself
from responder.store.transaction import Transaction
from responder.web.bodies import (
    actor_of,
    as_object,
    content_of,
    desk_of,
    json_answer,
    name_in,
    refuse_our_names,
    text_in,
)
from responder.web.context import allowed_actor, identity_of, needs
from responder.web.multipart import FileLimits, is_multipart, sheet_of
from responder.web.once import ASKS, key_in
from responder.web.operations import OF_ONE, operation
from responder.web.reporter_line import reporter_line
from responder.web.schemas import reporters
from responder.web.shapes import message_line

_OWN_KEY = "This takes it itself, and the ticket keeps it as long as raw reports are kept."


@needs("report")
@operation(form=reporters.ReportBody, answers=reporters.Opened, asks=ASKS, unkeyed=_OWN_KEY)
async def open_(request: web.Request) -> web.StreamResponse:
    """Opens a ticket for a form (docs/reporters.md), perhaps with files. Answers what the sender may tell the
    reporter at once; a second send under the same Idempotency-Key, what the first was told."""
    key = key_in(request)
    content, files = await _with_files(request) if is_multipart(request) else (await content_of(request), [])
    who, form = identity_of(request), form_of(content)
    staff = [name for name in ("grade", "taken_by") if content.get(name)]
    if staff and await allowed_actor(request, "act") is None:
        raise web.HTTPForbidden(text=f"“{staff[0]}” counts only with a token of the scope act.")
    if who.is_person and form.taken_by not in ("", who.name):
        raise web.HTTPForbidden(text=f"{who.name} acts as {who.name}; leave “taken_by” out.")
    refuse_our_names(request, form.taken_by)
    ticket = await open_report(desk_of(request), form, Sending(files=files, key=key, sender=who.key))
    return json_answer({"number": ticket.number, "id": ticket.id, "grade": ticket.grade, "status": ticket.status})


@needs("read")
@operation(answers=reporters.ReporterOfTicket, whole=OF_ONE)
async def show(request: web.Request) -> web.StreamResponse:
    """The reporter of a ticket and the letters to them; name, contact and texts only for who may act."""
    key, may_see = request.match_info["key"], await allowed_actor(request, "act") is not None
    return json_answer(await desk_of(request).store.read(lambda tx: _shown(tx, key, may_see)))


@needs("act")
@operation(form=reporters.ReporterBody, answers=reporters.NumberAndStatus)
async def give(request: web.Request) -> web.StreamResponse:
    """Gives a ticket its reporter. Body: reporter, and perhaps fields."""
    content = await content_of(request)
    actor, who = actor_of(request, content), identity_of(request)
    form = form_of({name: value for name, value in content.items() if name != "actor"})
    return _ticket(await add_reporter(desk_of(request), request.match_info["key"], actor, form, who=who))


@needs("act")
@operation(body=reporters.WordsBody, answers=reporters.NumberAndStatus)
async def progress(request: web.Request) -> web.StreamResponse:
    """Tells the reporter what has happened since the last letter. Body: perhaps words for them."""
    content = await content_of(request)
    words, actor, who = name_in(content, "words"), actor_of(request, content), identity_of(request)
    return _ticket(await tell_progress(desk_of(request), request.match_info["key"], actor, words, who=who))


@needs("act")
@operation(body=reporters.QuestionBody, answers=reporters.NumberAndStatus)
async def ask(request: web.Request) -> web.StreamResponse:
    """Asks the reporter something; the ticket waits for the answer. Body: words."""
    content = await content_of(request)
    words, actor, who = text_in(content, "words"), actor_of(request, content), identity_of(request)
    return _ticket(await ask_reporter(desk_of(request), request.match_info["key"], actor, words, who=who))


@needs("act")
@operation(body=reporters.AnswerBody, answers=reporters.Heard)
async def answer(request: web.Request) -> web.StreamResponse:
    """What the reporter said to somebody. Body: answer (solved, not_solved, score, information), text, score."""
    content = await content_of(request)
    actor, said, who = actor_of(request, content), _answer(content), identity_of(request)
    heard = await reporter_says(desk_of(request), request.match_info["key"], actor, said, who=who)
    return json_answer(_heard(heard))


@needs("act")
@operation(body=reporters.ToldBody, answers=reporters.NumberAndStatus)
async def tell(request: web.Request) -> web.StreamResponse:
    """Somebody has told the reporter what waited to be told by hand. Body: perhaps message, the id of one letter."""
    content = await content_of(request)
    message = content.get("message")
    if message is not None and (isinstance(message, bool) or not isinstance(message, int)):
        raise web.HTTPUnprocessableEntity(text="“message” is not the id of a letter.")
    actor, who = actor_of(request, content), identity_of(request)
    return _ticket(await told(desk_of(request), request.match_info["key"], actor, message, who=who))


def routes() -> list[web.RouteDef]:
    ticket = "/api/v1/tickets/{key}/reporter"
    return [
        web.post("/api/v1/reports", open_),
        web.get(ticket, show),
        web.put(ticket, give),
        web.post(f"{ticket}/progress", progress),
        web.post(f"{ticket}/question", ask),
        web.post(f"{ticket}/answer", answer),
        web.post(f"{ticket}/told", tell),
    ]


def file_limits(request: web.Request) -> FileLimits:
    """What the settings say of files of reports."""
    given = desk_of(request).configuration.settings.feedback
    return FileLimits(most=given.max_files, largest=given.max_file, sum=given.max_sum)


async def _with_files(request: web.Request) -> tuple[dict[str, Any], list[Enclosure]]:
    sheet = await sheet_of(request, file_limits(request))
    if sheet.is_broken:
        raise web.HTTPBadRequest(text="The body is no whole form of the kind multipart/form-data.")
    if sheet.too_much:
        raise web.HTTPRequestEntityTooLarge(max_size=0, actual_size=0, text=sheet.too_much)
    return as_object(sheet.texts.get("report", "").encode()), sheet.files


def _answer(content: Mapping[str, Any]) -> Answer:
    kind, score = name_in(content, "answer"), content.get("score")
    if kind not in set(AnswerKind):
        raise web.HTTPUnprocessableEntity(text=f"“answer” is one of {', '.join(AnswerKind)}.")
    if score is not None and (isinstance(score, bool) or not isinstance(score, int)):
        raise web.HTTPUnprocessableEntity(text="“score” is not a whole number.")
    return Answer(kind=AnswerKind(kind), text=name_in(content, "text"), score=score)


def _shown(tx: Transaction, key: str, may_see: bool) -> dict[str, Any]:
    ticket = tx.tickets.find(key).ticket
    reporters = tx.reporters
    line = reporter_line(reporters.one(ticket.id), may_see=may_see)
    letters = [_letter(one, may_see=may_see) for one in reporters.letters(ticket.id)]
    return {"ticket": ticket.number, **line, "letters": letters}


def _letter(letter: Message, *, may_see: bool) -> dict[str, Any]:
    """A letter without the link below it: that answers in the reporter's name."""
    return {**message_line(letter), "text": letter_itself(letter.body) if may_see else ""}


def _ticket(ticket: Ticket) -> web.Response:
    return json_answer({"number": ticket.number, "status": ticket.status})


def _heard(heard: Heard) -> dict[str, Any]:
    ticket = heard.ticket
    return {"number": ticket.number, "status": ticket.status, "effect": heard.effect, "sentence": heard.sentence()}
