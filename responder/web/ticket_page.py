"""The page of one ticket: everything that is known of it on one screen, and everything that people may do to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web
from yarl import URL

from responder.domain.clock_story import Story
from responder.domain.review import REVIEWABLE
from responder.domain.ticket import Change, Ticket
from responder.domain.unreached import reach_of
from responder.errors import BadForm, ConsentAsked, NotFound, NotTheirs, Refused
from responder.flows import handle
from responder.flows.desk import Desk
from responder.flows.explain_clock import stories
from responder.flows.moves import foreseen
from responder.flows.orders import Wish, order_run
from responder.flows.recognise import similar
from responder.store.overview import Overview
from responder.store.transaction import Transaction
from responder.web.bodies import actor_of, desk_of, name_in, number_in
from responder.web.console import Visitor, console_page, visitor_of
from responder.web.context import identity_of, needs
from responder.web.may_answer import may_answer
from responder.web.rendering import rendered
from responder.web.shapes import shown_approval, whole_ticket
from responder.web.sign_in import local_path
from responder.web.start_form import START, VALUES, given_labels, nothing_to_fill_in, start_form
from responder.web.ticket_history import history_of
from responder.web.ticket_lines import ClockBar, bar, holder_of, next_clock
from responder.web.timeline_chart import timeline_chart
from responder.web.tried import text_of
from responder.web.verb_forms import LABELS, Scene, content_of_form, possible, silent_keys

_LISTS = ("/", "/tickets", "/search")
_ONLY_ADDS = ("note",)


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What somebody wanted to do and could not: it stands on the page again, with what they typed.

    With `is_asked` nothing went wrong: others have been asked whether it may be done.
    """

    verb: str = ""
    why: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)
    seen: int | None = None
    status: int = 200
    is_asked: bool = False


@needs("read")
async def ticket_page(request: web.Request) -> web.StreamResponse:
    return await _shown(request, Tried())


@needs("read")
async def ticket_as_markdown(request: web.Request) -> web.StreamResponse:
    """The ticket as text to paste elsewhere."""
    desk, visitor = desk_of(request), await visitor_of(request)
    key = request.match_info["key"]
    found = await desk.store.read(lambda tx: _gather(desk, tx, key, visitor, Tried()))
    content = {**found, "now": desk.clock.now(), "zone": visitor.zone, "base": desk.configuration.settings.base_url}
    text = rendered("ticket.md", visitor.language, content)
    return web.Response(text=text, content_type="text/markdown", charset="utf-8")


@needs("act")
async def act(request: web.Request) -> web.StreamResponse:
    """A form of the page. What is refused comes back with the page of now, and with what was typed."""
    desk, key, verb = desk_of(request), request.match_info["key"], request.match_info["verb"]
    form, visitor = dict(await request.post()), await visitor_of(request)
    typed = {name: value for name, value in form.items() if isinstance(value, str)}
    seen = number_in(typed.get("seen") or None, 0)
    try:
        # A word more stands beside whatever has happened meanwhile.
        version = None if verb in _ONLY_ADDS else number_in(typed.get("version") or None, 0) or None
        content = content_of_form(verb, form, ZoneInfo(visitor.zone))
        actor, who = actor_of(request, content), identity_of(request)
        ticket = await handle.do(desk, verb, key, actor=actor, content=content, version=version, who=who)
    except NotTheirs:
        raise
    except Refused as error:
        asked = isinstance(error, ConsentAsked)
        tried = Tried(verb=verb, why=str(error), typed=typed, seen=seen, status=409, is_asked=asked)
        return await _shown(request, tried)
    except (BadForm, NotFound, web.HTTPUnprocessableEntity) as error:
        # Another ticket that the form names may not be there; for this one there would be no page to show.
        return await _shown(request, Tried(verb=verb, why=text_of(error), typed=typed, status=422))
    leads_to = _list_behind(typed.get("back", ""), ticket) or f"/tickets/{key}?done={verb}"
    return web.Response(status=303, headers={"Location": leads_to})


def _list_behind(back: str, ticket: Ticket) -> str:
    """The line of the ticket in the list from which it was done; empty for anything that is no list of ours."""
    if local_path(back) != back:
        return ""
    given = URL(back)
    return str(given.with_fragment(f"t{ticket.id}")) if given.path in _LISTS else ""


@needs("act")
async def start(request: web.Request) -> web.StreamResponse:
    """The form that starts a runbook, under the same guards as the machine."""
    desk, key, form = desk_of(request), request.match_info["key"], dict(await request.post())
    typed = {name: value for name, value in form.items() if isinstance(value, str)}
    labels = given_labels(desk.configuration, typed)
    wish = Wish(runbook=name_in(typed, "runbook"), target=name_in(typed, "target"), labels=labels)
    try:
        await order_run(desk, key, wish, actor_of(request, form), who=identity_of(request))
    except NotTheirs:
        raise
    except Refused as error:
        return await _shown(request, Tried(verb=START, why=str(error), typed=typed, status=409))
    except web.HTTPUnprocessableEntity as error:
        return await _shown(request, Tried(verb=START, why=text_of(error), typed=typed, status=422))
    return web.Response(status=303, headers={"Location": f"/tickets/{key}?done={START}#first-aid"})


@needs("act")
async def show_values(request: web.Request) -> web.StreamResponse:
    """The same form with what the parameters of the chosen runbook take; nothing starts."""
    desk, form = desk_of(request), await request.post()
    typed = {name: value for name, value in form.items() if isinstance(value, str)}
    ticket = await handle.read_ticket(desk, request.match_info["key"])
    why = nothing_to_fill_in(desk.configuration, ticket, name_in(typed, "runbook"))
    return await _shown(request, Tried(verb=START, why=why, typed=typed, status=422 if why else 200))


def routes() -> list[web.RouteDef]:
    return [
        web.get(r"/tickets/{key}.md", ticket_as_markdown),
        web.get("/tickets/{key}", ticket_page),
        web.post(f"/tickets/{{key}}/{START}", start),
        web.post(f"/tickets/{{key}}/{VALUES}", show_values),
        # Only the verbs: what is decided at a gate has a form of its own, and asks for more.
        web.post(f"/tickets/{{key}}/{{verb:{'|'.join(LABELS)}}}", act),
    ]


async def _shown(request: web.Request, tried: Tried) -> web.Response:
    desk, key, visitor = desk_of(request), request.match_info["key"], await visitor_of(request)
    oldest_first = request.query.get("order") == "oldest"
    found = await desk.store.read(lambda tx: _gather(desk, tx, key, visitor, tried))
    events = found["ticket"]["events"]
    done = request.query.get("done", "")
    return await console_page(
        request,
        "ticket.html",
        status=tried.status,
        refusal=tried.why,
        title=found["ticket"]["number"],
        tried=tried,
        news=events[tried.seen :] if tried.seen else [],
        done={**LABELS, START: "Start a runbook", "review": "Review"}.get(done, ""),
        oldest_first=oldest_first,
        history=history_of(events, oldest_first=oldest_first, everything="all" in request.query),
        chart=timeline_chart(found["ticket"], desk.clock.now(), visitor.zone),
        path=f"/tickets/{found['ticket']['number']}",
        **found,
    )


# --- what is on the page ----------------------------------------------------------------------------------------


def _gather(desk: Desk, tx: Transaction, key: str, visitor: Visitor, tried: Tried) -> dict[str, Any]:
    """Raises NotFound."""
    policy, now = desk.policy, desk.clock.now()
    known = tx.tickets.find(key)
    ticket, chains = known.ticket, tx.chains.of_ticket(known.ticket.id)
    tiers, secrets = desk.configuration.tiers, desk.configuration.secrets
    may_see = visitor.may("act")
    whole = whole_ticket(tx, str(ticket.id), may_see=may_see, policy=policy, tiers=tiers, secrets=secrets)
    dossier = tx.dossiers.of_ticket(ticket.id)
    asked = [_question(desk, tx, one) for one in whole["approvals"]]
    for one in asked:
        one["is_mine"] = may_answer(visitor, desk.configuration.people, one["roles"], ticket.team)
    not_theirs = visitor.objection_to_team(ticket.team)
    may_act = visitor.may("act") and not not_theirs
    told = stories(policy, known.clocks.values(), now)
    pages = Overview(tx.connection).pages([ticket.id]).get(ticket.id, [])
    reach = reach_of(pages, now, policy.delivery.next_after)
    return {
        "ticket": whole,
        "labels_of_verbs": LABELS,
        "clock": next_clock(policy, known.clocks, now),
        "clocks": sorted(((bar(policy, known.clocks[story.name], now), story) for story in told), key=_soonest),
        "holder": holder_of(ticket, chains[-1] if chains else None, reach, now),
        "in_vain": reach.in_vain,
        "waiting": [one for one in asked if one["state"] == "waiting"],
        "decided": [one for one in asked if one["state"] != "waiting"],
        **(_doable(_scene(desk, tx, ticket, visitor, whole), tried) if may_act else {"verbs": [], "silent": {}}),
        "not_theirs": not_theirs if visitor.may("act") else "",
        "known_cases": similar(desk, tx, ticket, dossier),
        "previous": _number(tx, ticket.previous_id),
        "merged_into": _number(tx, ticket.merged_into),
        "people": list(desk.configuration.people),
        "review": dossier.review,
        "is_reviewable": ticket.status in REVIEWABLE,
    }


def _doable(scene: Scene, tried: Tried) -> dict[str, Any]:
    """The forms of what can be done, and why keys do nothing for which there is none."""
    forms = possible(scene)
    typed = tried.typed if tried.verb == START else {}
    start = [start_form(scene.configuration, scene.ticket, typed)] if scene.ticket.is_open else []
    return {"verbs": [*forms, *start], "silent": silent_keys(scene, forms)}


def _soonest(shown: tuple[ClockBar, Story]) -> tuple[bool, float]:
    """What runs comes first, and of that what is due first."""
    clock, _ = shown
    is_running = clock.state in ("running", "soon", "late")
    return not is_running, clock.due_at.timestamp() if clock.due_at else 0.0


def _question(desk: Desk, tx: Transaction, line: dict[str, Any]) -> dict[str, Any]:
    """A question; one that waits with what exactly would run."""
    if line["state"] != "waiting":
        return line
    return shown_approval(tx, line["id"], desk.configuration.secrets)


def _scene(desk: Desk, tx: Transaction, ticket: Ticket, visitor: Visitor, whole: Mapping[str, Any]) -> Scene:
    known = tx.tickets.one(ticket.id)
    change = Change.of(known.ticket, known.clocks)
    change.dossier = tx.dossiers.of_ticket(ticket.id)

    return Scene(
        ticket=ticket,
        dossier=change.dossier,
        actor=visitor.name,
        configuration=desk.configuration,
        foreseen=lambda verb: foreseen(desk, tx, change, verb),
        has_members=bool(whole["members"]) or _has_merged(whole),
    )


def _has_merged(whole: Mapping[str, Any]) -> bool:
    return any("merged" in event["data"] for event in whole["events"])


def _number(tx: Transaction, ticket_id: int | None) -> str:
    if ticket_id is None:
        return ""
    try:
        return tx.tickets.one(ticket_id).ticket.number
    except NotFound:
        return ""
