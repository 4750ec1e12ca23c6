"""Reviews of incidents and the actions that they promised, over the API."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, tzinfo
from typing import Any

from aiohttp import web

from responder.clock import microseconds
from responder.domain.actions import ActionItem, due_of
from responder.domain.review import ReviewForm, fishbone
from responder.errors import BadForm, Refused
from responder.flows.actions import finish_action, move_action
from responder.flows.forms import Form
from responder.flows.handle import read_ticket
from responder.flows.review import Drafted, ReviewReport, as_markdown, draft_review, read_review, write_review
from responder.web.bodies import actor_of, content_of, desk_of, flag_in, json_answer, name_in
from responder.web.context import identity_of, needs
from responder.web.operations import LINK, OF_ONE, Media, operation
from responder.web.paging import cursor_of, instant_of, limit_in, page_answer, place_in
from responder.web.schemas import reviews, tickets
from responder.web.shapes import plain, ticket_line
from responder.web.versions import IF_MATCH, if_unchanged, seen_in

_LARGEST_PAGE = 500
_MOST_ENTRIES = 5000
_WRITTEN = (
    "root_cause", "cause_class", "whys", "factors", "improvements", "timeline", "actions", "participants",
    "meeting_at",
)  # fmt: skip
_MEASURED = ("first_aid", "acknowledge", "restore", "resolve")
_KNOWN = {*_WRITTEN, "ticket", "replaces", "version", "actor"}


# --- reviews ---------------------------------------------------------------------------------------


@needs("read")
@operation(query=reviews.DraftQuery, answers=reviews.Draft, whole=OF_ONE)
async def draft(request: web.Request) -> web.StreamResponse:
    """A review to fill in, in the shape in which it is written. Query: fresh (not the one that is written)."""
    is_fresh = flag_in(request.query, "fresh")
    found = await draft_review(desk_of(request), request.match_info["key"], is_fresh=is_fresh)
    return json_answer({"draft": _draft_line(found), "cause_classes": list(found.cause_classes)})


@needs("read")
@operation(query=reviews.ReviewQuery, answers=reviews.Review, whole=OF_ONE)
async def show(request: web.Request) -> web.StreamResponse:
    """The report of a review. Query: markdown (adds it as a text)."""
    report = await read_review(desk_of(request), request.match_info["key"])
    text = {"markdown": as_markdown(report)} if flag_in(request.query, "markdown") else {}
    return json_answer({**_report_line(report), **text})


@needs("read")
@operation(answers=Media(type="text/markdown", is_text=True))
async def show_markdown(request: web.Request) -> web.StreamResponse:
    """The report as a Markdown document."""
    report = await read_review(desk_of(request), request.match_info["key"])
    return web.Response(text=as_markdown(report), content_type="text/markdown", charset="utf-8")


@needs("act")
@operation(body=reviews.ReviewBody, answers=tickets.TicketLine, asks=IF_MATCH)
async def write(request: web.Request) -> web.StreamResponse:
    """Writes the review. Body: the shape of the draft, and perhaps actor and version."""
    desk, key, content = desk_of(request), request.match_info["key"], await content_of(request)
    if unknown := sorted(set(content) - _KNOWN):
        raise BadForm(f"A review has no “{unknown[0][:60]}”; it has {', '.join(_WRITTEN)}.")
    form, meta = review_in(content, desk.policy.zone, desk.clock.now()), Form(content)
    number, ticket = meta.optional("ticket"), await read_ticket(desk, key)
    if number not in ("", ticket.number):
        raise Refused(f"This is the review of {number[:60]}, not of {ticket.number}.")
    given = meta.number("version")

    async def done(seen: int | None) -> web.Response:
        version, actor, who = seen if given is None else given, actor_of(request, content), identity_of(request)
        return json_answer(ticket_line(await write_review(desk, key, actor, form, version=version, who=who)))

    return await if_unchanged(desk, key, seen_in(request), done)


# --- actions ---------------------------------------------------------------------------------------


@needs("read")
@operation(query=reviews.ActionQuery, answers=reviews.ActionPage, headers=LINK)
async def list_actions(request: web.Request) -> web.StreamResponse:
    """Actions, open ones and what is due first at the top. Query: all (done ones too), overdue, owner, limit."""
    desk, query = desk_of(request), request.query
    now, limit, place = desk.clock.now(), limit_in(query, 100, _LARGEST_PAGE), place_in(query, 3)
    after = (bool(place[0]), instant_of(place[1]), place[2]) if place else None
    found = await desk.store.read(
        lambda tx: tx.actions.listed(
            open_only=not flag_in(query, "all"),
            overdue_at=now if flag_in(query, "overdue") else None,
            owner=name_in(query, "owner"),
            after=after,
            limit=limit,
        )
    )
    lines = [{**_action_line(one, now), "ticket": number} for number, one in found]
    last = found[-1][1] if len(found) == limit else None
    following = cursor_of(int(last.done_at is not None), microseconds(last.due_at), last.id) if last else None
    return page_answer(request, "actions", lines, following)


@needs("act")
@operation(body=reviews.ResultBody, answers=reviews.ActionLine)
async def done(request: web.Request) -> web.StreamResponse:
    """Says that an action is done. Body: result, and perhaps actor."""
    desk, content = desk_of(request), await content_of(request)
    actor, result = actor_of(request, content), Form(content).text("result")
    item = await finish_action(desk, _id(request), actor, result, who=identity_of(request))
    return json_answer(_action_line(item, desk.clock.now()))


@needs("act")
@operation(body=reviews.DueBody, answers=reviews.ActionLine)
async def move(request: web.Request) -> web.StreamResponse:
    """Gives an action another due date. Body: due, reason, and perhaps actor."""
    desk, content = desk_of(request), await content_of(request)
    form, actor = Form(content), actor_of(request, content)
    due_at, reason = _due_in(form, desk.policy.zone, desk.clock.now()), form.text("reason")
    who = identity_of(request)
    item = await move_action(desk, _id(request), due_at, actor=actor, reason=reason, who=who)
    return json_answer(_action_line(item, desk.clock.now()))


def routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/tickets/{key}/review/draft", draft),
        web.get("/api/v1/tickets/{key}/review", show),
        web.get("/api/v1/tickets/{key}/review.md", show_markdown),
        web.post("/api/v1/tickets/{key}/review", write),
        web.get("/api/v1/actions", list_actions),
        web.post(r"/api/v1/actions/{id:\d{1,15}}/done", done),
        web.post(r"/api/v1/actions/{id:\d{1,15}}/move", move),
    ]


def _id(request: web.Request) -> int:
    return int(request.match_info["id"])


# --- what is answered ------------------------------------------------------------------------------


def _draft_line(found: Drafted) -> dict[str, Any]:
    review = found.review
    return {
        "ticket": found.ticket.number,
        "replaces": plain(review.written_at),
        **{name: plain(getattr(review, name)) for name in _WRITTEN if name not in ("timeline", "actions")},
        "actions": [{"text": one.text, "owner": one.owner, "due": plain(one.due_at)} for one in found.actions],
        "timeline": _timeline_lines(review.timeline),
    }


def _report_line(report: ReviewReport) -> dict[str, Any]:
    review = report.review
    return {
        **{name: plain(value) for name, value in asdict(review).items() if name != "timeline"},
        "ticket": ticket_line(report.ticket),
        "fields": dict(report.dossier.fields),
        "diagnosis": report.dossier.diagnosis,
        "solution": report.dossier.solution,
        "timeline": _timeline_lines(review.timeline),
        "durations": [
            {
                "since": plain(one.since),
                **{f"{name}_seconds": _seconds(getattr(one, name)) for name in _MEASURED},
            }
            for one in report.durations
        ],
        "clocks": dict(report.outcomes),
        "fishbone": fishbone(review.factors),
        "actions": [_action_line(one, report.now) for one in report.actions],
    }


def _timeline_lines(timeline: tuple[tuple[datetime, str], ...]) -> list[dict[str, str]]:
    return [{"at": plain(at), "text": text} for at, text in timeline]


def _seconds(duration: Any) -> float | None:
    return None if duration is None else duration.total_seconds()


def _action_line(item: ActionItem, now: datetime) -> dict[str, Any]:
    return {**plain(asdict(item)), "state": item.state(now).value}


# --- what is asked ---------------------------------------------------------------------------------


def review_in(content: dict[str, Any], zone: tzinfo, now: datetime) -> ReviewForm:
    """What was handed in. `zone` is that of a day by which an action is due. Raises BadForm."""
    form = Form(content)
    has_timeline = content.get("timeline") is not None
    return ReviewForm(
        root_cause=form.optional("root_cause"),
        cause_class=form.optional("cause_class"),
        whys=form.texts("whys"),
        factors=form.texts("factors"),
        improvements=form.optional("improvements"),
        timeline=tuple(_line_in(one) for one in _entries_in(content, "timeline")) if has_timeline else None,
        actions=tuple(_action_in(one, zone, now) for one in _entries_in(content, "actions")),
        participants=form.texts("participants"),
        meeting_at=form.instant("meeting_at"),
        is_from_draft="replaces" in content,
        replaces=form.instant("replaces"),
    )


def _entries_in(content: dict[str, Any], name: str) -> list[Form]:
    found = content.get(name) or []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise BadForm(f"“{name}” is not a list of objects.")
    if len(found) > _MOST_ENTRIES:
        raise BadForm(f"“{name}” has more than {_MOST_ENTRIES} entries.")
    return [Form(one) for one in found]


def _line_in(line: Form) -> tuple[datetime, str]:
    at = line.instant("at")
    if at is None:
        raise BadForm("A line of the “timeline” does not say when it was (at).")
    return at, line.optional("text")


def _action_in(action: Form, zone: tzinfo, now: datetime) -> ActionItem:
    return ActionItem(text=action.optional("text"), owner=action.optional("owner"), due_at=_due_in(action, zone, now))


def _due_in(form: Form, zone: tzinfo, now: datetime) -> datetime:
    try:
        return due_of(form.text("due"), zone, now)
    except ValueError as error:
        raise BadForm(f"“due”: {error}.") from error
