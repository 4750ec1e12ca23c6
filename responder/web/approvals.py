"""Questions to people: the API, the page that a signed link opens, and the form on a ticket's page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aiohttp import web

from responder.adapters.links import ApprovalClaim
from responder.domain.local_time import local_moment
from responder.errors import LinkUsed, NotFound, NotTheirs, Refused
from responder.flows import consent
from responder.flows.link_holders import refuse_who_left
from responder.flows.orders import Wish, order_run
from responder.flows.telling import zone_of
from responder.store.transaction import Transaction
from responder.web.audited import by_link, by_link_once
from responder.web.bodies import (
    LONGEST_TEXT,
    actor_of,
    content_of,
    desk_of,
    flag_in,
    json_answer,
    name_in,
    text_in,
    texts_in,
)
from responder.web.console import console_page, visitor_of
from responder.web.context import CONTEXT, identity_of, needs
from responder.web.may_answer import may_answer
from responder.web.operations import LINK, OF_ONE, operation
from responder.web.paging import before_in, cursor_of, limit_in, page_answer
from responder.web.readers import language_of, no_link
from responder.web.rendering import page
from responder.web.schemas import asked, handling, tickets
from responder.web.shapes import approval_line, run_line, shown_approval
from responder.web.tried import Tried, refused

_LARGEST_PAGE = 500


# --- the API ---------------------------------------------------------------------------------------


@needs("read")
@operation(query=handling.ApprovalQuery, answers=tickets.ApprovalPage, headers=LINK)
async def list_approvals(request: web.Request) -> web.StreamResponse:
    """Questions, newest first. Query: all (decided ones too), limit."""
    limit, before = limit_in(request.query, 100, _LARGEST_PAGE), before_in(request.query)
    waiting_only = not flag_in(request.query, "all")

    def gather(tx: Transaction) -> list[dict[str, Any]]:
        found = tx.approvals.listed(waiting_only=waiting_only, before=before, limit=limit)
        return [{**approval_line(one), "ticket": tx.tickets.one(one.ticket_id).ticket.number} for one in found]

    found = await desk_of(request).store.read(gather)
    return page_answer(request, "approvals", found, cursor_of(found[-1]["id"]) if len(found) == limit else None)


@needs("read")
@operation(answers=tickets.WholeApproval, whole=OF_ONE)
async def show_approval(request: web.Request) -> web.StreamResponse:
    """One question with every step that would run."""
    return json_answer(await _shown(request, _id(request)))


@needs("approve")
@operation(body=asked.PerhapsReason, answers=tickets.WholeApproval)
async def approve(request: web.Request) -> web.StreamResponse:
    """Answers a question with yes. Body: perhaps actor and reason."""
    return await _answer_by_api(request, yes=True)


@needs("approve")
@operation(body=asked.PerhapsReason, answers=tickets.WholeApproval)
async def reject(request: web.Request) -> web.StreamResponse:
    """Answers a question with no. Body: perhaps actor and reason."""
    return await _answer_by_api(request, yes=False)


@needs("act")
@operation(body=handling.RunBody, answers=tickets.RunLine)
async def start_run(request: web.Request) -> web.StreamResponse:
    """Orders a run for a ticket. Body: runbook, and perhaps target, actor, and as labels what its parameters take and
    the alert does not say."""
    content = await content_of(request)
    wish = Wish(
        runbook=text_in(content, "runbook"), target=name_in(content, "target"), labels=texts_in(content, "labels")
    )
    key, actor, who = request.match_info["key"], actor_of(request, content), identity_of(request)
    return json_answer(run_line(await order_run(desk_of(request), key, wish, actor, who=who)))


async def _answer_by_api(request: web.Request, *, yes: bool) -> web.StreamResponse:
    content = await content_of(request)
    actor, reason = actor_of(request, content), _reason(content)
    await consent.answer(desk_of(request), _id(request), actor, yes=yes, reason=reason, who=identity_of(request))
    return json_answer(await _shown(request, _id(request)))


# --- pages -----------------------------------------------------------------------------------------


async def ask(request: web.Request) -> web.StreamResponse:
    """What a signed link opens: what is asked, and what exactly would run. It changes nothing."""
    desk, person = request.app[CONTEXT].desk, ""
    try:
        claim = desk.links.read_approve(request.match_info["token"])
        person = claim.person
        await refuse_who_left(desk, person)
        shown = await _shown(request, claim.approval_id)
    except (Refused, NotFound) as error:
        return page("message.html", status=403, **no_link(request, person), text=str(error))
    language, title = language_of(request, claim.person), ("Approval", str(claim.approval_id))
    due_at = datetime.fromisoformat(shown["due_at"]) if shown["due_at"] else None
    until = local_moment(due_at, zone_of(desk, claim.person)) if due_at else ""
    return page("approve.html", language=language, approval=shown, person=claim.person, until=until, title=title)


async def answer_by_link(request: web.Request) -> web.StreamResponse:
    """The answer given on that page."""
    desk, form, person = request.app[CONTEXT].desk, dict(await request.post()), ""
    try:
        claim = desk.links.read_approve(request.match_info["token"])
        person = claim.person
        yes, reason = _yes_or_no(form), _reason(form)
        await _answer_once(request, claim, yes=yes, reason=reason)
        shown = await _shown(request, claim.approval_id)
    except (Refused, NotFound) as error:
        language = language_of(request, person)
        return page("message.html", status=409, language=language, title="It does not count", text=str(error))
    language = language_of(request, claim.person)
    text = shown["sentence"] or f"Noted, {claim.person}. Others are still awaited."
    return page("message.html", language=language, title="Thank you", text=text, ticket=shown["ticket"])


async def _answer_once(request: web.Request, claim: ApprovalClaim, *, yes: bool, reason: str) -> None:
    """An answer by a link; the same one again is the same answer. Raises Refused, NotFound."""
    desk, asked, person = desk_of(request), claim.approval_id, claim.person
    shown = await _shown(request, asked)
    way = by_link_once if shown["state"] == "waiting" else by_link
    try:
        async with way(request, desk, person, shown["ticket"]):
            await consent.answer(desk, asked, person, yes=yes, reason=reason)
    except LinkUsed:
        given = (await _shown(request, asked))["answers"]
        if not any((one["person"], one["yes"]) == (person, yes) for one in given):
            raise


@needs("read")
async def approval_page(request: web.Request) -> web.StreamResponse:
    """A question with exactly what would run, and the form for who may answer."""
    return await _page(request, Tried())


@needs("approve")
async def answer_by_form(request: web.Request) -> web.StreamResponse:
    """The form on a ticket's page, and on that of the question."""
    form = dict(await request.post())
    try:
        yes, actor, who = _yes_or_no(form), actor_of(request, form), identity_of(request)
        approval = await consent.answer(desk_of(request), _id(request), actor, yes=yes, reason=_reason(form), who=who)
    except NotTheirs:
        raise
    except (Refused, web.HTTPUnprocessableEntity) as error:
        return await _page(request, refused("answer", error, form))
    return web.Response(status=303, headers={"Location": f"/tickets/{approval.ticket_id}"})


def routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/approvals", list_approvals),
        web.get(r"/api/v1/approvals/{id:\d{1,15}}", show_approval),
        web.post(r"/api/v1/approvals/{id:\d{1,15}}/approve", approve),
        web.post(r"/api/v1/approvals/{id:\d{1,15}}/reject", reject),
        web.post("/api/v1/tickets/{key}/runs", start_run),
        web.get("/approve/{token}", ask),
        web.post("/approve/{token}", answer_by_link),
        web.get(r"/approvals/{id:\d{1,15}}", approval_page),
        web.post(r"/approvals/{id:\d{1,15}}", answer_by_form),
    ]


async def _page(request: web.Request, tried: Tried) -> web.Response:
    """Raises NotFound."""
    approval, people = await _shown(request, _id(request)), desk_of(request).configuration.people
    visitor = await visitor_of(request)
    approval["is_mine"] = may_answer(visitor, people, approval["roles"], approval["team"])
    title = "It does not count" if tried.why else ("Approval", str(approval["id"]))
    return await console_page(
        request,
        "approval.html",
        status=tried.status,
        refusal=tried.why,
        title=title,
        approval=approval,
        tried=tried,
    )


async def _shown(request: web.Request, approval_id: int) -> dict[str, Any]:
    secrets = request.app[CONTEXT].desk.configuration.secrets
    return await request.app[CONTEXT].desk.store.read(lambda tx: shown_approval(tx, approval_id, secrets))


def _id(request: web.Request) -> int:
    return int(request.match_info["id"])


def _reason(given: Mapping[str, Any]) -> str:
    text = given.get("reason") or ""
    if not isinstance(text, str):
        raise web.HTTPUnprocessableEntity(text="“reason” is not a text.")
    return " ".join(text.replace("\x00", "").split())[:LONGEST_TEXT]


def _yes_or_no(form: Mapping[str, Any]) -> bool:
    if form.get("answer") not in ("yes", "no"):
        raise Refused("The answer is neither yes nor no.")
    return bool(form["answer"] == "yes")
