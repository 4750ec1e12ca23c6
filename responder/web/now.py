"""The page Now: what wants a person, who is on call, and what automation may do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from responder.domain.report import Signal
from responder.domain.ticket import Status, Ticket
from responder.flows.audit_pages import last_unreached
from responder.flows.desk import Desk
from responder.flows.duty import on_duty
from responder.flows.maintenance import in_maintenance_now
from responder.flows.situation import budgets_left
from responder.flows.storm import storm_ticket
from responder.flows.switches import switched_off
from responder.store.overview import Overview
from responder.store.transaction import Transaction
from responder.web.bodies import desk_of
from responder.web.console import Visitor, console_page, visitor_of
from responder.web.context import needs
from responder.web.may_answer import may_answer
from responder.web.ticket_lines import TicketLine, lines_of

_SHOWN = 50
_APPROVALS_SHOWN = 20
_OVER = (Status.RESTORED, Status.RESOLVED)


@dataclass(frozen=True, kw_only=True, slots=True)
class OnCall:
    """Who is called first, second and third for a team."""

    team: str
    tiers: tuple[OnTier, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class OnTier:
    number: int
    people: tuple[str, ...]
    rota: str
    until: datetime | None
    why: str


@needs("read")
async def now_page(request: web.Request) -> web.StreamResponse:
    """Open tickets, the most urgent first, and the state of everything that works on them."""
    desk, visitor = desk_of(request), await visitor_of(request)
    found = await desk.store.read(lambda tx: _gather(desk, tx, visitor))
    return await console_page(request, "now.html", title="Now", most=_SHOWN, **found)


def routes() -> list[web.RouteDef]:
    return [web.get("/", now_page)]


def _gather(desk: Desk, tx: Transaction, visitor: Visitor) -> dict[str, Any]:
    now, policy, overview = desk.clock.now(), desk.policy, Overview(tx.connection)
    lines = lines_of(tx, policy, overview.most_urgent(tuple(policy.grades), _SHOWN), now)
    storm = storm_ticket(desk, tx, now)
    return {
        "urgent": [line for line in lines if not _is_calm(line.ticket)],
        "calm": [line for line in lines if _is_calm(line.ticket)],
        **_unreached(desk, tx, lines),
        "grades": Counter(overview.open_by_grade()),
        "on_call": _on_call(desk, tx, now),
        "budgets": [left for left in budgets_left(desk, tx, now) if left.used],
        "off": switched_off(desk, tx),
        "maintenance": in_maintenance_now(tx, now),
        "held": overview.held_count(),
        "storm": storm.ticket if storm else None,
        "approvals": _approvals(desk, tx, visitor),
    }


def _unreached(desk: Desk, tx: Transaction, lines: Sequence[TicketLine]) -> dict[str, Any]:
    """The tickets of which nobody was told: of those that are shown as it is now; of all others those that the last
    round of the audit named and of which it is still so, and how many more it named."""
    shown = {line.ticket.id for line in lines}
    named = [one for one in last_unreached(tx) if one not in shown]
    known = tx.tickets.many(named[:_SHOWN])
    others = lines_of(tx, desk.policy, [known[one] for one in named[:_SHOWN] if one in known], desk.clock.now())
    return {
        "unreached": [line for line in (*lines, *others) if line.holder.is_lost],
        "unreached_besides": max(0, len(named) - _SHOWN),
    }


def _is_calm(ticket: Ticket) -> bool:
    """What is said to be restored while its alert fires is not."""
    return ticket.status in _OVER and ticket.signal is not Signal.FIRING


def _on_call(desk: Desk, tx: Transaction, now: datetime) -> list[OnCall]:
    found = []
    for team, tiers in desk.configuration.tiers.items():
        shown = []
        for tier in tiers:
            duty = on_duty(desk, tx, tier.rota, now) if tier.rota in desk.configuration.rotas else None
            shown.append(
                OnTier(
                    number=tier.number,
                    people=duty.people if duty else tier.people,
                    rota=tier.rota,
                    until=duty.until if duty else None,
                    why=duty.why if duty else "",
                )
            )
        found.append(OnCall(team=team, tiers=tuple(shown)))
    return found


def _approvals(desk: Desk, tx: Transaction, visitor: Visitor) -> list[dict[str, Any]]:
    """Questions that wait, those that the visitor may answer first."""
    waiting = tx.approvals.listed(waiting_only=True, limit=_APPROVALS_SHOWN)
    numbers = tx.tickets.many([one.ticket_id for one in waiting])
    people = desk.configuration.people
    shown = [
        {
            "question": one.question,
            "due_at": one.due_at,
            "wanted": one.whose_yes,
            "ticket": numbers[one.ticket_id],
            "is_mine": may_answer(visitor, people, one.roles, numbers[one.ticket_id].team),
        }
        for one in waiting
    ]
    return sorted(shown, key=lambda one: not one["is_mine"])
