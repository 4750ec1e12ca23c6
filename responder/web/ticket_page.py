"""The page of one ticket: everything that is known of it on one screen, and everything that people may do to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from responder.domain.clock_story import Story
from responder.domain.ticket import Action, Change, Ticket
from responder.errors import BadForm, NotFound, NotTheirs, Refused
from responder.flows import handle
from responder.flows.desk import Desk
from responder.flows.explain_clock import stories
from responder.flows.moves import foreseen_objection
from responder.flows.orders import order_run
from responder.flows.recognise import similar
from responder.store.transaction import Transaction
from responder.web.bodies import actor_of, desk_of, number_in
from responder.web.console import Visitor, console_page, visitor_of
from responder.web.context import identity_of, needs
from responder.web.rendering import rendered
from responder.web.shapes import shown_approval, whole_ticket
from responder.web.ticket_lines import ClockBar, bar, holder_of, next_clock
from responder.web.timeline_chart import timeline_chart
from responder.web.verb_forms import LABELS, START, Scene, VerbForm, content_of_form, possible, start_form

_EVENTS_SHOWN = 300


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What somebody wanted to do and could not: it stands on the page again, with what they typed."""

    verb: str = ""
    why: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)
    seen: int | None = None
    status: int = 200


@needs("read")
async def ticket_page(request: web.Request) -> web.StreamResponse:
    return await _shown(request, Tried())


@needs("read")
async def ticket_as_markdown(request: web.Request) -> web.StreamResponse:
    """The ticket as text to paste elsewhere."""
    desk, visitor = desk_of(request), await visitor_of(request)
    key = request.match_info["key"]
    found = await desk.store.read(lambda tx: _gather(desk, tx, key, visitor))
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
        version = number_in(typed.get("version") or None, 0) or None
        content = content_of_form(verb, form, ZoneInfo(visitor.zone))
        actor, who = actor_of(request, content), identity_of(request)
        await handle.do(desk, verb, key, actor=actor, content=content, version=version, who=who)
    except NotTheirs:
        raise
    except Refused as error:
        return await _shown(request, Tried(verb=verb, why=str(error), typed=typed, seen=seen, status=409))
    except BadForm as error:
        return await _shown(request, Tried(verb=verb, why=str(error), typed=typed, status=422))
    return web.Response(status=303, headers={"Location": f"/tickets/{key}?done={verb}"})


@needs("act")
async def start(request: web.Request) -> web.StreamResponse:
    """The form that starts a runbook, under the same guards as the machine."""
    desk, key, form = desk_of(request), request.match_info["key"], dict(await request.post())
    typed = {name: value for name, value in form.items() if isinstance(value, str)}
    runbook, target = typed.get("runbook", ""), typed.get("target", "")
    try:
        await order_run(desk, key, runbook, target, actor_of(request, form))
    except Refused as error:
        return await _shown(request, Tried(verb=START, why=str(error), typed=typed, status=409))
    return web.Response(status=303, headers={"Location": f"/tickets/{key}?done={START}#first-aid"})


def routes() -> list[web.RouteDef]:
    return [
        web.get(r"/tickets/{key}.md", ticket_as_markdown),
        web.get("/tickets/{key}", ticket_page),
        web.post(f"/tickets/{{key}}/{START}", start),
        # Only the verbs: what is decided at a gate has a form of its own, and asks for more.
        web.post(f"/tickets/{{key}}/{{verb:{'|'.join(LABELS)}}}", act),
    ]


async def _shown(request: web.Request, tried: Tried) -> web.Response:
    desk, key, visitor = desk_of(request), request.match_info["key"], await visitor_of(request)
    oldest_first = request.query.get("order") == "oldest"
    found = await desk.store.read(lambda tx: _gather(desk, tx, key, visitor))
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
        done={**LABELS, START: "Start a runbook"}.get(done, ""),
        oldest_first=oldest_first,
        all_events="all" in request.query,
        timeline=_timeline(events, oldest_first=oldest_first, everything="all" in request.query),
        chart=timeline_chart(found["ticket"], desk.clock.now(), visitor.zone),
        path=f"/tickets/{found['ticket']['number']}",
        **found,
    )


def _timeline(events: list[dict[str, Any]], *, oldest_first: bool, everything: bool) -> list[dict[str, Any]]:
    shown = events if everything else events[-_EVENTS_SHOWN:]
    return shown if oldest_first else shown[::-1]


# --- what is on the page ----------------------------------------------------------------------------------------


def _gather(desk: Desk, tx: Transaction, key: str, visitor: Visitor) -> dict[str, Any]:
    """Raises NotFound."""
    policy, now = desk.policy, desk.clock.now()
    known = tx.tickets.find(key)
    ticket, chains = known.ticket, tx.chains.of_ticket(known.ticket.id)
    whole = whole_ticket(tx, str(ticket.id), may_see=visitor.may("act"), policy=policy)
    dossier = tx.dossiers.of_ticket(ticket.id)
    asked = [_question(desk, tx, one) for one in whole["approvals"]]
    told = stories(policy, known.clocks.values(), now)
    return {
        "ticket": whole,
        "labels_of_verbs": LABELS,
        "clock": next_clock(policy, known.clocks, now),
        "clocks": sorted(((bar(policy, known.clocks[story.name], now), story) for story in told), key=_soonest),
        "holder": holder_of(ticket, chains[-1] if chains else None),
        "waiting": [one for one in asked if one["state"] == "waiting"],
        "decided": [one for one in asked if one["state"] != "waiting"],
        "verbs": _forms(_scene(desk, tx, ticket, visitor, whole)) if visitor.may("act") else [],
        "known_cases": similar(desk, tx, ticket, dossier),
        "previous": _number(tx, ticket.previous_id),
        "merged_into": _number(tx, ticket.merged_into),
        "people": list(desk.configuration.people),
    }


def _forms(scene: Scene) -> list[VerbForm]:
    return [*possible(scene), *([start_form(scene.configuration)] if scene.ticket.is_open else [])]


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

    def why_not(action: Action) -> str:
        return foreseen_objection(desk, tx, change, action)

    return Scene(
        ticket=ticket,
        dossier=change.dossier,
        actor=visitor.name,
        configuration=desk.configuration,
        why_not=why_not,
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
