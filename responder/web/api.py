"""The REST API, /api/v1."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from responder.clock import microseconds
from responder.domain.masking import without_addresses
from responder.domain.ticket_filter import Order, Place
from responder.flows import explain_clock, handle
from responder.flows.verbs import VERBS
from responder.store.reports import Body
from responder.store.transaction import Transaction
from responder.web.bodies import LONGEST_TEXT as _LONGEST_TEXT
from responder.web.bodies import actor_of as _actor
from responder.web.bodies import content_of as _content
from responder.web.bodies import desk_of as _desk
from responder.web.bodies import json_answer as _json
from responder.web.bodies import number_in as _number
from responder.web.context import allowed_actor, identity_of, needs
from responder.web.invalid import pointer_to, unknown
from responder.web.operations import LINK, OF_ONE, operation
from responder.web.paging import (
    cursor_of,
    instant_of,
    limit_in,
    named_place_in,
    page_answer,
    ticket_cursor,
    ticket_place,
)
from responder.web.schemas import asked, handling, tickets
from responder.web.shapes import plain, ticket_line, whole_ticket
from responder.web.ticket_filter import asked_filter, search
from responder.web.ticket_lines import lines_of
from responder.web.versions import E_TAG, IF_MATCH, IF_NONE_MATCH, if_unchanged, seen_in, tagged

_LARGEST_PAGE = 500


@needs("read")
@operation(query=tickets.TicketQuery, answers=tickets.TicketPage, headers=LINK)
async def list_tickets(request: web.Request) -> web.StreamResponse:
    """Tickets by a filter, newest first, or the most urgent first (sort=urgent). `before` is an id, of times before
    there were cursors."""
    desk, wanted, place = _desk(request), await asked_filter(request), ticket_place(request.query)
    before, limit = _number(request.query.get("before"), 0), limit_in(request.query, 100, _LARGEST_PAGE)
    after = place or (Place(ticket_id=before) if before else None)
    found = await desk.store.read(lambda tx: search(tx, desk.policy).page(wanted, after=after, limit=limit))
    following = found.next.ticket_id if found.next and wanted.order is Order.NEWEST else None
    lines = [ticket_line(ticket) for ticket in found.tickets]
    return page_answer(request, "tickets", lines, ticket_cursor(found.next), before=following)


@needs("read")
@operation(answers=tickets.WholeTicket, headers=E_TAG, asks=IF_NONE_MATCH, also={304: "Not changed."}, whole=OF_ONE)
async def show_ticket(request: web.Request) -> web.StreamResponse:
    """One ticket; name and contact of its reporter only for who may act."""
    key, may_see = request.match_info["key"], await allowed_actor(request, "act") is not None
    desk = _desk(request)

    def gather(tx: Transaction) -> tuple[dict[str, Any], int]:
        tiers, secrets = desk.configuration.tiers, desk.configuration.secrets
        content = whole_ticket(tx, key, may_see=may_see, policy=desk.policy, tiers=tiers, secrets=secrets)
        ticket = tx.tickets.one(content["id"]).ticket
        (line,) = lines_of(tx, desk.policy, [ticket], desk.clock.now())
        return {**content, "reaches_nobody": line.holder.is_lost}, tx.tickets.last_event(ticket.id)

    return tagged(request, *await desk.store.read(gather))


@needs("act")
@operation(body=handling.MoveBody, answers=tickets.TicketLine, asks=IF_MATCH)
async def move(request: web.Request) -> web.StreamResponse:
    """Does what a verb says, under the rules of the policy. `version`: the one that was seen, if it matters."""
    verb = request.match_info["verb"]
    _only_known(await _content(request), verb)
    return await _moved(request, verb)


@needs("approve")
@operation(body=handling.YesBody, answers=tickets.TicketLine, asks=IF_MATCH)
async def approve_at_gate(request: web.Request) -> web.StreamResponse:
    """A yes to what waits at a gate of the ticket."""
    return await _moved(request, "approve")


@needs("approve")
@operation(body=handling.NoBody, answers=tickets.TicketLine, asks=IF_MATCH)
async def reject_at_gate(request: web.Request) -> web.StreamResponse:
    """A no to what waits at a gate of the ticket, with the reason."""
    return await _moved(request, "reject")


async def _moved(request: web.Request, verb: str) -> web.StreamResponse:
    desk, content = _desk(request), await _content(request)
    key, given = request.match_info["key"], content.get("version")

    async def done(seen: int | None) -> web.Response:
        version, actor = seen if given is None else given, _actor(request, content)
        who = identity_of(request)
        ticket = await handle.do(desk, verb, key, actor=actor, content=content, version=version, who=who)
        return _json(ticket_line(ticket))

    return await if_unchanged(desk, key, seen_in(request), done)


def _only_known(content: dict[str, Any], verb: str) -> None:
    """Raises Invalid for a field that the verb does not read."""
    known = ("actor", "version", *VERBS[verb].fields, *VERBS[verb].perhaps)
    for name in content:
        if name not in known:
            raise unknown(name, known, pointer=pointer_to(name))


@needs("read")
@operation(answers=list[handling.VerbLine], whole="As many as there are.")
async def list_verbs(request: web.Request) -> web.StreamResponse:  # noqa: ARG001
    """What people may do to a ticket, with the fields that each verb reads."""
    return _json(
        [{"verb": one.name, "fields": [*one.fields, *one.perhaps], "text": one.text} for one in VERBS.values()]
    )


@needs("read")
@operation(query=handling.ClockQuery, answers=handling.ClockStories, whole=OF_ONE)
async def explain_clocks(request: web.Request) -> web.StreamResponse:
    """Why each clock of a ticket is due when it is. Query: clock (one of them)."""
    key, name = request.match_info["key"], request.query.get("clock", "")
    number, stories = await explain_clock.explain_clocks(_desk(request), key, name)
    return _json({"number": number, "clocks": [explain_clock.story_as_plain(story) for story in stories]})


@needs("read")
@operation(query=asked.Listed, answers=handling.QuarantinePage, headers=LINK)
async def list_quarantine(request: web.Request) -> web.StreamResponse:
    """Bodies that were not understood, the latest first, with the reason and the first of their bytes as text. What
    did not come from a source of alerts, such as a mail, says who wrote it: its `body` is empty unless one may act."""
    desk, may_act = _desk(request), identity_of(request).may("act")
    limit, place = limit_in(request.query, 50, _LARGEST_PAGE), named_place_in(request.query, 1)
    before = (instant_of(place[0][0]), place[1]) if place else None
    found = await desk.store.read(lambda tx: tx.reports.quarantined(limit, before=before))
    open_to_all = {one.name for one in desk.configuration.settings.sources}
    lines = [_quarantined(one, may_see=may_act or one.source in open_to_all) for one in found]
    following = cursor_of(microseconds(found[-1].received_at), found[-1].id) if len(found) == limit else None
    return page_answer(request, "quarantine", lines, following)


def _quarantined(body: Body, *, may_see: bool) -> dict[str, Any]:
    why = body.quarantined_because
    return {
        "receipt": body.id,
        "source": body.source,
        "received_at": plain(body.received_at),
        "reason": why if may_see else without_addresses(why),
        "body": body.body[:_LONGEST_TEXT].decode("utf-8", "replace") if may_see else "",
    }


def routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/tickets", list_tickets),
        web.get("/api/v1/tickets/{key}", show_ticket),
        web.get("/api/v1/tickets/{key}/clocks", explain_clocks),
        # Only the verbs, so that another method on what is read of a ticket is told which ones there are.
        web.post(f"/api/v1/tickets/{{key}}/{{verb:{'|'.join(VERBS)}}}", move),
        web.post("/api/v1/tickets/{key}/approve", approve_at_gate),
        web.post("/api/v1/tickets/{key}/reject", reject_at_gate),
        web.get("/api/v1/verbs", list_verbs),
        web.get("/api/v1/quarantine", list_quarantine),
    ]
