"""The reporter's own page, opened by the signed link in a letter: it shows how the report stands, and takes answers.

It knows nothing of hosts, colleagues or notes: all it shows is fixed sentences, what was reported at first,
and what was written to the reporter.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from responder.adapters.links import ReporterClaim
from responder.domain import reporter_news
from responder.domain.dossier import Dossier, Verifier
from responder.domain.message import Message, MessageState
from responder.domain.reporter_answers import LONGEST_ANSWER, Answer, AnswerKind, Unheard, WhyNot
from responder.domain.ticket import Status, Ticket
from responder.domain.timeline import MACHINE
from responder.errors import NotFound, Refused
from responder.flows.desk import Desk
from responder.flows.reported import reported
from responder.flows.reporter_answers import reporter_says_by_link
from responder.flows.reporter_merged import holder_of
from responder.flows.texts import letter_itself
from responder.store.transaction import Transaction
from responder.web.audited import by_link, ticket_of_link
from responder.web.bodies import desk_of
from responder.web.readers import asked_language
from responder.web.rendering import page

_MOST_FIELDS = 20
_NOT_TOLD = (MessageState.OVERTAKEN, MessageState.FAILED)
_OVER = (Status.RESTORED, Status.RESOLVED, Status.CLOSED)
_NO_LINK = {
    "en": "This link does not open a report any more, or it was changed on its way.",
    "zh": "此链接已失效，或在传输过程中被更改。",
}


async def show(request: web.Request) -> web.StreamResponse:
    """How the report stands, with a form for each answer. It changes nothing, since mail scanners follow links."""
    return await _page(request)


async def answer(request: web.Request) -> web.StreamResponse:
    """An answer given on that page."""
    desk, form = desk_of(request), _form(await request.read())
    try:
        claim = desk.links.read_report(request.match_info["token"])
        reporter = await desk.store.read(lambda tx: tx.reporters.one(claim.ticket_id))
    except (Refused, NotFound):
        return _no_link(request)
    language = asked_language(request, reporter.language)
    try:
        async with by_link(request, desk, "reporter", await ticket_of_link(desk, claim.ticket_id)):
            heard = await reporter_says_by_link(desk, claim, _answer(form))
    except Unheard as error:
        return await _page(request, status=409, problem=error.sentences[language], typed=form)
    return await _page(request, thanks=heard.sentence(language))


def routes() -> list[web.RouteDef]:
    return [web.get("/report/{token}", show), web.post("/report/{token}", answer)]


def _form(body: bytes) -> dict[str, str]:
    """The fields of a form of ours; of anything else nothing, since strangers send what they like."""
    try:
        return dict(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=_MOST_FIELDS))
    except ValueError:
        return {}


def _answer(form: Mapping[str, str]) -> Answer:
    """Raises Unheard for what no form of ours sends."""
    kind, score, episode = (form.get(name, "") for name in ("answer", "score", "episode"))
    if kind not in set(AnswerKind):
        raise Unheard(WhyNot.NOT_WHOLE)
    return Answer(kind=AnswerKind(kind), text=form.get("text", ""), score=_number(score), episode=_number(episode))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


async def _page(
    request: web.Request,
    *,
    status: int = 200,
    thanks: str = "",
    problem: str = "",
    typed: Mapping[str, str] | None = None,
) -> web.StreamResponse:
    """`typed` is the form whose answer did not count."""
    desk, given = desk_of(request), typed or {}
    try:
        claim = desk.links.read_report(request.match_info["token"])
        shown = await desk.store.read(lambda tx: _shown(desk, tx, claim, request))
    except (Refused, NotFound):
        return _no_link(request)
    words = (given.get("answer", ""), given.get("text", "").replace("\x00", "\ufffd"))
    return page("reporter.html", status=status, **shown, thanks=thanks, problem=problem, typed=words)


def _no_link(request: web.Request) -> web.StreamResponse:
    language = asked_language(request)
    return page(
        "reporter.html",
        status=403,
        language=language,
        report=None,
        thanks="",
        problem=_NO_LINK[language],
        typed=("", ""),
    )


def _shown(desk: Desk, tx: Transaction, claim: ReporterClaim, request: web.Request) -> dict[str, Any]:
    """Raises NotFound for a report whose reporter is forgotten."""
    reporter, ticket = tx.reporters.one(claim.ticket_id), tx.tickets.one(claim.ticket_id).ticket
    if reporter.erased_at is not None:
        raise NotFound("The reporter's contact is erased.")
    holder, language = holder_of(tx, ticket), asked_language(request, reporter.language)
    dossier = tx.dossiers.of_ticket(ticket.id)
    is_merged, is_over, rule = holder.id != ticket.id, holder.status in _OVER, desk.policy.reporter
    letters = [_letter(desk, one, language) for one in tx.reporters.letters(ticket.id) if one.state not in _NOT_TOLD]
    report = {
        "number": ticket.number,
        "reported": reported(desk.policy, ticket, language),
        "state": (reporter_news.merged_in_words if is_merged else reporter_news.state_in_words)(holder, language),
        "episode": ticket.episode,
        "letters": list(reversed(letters)),
        "letters_in": reporter.language,
        "asks_whether_solved": is_over,
        "scores": list(range(1, rule.best_score + 1)) if is_over and rule.ask_satisfaction and not is_merged else [],
        "score": dossier.satisfaction,
        "is_confirmed": not is_merged and _is_confirmed(dossier, ticket),
        "longest": LONGEST_ANSWER,
    }
    return {"language": language, "report": report}


def _is_confirmed(dossier: Dossier, ticket: Ticket) -> bool:
    """True if the last that the reporter said of this repair is that it helped, and not that nobody answered."""
    said = [one for one in dossier.verifications if one.by is Verifier.REPORTER and one.episode == ticket.episode]
    return bool(said) and said[-1].is_good and said[-1].actor != MACHINE


def _letter(desk: Desk, letter: Message, language: str) -> dict[str, str]:
    at = reporter_news.coming(letter.created_at, desk.clock.now(), desk.policy.zone, language)
    return {"at": at, "text": letter_itself(letter.body)}
